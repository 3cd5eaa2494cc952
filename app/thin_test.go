package app

import (
	"errors"
	"testing"
	"time"

	"github.com/ombudhq/ombud/internal/event"
)

// TestThinIsComposedAnewOnceAnythingChanged: what is told of an entry is made once for all who get no identity, and made anew
// after the next entry, after a second, and after an error.
func TestThinIsComposedAnewOnceAnythingChanged(t *testing.T) {
	var held thin
	made, at := 0, time.Unix(1e9, 0)
	fresh := func() (event.Payload, error) {
		made++
		return event.Payload{Correlation: string(rune('a' + made))}, nil
	}
	ask := func(revision, head int64, now time.Time) string {
		t.Helper()
		p, err := held.of(revision, head, now, fresh)
		if err != nil {
			t.Fatal(err)
		}
		return p.Correlation
	}
	first := ask(7, 9, at)
	if ask(7, 9, at.Add(time.Second/2)) != first || made != 1 {
		t.Error("the same is made twice")
	}
	if ask(8, 9, at) == first {
		t.Error("another entry has the same content")
	}
	if ask(7, 10, at) == first {
		t.Error("the next entry changes nothing")
	}
	made = 0
	ask(7, 10, at.Add(time.Second))
	if made != 1 {
		t.Error("a second changes nothing")
	}
	if _, err := held.of(11, 11, at, func() (event.Payload, error) { return event.Payload{}, errors.New("no") }); err == nil {
		t.Error("an error is not told")
	}
	ask(11, 11, at)
	if made != 2 {
		t.Error("an error is held")
	}
	for i := range int64(3 * thinMost) {
		ask(100+i, 11, at)
	}
	if len(held.all) > thinMost {
		t.Errorf("%d are held", len(held.all))
	}
}
