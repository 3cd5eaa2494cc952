package event

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ombudhq/ombud/internal/db"
)

// ids are those of what a receiver was sent, in the order of the revisions.
func (v *receiver) ids() (out []string) {
	v.mu.Lock()
	defer v.mu.Unlock()
	all := slices.Clone(v.got)
	slices.SortFunc(all, func(a, b Message) int { return int(a.Revision - b.Revision) })
	for _, m := range all {
		out = append(out, m.ID)
	}
	return out
}

// TestSentBeforeWrittenHasTheSameID: a process that ends after it sent and before it wrote sends again, and the target knows
// the messages again.
func TestSentBeforeWrittenHasTheSameID(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		dir := t.TempDir()
		path := filepath.Join(dir, "own.db")
		b := opened(t, db.Config{Path: path}, newSource(), "crm", "mailer")
		before := b.photograph(path, filepath.Join(dir, "before"))
		b.start()
		for i := range 5 {
			b.source.add(to(fmt.Sprintf("sub_%d", i%2), "crm", "mailer"))
			pass(time.Second)
		}
		again := opened(t, db.Config{Path: before.path}, b.source, "crm", "mailer")
		again.start()
		pass(time.Second)
		for id, v := range b.receivers {
			first, second := v.ids(), again.receivers[id].ids()
			if len(first) != 5 || !slices.Equal(first, second) || !slices.IsSorted(first) {
				t.Errorf("%s got %v, then %v", id, first, second)
			}
		}
		if slices.Equal(b.receivers["crm"].ids(), b.receivers["mailer"].ids()) {
			t.Error("two targets have the same ids")
		}
	})
}

// TestAcknowledgedBeforeWritten: a target may answer before the store knows what it was sent, and is not kept waiting.
func TestAcknowledgedBeforeWritten(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		b := running(t, newSource(), "crm", "slow")
		var p Propagation
		var err error
		asked := make(chan struct{})
		b.receivers["slow"].answers(func(Message) error { time.Sleep(time.Hour); return nil })
		b.receivers["crm"].answers(func(m Message) error {
			go func() { p, err = b.Ack(bg, m.ID); close(asked) }()
			return nil
		})
		b.source.add(to("sub_1", "crm", "slow"))
		synctest.Wait() // no time has passed: it waits for no other target
		select {
		case <-asked:
		default:
			t.Fatal("an acknowledgement waits")
		}
		if err != nil || p.State != Acted {
			t.Errorf("%+v, %v", p, err)
		}
		pass(time.Minute)
		if s := b.status("crm"); s.Acted != 1 || s.Pending != 0 || len(b.receivers["crm"].tries) != 1 {
			t.Errorf("%+v, %d attempts", s, len(b.receivers["crm"].tries))
		}
		if s := b.status("slow"); s.Pending != 1 {
			t.Errorf("what is under way is not written: %+v", s)
		}
	})
}

// TestTargetAddedBeforeWritten: a target that comes between the sending of a batch and its commit misses nothing of it.
func TestTargetAddedBeforeWritten(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		b := running(t, newSource(), "slow")
		b.receivers["slow"].answers(func(Message) error { time.Sleep(time.Hour); return nil })
		b.source.add(to("sub_1", "crm", "slow"))
		synctest.Wait()
		v := &receiver{}
		b.Use(Target{ID: "slow", Bus: b.receivers["slow"]}, Target{ID: "crm", Bus: v})
		pass(time.Second)
		if got := v.revisions(); !slices.Equal(got, upTo(1)) {
			t.Errorf("got %v", got)
		}
	})
}

// TestOneCommitForADelivery: rows are written with what became of them, and what goes to nobody costs a commit a second at
// most.
func TestOneCommitForADelivery(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		commits := 0
		b := opened(t, db.Config{Path: filepath.Join(t.TempDir(), "own.db"), Hook: func(string) { commits++ }}, newSource(), "crm", "mailer")
		b.start()
		commits = 0
		b.source.add(to("sub_1", "crm", "mailer"))
		synctest.Wait()
		if commits != 1 || b.status("crm").Received != 1 {
			t.Errorf("%d commits for a message to each", commits)
		}
		for range 100 {
			b.source.add(nil)
			pass(time.Millisecond)
		}
		pass(10 * time.Second)
		if commits != 2 {
			t.Errorf("%d commits for what went to nobody", commits-1)
		}
		pass(time.Second)
		var cursor int64
		err := b.store.Read(bg, func(tx *db.Tx) error { return readCursor(bg, tx, &cursor) })
		if err != nil || cursor != 1<<40+101 {
			t.Errorf("the cursor stands at %d, %v", cursor-1<<40, err)
		}
	})
}

// TestStoreThatFails: messages go out while nothing can be written, as many as memory takes; each goes once, and all of it
// is written afterwards.
func TestStoreThatFails(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		targets := []string{"crm", "mailer", "ads", "shop"}
		b := opened(t, db.Config{Path: filepath.Join(t.TempDir(), "own.db")}, newSource(), targets...)
		b.block(true)
		b.start()
		const entries = bookLimit/4 + routeLimit
		var all [][]Delivery
		for i := range entries {
			all = append(all, to(fmt.Sprintf("sub_%d", i), targets...))
		}
		b.source.add(all...)
		pass(10 * time.Second)
		if sent := b.tries(); sent < bookLimit || sent > bookLimit+routeLimit {
			t.Errorf("%d were sent", sent)
		}
		b.block(false)
		pass(10 * time.Second)
		if n := b.tries(); n != entries*4 || b.status("crm").Received != entries {
			t.Errorf("%d attempts, %+v", n, b.status("crm"))
		}
	})
}

// tries counts the attempts at all receivers.
func (b *bench) tries() (n int) {
	for _, v := range b.receivers {
		v.mu.Lock()
		n += len(v.tries)
		v.mu.Unlock()
	}
	return n
}

// block has the store refuse new rows, or take them again.
func (b *bench) block(yes bool) {
	b.t.Helper()
	text := "drop trigger block"
	if yes {
		text = "create trigger block before insert on propagations begin select raise(abort, 'no'); end"
	}
	err := b.store.Write(bg, func(tx *db.Tx) error { _, err := tx.Exec(bg, text); return err })
	if err != nil {
		b.t.Fatal(err)
	}
}

func TestWaitingForARowEndsWithTheCaller(t *testing.T) {
	k := newBook()
	b := &batch{rows: []row{{id: "prp_1"}}}
	k.add(b, 1)
	r := &Relay{book: k}
	ctx, cancel := context.WithCancel(bg)
	cancel()
	if err := r.stored(ctx, "prp_1"); !errors.Is(err, ctx.Err()) {
		t.Errorf("got %v", err)
	}
	if err := r.stored(ctx, "prp_2"); err != nil {
		t.Errorf("got %v", err)
	}
}
