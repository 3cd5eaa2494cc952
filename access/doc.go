// Package access says who calls and what they may do.
//
// A Caller stands in the context of every request: an actor for the ledger, roles, and what is known of the call. Allowed
// is the only gate: it asks Cedar policies, which lie in policies as people read them. What none permits is denied, and
// what one forbids stays forbidden, whatever another permits; a company adds policies of its own, which can only forbid.
// They are found by role and action, and where none of a pair sets a condition, the answer is made when they are loaded.
//
// Programs call with an API key: 256 random bits that are shown once. Stored is its SHA-256. A slow, salted hash
// protects secrets that people choose, for those can be guessed; 256 random bits cannot, so a plain hash gives nothing
// away, and a key can be looked up by it in a fraction of a microsecond.
//
// The keys in force are a table in memory that is replaced as a whole: a lookup takes no lock and allocates nothing. A
// key that is made or revoked is one row and one ledger entry in one transaction, and the table follows between commit
// and answer: once a revocation is answered, no request gets in with that key.
//
// People sign in to an account: a name, a password that is hashed with argon2id, and always a second factor. An account
// has one role or several. It is one row whose personal parts and secrets are sealed, and each change of it is that row and one
// ledger entry in one transaction; in the ledger it is known by its id, never by a name.
//
// A session is a random token that only the browser has; kept is its SHA-256. Every change of what lets somebody in
// raises the epoch of the account and ends its sessions in the same transaction, and a session that was begun under
// another epoch does not go on: there is no moment between the change and the end of what it ends.
//
// A guess counts before it is looked at, so that guesses that come at once are no more than guesses that come in turn.
package access
