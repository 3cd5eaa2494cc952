// Package redis keeps Redis in step: Mirror writes what may be done with each subject's data, so that any service looks it
// up without a call to us.
//
// The mirror has no queue. It is a cursor over the same source as the relay, and the cursor lies in Redis beside what it
// speaks of: a Redis that was away is caught up from where it stood, one that lost its data or was put back to an older
// state tells so itself, and a dead one delays nobody and costs no memory. What happened to one subject since is one write.
//
// There is one key for each subject, named by a keyed token: whoever reads Redis learns neither who somebody is nor the id we
// use. Its value is
//
//	{"revision": 1099511627783, "purposes": {"newsletter": "2027-01-02T03:04:05.000Z", "research": ""}}
//
// the purposes that are allowed and until when, "" for without an end. The key expires with the earliest of them, so that no
// answer outlives a consent; the expiry is a change that writes the others again. A key that is not there says: not allowed,
// or ask. A value is only ever replaced by one of the same or a newer revision.
package redis
