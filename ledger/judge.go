package ledger

import (
	"errors"
	"math"
	"runtime"
	"time"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/ombudhq/ombud/internal/db"
	"github.com/ombudhq/ombud/vault"
)

// span is how many entries are judged together, beside others.
const span = 256

// ballast is memory that nobody touches, so that the system gives none for it. To judge an entry leaves garbage, up to leaves
// bytes of it, and keeps nothing: in a program with a small heap the collector would run every thousand entries, and take a quarter
// of the time. Few entries need less.
const (
	ballast = 16 << 20
	leaves  = 2 << 10
)

// judged is all that a row tells by itself: what is left is to compare it with its neighbours and with the tree.
type judged struct {
	id       int64
	leaf     tlog.Hash
	epoch    int64
	torn     bool  // it could not be read as a row of this table
	wrong    error // it is no entry
	unsealed error // its payload is not what it commits to
	erased   bool
	expired  bool
}

// judging judges one row after the other.
type judging struct {
	l      *Ledger
	at     time.Time
	one    stored
	places []any // of one
}

func (v *verification) judging() *judging {
	r := &judging{l: v.l, at: v.start, one: stored{room: make([]byte, 4<<10)}}
	r.places = r.one.places()
	return r
}

// scan judges the row that rows stand at.
func (r *judging) scan(rows *db.Rows) judged {
	if rows.Scan(r.places...) != nil {
		return judged{torn: true}
	}
	return r.judge()
}

// take judges a row of columns.
func (r *judging) take(row []db.Cell) judged {
	if !r.one.take(row) {
		return judged{torn: true}
	}
	return r.judge()
}

// judge computes the leaf of an entry and opens its payload.
func (r *judging) judge() (j judged) {
	s := &r.one
	j.id, j.epoch = s.id, s.meta.revision>>epochShift
	if j.leaf, j.wrong = s.check(); j.wrong != nil {
		return j
	}
	_, erased, err := s.open(r.l, j.leaf)
	j.unsealed, j.erased = err, erased
	j.expired = j.erased && s.hadItsTime(r.l.c.Years, r.at)
	return j
}

// next takes the row that should be the wanted entry.
func (v *verification) next(j judged) error {
	switch {
	case j.torn:
		return v.bad("entry %d is not an entry", v.want)
	case j.id < v.want:
		return v.bad("a row %d stands before entry %d", j.id, v.want)
	case j.id > v.want:
		return v.bad("entry %d is missing", v.want)
	case j.wrong != nil:
		return v.bad("entry %d: %v", j.id, j.wrong)
	case j.epoch < v.epoch:
		return v.bad("entry %d: its revision is older than the one before", j.id)
	case errors.Is(j.unsealed, vault.ErrRetired):
		return v.bad("entry %d is sealed under a root key that was retired (ombud vault retire), or was changed", j.id)
	case j.unsealed != nil:
		return v.bad("entry %d is not what was sealed", j.id)
	}
	v.epoch = j.epoch
	if j.erased {
		v.r.Erased++
	}
	if j.expired {
		v.r.Expired++
	}
	for _, t := range v.edge.add(j.leaf) {
		v.seen[tileKey{t.level, t.n}] = t.hashes
	}
	v.want++
	if j.id == v.due {
		return v.compareHeads()
	}
	return nil
}

// section is entries that are judged beside others.
type section struct {
	last int64 // of them
	rows []judged
	err  error
	done chan struct{}
}

// ahead judges, on all processors, the entries up to the last whole span of those there are now. Each span is read in a
// snapshot of its own, for an entry never changes but by being erased; what comes behind is left to run.
func (v *verification) ahead() error {
	spans, err := v.spans()
	if err != nil {
		return nil // run says it better
	}
	defer runtime.KeepAlive(make([]byte, min(ballast, spans*span*leaves)))
	width := runtime.GOMAXPROCS(0)
	stop, begun := make(chan struct{}), make(chan *section, 2*width)
	free := make(chan struct{}, width)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		defer close(begun)
		for n := range spans {
			s := &section{last: (n + 1) * span, done: make(chan struct{})}
			select {
			case begun <- s:
			case <-stop:
				return
			}
			free <- struct{}{}
			go func() {
				v.read(s)
				close(s.done)
				<-free
			}()
		}
	}()
	defer func() {
		close(stop)
		for s := range begun {
			<-s.done
		}
		<-ended
	}()
	for s := range begun {
		<-s.done
		if err := v.take(s); err != nil {
			return err
		}
	}
	return nil
}

// take brings a section in, in its turn.
func (v *verification) take(s *section) error {
	for _, j := range s.rows {
		if err := v.next(j); err != nil {
			return err
		}
	}
	if s.err == nil && v.want <= s.last { // there are entries behind
		return v.bad("entry %d is missing", v.want)
	}
	return v.unreadable(s.err)
}

// spans is how many whole ones there are.
func (v *verification) spans() (n int64, err error) {
	err = v.l.c.DB.Read(v.ctx, func(tx *db.Tx) error {
		return tx.QueryRow(v.ctx, "select coalesce(max(id), 0) from ledger_entries").Scan(&n)
	})
	return n / span, err
}

// read judges the entries of a section. What should not be before the first belongs to the first.
func (v *verification) read(s *section) {
	from := s.last - span + 1
	if s.last == span {
		from = math.MinInt64
	}
	s.rows = make([]judged, 0, span)
	one := v.judging()
	s.err = v.l.c.DB.Each(v.ctx, "select "+columns+" from ledger_entries where id >= $1 and id <= $2 order by id limit $3",
		[]int64{from, s.last, span + 1}, func(row []db.Cell) error {
			s.rows = append(s.rows, one.take(row))
			return nil
		})
}
