// Package request is what people ask: it takes a request in, has it planned and approved, runs it,
// proves it, and answers with a receipt and, for access, a package.
//
// A request is one row whose lifecycle is a table (Lifecycle). Every command is one transaction that
// changes the row and appends one ledger entry; the entry names counts and hashes, never a person.
//
// Identities are needed only while there is something left to do. They lie sealed under a key of the
// request's own, and that key is destroyed in the transaction that completes it; keyed tokens and
// salted commitments remain. Three cases keep the key longer, each with an end: a request that is
// incomplete (until it is retried or refused), an erasure that a hold deferred in part (until the hold
// ends and the rest is erased), and an access that holds text back for review (until it is packaged
// or reviewDays have passed, see Expire).
//
// Who may run beside whom is decided by one gate: requests that share an identity wait for each other,
// and erasures and access packages never overlap at all, because two identities of one person share
// no token before the stores are read. So no package is ever half erased.
package request
