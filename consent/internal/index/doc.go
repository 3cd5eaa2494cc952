// Package index is the packed memory behind every decision: what each person said about each purpose, found by a
// keyed blind index of an identity, in memory that holds no pointers for the garbage collector to follow.
//
// Three tables. Identities: 128 shards of open addressing, 16 bytes a slot, leading from a key to a person's number.
// People: 16 bytes each, found by number: flags, the purposes known, and where the words lie. Words: 64 bits for each
// known purpose, in the order of the purposes' ranks. A person's number is the handle: it stays good for the life of
// the index, wherever the words move. A person with eight purposes and one identity takes 98 bytes, a further identity 19.
//
// One writer, any number of readers, no reader ever waits. A word known already is changed by one atomic store. A new
// purpose takes a new block: it is filled, the person's head says which rank is being added (a reader leaves that rank
// out, so mask and block agree at every moment), then the head names the new block. Every change of the head counts
// its version up; a reader that finds another head after reading the word than before it reads again, so a block that
// was recycled meanwhile never answers. Shards grow by building a new table and swapping the pointer.
//
// The index is a projection and interprets nothing: what flags and words mean for a decision is the caller's.
package index
