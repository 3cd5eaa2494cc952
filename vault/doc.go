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
// What is about one person, or one request, is sealed under a key of its own, so that it can be forgotten everywhere at
// once, also in backups (Slot). These keys are random. They are never in the store: its backups, its log and its standbys
// would keep them.
//
//	provider → outer key ┐
//	anchor (32 bytes)    ┴→ buckets: a key per 4,096 slots → slots: 64 bytes each → what is sealed
//
// Shred overwrites the 64 bytes. CloseSlots wraps the other keys of the bucket anew, the list of bucket keys under a new
// anchor, and overwrites the old anchor: from then on every older copy of any of these files is noise, whatever else it
// is put together with. Each step is finished or undone by the next start. What that cannot promise is that a disk which
// copies or remaps what is overwritten lost the 32 bytes of the anchor; a provider that destroys versions can.
//
// No type here prints, formats or marshals a key.
package vault
