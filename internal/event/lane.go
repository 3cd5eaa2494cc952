package event

import (
	"container/heap"
	"sync"
	"time"
)

const (
	laneLimit = 2048 // rows of one target in memory
	lookLimit = 512  // rows taken from the store at a time when there are more
	parallel  = 8    // messages under way at once
	unhurried = 250  // milliseconds that messages of a lane may wait for those before them
)

// lane is what memory knows of the pending rows of one target. As long as they are few it is whole: all of them are here,
// each subject's in its line, and new ones are pushed as they are routed. When they are many it holds only some that were
// due, one of a subject, and looks into the store again when those are done.
type lane struct {
	id   string        // of the target
	wake chan struct{} // something changed; holds one

	mu     sync.Mutex
	target Target
	lines  map[string]*line // by subject
	queue  lineHeap         // the lines with nothing under way
	rows   int
	busy   int   // under way
	begun  int64 // when the last was taken to be sent
	took   int64 // milliseconds that the last one took which was received
	out    int   // under way, or not recorded yet
	whole  bool
	look   bool  // the store may have rows that are due and not here
	lookAt int64 // and surely has some then; 0 is never
	seen   int64 // the newest revision that is here, or in the store only
	missed int64 // the newest that is not here, and may not be in the store yet
	stored int64 // up to here the store has all

	filling bool  // the store is being looked into
	late    []row // routed meanwhile
	again   bool  // the look must be repeated

	streak   int   // attempts in a row that did not reach the target
	until    int64 // pause
	failing  int64 // since when nothing was taken
	disabled bool
}

// line is a subject's messages, oldest first; only the first may be under way.
type line struct{ rows []row }

// filling is what a look into the store found. next is when another row falls due that was not yet; 0 is never.
type filling struct {
	rows         []row
	whole, more  bool
	cursor, next int64
}

func newLane(t Target) *lane {
	return &lane{id: t.ID, target: t, wake: make(chan struct{}, 1), lines: map[string]*line{}, look: true}
}

func (l *lane) nudge() {
	select {
	case l.wake <- struct{}{}:
	default:
	}
}

// push takes a row that was just routed, and says whether it will soon be sent.
func (l *lane) push(w row) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	goes := l.append(w) && !l.disabled && w.next >= l.until && l.streak == 0
	if !goes || l.busy > 0 && len(l.queue) == 1 { // the first that waits for others: somebody looks after it
		l.nudge()
	}
	return goes
}

// append says whether the row is here now, and the first of its subject.
func (l *lane) append(w row) bool {
	switch {
	case l.filling:
		l.late = append(l.late, w)
		return false
	case !l.whole || l.rows >= laneLimit:
		l.whole, l.look, l.missed = false, true, w.revision
		return false
	case w.revision <= l.seen:
		return false
	}
	l.seen = w.revision
	return l.add(w)
}

// begin says whether to look into the store now: there may be more, nothing here is due, and nothing is under way whose
// outcome the look could miss. After a yes, filled or spoiled must follow.
func (l *lane) begin(now int64) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.lookAt > 0 && l.lookAt <= now {
		l.look = true
	}
	idle := len(l.queue) == 0 || l.queue[0].rows[0].next > now
	l.filling = l.look && idle && l.settled() && !l.disabled && now >= l.until
	return l.filling
}

// settled says that the store knows as much as memory does.
func (l *lane) settled() bool { return l.out == 0 && l.missed <= l.stored }

// written says how far the store has all.
func (l *lane) written(cursor int64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.missed > l.stored {
		l.nudge()
	}
	l.stored = max(l.stored, cursor)
}

// filled takes what the look found. Rows up to its cursor are known now; later ones came by push.
func (l *lane) filled(f filling) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.lines, l.queue, l.rows = map[string]*line{}, nil, 0
	for _, w := range f.rows {
		l.add(w)
	}
	l.seen, l.whole, l.lookAt, l.look = f.cursor, f.whole && !l.again, f.next, f.more || l.again
	l.stored = max(l.stored, f.cursor)
	l.resume()
}

// spoiled ends a look that failed; the next is due at until.
func (l *lane) spoiled(until int64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.until = max(l.until, until)
	l.resume()
}

func (l *lane) resume() {
	late := l.late
	l.filling, l.again, l.late = false, false, nil
	for _, w := range late {
		l.append(w)
	}
}

// add puts a row at the end of its subject's line, and says whether it is the first there.
func (l *lane) add(w row) bool {
	l.rows++
	if n, ok := l.lines[w.subject]; ok {
		n.rows = append(n.rows, w)
		return false
	}
	n := &line{rows: []row{w}}
	l.lines[w.subject] = n
	heap.Push(&l.queue, n)
	return true
}

