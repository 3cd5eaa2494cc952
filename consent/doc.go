// Package consent records what people say about the processing of their data, and answers the one question: may
// category X be processed for purpose P of person S now?
//
// The ledger is the only truth. Each act (given, pending, withdrawn, expired) is one entry of it, written in the
// transaction that checks it and answered when that is durable. The decision index (internal/index) is a projection in
// memory: an act changes it after its commit and before its answer, so whoever asks after a withdrawal was answered is
// told no. At start the index comes from a snapshot and the entries after it, or from all entries.
//
//	withdrawal ──▶ Write: check, append entry ──▶ commit, fsync ──▶ index ──▶ answer
//	                                                                  ▲
//	question ─────────────────────────────────────────────────────────┘ no lock, no store
//
// What a person may still say yes to is decided by revisions, never by clocks: once they have withdrawn, a consent counts
// only if what they were shown was shown after that, and seen_revision, the revision of an answer the asker had seen by
// then, proves it. A late, queued or replayed yes therefore never wins. Expiry is computed at every question and needs no
// job; the entry that tells of it only lets services hear.
//
// Everything unknown is denied: a purpose or category nobody declared, a person who never said yes, words that do not fit
// together. Bases other than consent are weighed as the register of purposes declares them, and a restriction, an
// objection, an opt-out signal or an erasure stops them (decide.go).
package consent
