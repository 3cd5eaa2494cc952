package event

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ombudhq/ombud/internal/db"
)

// image is the store as a crash right after a commit leaves it, and what the targets had by then.
type image struct {
	path string
	had  map[string][]int64
}

// TestCrashAtEveryCommit ends the process, as the disk sees it, after each commit of a relay with troubled targets, and lets
// another one go on: every entry is recorded once for each target, each target gets all of them, in the order of each
// subject, and the alarm is raised exactly once.
func TestCrashAtEveryCommit(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		dir := t.TempDir()
		path := filepath.Join(dir, "own.db")
		var images []image
		var b *bench
		hook := func(string) {
			if b != nil && b.store != nil {
				images = append(images, b.photograph(path, filepath.Join(dir, fmt.Sprint(len(images)))))
			}
		}
		b = opened(t, db.Config{Path: path, Hook: hook}, newSource(), "crm", "mailer", "ads")
		b.keepAlarms()
		b.start()
		b.troubled()
		for i := range 12 {
			b.source.add(by(fmt.Sprintf("sub_%d", i%3), time.Hour, "crm"), to(fmt.Sprintf("sub_%d", i%3), "crm", "mailer", "ads"))
			pass(time.Second)
		}
		pass(2 * time.Hour)
		b.stop()
		t.Logf("%d commits", len(images))
		if len(images) < 40 {
			t.Fatalf("only %d commits", len(images))
		}
		for i, m := range images {
			again := opened(t, db.Config{Path: m.path}, b.source, "crm", "mailer", "ads")
			again.keepAlarms()
			again.start()
			pass(3 * time.Hour)
			again.check(fmt.Sprintf("commit %d", i), m.had)
			again.stop()
		}
	})
}

// troubled makes the targets refuse, fail and take, each in turn.
func (b *bench) troubled() {
	for i, id := range []string{"crm", "mailer", "ads"} {
		n := 0
		v := b.receivers[id]
		v.answers(func(m Message) error {
			v.mu.Lock()
			defer v.mu.Unlock()
			n++
			switch (n + i) % 5 {
			case 0:
				return refuses(m)
			case 1:
				return down(m)
			}
			return nil
		})
	}
}

func (b *bench) keepAlarms() {
	if err := b.store.Migrate(bg, "alarms", "create table alarms (id text not null)"); err != nil {
		b.t.Fatal(err)
	}
	b.c.Alarm = func(tx *db.Tx, a Alarm) error {
		_, err := tx.Exec(bg, "insert into alarms (id) values ($1)", a.ID)
		return err
	}
}

// photograph copies the store's files; the writer waits meanwhile.
func (b *bench) photograph(from, to string) image {
	m := image{filepath.Join(to, "own.db"), map[string][]int64{}}
	if err := os.Mkdir(to, 0o700); err != nil {
		b.t.Error(err)
	}
	for _, suffix := range []string{"", "-wal"} {
		content, err := os.ReadFile(from + suffix)
		if err == nil {
			err = os.WriteFile(m.path+suffix, content, 0o600)
		}
		if err != nil {
			b.t.Error(err)
		}
	}
	for id, v := range b.receivers {
		m.had[id] = v.revisions()
	}
	return m
}

// check compares what a target had before and got since with what there was for it: entries with odd revisions go to crm
// only, and wait for an acknowledgement that never comes.
func (b *bench) check(when string, had map[string][]int64) {
	b.t.Helper()
	for id, v := range b.receivers {
		want := upTo(24)
		if id != "crm" {
			want = slices.DeleteFunc(want, func(n int64) bool { return n%2 == 1 })
		}
		got := slices.Concat(had[id], v.revisions())
		slices.Sort(got)
		if got = slices.Compact(got); !slices.Equal(got, want) {
			b.t.Errorf("%s: %s got %v", when, id, got)
		}
		for i := range 3 {
			if got := v.revisions(fmt.Sprintf("sub_%d", i)); !slices.IsSorted(got) {
				b.t.Errorf("%s: %s got %v of one subject", when, id, got)
			}
		}
		if s := b.status(id); s.Received != int64(len(want)) || s.Pending+s.Dead != 0 {
			b.t.Errorf("%s: %+v", when, s)
		}
	}
	var n, different int
	err := b.store.Read(bg, func(tx *db.Tx) error {
		return tx.QueryRow(bg, "select count(*), count(distinct id) from alarms").Scan(&n, &different)
	})
	if err != nil || n != 12 || different != 12 {
		b.t.Errorf("%s: %d alarms of %d messages, %v", when, n, different, err)
	}
}

// TestStopLosesNothing: what is under way when the relay stops is sent again by the next one, and not counted as a failure.
func TestStopLosesNothing(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		path := filepath.Join(t.TempDir(), "own.db")
		b := opened(t, db.Config{Path: path}, newSource(), "crm")
		b.receivers["crm"].answers(func(Message) error { time.Sleep(time.Second); return errAny })
		b.start()
		b.source.add(to("sub_1", "crm"))
		synctest.Wait()
		b.stop()
		again := opened(t, db.Config{Path: path}, b.source, "crm")
		again.start()
		if p := again.list(Filter{})[0]; p.State != Received || p.Attempts != 1 {
			t.Errorf("%+v", p)
		}
	})
}
