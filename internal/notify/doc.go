// Package notify tells services by signed webhooks, and checks the webhooks that services send us.
//
// A webhook follows Standard Webhooks 1.0.0: the headers webhook-id, webhook-timestamp and webhook-signature, HMAC-SHA256
// over "id.timestamp.body", as many signatures as there are live secrets, so that a secret can be changed without a gap. The
// body is a CloudEvent 1.0.2 in structured JSON.
//
// Whoever configures an address must not reach our own network by it. The address is judged after the name was resolved, by
// the dialer, at every connection: names that change their address between two look-ups, redirects (never followed) and
// odd spellings of an address change nothing. Response bodies are dropped unread: nothing in them comes back to anybody.
//
// E-mail goes to one server, encrypted or not at all, and no error names whom it was for.
package notify
