// Package vault holds the keys of one Ombud.
//
// Everything comes from one root key: a file of 32 random bytes, mode 0600, made at first use. HKDF-SHA256 gives each
// purpose a key of its own, so that none can stand in for another: signing (Ed25519), sealing, and one MAC key per
// label. Losing the root file loses everything sealed; ombud.pub beside it is what others verify with, and also what
// tells a lost root key from a first start.
//
// Sealing is XAES-256-GCM (C2SP): AES-256-GCM with a random 192-bit nonce. 2^80 messages under one key keep the chance
// of a repeated nonce below 2^-32, so no counter has to survive a crash or a restored backup.
//
// No type here prints, formats or marshals a key.
package vault
