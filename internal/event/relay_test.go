package event

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ombudhq/ombud/internal/db"
	"github.com/ombudhq/ombud/internal/fault"
)

func TestEveryTargetGetsWhatIsRoutedToIt(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		b := running(t, newSource(), "mailer", "crm")
		b.source.add(to("sub_1", "mailer", "crm"), to("sub_2", "crm"), nil, to("sub_1", "mailer"))
		synctest.Wait()
		if got := b.receivers["mailer"].revisions(); !slices.Equal(got, []int64{1, 4}) {
			t.Errorf("mailer got %v", got)
		}
		if got := slices.Sorted(slices.Values(b.receivers["crm"].revisions())); !slices.Equal(got, upTo(2)) {
			t.Errorf("crm got %v", got)
		}
		m := b.receivers["mailer"].got[0]
		if !strings.HasPrefix(m.ID, "prp_") || len(m.ID) != 30 || m.Source != "urn:test" || m.Type != "consent.withdrawn" ||
			m.Subject != "sub_1" || m.Attempt != 1 || string(m.Data) != `{"n":1}` {
			t.Errorf("%+v", m)
		}
		if s := b.status("mailer"); s.Received != 2 || s.Pending != 0 || !s.FailingSince.IsZero() {
			t.Errorf("%+v", s)
		}
	})
}

// TestDeadTargetDelaysNobody: one of 200 services never answers; nothing of the others waits for it.
func TestDeadTargetDelaysNobody(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		var ids []string
		for i := range 200 {
			ids = append(ids, fmt.Sprintf("service-%03d", i))
		}
		b := running(t, newSource(), ids...)
		hang := make(chan struct{})
		b.receivers["service-007"].answers(func(Message) error { <-hang; return errAny })
		for i := range 20 {
			b.source.add(to(fmt.Sprintf("sub_%d", i), ids...))
		}
		synctest.Wait() // everybody waits now, and no time has passed
		for _, id := range ids {
			v := b.receivers[id]
			if id == "service-007" {
				continue
			}
			if got := v.revisions(); !slices.Equal(slices.Sorted(slices.Values(got)), upTo(20)) {
				t.Errorf("%s got %v", id, got)
			}
		}
		pass(time.Second)
		if dead := b.receivers["service-007"]; len(dead.tries) != parallel || len(dead.got) != 0 {
			t.Errorf("the dead one has %d under way and took %d", len(dead.tries), len(dead.got))
		}
		close(hang)
	})
}

// TestFarTargetGetsManyAtOnce: a target that answers at once gets one message after the other, whatever waits; one that
// takes its time gets several, and none waits for one that hangs.
func TestFarTargetGetsManyAtOnce(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		b := running(t, newSource(), "near", "far", "stuck")
		var near, most atomic.Int32
		hang := make(chan struct{})
		b.receivers["near"].answers(func(Message) error {
			most.Store(max(most.Load(), near.Add(1)))
			time.Sleep(time.Millisecond)
			near.Add(-1)
			return nil
		})
		b.receivers["far"].answers(func(Message) error { time.Sleep(100 * time.Millisecond); return nil })
		b.receivers["stuck"].answers(func(m Message) error {
			if m.Subject == "sub_0" {
				<-hang
			}
			return nil
		})
		for i := range 80 {
			b.source.add(to(fmt.Sprintf("sub_%d", i), "near", "far", "stuck"))
		}
		pass(1500 * time.Millisecond)
		if n := len(b.receivers["near"].revisions()); n != 80 || most.Load() != 1 {
			t.Errorf("the near one got %d, %d of them at once", n, most.Load())
		}
		if n := len(b.receivers["far"].revisions()); n != 80 {
			t.Errorf("the far one got %d", n)
		}
		if n := len(b.receivers["stuck"].revisions()); n != 79 {
			t.Errorf("the stuck one got %d", n)
		}
		close(hang)
	})
}

