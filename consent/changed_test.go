package consent_test

import (
	"slices"
	"sync"
	"testing"

	"github.com/ombudhq/ombud/internal/db"
	"github.com/ombudhq/ombud/internal/fault"
	"github.com/ombudhq/ombud/ledger"
	"github.com/ombudhq/ombud/purpose"
	"github.com/ombudhq/ombud/subject"
)

// TestAYesMeetsAnotherNotice: a yes to a notice that stops counting while it is on its way never counts, whichever of the two
// comes first and whether they share a commit.
func TestAYesMeetsAnotherNotice(t *testing.T) {
	first, next := letters(), letters()
	next.Notices = append(next.Notices, purpose.Notice{ID: "letters", Version: "4", Language: "en"})
	next.Reconsent = "4"
	late := 0
	for range 20 {
		w := newWorld(t, first)
		var both sync.WaitGroup
		err := w.db.Write(t.Context(), func(*db.Tx) error { // all that comes meanwhile shares the next commit
			begun := make(chan struct{})
			both.Go(func() {
				close(begun)
				if err := w.register.Sync(t.Context(), "test", []purpose.Purpose{next}); err != nil {
					t.Error(err)
				}
			})
			<-begun
			sent := make(chan struct{})
			both.Go(func() {
				close(sent)
				if _, err := w.Record(t.Context(), yes()); fault.KindOf(err) == fault.Conflict {
					late++
				} else if err != nil && fault.KindOf(err) != fault.Invalid {
					t.Error(err)
				}
			})
			<-sent
			return nil
		})
		both.Wait()
		if v := w.Decide(w.Find(ida...), "letters", "contact", false); err != nil || v.Allowed {
			t.Fatalf("%+v, %v", v, err)
		}
	}
	t.Logf("%d were refused in the commit", late)
}

// TestAllAreErasedAtTheirRevision: of several people who are erased at once, nobody is told of one while another may still get
// a yes that holds at that revision.
func TestAllAreErasedAtTheirRevision(t *testing.T) {
	w := newWorld(t, letters())
	bo := yes()
	bo.Subject = []subject.Identity{{Kind: "email", Value: "bo@example.com"}}
	w.record(yes())
	w.record(bo)
	before, follower := w.Revision(), w.Follow(w.Revision())
	follower.Next()
	err := w.db.Write(t.Context(), func(tx *db.Tx) error {
		err := w.erased.Suppress(t.Context(), tx, "dsr_1", slices.Concat(ida, bo.Subject), subject.Erasure{Revision: w.ledger.Next(tx).Revision})
		tx.OnCommit(func() { // both are gone, and nobody can know
			if told, _ := follower.Next(); len(told) > 0 || w.Revision() != before {
				t.Errorf("at %d of %d, told %+v", w.Revision(), before, told)
			}
		})
		if err == nil {
			_, err = w.ledger.Append(tx, ledger.Entry{Kind: "request.completed", Result: "complete"})
		}
		return err
	})
	if told, _ := follower.Next(); err != nil || len(told) != 2 || w.Revision() != w.ledger.Head() {
		t.Errorf("%v, at %d, told %+v", err, w.Revision(), told)
	}
}
