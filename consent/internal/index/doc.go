// Package index is the packed memory behind every decision: what each person said about each purpose, found by a
// keyed blind index of an identity, in memory that holds no pointers for the garbage collector to follow.
//
// Two tables. Identities: 128 shards of open addressing, 16 bytes a slot, leading from a key to a person's number.
// People: found by number alone, for all on a shelf take as many bytes: flags, the purposes known, and behind them 64
// bits for each of those, in the order of the purposes' ranks. So a decision goes to one place of memory, and waits for
// one or two neighbouring lines of it. A person's number is the handle: it stays good for the life of the index,
// wherever the words move. A person with eight purposes and one identity takes 98 bytes, a further identity 19.
//
// Ranks from 64 on lie on further pages, 64 to each: tables of the same kind, which take memory only for the shelves on
// which somebody has such a word. A decision about one of them reads two places instead of one; all others cost the same.
//
// One writer, any number of readers, no reader ever waits. A word known already is changed by one atomic store. Where a
// new purpose comes before others, their words move up one by one, and the head says at every moment which have moved;
// a reader leaves the rank that is being added out, so mask and words agree at every moment. Every change of the head
// counts its version up; a reader that finds another head after reading the word than before it reads again. A shelf on
// which somebody needs more room is copied, and so is a table of keys that is full; then the pointer is swapped.
//
// The index is a projection and interprets nothing: what flags and words mean for a decision is the caller's.
package index
