package index_test

import (
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/ombudhq/ombud/consent/internal/index"
)

func TestWord(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m := index.Minute(rapid.Uint32Range(0, 1<<24-1).Draw(t, "expiry"))
		revision := rapid.Uint64Range(0, 255).Draw(t, "epoch")<<40 | rapid.Uint64Range(0, 1<<30-1).Draw(t, "entry")
		mark := rapid.Uint8Range(0, 3).Draw(t, "mark")
		w, err := index.NewWord(m, revision, mark)
		if err != nil || w.Expiry() != m || w.Revision() != revision || w.Mark() != mark {
			t.Fatal(w, err)
		}
	})
	for _, c := range []struct {
		expiry   index.Minute
		revision uint64
		mark     uint8
	}{{1 << 24, 0, 0}, {0, 256 << 40, 0}, {0, 1 << 30, 0}, {0, 0, 4}} {
		if w, err := index.NewWord(c.expiry, c.revision, c.mark); err == nil || w != 0 {
			t.Error(c, "fits")
		}
	}
}

// TestExpiry: it is over at its minute at the latest, and no instant is taken for never or for not given.
func TestExpiry(t *testing.T) {
	at := time.Date(2026, 11, 21, 8, 0, 59, 999, time.UTC)
	m := index.MinuteOf(at)
	if m.Time() != at.Truncate(time.Minute) || index.MinuteOf(m.Time()) != m {
		t.Error(m.Time())
	}
	w, _ := index.NewWord(m, 1, 0)
	if w.Live(index.MinuteOf(at)) || !w.Live(m-1) {
		t.Error("it is live until its minute begins")
	}
	for _, far := range []time.Time{{}, time.Date(1970, 1, 1, 0, 0, 0, 0, time.UTC), time.Date(2500, 1, 1, 0, 0, 0, 0, time.UTC)} {
		if m := index.MinuteOf(far); m == index.NotGiven || m == index.Never {
			t.Error(far, m)
		}
	}
	never, _ := index.NewWord(index.Never, 1, 0)
	none, _ := index.NewWord(index.NotGiven, 1, 0)
	if !never.Live(index.Never-1) || none.Live(0) || index.Word(0).Live(0) {
		t.Error("never ends, or what was not given is live")
	}
}

// TestMinuteAsText: every day and many minutes are written as the library writes them.
func TestMinuteAsText(t *testing.T) {
	for m := index.Minute(0); m < index.Never; m += 719 {
		if got, want := string(m.Append([]byte("at "))), "at "+m.Time().Format(time.RFC3339); got != want {
			t.Fatalf("%d: %s, want %s", m, got, want)
		}
	}
}
