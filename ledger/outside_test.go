package ledger

import (
	"bytes"
	"context"
	"encoding/base64"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/mod/sumdb/note"

	"github.com/ombudhq/ombud/internal/clock"
	"github.com/ombudhq/ombud/internal/fault"
	"github.com/ombudhq/ombud/vault"
)

func (p *place) headsFile() string { return filepath.Join(p.heads, headsFile) }

func read(t testing.TB, path string) []byte {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func write(t testing.TB, path string, b []byte) {
	t.Helper()
	if err := os.WriteFile(path, b, 0o600); err != nil {
		t.Fatal(err)
	}
}

func TestCheckpointIsASignedNote(t *testing.T) {
	p := newPlace(t)
	if c := p.checkpoint(); c.Size != 0 {
		t.Errorf("a checkpoint of nothing: %+v", c)
	}
	p.append(5)
	c := p.checkpoint()
	lines := strings.SplitN(string(read(t, filepath.Join(p.dir, "keys", "ombud.pub"))), "\n", 2)
	v, err := note.NewVerifier(lines[0])
	if err != nil {
		t.Fatal(err)
	}
	n, err := note.Open([]byte(c.Note), note.VerifierList(v))
	if err != nil {
		t.Fatal(err)
	}
	if want := v.Name() + "\n5\n" + c.Root + "\n"; n.Text != want {
		t.Errorf("got %q, want %q", n.Text, want)
	}
	if again := p.checkpoint(); again != c {
		t.Error("a new checkpoint without growth")
	}
	if got := read(t, p.headsFile()); string(got) != c.Note+"\n" {
		t.Errorf("outside lies %q", got)
	}
	dir, _ := os.Stat(p.heads)
	file, _ := os.Stat(p.headsFile())
	if dir.Mode().Perm() != 0o700 || file.Mode().Perm() != 0o600 {
		t.Errorf("modes %v, %v", dir.Mode(), file.Mode())
	}
	p.db.Close()
	p.open()
	if again := p.checkpoint(); again != c {
		t.Error("a new checkpoint after a restart without growth")
	}
}

func TestRolledBackStoreIsRefused(t *testing.T) {
	p := newPlace(t)
	p.append(300)
	p.checkpoint()
	p.db.Close()
	old := read(t, p.store)
	p.open()
	p.append(20)
	p.checkpoint()
	safe := filepath.Join(t.TempDir(), "kept")
	write(t, safe, read(t, p.headsFile()))
	p.db.Close()
	write(t, p.store, old)
	if err := p.tryOpen(); fault.KindOf(err) != fault.Integrity {
		t.Fatalf("an old store was opened: %v", err)
	}
	r, err := p.verify(VerifyOptions{})
	if fault.KindOf(err) != fault.Integrity || r.FirstBad != 301 || r.CheckpointSize != 320 || r.Entries != 300 {
		t.Errorf("%+v, %v", r, err)
	}
	// Rolled back together with the checkpoints beside it: only the one kept elsewhere tells.
	all := read(t, p.headsFile())
	write(t, p.headsFile(), all[:len(all)/2])
	p.db.Close()
	p.open()
	p.mustVerify()
	if r, err := p.verify(VerifyOptions{Checkpoint: safe}); fault.KindOf(err) != fault.Integrity || r.FirstBad != 301 {
		t.Errorf("%+v, %v", r, err)
	}
}

func TestOneCheckpointInAFile(t *testing.T) {
	p := newPlace(t)
	p.append(10)
	c := p.checkpoint()
	p.append(3)
	path := filepath.Join(t.TempDir(), "mine")
	for _, text := range []string{c.Note, c.Note + "\n"} {
		write(t, path, []byte(text))
		r, err := p.verify(VerifyOptions{Checkpoint: path})
		if err != nil || r.CheckpointSize != 10 || r.Uncovered != 3 {
			t.Errorf("%+v, %v", r, err)
		}
	}
	for name, text := range map[string]string{
		"root": strings.Replace(c.Note, c.Root, base64.StdEncoding.EncodeToString(make([]byte, 32)), 1),
		"size": strings.Replace(c.Note, "\n10\n", "\n9\n", 1),
		"more": strings.Replace(c.Note, "\n10\n", "\n99\n", 1),
	} {
		write(t, path, []byte(text))
		if r, err := p.verify(VerifyOptions{Checkpoint: path}); fault.KindOf(err) != fault.Integrity || r.FirstBad != 0 {
			t.Errorf("%s changed: %+v, %v", name, r, err)
		}
	}
	for name, text := range map[string]string{"empty": "", "garbage": "garbage"} {
		write(t, path, []byte(text))
		if _, err := p.verify(VerifyOptions{Checkpoint: path}); fault.KindOf(err) != fault.Invalid {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := p.verify(VerifyOptions{Checkpoint: path + "-not-there"}); fault.KindOf(err) != fault.Invalid {
		t.Error(err)
	}
}

func TestNobodyOutsideVouches(t *testing.T) {
	p := newPlace(t)
	p.append(10)
	p.checkpoint()
	if err := os.RemoveAll(p.heads); err != nil {
		t.Fatal(err)
	}
	if r := p.mustVerify(); r.CheckpointSize != 0 || r.Uncovered != 10 {
		t.Errorf("%+v", r)
	}
	p.db.Close()
	p.open() // and it goes on
	p.append(1)
	p.checkpoint()
	if r := p.mustVerify(); r.CheckpointSize != 11 || r.Uncovered != 0 {
		t.Errorf("%+v", r)
	}
}

func TestTornCheckpointIsCutOff(t *testing.T) {
	p := newPlace(t)
	p.append(3)
	p.checkpoint()
	whole := read(t, p.headsFile())
	p.append(2)
	p.checkpoint()
	both := read(t, p.headsFile())
	for n := len(whole) + 1; n < len(both); n++ {
		write(t, p.headsFile(), both[:n])
		p.db.Close()
		p.open()
		p.mustVerify()
		p.checkpoint()
		got := read(t, p.headsFile())
		if !bytes.HasPrefix(got, whole) || bytes.Count(got, []byte("\n\n— ")) != 2 {
			t.Fatalf("cut at %d: outside lies %q", n, got)
		}
	}
	for n := range len(whole) {
		write(t, p.headsFile(), whole[:n])
		p.db.Close()
		p.open()
		p.checkpoint()
		if r := p.mustVerify(); r.CheckpointSize != 5 {
			t.Fatalf("cut at %d: %+v", n, r)
		}
	}
}

func TestSpoiltHeadsAreTold(t *testing.T) {
	p := newPlace(t)
	for range 4 {
		p.append(7)
		p.checkpoint()
	}
	good := read(t, p.headsFile())
	for i := 0; i < len(good); i++ {
		b := bytes.Clone(good)
		b[i] ^= 1
		write(t, p.headsFile(), b)
		r, err := p.verify(VerifyOptions{})
		if err == nil && r.Uncovered == 28-r.CheckpointSize {
			continue // an old signature is not needed where a newer one vouches; the last record may count as torn
		}
		if fault.KindOf(err) != fault.Integrity || r.FirstBad != 0 {
			t.Fatalf("byte %d: %+v, %v", i, r, err)
		}
	}
	other, err := vault.Open(vault.Config{Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	write(t, p.headsFile(), good)
	c := p.config()
	c.Vault = other
	if _, err := Open(context.Background(), c); fault.KindOf(err) != fault.Integrity {
		t.Errorf("opened with another key: %v", err)
	}
}

func TestManyHeads(t *testing.T) {
	p := newPlace(t)
	blocked := filepath.Join(t.TempDir(), "file")
	write(t, blocked, nil)
	c := p.config()
	c.Heads = append(c.Heads, filepath.Join(p.dir, "second"), filepath.Join(blocked, "heads"))
	if _, err := Open(context.Background(), c); err == nil {
		t.Fatal("a head that is a file was opened")
	}
	c.Heads[2] = filepath.Join(p.dir, "third")
	l, err := Open(context.Background(), c)
	if err != nil {
		t.Fatal(err)
	}
	write(t, c.Heads[2], nil) // now it cannot be a directory
	p.l = l
	p.append(2)
	if _, err := l.Checkpoint(context.Background()); fault.KindOf(err) != fault.Unavailable {
		t.Errorf("got %v", err)
	}
	if err := os.Remove(c.Heads[2]); err != nil {
		t.Fatal(err)
	}
	p.checkpoint()
	for _, dir := range c.Heads {
		if n := bytes.Count(read(t, filepath.Join(dir, headsFile)), []byte("\n\n— ")); n != 1 {
			t.Errorf("%d checkpoints", n)
		}
	}
}

// watched tells when Run waits, that is, when it is done with the round before.
type watched struct {
	*clock.Fake
	asked chan struct{}
}

func (w watched) After(d time.Duration) <-chan time.Time {
	ch := w.Fake.After(d)
	w.asked <- struct{}{}
	return ch
}

func TestRunKeepsCheckpointsComing(t *testing.T) {
	p := newPlace(t)
	c := p.config()
	w := watched{p.clock, make(chan struct{})}
	c.Clock = w
	l, err := Open(context.Background(), c)
	if err != nil {
		t.Fatal(err)
	}
	p.l = l
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan error)
	go func() { done <- l.Run(ctx) }()
	<-w.asked
	for n := range 3 {
		p.append(1)
		p.clock.Advance(Interval)
		<-w.asked
		p.clock.Advance(Interval) // nothing grew
		<-w.asked
		if got := bytes.Count(read(t, p.headsFile()), []byte("\n\n— ")); got != n+1 {
			t.Errorf("%d checkpoints after %d", got, n+1)
		}
	}
	p.append(1)
	stop()
	if err := <-done; err != nil {
		t.Error(err)
	}
	if r := p.mustVerify(); r.CheckpointSize != 4 {
		t.Errorf("the last checkpoint is missing: %+v", r)
	}
}

func FuzzCheckpoints(f *testing.F) {
	f.Add([]byte("ombud/0\n1\nAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n\n— ombud/0 AAAA\n\n"))
	f.Fuzz(func(t *testing.T, b []byte) {
		path := filepath.Join(t.TempDir(), "c")
		write(t, path, b)
		newest, err := readNewest(path)
		if err != nil || newest.size == 0 {
			return
		}
		again, err := parseKept([]byte(newest.note))
		if err != nil || again != newest {
			t.Errorf("read differently: %v", err)
		}
		file, err := os.OpenFile(path, os.O_RDWR, 0)
		if err != nil {
			t.Fatal(err)
		}
		defer file.Close()
		if end, err := wholeRecords(file); err != nil || end == 0 || end > int64(len(b)) {
			t.Errorf("cut at %d of %d: %v", end, len(b), err)
		}
	})
}
