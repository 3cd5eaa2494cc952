// Package dial makes the connections that leave: to services that are told by webhooks, to identity providers, to
// certificate authorities, to whatever else is asked over HTTP.
//
// Whoever configures an address, or answers with one, must not reach our own network by it. An address is judged after the
// name was resolved, by the dialer, at every connection: names that change their address between two look-ups and odd
// spellings of an address change nothing. Redirects are never followed and no proxy is asked, for both would dial for
// somebody else. An answer is read up to a limit and no further.
//
// The other side is known by its certificate: from the usual authorities, from one of the company's own, or, where it is
// pinned, by its very key. Where it asks who we are, a certificate of ours says so.
package dial
