// Package transport lets people and programs of other machines reach the server, over TLS 1.3 and nothing older.
//
// The certificate comes from files, which are read again when they change, or from an authority by ACME (RFC 8555), whose
// challenge is answered in the handshake itself (TLS-ALPN-01), so that no second port is needed. The next certificate is
// asked for when a third of the time of the last is left; while the authority fails, the last one stays. Callers may have to
// show a certificate of their own: of one authority, with one of several keys, or both.
//
// Where a proxy speaks TLS instead, it is known by its address. What such a proxy says of the caller is believed; what
// anybody else says of themself is not even read.
package transport
