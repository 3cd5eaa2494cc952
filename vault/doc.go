// Package vault holds the keys of one Ombud.
//
// Everything comes from one root key: a file of 32 random bytes, mode 0600, made at first use. HKDF-SHA256 gives each
// purpose a key of its own, so that none can stand in for another: signing (Ed25519), sealing, and one MAC key per
// label. Losing the root file loses everything sealed; ombud.pub beside it is what others verify with, and also what
// tells a lost root key from a first start.
//
// The root key can be rotated while everything is in use (RotateRoot). What is sealed names the generation of the root key it
// was sealed under; from the rotation on all is sealed under the newest, and what the store holds is sealed again. The file
// ring, sealed under the newest root key, takes along what cannot be made anew: the signing key and the keys of tokens and
// ids, for what they made is held by others and compared with; and the sealing keys of former generations, for backups and
// for the suppression ledger, which nobody can write again, until RetireRoots. No former root key is kept: whoever stole one
// opens nothing that was sealed after it, but still knows the signing key and the keys of tokens.
//
// The file of the root key may itself be sealed, under what Argon2id makes of a passphrase (SealRoot). Nothing beside it opens
// anything without the root key: the list of bucket keys is sealed under a key that comes of it too.
//
// Sealing is XAES-256-GCM (C2SP): AES-256-GCM with a random 192-bit nonce, of which a process draws the second half for each
// message and the first, which the key of the message comes of, for 4,096 in a row. 2^53 messages under one key keep the chance
// of a repeated nonce below 2^-32, so no counter has to survive a crash or a restored backup.
//
// What is about one person, or one request, is sealed under a key of its own, so that it can be forgotten everywhere at
// once, also in backups (Slot). These keys are random. They are never in the store: its backups, its log and its standbys
// would keep them.
//
//	provider → outer key ┐
//	anchor (32 bytes)    ┤
//	root key             ┴→ buckets: a key per 4,096 slots → slots: 64 bytes each → what is sealed
//
// Shred overwrites the 64 bytes. CloseSlots wraps the other keys of the bucket anew, the list of bucket keys under a new
// anchor, and overwrites the old anchor: from then on every older copy of any of these files is noise, whatever else it
// is put together with. Each step is finished or undone by the next start. What that cannot promise is that a disk which
// copies or remaps what is overwritten lost the 32 bytes of the anchor; a provider that destroys versions can.
//
// What Close and Shred overwrite in memory: the root key, what was derived from it, bucket keys, opened keys of people and the
// ciphers made of any of them. What Go does not let anybody overwrite: what the stack of a goroutine and registers held of a
// key while it was used (the rounds of SHA-256 and AES), copies that a growing stack left behind, and plaintext. All of it is
// in this process only, which leaves no core.
//
// No type here prints, formats or marshals a key.
package vault