func TestSubjectKeepsItsOrderAndOthersPass(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		b := running(t, newSource(), "crm")
		v := b.receivers["crm"]
		v.answers(func(m Message) error {
			if m.Subject == "sub_1" {
				return refuses(m)
			}
			return nil
		})
		b.source.add(to("sub_1", "crm"), to("sub_2", "crm"), to("sub_1", "crm"), to("sub_2", "crm"))
		pass(time.Hour)
		if got := v.revisions(); !slices.Equal(got, []int64{2, 4}) {
			t.Errorf("passed: %v", got)
		}
		for _, a := range v.tries {
			if a.Revision == 1<<40+3 {
				t.Fatal("the second message of a subject was tried before the first was taken")
			}
		}
		v.answers(nil)
		pass(day)
		if got := v.revisions("sub_1"); !slices.Equal(got, []int64{1, 3}) {
			t.Errorf("later: %v", got)
		}
	})
}

func TestSubjectHasOneMessageUnderWay(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		b := running(t, newSource(), "crm")
		underWay := map[string]int{}
		v := b.receivers["crm"]
		v.answers(func(m Message) error {
			v.mu.Lock()
			underWay[m.Subject]++
			if underWay[m.Subject] > 1 {
				t.Error("two messages of a subject are under way")
			}
			v.mu.Unlock()
			time.Sleep(time.Millisecond)
			v.mu.Lock()
			underWay[m.Subject]--
			v.mu.Unlock()
			return nil
		})
		for i := range 60 {
			b.source.add(to(fmt.Sprintf("sub_%d", i%5), "crm"))
		}
		pass(time.Second)
		for i := range 5 {
			if got := v.revisions(fmt.Sprintf("sub_%d", i)); len(got) != 12 || !slices.IsSorted(got) {
				t.Errorf("sub_%d: %v", i, got)
			}
		}
	})
}

// TestThousandsThatAreRefusedDelayNoOther: more than memory holds of one target; a later subject still passes, and all come
// in order when the target changes its mind.
func TestThousandsThatAreRefusedDelayNoOther(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		b := running(t, newSource(), "crm")
		v := b.receivers["crm"]
		v.answers(func(m Message) error {
			if m.Subject == "sub_new" {
				return nil
			}
			return refuses(m)
		})
		n := laneLimit + lookLimit + 100
		var all [][]Delivery
		for i := range n {
			all = append(all, to(fmt.Sprintf("sub_%d", i%(n-50)), "crm"))
		}
		b.source.add(all...)
		pass(time.Second)
		b.source.add(to("sub_new", "crm"))
		pass(time.Second)
		if got := v.revisions(); !slices.Equal(got, []int64{int64(n) + 1}) {
			t.Fatalf("passed: %v", got)
		}
		for _, a := range v.tries {
			if second := a.Revision - 1<<40; second > int64(n-50) && second <= int64(n) {
				t.Fatalf("%s was sent its second message before the first was taken", a.Subject)
			}
		}
		v.answers(nil)
		pass(3 * time.Hour)
		if got := v.revisions(); len(got) != n+1 {
			t.Errorf("%d came, want %d", len(got), n+1)
		}
		for i := range 50 {
			if got := v.revisions(fmt.Sprintf("sub_%d", i)); len(got) != 2 || got[0] > got[1] {
				t.Errorf("sub_%d: %v", i, got)
			}
		}
	})
}

func TestErasedMeanwhileIsNotSent(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		b := running(t, newSource(), "crm")
		b.receivers["crm"].answers(down)
		b.source.add(to("sub_1", "crm"))
		synctest.Wait()
		b.source.mu.Lock()
		b.source.erased[1<<40+1] = true
		b.source.mu.Unlock()
		b.receivers["crm"].answers(nil)
		pass(time.Minute)
		if got := b.receivers["crm"].got; len(got) != 1 || string(got[0].Data) != `{"erased":true}` {
			t.Errorf("%+v", got)
		}
	})
}

