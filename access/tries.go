package access

import (
	"context"
	"sync"
	"time"

	"github.com/ombudhq/ombud/internal/clock"
	"github.com/ombudhq/ombud/internal/db"
	"github.com/ombudhq/ombud/internal/fault"
	"github.com/ombudhq/ombud/vault"
)

// Limits of guessing. They count what is tried, before it is looked at: of any number of guesses at once, no more than
// these are looked at.
const (
	triesPerAccount = 5
	triesPerAddress = 50
	triesWindow     = 15 * time.Minute
	triesKnown      = 20_000 // accounts and addresses that are counted at a time
)

const triesSchema = `create table tries (
	what bytea primary key,
	n bigint not null,
	ends bigint not null
)`

// tries counts guesses. A window begins with its first guess. A count is on the disk before the guess is looked at, so that
// a restart gives nobody more of them; what is taken back is written within a minute. What is counted is known by a keyed
// hash: names and addresses are not stored.
type tries struct {
	db    *db.DB
	vault *vault.Vault
	clock clock.Clock

	mu    sync.Mutex
	seen  map[digest]*window
	taken map[digest]bool // taken back, and not written yet
}

type window struct {
	n    int
	ends time.Time
}

// counted is a window as it must be on the disk.
type counted struct {
	what digest
	window
}

// openTries reads the windows that go on.
func openTries(ctx context.Context, d *db.DB, v *vault.Vault, c clock.Clock) (*tries, error) {
	t := &tries{db: d, vault: v, clock: c, seen: map[digest]*window{}, taken: map[digest]bool{}}
	if err := d.Migrate(ctx, "tries", triesSchema); err != nil {
		return nil, err
	}
	err := d.Read(ctx, func(tx *db.Tx) error {
		rows, err := tx.Query(ctx, `select what, n, ends from tries where ends > $1`, c.Now().Unix())
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var what []byte
			var n, ends int64
			if err := rows.Scan(&what, &n, &ends); err != nil {
				return err
			}
			if len(what) == len(digest{}) {
				t.seen[digest(what)] = &window{int(n), time.Unix(ends, 0).UTC()}
			}
		}
		return rows.Err()
	})
	return t, err
}

func (t *tries) name(what string) digest { return t.vault.MAC("tries", []byte(what)) }

// limit says how often something may be tried in a window.
type limit struct {
	what   string
	most   int
	window time.Duration // 0 is triesWindow
}

func (l limit) ends(now time.Time) time.Time {
	if l.window == 0 {
		l.window = triesWindow
	}
	return now.Add(l.window).Truncate(time.Second)
}

// count counts one try against each limit, or against none and answers fault.Busy when one of them is reached.
func (t *tries) count(ctx context.Context, limits ...limit) error {
	keep, err := t.take(limits)
	if err != nil {
		return err
	}
	return t.db.Write(ctx, func(tx *db.Tx) error {
		for _, c := range keep {
			_, err := tx.Exec(ctx, `insert into tries (what, n, ends) values ($1, $2, $3) on conflict (what) do update set
				n = case when tries.ends = excluded.ends and tries.n > excluded.n then tries.n else excluded.n end, ends = excluded.ends`,
				c.what[:], c.n, c.ends.Unix())
			if err != nil {
				return err
			}
		}
		return nil
	})
}

// take counts in memory, where one lock decides who is among the first.
func (t *tries) take(limits []limit) (keep []counted, err error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	now := t.clock.Now()
	t.prune(now)
	for _, l := range limits {
		w := t.seen[t.name(l.what)]
		if w != nil && now.Before(w.ends) && w.n >= l.most {
			return nil, tooMany(w.ends.Sub(now))
		}
		if w == nil && len(t.seen) >= triesKnown {
			return nil, tooMany(triesWindow)
		}
	}
	for _, l := range limits {
		what := t.name(l.what)
		w := t.seen[what]
		if w == nil || !now.Before(w.ends) {
			w = &window{ends: l.ends(now)}
			t.seen[what] = w
		}
		w.n++
		delete(t.taken, what)
		keep = append(keep, counted{what, *w})
	}
	return keep, nil
}

func tooMany(wait time.Duration) error {
	minutes := int(wait/time.Minute) + 1
	out := fault.New(fault.Busy, "too many tries").Then("Nothing is looked at for the next %d minutes, right or wrong.", minutes)
	out.Retry = wait
	return out
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
	if account != "" {
		t.forgive(account)
	}
	if address == "" {
		return
	}
	what := t.name(address)
	t.mu.Lock()
	defer t.mu.Unlock()
	if w := t.seen[what]; w != nil && w.n > 0 {
		w.n--
		t.taken[what] = true
	}
}

// forgive forgets what was counted.
func (t *tries) forgive(what ...string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, w := range what {
		delete(t.seen, t.name(w))
		t.taken[t.name(w)] = true
	}
}

// flush writes what was taken back, and removes windows that have ended. What it could not write is written the next time.
func (t *tries) flush(ctx context.Context) error {
	now := t.clock.Now().Unix()
	t.mu.Lock()
	taken := map[digest]int{}
	for what := range t.taken {
		taken[what] = 0
		if w := t.seen[what]; w != nil {
			taken[what] = w.n
		}
	}
	t.mu.Unlock()
	var over int64
	err := t.db.Read(ctx, func(tx *db.Tx) error {
		return tx.QueryRow(ctx, `select count(*) from tries where ends <= $1`, now).Scan(&over)
	})
	if err != nil || over == 0 && len(taken) == 0 {
		return err
	}
	err = t.db.Write(ctx, func(tx *db.Tx) error {
		for what, n := range taken {
			if _, err := tx.Exec(ctx, `update tries set n = $2 where what = $1 and n > $2`, what[:], n); err != nil {
				return err
			}
		}
		_, err := tx.Exec(ctx, `delete from tries where ends <= $1 or n = 0`, now)
		return err
	})
	if err == nil {
		t.mu.Lock()
		defer t.mu.Unlock()
		for what := range taken {
			delete(t.taken, what)
		}
	}
	return err
}
