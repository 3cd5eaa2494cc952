package consent_test

import (
	"sync"
	"testing"

	"github.com/ombudhq/ombud/internal/db"
	"github.com/ombudhq/ombud/internal/fault"
	"github.com/ombudhq/ombud/purpose"
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
