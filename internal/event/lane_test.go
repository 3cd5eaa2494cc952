package event

import (
	"fmt"
	"testing"
)

func rowOf(revision int64, subject string) row {
	return row{id: fmt.Sprintf("prp_%d", revision), subject: subject, revision: revision, state: string(Pending)}
}

// taken takes all that may be sent at a time, marks it received, and gives the revisions.
func (l *lane) taken(now int64) (out []int64) {
	for {
		w, ok := l.take(now)
		if !ok {
			return out
		}
		out = append(out, w.revision)
		w.state = string(Received)
		l.busy--
		l.done(w)
	}
}

func wantTaken(t *testing.T, l *lane, want ...int64) {
	t.Helper()
	if got := l.taken(10); fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("taken %v, want %v", got, want)
	}
}

// TestRoutedWhileLooking: a row that was written before the look's snapshot and handed over during or after it is there once;
// one that was written later is not lost.
func TestRoutedWhileLooking(t *testing.T) {
	l := newLane(Target{ID: "crm"})
	if !l.begin(10) || !l.filling {
		t.Fatal("a new lane does not look")
	}
	l.push(rowOf(1, "a"))
	l.push(rowOf(2, "a"))
	l.push(rowOf(3, "b"))
	l.filled(filling{rows: []row{rowOf(1, "a"), rowOf(2, "a")}, whole: true, cursor: 2})
	l.push(rowOf(2, "a"))
	l.push(rowOf(4, "a"))
	wantTaken(t, l, 1, 2, 3, 4)
	if l.begin(10) {
		t.Error("a whole lane looks again")
	}
}

func TestChangedWhileLooking(t *testing.T) {
	l := newLane(Target{ID: "crm"})
	l.begin(10)
	l.forget()
	l.filled(filling{whole: true, cursor: 1})
	if !l.begin(10) {
		t.Error("what was changed behind its back is not looked for")
	}
	l.filled(filling{whole: true, cursor: 1})
	if l.begin(10) {
		t.Error("it looks for ever")
	}
}

func TestLooksAgainOnlyWhenNothingIsUnderWay(t *testing.T) {
	l := newLane(Target{ID: "crm"})
	l.took = unhurried // so that several go at once
	l.begin(10)
	l.filled(filling{rows: []row{rowOf(1, "a"), rowOf(2, "b")}, more: true, cursor: 9})
	first, _ := l.take(10)
	if l.begin(10) {
		t.Error("it looks while something is due")
	}
	second, _ := l.take(10)
	if l.begin(10) {
		t.Error("it looks while something is under way")
	}
	first.state, first.next = string(Pending), 99 // failed: the store knows when to try again
	l.done(first)
	second.state = string(Received)
	l.busy--
	l.done(second)
	if l.rows != 0 || len(l.lines) != 0 || !l.begin(10) {
		t.Errorf("%d rows, %d lines", l.rows, len(l.lines))
	}
	l.filled(filling{cursor: 9, next: 50})
	if l.begin(49) || !l.begin(50) {
		t.Error("it does not look when the next is due")
	}
}

func TestTooManyForMemory(t *testing.T) {
	l := newLane(Target{ID: "crm"})
	l.begin(10)
	l.filled(filling{whole: true})
	for i := range int64(laneLimit + 5) {
		l.push(rowOf(i+1, fmt.Sprint(i)))
	}
	if l.rows != laneLimit || l.whole || len(l.taken(10)) != laneLimit {
		t.Errorf("%d rows", l.rows)
	}
	if l.begin(10) {
		t.Error("the rest is looked for before it is in the store")
	}
	l.written(laneLimit + 5)
	if !l.begin(10) {
		t.Error("the rest is not looked for")
	}
}

func TestDelay(t *testing.T) {
	for _, n := range []int{1, 2, 10, 29, 30, 1000} {
		for _, chance := range []float64{0, 0.5, 0.9999999} {
			if d := delay(n, lastDelay, chance); d < firstDelay || d > lastDelay || n == 1 && d > 2*firstDelay {
				t.Errorf("attempt %d, chance %v: %v", n, chance, d)
			}
		}
	}
}

// TestWhoTendsIsWokenForWhatIsThere: who tends a lane is woken when a message that ends leaves others that nobody takes yet, or
// when the target is another than before; not for an outcome that changes nothing.
func TestWhoTendsIsWokenForWhatIsThere(t *testing.T) {
	l := newLane(Target{ID: "crm"})
	l.begin(10)
	later := rowOf(2, "b")
	later.next = 99
	l.filled(filling{rows: []row{rowOf(1, "a"), later}, whole: true, cursor: 2})
	woken := func(want bool, when string) {
		t.Helper()
		if got := len(l.wake) == 1; got != want {
			t.Errorf("%s: woken %v", when, got)
		}
		l.wake = make(chan struct{}, 1)
	}
	w, _ := l.take(10)
	woken(false, "a message begins")
	if _, ok := l.another(10, 11); ok {
		t.Error("what is not due was taken")
	}
	woken(true, "another is due later")
	w.state = string(Received)
	l.done(w)
	woken(false, "its outcome is recorded")
	l.judged(&verdict{})
	woken(false, "the target is as it was")
	l.judged(&verdict{streak: 1, until: 50})
	woken(true, "the target did not answer")
}
