package event

import (
	"fmt"
	"path/filepath"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ombudhq/ombud/internal/db"
	"github.com/ombudhq/ombud/internal/fault"
)

// TestBackOff: the n-th wait lies between 5 s and the smaller of 12 h and 5 s·2^n, where chance puts it; after three days the
// message is dead, and one alarm tells.
func TestBackOff(t *testing.T) {
	for _, chance := range []float64{0.01, 0.5, 0.999} {
		inBubble(t, func(t *testing.T) {
			b := running(t, newSource(), "crm")
			b.c.Rand = func() float64 { return chance }
			v := b.receivers["crm"]
			v.answers(refuses)
			b.source.add(to("sub_1", "crm"))
			pass(4 * day)
			for i := 1; i < len(v.tries)-1; i++ {
				ceiling := lastDelay
				if i < 14 {
					ceiling = min(lastDelay, firstDelay<<i)
				}
				want := firstDelay + time.Duration(chance*float64(ceiling-firstDelay))
				if got := v.tries[i].at.Sub(v.tries[i-1].at); got < want.Truncate(time.Millisecond) || got > want+time.Millisecond {
					t.Errorf("chance %v: wait %d is %v, want %v", chance, i, got, want)
				}
				if v.tries[i].Attempt != i+1 || v.tries[i].ID != v.tries[0].ID {
					t.Errorf("attempt %d: %+v", i+1, v.tries[i].Message)
				}
			}
			if lasted := v.tries[len(v.tries)-1].at.Sub(v.tries[0].at); lasted != giveUp {
				t.Errorf("the last attempt came after %v", lasted)
			}
			if p := b.list(Filter{})[0]; p.State != Dead || p.Error != "http 400" || b.kinds()[Died] != 1 {
				t.Errorf("%+v, alarms %v", p, b.alarms)
			}
		})
	}
}

func TestReplay(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		b := running(t, newSource(), "crm")
		v := b.receivers["crm"]
		v.answers(refuses)
		b.source.add(to("sub_1", "crm"), to("sub_2", "crm"), to("sub_3", "crm"))
		pass(4 * day)
		v.answers(nil)
		dead := b.list(Filter{Target: "crm", State: Dead})
		if len(dead) != 3 {
			t.Fatalf("%+v", dead)
		}
		if err := b.Replay(bg, dead[0].ID); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		if err := b.Replay(bg, dead[0].ID); fault.KindOf(err) != fault.Conflict {
			t.Errorf("again: %v", err)
		}
		if err := b.Replay(bg, "prp_00000000000000000000000000"); fault.KindOf(err) != fault.NotFound {
			t.Errorf("unknown: %v", err)
		}
		if n, err := b.ReplayAll(bg, "crm"); n != 2 || err != nil {
			t.Errorf("all: %d, %v", n, err)
		}
		synctest.Wait()
		if s := b.status("crm"); s.Received != 3 || s.Dead != 0 || !s.FailingSince.IsZero() {
			t.Errorf("%+v", s)
		}
	})
}

func TestReplayHasThreeDaysAgain(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		b := running(t, newSource(), "crm")
		b.receivers["crm"].answers(refuses)
		b.source.add(to("sub_1", "crm"))
		pass(4 * day)
		b.receivers["crm"].tries = nil
		if _, err := b.ReplayAll(bg, "crm"); err != nil {
			t.Fatal(err)
		}
		pass(time.Minute)
		if n := len(b.receivers["crm"].tries); n < 3 {
			t.Errorf("%d attempts in the first minute", n)
		}
		if s := b.status("crm"); s.Pending != 1 {
			t.Errorf("%+v", s)
		}
	})
}

func TestRetryAfterIsObeyedWithinBounds(t *testing.T) {
	for asked, want := range map[time.Duration]time.Duration{time.Hour: time.Hour, 100 * day: lastDelay} {
		inBubble(t, func(t *testing.T) {
			b := running(t, newSource(), "crm")
			v := b.receivers["crm"]
			v.answers(func(Message) error { return &Failure{Kind: "http 429", RetryAfter: asked} })
			b.source.add(to("sub_1", "crm"))
			synctest.Wait()
			b.source.add(to("sub_2", "crm")) // another subject must wait too
			pass(want - time.Second)
			if len(v.tries) != 1 {
				t.Errorf("%d attempts before %v passed", len(v.tries), want)
			}
			pass(2 * time.Second)
			if len(v.tries) != 2 {
				t.Errorf("%d attempts after", len(v.tries))
			}
		})
	}
}

// TestTargetThatIsDown gets one message per pause, and all that waited as soon as it answers again.
func TestTargetThatIsDown(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		b := running(t, newSource(), "crm")
		v := b.receivers["crm"]
		v.answers(down)
		for i := range 100 {
			b.source.add(to(string(rune('a'+i%26))+"_"+string(rune('a'+i/26)), "crm"))
		}
		pass(24 * time.Hour)
		if n := len(v.tries); n < 1000 || n > 8+2*24*60 {
			t.Errorf("%d attempts in a day", n)
		}
		if s := b.status("crm"); s.Pending != 100 || s.FailingSince.IsZero() || s.Reason != "http 503" {
			t.Errorf("%+v", s)
		}
		v.answers(nil)
		for len(v.got) == 0 {
			pass(time.Minute)
		}
		if n := len(v.got); n != 100 {
			t.Errorf("%d came with the first", n)
		}
		if s := b.status("crm"); !s.FailingSince.IsZero() || s.Reason != "" {
			t.Errorf("%+v", s)
		}
	})
}

