package access

import (
	"sync"
	"time"

	"github.com/ombudhq/ombud/internal/clock"
	"github.com/ombudhq/ombud/internal/fault"
)

// Limits of guessing. They count what is tried, before it is looked at: of any number of guesses at once, no more than
// these are looked at.
const (
	triesPerAccount = 5
	triesPerAddress = 50
	triesWindow     = 15 * time.Minute
	triesKnown      = 20_000 // accounts and addresses that are counted at a time
)

// tries counts guesses. A window begins with its first guess.
type tries struct {
	clock clock.Clock
	mu    sync.Mutex
	seen  map[string]*window
}

type window struct {
	n    int
	ends time.Time
}

func newTries(c clock.Clock) *tries { return &tries{clock: c, seen: map[string]*window{}} }

// limit says how often something may be tried in a window.
type limit struct {
	what string
	most int
}

// count counts one try against each limit, or against none and answers fault.Busy when one of them is reached.
func (t *tries) count(limits ...limit) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	now := t.clock.Now()
	t.prune(now)
	for _, l := range limits {
		w := t.seen[l.what]
		if w != nil && now.Before(w.ends) && w.n >= l.most {
			return tooMany(w.ends.Sub(now))
		}
		if w == nil && len(t.seen) >= triesKnown {
			return tooMany(triesWindow)
		}
	}
	for _, l := range limits {
		w := t.seen[l.what]
		if w == nil || !now.Before(w.ends) {
			w = &window{ends: now.Add(triesWindow)}
			t.seen[l.what] = w
		}
		w.n++
	}
	return nil
}

func tooMany(wait time.Duration) error {
	minutes := int(wait/time.Minute) + 1
	return fault.New(fault.Busy, "too many tries").Then("Nothing is looked at for the next %d minutes, right or wrong.", minutes)
}

// prune forgets windows that have ended, when there are many.
func (t *tries) prune(now time.Time) {
	if len(t.seen) < triesKnown/2 {
		return
	}
	for what, w := range t.seen {
		if !now.Before(w.ends) {
			delete(t.seen, what)
		}
	}
}

// right takes back the try that was right, and with it the others of the account; of an address only the one.
func (t *tries) right(account, address string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	delete(t.seen, account)
	if w := t.seen[address]; w != nil && w.n > 0 {
		w.n--
	}
}

// forgive forgets what was counted.
func (t *tries) forgive(what ...string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, w := range what {
		delete(t.seen, w)
	}
}
