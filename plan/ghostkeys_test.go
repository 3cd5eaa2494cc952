package plan

import (
	"strconv"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/ombudhq/ombud/connector"
)

// TestGhostKeys: of very many keys, of which two pages are in memory, each is found with its last fate, until
// it is forgotten.
func TestGhostKeys(t *testing.T) {
	st := newStorage(1, t.TempDir())
	defer st.close()
	g, err := newGhostKeys(st, false)
	if err != nil {
		t.Fatal(err)
	}
	key := func(i int) connector.Key {
		return connector.Key{connector.IntValue(int64(i)), connector.TextValue("é")}
	}
	const n = 3000
	want := map[string]string{}
	for i := range n {
		g.put(key(i), gone)
		want[strconv.Itoa(i)] = gone
	}
	for i := 0; i < n; i += 3 {
		g.put(key(i), shared)
		want[strconv.Itoa(i)] = shared
	}
	for i := 0; i < n; i += 5 {
		g.put(key(i), "")
		delete(want, strconv.Itoa(i))
	}
	got := map[string]string{}
	err = g.parts(7, func(part []ghost) error {
		if len(part) > 7 {
			t.Errorf("%d at a time", len(part))
		}
		for _, p := range part {
			got[p.key[0].S] = p.fate
			if g.fate(p.key) != p.fate || !g.has(p.key) {
				t.Errorf("%v is %q", p.key, g.fate(p.key))
			}
		}
		return nil
	})
	if diff := cmp.Diff(want, got); err != nil || diff != "" {
		t.Errorf("%v: %s", err, diff)
	}
	if g.has(key(n)) || g.has(key(5)) || g.fate(key(5)) != "" {
		t.Error("a key that was never put, or is forgotten, is found")
	}
}

// TestGhostKeysFold: a value is found however it is written, and is there as it was put alone.
func TestGhostKeysFold(t *testing.T) {
	st := newStorage(1, t.TempDir())
	defer st.close()
	g, err := newGhostKeys(st, true)
	if err != nil {
		t.Fatal(err)
	}
	as := func(s string) connector.Key { return connector.Key{connector.TextValue(s)} }
	g.put(as("Ida@Example.com"), stays)
	if g.fate(as(" ida@example.COM")) != stays || g.has(as("ida@example.com")) || !g.has(as("Ida@Example.com")) {
		t.Error("values are not compared as identities")
	}
	var none *ghostKeys
	if none.has(as("x")) || none.fate(as("x")) != "" || none.parts(1, nil) != nil {
		t.Error("nothing is not empty")
	}
}