func TestDisabledAfterFiveDays(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		b := running(t, newSource(), "crm", "mailer")
		v := b.receivers["crm"]
		v.answers(down)
		for range 6 {
			b.source.add(to("sub_1", "crm", "mailer"))
			pass(day)
		}
		if s := b.status("crm"); s.DisabledAt.IsZero() || s.Reason != "http 503" || b.kinds()[Disabled] != 1 || !s.NextTry.IsZero() {
			t.Fatalf("%+v, alarms %v", s, b.alarms)
		}
		tried := len(v.tries)
		b.source.add(to("sub_9", "crm"))
		pass(10 * day)
		if len(v.tries) != tried {
			t.Errorf("a disabled target was tried %d times", len(v.tries)-tried)
		}
		if s := b.status("mailer"); s.Received != 6 || !s.DisabledAt.IsZero() {
			t.Errorf("%+v", s)
		}
		waiting := b.status("crm").Pending
		v.answers(nil)
		if err := b.Enable(bg, "crm"); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		if s := b.status("crm"); s.Pending != 0 || s.Received != waiting || !s.DisabledAt.IsZero() || waiting+s.Dead != 7 {
			t.Errorf("%+v, %d waited", s, waiting)
		}
		if err := b.Enable(bg, "nobody"); fault.KindOf(err) != fault.NotFound {
			t.Errorf("unknown: %v", err)
		}
	})
}

// TestGone: a target that says so is disabled at once, also in the next process, and nothing is lost.
func TestGone(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		b := running(t, newSource(), "crm")
		v := b.receivers["crm"]
		v.answers(func(Message) error { return &Failure{Kind: "http 410", Refused: true, Gone: true} })
		b.source.add(to("sub_1", "crm"), to("sub_2", "crm"), to("sub_1", "crm"))
		pass(day)
		if b.kinds()[Disabled] != 1 || b.status("crm").Pending != 3 || len(v.tries) > 2 {
			t.Errorf("%d attempts, alarms %v, %+v", len(v.tries), b.alarms, b.status("crm"))
		}
		b.Use()
		b.Use(Target{ID: "crm", Bus: v}) // as after a restart
		v.answers(nil)
		pass(day)
		if len(v.got) != 0 {
			t.Error("a target that is gone was sent to")
		}
		if err := b.Enable(bg, "crm"); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		if got := slices.Sorted(slices.Values(v.revisions())); !slices.Equal(got, upTo(3)) {
			t.Errorf("%v", got)
		}
	})
}

func TestUnknownErrorsAreNotKept(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		b := running(t, newSource(), "crm")
		b.receivers["crm"].answers(func(Message) error { return errAny })
		b.source.add(to("sub_1", "crm"))
		synctest.Wait()
		if p := b.list(Filter{})[0]; p.Error != "failed" || p.Attempts != 1 {
			t.Errorf("%+v", p)
		}
	})
}

// TestBacklogDiesByAge: a target that is down is asked with one message per pause; what waits for it is late at its deadline
// and dead after three days all the same, all of it, with an alarm for each. Before its three days nothing is given up, also
// not by a process that begins after them.
func TestBacklogDiesByAge(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		path := filepath.Join(t.TempDir(), "own.db")
		b := opened(t, db.Config{Path: path}, newSource(), "crm")
		b.start()
		b.receivers["crm"].answers(down)
		const n = laneLimit + 500
		var all [][]Delivery
		for i := range n {
			all = append(all, by(fmt.Sprintf("sub_%d", i), day, "crm"))
		}
		b.source.add(all...)
		pass(day + 2*time.Minute)
		if k := b.kinds(); k[Late] != n || k[Died] != 0 {
			t.Fatalf("after a day: %v", k)
		}
		b.source.add(to("sub_new", "crm"))
		pass(2*day - 4*time.Minute)
		if s := b.status("crm"); s.Pending != n+1 {
			t.Errorf("before three days: %+v", s)
		}
		pass(6 * time.Minute)
		if s := b.status("crm"); s.Dead != n || s.Pending != 1 || b.kinds()[Died] != n {
			t.Errorf("after three days: %+v, %v", s, b.kinds())
		}
		for _, p := range b.list(Filter{State: Dead, Limit: 500}) {
			if p.Error != "http 503" {
				t.Fatalf("%+v", p)
			}
		}
		b.stop()
		time.Sleep(4 * day)
		again := opened(t, db.Config{Path: path}, b.source, "crm")
		again.start()
		pass(time.Minute)
		if s := again.status("crm"); s.Received != 1 || s.Dead != n {
			t.Errorf("after a pause of ours: %+v", s)
		}
	})
}
