package ledger

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/ombudhq/ombud/internal/bucket"
	"github.com/ombudhq/ombud/internal/clock"
	"github.com/ombudhq/ombud/internal/fault"
	"github.com/ombudhq/ombud/internal/testkit/s3test"
)

// inBucket gives a place whose heads folder is a copy of a bucket.
func inBucket(t *testing.T) (*place, *s3test.Server) {
	s := s3test.Start(t)
	p := newPlace(t)
	b, err := bucket.New(bucket.Config{Bucket: "heads", Prefix: "fjordly/a b", Endpoint: s.URL, Access: "A", Secret: "S", Clock: clock.System{}})
	if err != nil {
		t.Fatal(err)
	}
	p.buckets = map[string]*bucket.Bucket{p.heads: b}
	p.mustOpen()
	return p, s
}

func (p *place) mustOpen() {
	p.t.Helper()
	if err := p.reopen(); err != nil {
		p.t.Fatal(err)
	}
}

func (p *place) mustReopen(what string, kind fault.Kind) {
	p.t.Helper()
	if err := p.reopen(); fault.KindOf(err) != kind {
		p.t.Errorf("%s: %v, want %s", what, err, kind)
	}
}

// TestABucketIsAHead: checkpoints and acts are in the bucket before they are answered, and a folder that is lost, or older,
// is brought to what the bucket holds.
func TestABucketIsAHead(t *testing.T) {
	p, s := inBucket(t)
	for i := range 5 {
		p.act(i)
		p.checkpoint()
	}
	var acts []byte
	for _, k := range s.Keys() {
		if strings.Contains(k, "/suppressions/") {
			acts = append(acts, s.Object(k)...)
		}
		if !strings.HasPrefix(k, "fjordly/a b/") {
			t.Errorf("an object lies outside the prefix: %s", k)
		}
	}
	here := kept(t, p.actsFile())
	if string(here) != string(acts) {
		t.Errorf("the bucket holds %d bytes of acts, the folder %d", len(acts), len(here))
	}
	for what, spoil := range map[string]func() error{
		"the folder is lost": func() error { return os.RemoveAll(p.heads) },
		"an older folder, filled ahead": func() error {
			return os.WriteFile(p.actsFile(), append(bytes.Clone(here[:len(here)/3]), zeros[:]...), 0o600)
		},
		"an older folder": func() error { return os.WriteFile(filepath.Join(p.heads, actsFile), here[:len(here)/3], 0o600) },
	} {
		if err := spoil(); err != nil {
			t.Fatal(err)
		}
		p.mustOpen()
		if string(kept(t, p.actsFile())) != string(here) || p.l.Acts() != 5 {
			t.Errorf("%s: %d acts", what, p.l.Acts())
		}
	}
	p.mustVerify()
}

// TestRolledBackToBeforeTheBucket: store and folder of yesterday are refused, for the bucket knows today.
func TestRolledBackToBeforeTheBucket(t *testing.T) {
	for _, what := range []string{"acts", "checkpoints"} {
		p, _ := inBucket(t)
		p.append(3)
		p.act(1)
		p.checkpoint()
		p.db.Close()
		old := map[string][]byte{}
		for _, name := range []string{p.store, filepath.Join(p.heads, actsFile), filepath.Join(p.heads, headsFile)} {
			b, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			old[name] = b
		}
		p.mustOpen()
		if what == "acts" {
			p.act(2)
		} else {
			p.append(1)
			p.checkpoint()
		}
		p.db.Close()
		for name, b := range old {
			if err := os.WriteFile(name, b, 0o600); err != nil {
				t.Fatal(err)
			}
		}
		p.mustReopen(what, fault.Integrity)
	}
}

// TestABucketThatIsSpoilt is refused, and one that cannot be reached for long answers nothing.
func TestABucketThatIsSpoilt(t *testing.T) {
	p, s := inBucket(t)
	p.act(1)
	p.act(2)
	p.checkpoint()
	var pieces []string
	for _, k := range s.Keys() {
		if strings.Contains(k, "/suppressions/") {
			pieces = append(pieces, k)
		}
	}
	first, last := s.Object(pieces[0]), s.Object(pieces[1])
	s.Set(pieces[0], nil)
	p.mustReopen("a piece is gone", fault.Integrity)
	s.Set(pieces[0], first)
	s.Set(pieces[1], append([]byte("x"), last[1:]...))
	p.mustReopen("a piece is another", fault.Integrity)
	s.Set(pieces[1], last)
	p.mustOpen()
	s.Break(2) // as long as it is tried again
	p.act(3)
	s.Break(-1)
	if err := p.tryAct(4); fault.KindOf(err) != fault.Unavailable {
		t.Errorf("answered without the bucket: %v", err)
	}
	s.Break(0)
	p.mustOpen()
	if p.l.Acts() != 4 {
		t.Errorf("%d acts after a restart", p.l.Acts())
	}
	before := len(s.Keys())
	p.mustOpen()
	if n := len(s.Keys()); n != before {
		t.Errorf("a start without news writes %d objects", n-before)
	}
}
