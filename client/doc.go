// Package client asks Ombud from Go programs: may this category of data be processed for this purpose of this person now?
//
// Allowed answers from memory. Answers are kept by keyed hashes of what was asked, never by identities. A stream of changes
// from the server says whose answers to forget: each change marks its person, and an answer counts only while nothing that
// it is about was marked since its question began. So an answer that was under way when a change came is not kept, however
// late it arrives.
//
// The stream beats twice a second. When no beat that is at most two seconds old has come, nothing in memory is used: the
// server is asked, and when it does not answer either, the answer is no, with the reason Unavailable. Nothing fails open.
//
// What this client writes, it sees: questions that follow carry the revision of the write (min_revision), and an answer
// from before a change that was heard is asked for again.
package client