// take gives the next row to send, if one may be sent now.
func (l *lane) take(now int64) (row, bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.first(now)
}

func (l *lane) first(now int64) (row, bool) {
	if l.disabled || now < l.until || l.busy >= l.width(now) || len(l.queue) == 0 || l.queue[0].rows[0].next > now {
		return row{}, false
	}
	n := heap.Pop(&l.queue).(*line)
	l.busy++
	l.out++
	l.begun = now
	return n.rows[0], true
}

// another is take for whoever just sent a message that was received: the line of its subject waits until that is recorded,
// others need not.
func (l *lane) another(began, now int64) (row, bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.busy--
	l.took = now - began
	w, ok := l.first(now)
	if !ok {
		l.stir()
	}
	return w, ok
}

// width is how many messages may be under way: one, where all that wait have their turn soon that way, for a connection more
// costs more than it saves. A target that is down gets one at a time.
func (l *lane) width(now int64) int {
	took := l.took
	if l.busy > 0 {
		took = max(took, now-l.begun)
	}
	if l.streak > 0 || took*int64(len(l.queue)) < unhurried {
		return 1
	}
	return l.most()
}

func (l *lane) most() int {
	if l.target.Parallel > 0 {
		return l.target.Parallel
	}
	return parallel
}

// hurry is how long those that wait may wait for those under way; negative is for ever.
func (l *lane) hurry(now int64) time.Duration {
	if l.streak > 0 || l.busy >= l.most() || len(l.queue) == 0 {
		return -1
	}
	return time.Duration(max(0, l.begun+unhurried/int64(len(l.queue))+1-now)) * time.Millisecond
}

// wait is how long nothing will happen by itself; negative is for ever.
func (l *lane) wait(now int64) time.Duration {
	l.mu.Lock()
	defer l.mu.Unlock()
	switch {
	case l.disabled:
		return -1
	case l.busy >= l.width(now):
		return l.hurry(now)
	}
	at := l.lookAt
	if len(l.queue) > 0 && (at == 0 || l.queue[0].rows[0].next < at) {
		at = l.queue[0].rows[0].next
	}
	if l.look && l.settled() {
		at = now
	}
	if at == 0 {
		return -1
	}
	return time.Duration(max(at, l.until, now)-now) * time.Millisecond
}

// done takes back a row whose attempt is recorded: pending again at its new time, or off. Where nothing else may be sent than
// before, nobody is woken.
func (l *lane) done(w row) {
	l.mu.Lock()
	defer l.mu.Unlock()
	more := w.state != string(Received) // else another had its place already
	if l.out--; more {
		l.busy--
	}
	n := l.lines[w.subject]
	switch {
	case w.state == string(Pending) && l.whole:
		n.rows[0] = w
		heap.Push(&l.queue, n)
	case l.whole && len(n.rows) > 1:
		l.rows, n.rows, more = l.rows-1, n.rows[1:], true
		heap.Push(&l.queue, n)
	default:
		l.look = l.look || !l.whole
		l.rows -= len(n.rows)
		delete(l.lines, w.subject)
	}
	if more || l.look {
		l.stir()
	}
}

// stir wakes who tends the lane, if there is anything to do.
func (l *lane) stir() {
	if len(l.queue) > 0 || l.look {
		l.nudge()
	}
}

// unpause lets the target be asked at once.
func (l *lane) unpause() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.until = 0
}

// forget drops what is not under way and has the lane look again: the store was changed behind its back.
func (l *lane) forget() {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, n := range l.queue {
		l.rows -= len(n.rows)
		delete(l.lines, n.rows[0].subject)
	}
	l.queue, l.whole, l.look, l.again = nil, false, true, l.filling
	l.missed = max(l.missed, l.seen)
	l.nudge()
}

// lineHeap orders lines by when their first row is due, then by age.
type lineHeap []*line

func (h lineHeap) Len() int { return len(h) }

func (h lineHeap) Less(i, j int) bool {
	a, b := &h[i].rows[0], &h[j].rows[0]
	return a.next < b.next || a.next == b.next && a.revision < b.revision
}

func (h lineHeap) Swap(i, j int) { h[i], h[j] = h[j], h[i] }

// Push is heap's.
func (h *lineHeap) Push(x any) { *h = append(*h, x.(*line)) }

// Pop is heap's.
func (h *lineHeap) Pop() any {
	last := len(*h) - 1
	n := (*h)[last]
	(*h)[last], *h = nil, (*h)[:last]
	return n
}
