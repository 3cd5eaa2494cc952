package iab_test

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/ombudhq/ombud/consent/internal/iab"
	"pgregory.net/rapid"
)

// bitsOf writes fields and gives the bits, without padding to whole characters.
func bitsOf(t *testing.T, n int, fields func(*iab.Coder)) string {
	t.Helper()
	text, bad := iab.Write("test", 0, fields)
	if bad != nil {
		t.Fatal(bad)
	}
	var b strings.Builder
	if _, bad := iab.Read("test", text, func(c *iab.Coder) {
		for c.More(1) {
			b.WriteByte('0' + byte(c.Bits("", 1, 0)))
		}
	}); bad != nil {
		t.Fatal(bad)
	}
	return b.String()[:n]
}

// TestFibonacciNumbers are those that the specification of GPP prints.
func TestFibonacciNumbers(t *testing.T) {
	for i, want := range []string{"11", "011", "0011", "1011", "00011", "10011", "01011"} {
		if got := bitsOf(t, len(want), func(c *iab.Coder) { c.Number("n", uint16(i+1)) }); got != want {
			t.Errorf("%d is %s, want %s", i+1, got, want)
		}
	}
	for n := range uint16(1<<16 - 1) {
		text, _ := iab.Write("test", 0, func(c *iab.Coder) { c.Number("n", n+1) })
		got := uint16(0)
		if _, bad := iab.Read("test", text, func(c *iab.Coder) { got = c.Number("n", 0) }); bad != nil || got != n+1 {
			t.Fatalf("%d was read as %d, %v", n+1, got, bad)
		}
	}
	for _, text := range []string{"AAAAAAAAAAAA", "QAAA", strings.Repeat("q", 20), ""} {
		if _, bad := iab.Read("test", text, func(c *iab.Coder) { c.Number("n", 0) }); bad == nil {
			t.Errorf("%q was read", text)
		}
	}
	if _, bad := iab.Write("test", 0, func(c *iab.Coder) { c.Number("n", 0) }); bad == nil {
		t.Error("0 was written")
	}
}

// TestRanges are those that the specification of GPP prints for 3, 5, 6, 7, 8.
func TestRanges(t *testing.T) {
	set := iab.NewSet(8, 3, 5, 6, 7)
	for name, c := range map[string]struct {
		want   string
		fields func(c *iab.Coder, s *iab.Set)
	}{
		"Range(Int)": {"000000000010 0 0000000000000011 1 0000000000000101 0000000000001000",
			func(c *iab.Coder, s *iab.Set) { c.Ranges("r", s) }},
		"Range(Fibonacci)": {"000000000010 0 0011 1 011 0011", func(c *iab.Coder, s *iab.Set) { c.Fibonacci("r", s) }},
		"OptimizedRange":   {"0 0000000000001000 00101111", func(c *iab.Coder, s *iab.Set) { c.Optimized("r", s) }},
	} {
		want := strings.ReplaceAll(c.want, " ", "")
		if got := bitsOf(t, len(want), func(x *iab.Coder) { c.fields(x, &set) }); got != want {
			t.Errorf("%s is %s, want %s", name, got, want)
		}
	}
}

// TestSetInEveryCoding: a set is read from each coding as it was written, and remembers it.
func TestSetInEveryCoding(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		set := iab.NewSet(rapid.SliceOfN(rapid.Uint16Range(1, 300), 0, 60).Draw(t, "ids")...)
		for name, coding := range map[string]func(c *iab.Coder, s *iab.Set){
			"ranges": func(c *iab.Coder, s *iab.Set) { c.Ranges("s", s) }, "fibonacci": func(c *iab.Coder, s *iab.Set) { c.Fibonacci("s", s) },
			"optimized": func(c *iab.Coder, s *iab.Set) { c.Optimized("s", s) }, "max": func(c *iab.Coder, s *iab.Set) { c.MaxOrRanges("s", s) },
			"max fibonacci": func(c *iab.Coder, s *iab.Set) { c.MaxOrFibonacci("s", s) },
		} {
			text, bad := iab.Write("test", 3, func(c *iab.Coder) { coding(c, &set) })
			if bad != nil {
				t.Fatal(name, bad)
			}
			var got iab.Set
			padding, bad := iab.Read("test", text, func(c *iab.Coder) { coding(c, &got) })
			if bad != nil || padding != 3 || !got.Equal(set) {
				t.Fatalf("%s: %v, padding %d, %v", name, bad, padding, slices.Collect(got.All()))
			}
			if again, bad := iab.Write("test", 3, func(c *iab.Coder) { coding(c, &got) }); bad != nil || again != text {
				t.Fatalf("%s: %s became %s", name, text, again)
			}
		}
	})
}

// TestJSON: what a string says can be kept as JSON; nothing of a set is lost in it.
func TestJSON(t *testing.T) {
	got, err := json.Marshal([]any{iab.NewSet(9, 1, 2, 3), iab.NewSet(), iab.NewIDs(7, 2), iab.NewIDs()})
	if want := `[[[1,3],[9,9]],[],[2,7],[]]`; err != nil || string(got) != want {
		t.Errorf("%s, %v, want %s", got, err, want)
	}
	for _, into := range []any{new(iab.Set), new(iab.IDs)} {
		if json.Unmarshal([]byte(`[[1,3]]`), into) == nil {
			t.Errorf("%T was read as something", into)
		}
	}
}
