package consent

import (
	"encoding/json"
	"math/rand/v2"
	"reflect"
	"testing"
	"time"
)

// TestAppendJSON: an entry is written as the library writes it, whatever it holds.
func TestAppendJSON(t *testing.T) {
	words := []string{"", "web", "a b", `"quoted" \`, "<&>", "für", "\u2028", "\x00", "\xff", "\x7f", "line\nline"}
	d := rand.New(rand.NewPCG(3, 5))
	word := func() string { return words[d.IntN(len(words))] }
	times := []time.Time{{}, time.Unix(1e9, 0).UTC(), time.Unix(1e9, 120e6).UTC(), time.Unix(2e9, 1).In(time.FixedZone("", 3600))}
	for range 5000 {
		c := &given{Categories: []string{"a", word(), word()}[:d.IntN(4)], Partial: d.IntN(2) == 0, Seen: d.Int64N(3),
			Notice: Shown{word(), word(), word(), word()}, Metadata: map[string]string{word(): word(), word(): word()}}
		if d.IntN(2) == 0 {
			c.Metadata = nil
		}
		v := reflect.ValueOf(c).Elem()
		for i := range v.NumField() {
			switch f := v.Field(i).Addr().Interface().(type) {
			case *string:
				*f = word()
			case *time.Time:
				*f = times[d.IntN(len(times))]
			}
		}
		want, err := json.Marshal(c)
		got, err2 := c.AppendJSON([]byte("x"))
		if err != nil || err2 != nil || string(got) != "x"+string(want) {
			t.Fatalf("%v, %v\n got %s\nwant %s", err, err2, got, want)
		}
	}
	far := &given{At: time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC)}
	if _, err := far.AppendJSON(nil); err == nil {
		t.Error("a year of five digits was written")
	}
}
