package event

import (
	"slices"
	"sync"
)

const (
	grace = 100  // milliseconds that rows wait for their first outcome, to be written with it, after another one came
	most  = 250  // milliseconds that they wait for it at all
	quiet = 1000 // milliseconds that the cursor alone may lag: who routes to nobody again does no harm

	openLimit  = 512  // rows that will soon have an outcome: with more, the last would wait too long for theirs
	bookLimit  = 4096 // rows that memory knows and the store does not
	writeLimit = 1024 // rows of one transaction, and so how long other writers wait for it
)

// book is what memory knows and the store does not yet: rows that were routed, in batches, and outcomes. Messages are sent
// meanwhile. A crash forgets the book; then the cursor has not moved, and the same entries are routed to the same ids again.
type book struct {
	wake chan struct{} // there is something to write; holds one

	mu      sync.Mutex
	batches []*batch // oldest first
	writing []*batch // taken, and not in the store yet
	rows    int      // in both
	results []result // of rows that are in the store, or on their way there
	noted   int64    // when the newest outcome came of a row that waited for it
	closed  bool
	less    chan struct{} // closed, and made anew, when something was written or is about to be
}

// batch is rows that were routed together.
type batch struct {
	to      int64 // revision of the last entry
	made    int64
	rows    []row // until they are in the store
	open    int   // how many of them will soon have an outcome
	results []result
	asked   bool // somebody waits for one of the rows
	taken   bool // to be written
}

func newBook() *book { return &book{wake: make(chan struct{}, 1), less: make(chan struct{})} }

func (k *book) nudge() {
	select {
	case k.wake <- struct{}{}:
	default:
	}
}

// add takes a batch, of which so many rows will soon have an outcome. One without rows gives way to the next.
func (k *book) add(b *batch, open int) {
	k.mu.Lock()
	defer k.mu.Unlock()
	b.open += open
	b.results = slices.Grow(b.results, open)
	k.rows += len(b.rows)
	if n := len(k.batches); n > 0 && len(k.batches[n-1].rows) == 0 {
		b.made = k.batches[n-1].made
		k.batches = k.batches[:n-1]
	}
	k.batches = append(k.batches, b)
	k.nudge()
}

// note takes the outcome of an attempt.
func (k *book) note(x result, now int64) {
	k.mu.Lock()
	defer k.mu.Unlock()
	b := x.row.batch
	if b == nil || b.taken {
		k.results = append(k.results, x)
		k.nudge()
		return
	}
	k.noted = now
	b.results = append(b.results, x)
	if b.open--; b.open == 0 {
		k.nudge()
	}
	if k.soon() == openLimit/2 {
		k.signal()
	}
}

// soon is how many rows will soon have an outcome.
func (k *book) soon() (n int) {
	for _, b := range k.batches {
		n += b.open
	}
	return n
}

// signal has those look again who wait for room or for a row.
func (k *book) signal() {
	close(k.less)
	k.less = make(chan struct{})
}

// close says that nothing more comes: what is there is to be written.
func (k *book) close() {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.closed = true
	k.nudge()
}

// due is when a batch is to be written.
func (k *book) due(b *batch) int64 {
	switch {
	case len(b.rows) == 0:
		return b.made + quiet
	case b.open <= 0 || b.asked:
		return 0
	}
	return min(max(b.made, k.noted)+grace, b.made+most)
}

// taken is what one transaction writes.
type taken struct {
	batches []*batch
	results []result
	rows    int
	due     int64 // when there will be more to write; 0 is not known
	end     bool  // never again
}

func (t *taken) empty() bool { return len(t.batches)+len(t.results) == 0 }

// take gives what is to be written now: outcomes, and batches in their order up to one that is not due.
func (k *book) take(now int64) (t taken) {
	k.mu.Lock()
	defer k.mu.Unlock()
	t.results, k.results = k.results, nil
	for _, b := range k.batches {
		along := len(b.rows) == 0 && !t.empty()
		if at := k.due(b); at > now && !along && !k.closed {
			t.due = at
			break
		}
		if t.rows > 0 && t.rows+len(b.rows) > writeLimit {
			t.due = now
			break
		}
		b.taken = true
		t.rows += len(b.rows)
		t.batches = append(t.batches, b)
	}
	if k.batches, k.writing = k.batches[len(t.batches):], t.batches; len(t.batches) > 0 {
		k.signal()
	}
	t.end = k.closed && t.empty()
	return t
}

// wrote says that what was taken is in the store.
func (k *book) wrote(t taken) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.rows -= t.rows
	k.writing = nil
	for _, b := range t.batches {
		b.rows = nil // lanes may hold on to the batch
	}
	k.signal()
}

// full gives a channel to wait on where there is no room for more rows; nil when there is.
func (k *book) full() <-chan struct{} {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.rows < bookLimit && k.soon() < openLimit {
		return nil
	}
	return k.less
}

// knows gives a channel to wait on when the row with this id may be on its way to the store, and speeds it; nil when it is
// not.
func (k *book) knows(id string) <-chan struct{} {
	k.mu.Lock()
	defer k.mu.Unlock()
	for _, b := range slices.Concat(k.writing, k.batches) {
		if slices.ContainsFunc(b.rows, func(w row) bool { return w.id == id }) {
			b.asked = true
			k.nudge()
			return k.less
		}
	}
	return nil
}
