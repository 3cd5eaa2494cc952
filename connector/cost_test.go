package connector_test

import (
	"testing"
	"time"

	"github.com/ombudhq/ombud/connector"
)

// TestSearchCost: what a search is told to cost, how often it is made whole for that, and how much of it in parts.
func TestSearchCost(t *testing.T) {
	const ms = time.Millisecond
	for _, c := range []struct {
		name        string
		took        func(n int) time.Duration // of the nth making of the whole
		share       float64                   // of a part
		want        time.Duration
		most, least int // makings of the whole
	}{
		{"short", func(int) time.Duration { return 30 * ms }, 0.001, 30 * ms, 7, 3},
		{"short, held up once", func(n int) time.Duration { return 30*ms + time.Duration(n%3)*300*ms }, 0.001, 330 * ms, 3, 3},
		{"small", func(int) time.Duration { return ms }, 1, ms, 7, 3},
		{"long", func(int) time.Duration { return 20 * time.Second }, 0.001, 20 * time.Second, 0, 0},
		{"nothing there", func(int) time.Duration { return time.Hour }, 0, 0, 0, 0},
	} {
		made, spent := 0, time.Duration(0)
		got, err := connector.SearchCost(func() (time.Duration, error) { made++; spent += c.took(made - 1); return c.took(made - 1), nil },
			func(int) (time.Duration, float64, error) {
				took := time.Duration(float64(c.took(0)) * c.share)
				spent += took
				return took, c.share, nil
			})
		if err != nil || got != c.want || made > c.most || made < c.least || spent > time.Second {
			t.Errorf("%s: it costs %s, made %d times in %s: %v", c.name, got, made, spent, err)
		}
	}
}
