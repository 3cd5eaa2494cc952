// Package ledger is the log that forgets and still proves.
//
// ledger_entries is append-only; an entry is written in the transaction of what it tells, so that neither exists without
// the other. Its leaf in a Merkle tree (RFC 6962, hashed as golang.org/x/mod/sumdb/tlog does) commits to public metadata
// and, salted, to actor, subject and content:
//
//	leaf = SHA-256(0x00 || length of meta || meta || c1 || c2 || c3)
//	ci   = SHA-256(label || group || salt || plaintext)        groups: actor, subject, content
//
// meta is for ever (kind, minute, revision, result) and names nobody. Salts and plaintext lie beside the leaf, sealed by
// the vault, bound to the leaf. When they are erased the leaf stays, and every proof goes on verifying.
//
// Of the tree only tiles from level 1 are stored (256 hashes of 256 entries each); leaves are computed from rows, the right
// edge is kept in memory and moves when a commit is durable.
//
// A checkpoint is size and root of the tree as a signed note (C2SP). Checkpoints are kept outside the database, in the
// Heads directories; who holds one can tell afterwards whether the entries below it are still what they were. What lies
// above the newest held checkpoint nobody can vouch for, and Verify says so.
package ledger
