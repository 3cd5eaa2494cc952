// Package event takes what happened to the services that must know: a durable relay from a source of entries to targets.
//
// The source is the ledger; the relay keeps one cursor over it. For each entry the caller's Route says which targets get
// it. Their messages are sent at once, and meanwhile a row for each is on its way into "propagations", in one transaction
// with the cursor and, where a target was quick, with the outcome: an entry is recorded exactly once. A message's id follows
// from its entry and its target, so that one which was sent and not yet recorded when the process ended is the same one when
// it is sent again. A row holds no payload: the message is composed when it is sent, so that what was erased meanwhile is
// never sent.
//
// Each target has a lane of its own: a dead target delays nobody. One that answers at once gets one message after the other,
// one that takes its time several at once. In a lane the messages of one subject go one after the
// other, the next when the outcome of the one before is in the store; other subjects pass. A failed attempt is tried again
// with exponential back-off and full jitter, 5 s to 12 h, for 3 days; then the message is dead until somebody replays it. A
// target that is down is asked once per pause; what waited for it goes at once when it answers again, and is dead after its 3
// days whether it had a turn or not. After 5 days without an answer it is disabled, and its messages wait.
//
// Delivery is at least once: a crash between an answer and its commit sends again, with the same id. States are
//
//	pending → received → acted
//	        ↘ dead → pending (replay)
//
// where acted needs the target's acknowledgement. One that is missing at the deadline raises an alarm, exactly once.
package event