func TestRoutingWaitsRatherThanSkips(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		b := opened(t, db.Config{Path: filepath.Join(t.TempDir(), "own.db")}, newSource(), "crm")
		known := false
		b.c.Route = func(_ context.Context, e Entry) ([]Delivery, error) {
			if e.Revision == 1<<40+2 && !known {
				return nil, errAny
			}
			return e.Value.([]Delivery), nil
		}
		b.start()
		b.source.add(to("sub_1", "crm"), to("sub_1", "crm"), to("sub_1", "crm"))
		pass(time.Minute)
		if got := b.receivers["crm"].revisions(); !slices.Equal(got, upTo(1)) {
			t.Errorf("before: %v", got)
		}
		known = true
		pass(time.Minute)
		if got := b.receivers["crm"].revisions(); !slices.Equal(got, upTo(3)) {
			t.Errorf("after: %v", got)
		}
	})
}

// TestEntriesAreReadOnce: how many targets there are, and so how many entries make a batch, changes nothing of that.
func TestEntriesAreReadOnce(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		var ids []string
		for i := range routeLimit / 2 {
			ids = append(ids, fmt.Sprintf("service-%03d", i))
		}
		b := opened(t, db.Config{Path: filepath.Join(t.TempDir(), "own.db")}, newSource(), ids...)
		read := 0
		b.c.Since = func(ctx context.Context, after int64, limit int) ([]Entry, error) {
			all, err := b.source.since(ctx, after, limit)
			read += len(all)
			return all, err
		}
		for i := range 20 {
			b.source.add(to(fmt.Sprintf("sub_%d", i), ids...))
		}
		b.start()
		pass(time.Second)
		if got := len(b.receivers[ids[0]].revisions()); got != 20 || read != 20 {
			t.Errorf("%d entries were read for %d messages", read, got)
		}
	})
}

func TestOneRelayAtATime(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		b := opened(t, db.Config{Path: filepath.Join(t.TempDir(), "own.db")}, newSource(), "crm")
		t.Cleanup(b.stop)
		b.source.add(to("sub_1", "crm"))
		other := &Relay{c: b.c, routed: b.routed, cursor: b.cursor, lanes: b.lanes, book: newBook(), seed: b.seed}
		for i, r := range []*Relay{b.Relay, other} {
			if _, err := r.routeSome(bg); err != nil {
				t.Fatal(err)
			}
			o := r.judge(r.book.take(r.now() + grace))
			err := b.store.Write(bg, func(tx *db.Tx) error { return r.settle(bg, tx, o) })
			if i == 0 && err != nil || i == 1 && fault.KindOf(err) != fault.Conflict {
				t.Errorf("relay %d: %v", i, err)
			}
		}
		if n := len(b.list(Filter{})); n != 1 {
			t.Errorf("%d rows", n)
		}
	})
}

func TestTargetsComeAndGo(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		b := running(t, newSource())
		b.source.add(to("sub_1", "crm"))
		pass(time.Minute)
		if s := b.status("crm"); s.Pending != 1 {
			t.Errorf("%+v", s)
		}
		v := &receiver{}
		b.Use(Target{ID: "crm", Bus: v})
		synctest.Wait()
		b.Use()
		b.source.add(to("sub_1", "crm"))
		pass(time.Minute)
		if got := v.revisions(); !slices.Equal(got, upTo(1)) {
			t.Errorf("got %v", got)
		}
		b.Use(Target{ID: "crm", Bus: v})
		synctest.Wait()
		if got := v.revisions(); !slices.Equal(got, upTo(2)) {
			t.Errorf("got %v", got)
		}
	})
}

func TestIncompleteConfigIsRefused(t *testing.T) {
	s := newSource()
	store, err := db.Open(bg, db.Config{Path: filepath.Join(t.TempDir(), "own.db")})
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	c := Config{DB: store, Since: s.since, Changed: s.next, Compose: s.compose}
	if _, err := Open(bg, c); err == nil {
		t.Error("no route")
	}
	c.Route, c.Keep = func(context.Context, Entry) ([]Delivery, error) { return nil, errors.New("no") }, 6*day
	if _, err := Open(bg, c); fault.KindOf(err) != fault.Invalid {
		t.Errorf("six days: %v", err)
	}
}
