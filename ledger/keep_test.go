package ledger

import (
	"bytes"
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/ombudhq/ombud/internal/db"
	"github.com/ombudhq/ombud/internal/fault"
)

func (p *place) actsFile() string { return filepath.Join(p.heads, actsFile) }

// kept is what a file of acts holds before what was filled ahead.
func kept(t testing.TB, path string) []byte {
	t.Helper()
	return bytes.TrimRight(read(t, path), "\x00")
}

// act writes acts of one commit, each with its entry.
func (p *place) tryAct(bodies ...int) error {
	return p.db.Write(context.Background(), func(tx *db.Tx) error {
		for _, n := range bodies {
			if err := p.l.Keep(tx, "test.suppressed", n); err != nil {
				return err
			}
			if _, err := p.l.Append(tx, entry(n)); err != nil {
				return err
			}
		}
		return nil
	})
}

func (p *place) act(bodies ...int) {
	p.t.Helper()
	if err := p.tryAct(bodies...); err != nil {
		p.t.Fatal(err)
	}
}

// restored opens an older store again, and gives the acts it lacks.
func (p *place) restored() (missing []string) {
	p.t.Helper()
	p.db.Close()
	if err := p.openRestored(); err != nil {
		p.t.Fatal(err)
	}
	return p.rejoin()
}

// rejoin gives the acts that the store lacks, and takes it up again.
func (p *place) rejoin() (missing []string) {
	p.t.Helper()
	ctx := context.Background()
	err := p.db.Write(ctx, func(tx *db.Tx) error {
		missing = nil
		if err := p.l.Missing(func(a Act) error { missing = append(missing, string(a.Body)); return nil }); err != nil {
			return err
		}
		_, err := p.l.Rejoin(ctx, tx, "test", p.l.Lost())
		return err
	})
	if err != nil {
		p.t.Fatal(err)
	}
	return missing
}

func (p *place) reopen() error {
	p.db.Close()
	err := p.tryOpen()
	return err
}

// TestActsStandOutsideBeforeTheAnswer: what was answered is in the file, sealed; what could not be put there is answered
// with an error, the store takes nothing more, and the next start puts it there first, if nothing did before.
func TestActsStandOutsideBeforeTheAnswer(t *testing.T) { each(t, testActsOutside) }

func testActsOutside(t *testing.T, p *place) {
	p.append(3)
	if _, err := os.Stat(p.actsFile()); err == nil {
		t.Error("there is a suppression ledger although nothing was suppressed")
	}
	p.act(1, 2)
	if n := p.l.Acts(); n != 2 || bytes.Count(read(t, p.actsFile()), []byte("test.suppressed")) != 2 {
		t.Errorf("%d acts", n)
	}
	if err := os.Rename(p.heads, p.heads+".away"); err != nil {
		t.Fatal(err)
	}
	write(t, p.heads, nil)
	if err := p.tryAct(3); fault.KindOf(err) != fault.Unavailable {
		t.Errorf("answered with %v", err)
	}
	if err := p.tryAct(4); fault.KindOf(err) != fault.Unavailable {
		t.Errorf("the next was answered with %v", err)
	}
	os.Remove(p.heads)
	if err := os.Rename(p.heads+".away", p.heads); err != nil {
		t.Fatal(err)
	}
	if err := p.reopen(); err != nil {
		t.Fatal(err)
	}
	if n := p.l.Acts(); n != 3 || p.l.Size() != 6 {
		t.Errorf("%d acts, %d entries after the restart", n, p.l.Size())
	}
	p.act(4)
	if err := p.reopen(); err != nil || p.l.Acts() != 4 {
		t.Errorf("%d acts, %v", p.l.Acts(), err)
	}
}

// TestActsGoOnByThemselves: when the place outside is mended, what was committed is kept there before anything else is
// written, wherever the disk stopped: nothing of it there, part of it, its end without its beginning, or all of it in one head and
// nothing in the other.
func TestActsGoOnByThemselves(t *testing.T) {
	for _, left := range []int{-2, -1, 0, 1, 40} {
		p := newPlace(t)
		second := filepath.Join(p.dir, "second")
		p.more = []string{second}
		if err := p.reopen(); err != nil {
			t.Fatal(err)
		}
		p.act(1)
		whole := len(kept(t, p.actsFile()))
		if err := os.Rename(second, second+".away"); err != nil {
			t.Fatal(err)
		}
		write(t, second, nil)
		for _, n := range []int{2, 3} {
			if err := p.tryAct(n); fault.KindOf(err) != fault.Unavailable {
				t.Errorf("act %d is answered with %v", n, err)
			}
		}
		if size := p.l.Size(); size != 2 || p.l.Acts() != 1 {
			t.Errorf("%d entries, %d acts", size, p.l.Acts())
		}
		if left == -2 {
			b := read(t, p.actsFile())
			clear(b[whole : whole+40])
			write(t, p.actsFile(), b)
		}
		if left >= 0 {
			if err := os.Truncate(p.actsFile(), int64(whole+left)); err != nil {
				t.Fatal(err)
			}
		}
		os.Remove(second)
		if err := os.Rename(second+".away", second); err != nil {
			t.Fatal(err)
		}
		p.act(4)
		same := bytes.Equal(kept(t, p.actsFile()), kept(t, filepath.Join(second, actsFile)))
		if p.l.Acts() != 3 || !same {
			t.Errorf("%d left: %d acts, the same in both: %v", left, p.l.Acts(), same)
		}
		if err := p.reopen(); err != nil || p.l.Acts() != 3 {
			t.Errorf("%d left: the restart sees %d acts, %v", left, p.l.Acts(), err)
		}
	}
}

// TestFirstActTorn: a disk that took half of the first group there ever was is no reason not to start.
func TestFirstActTorn(t *testing.T) { each(t, testFirstActTorn) }

func testFirstActTorn(t *testing.T, p *place) {
	p.act(1)
	whole := kept(t, p.actsFile())
	for _, n := range []int{1, len(whole) / 2, len(whole) - 1, len(whole) + 1} {
		write(t, p.actsFile(), append(whole, 0)[:n])
		if err := p.reopen(); err != nil || p.l.Acts() != 1 {
			t.Errorf("torn after %d of %d bytes: %v, %d acts", n, len(whole), err, p.l.Acts())
		}
	}
	p.act(2)
	if err := p.reopen(); err != nil || p.l.Acts() != 2 {
		t.Errorf("%d acts, %v", p.l.Acts(), err)
	}
}

// TestOlderStoreIsRefusedAndBroughtBack: abandoned lines included.
func TestOlderStoreIsRefusedAndBroughtBack(t *testing.T) {
	p := newPlace(t)
	copyOf := func() []byte { p.db.Close(); b := read(t, p.store); p.open(); return b }
	back := func(b []byte) { p.db.Close(); write(t, p.store, b) }
	p.act(1)
	a := copyOf()
	p.act(2)
	p.append(2)
	b := copyOf()
	p.act(3)
	p.checkpoint()
	back(a)
	if err := p.tryOpen(); fault.KindOf(err) != fault.Integrity {
		t.Fatalf("an older store opens: %v", err)
	}
	if got := p.restored(); !slices.Equal(got, []string{"2", "3"}) || p.l.Epoch() != 2 {
		t.Errorf("missing %v, epoch %d", got, p.l.Epoch())
	}
	p.act(4)
	p.checkpoint()
	if err := p.reopen(); err != nil {
		t.Fatal(err)
	}
	back(b) // newer than a, of the line that was left
	if err := p.tryOpen(); fault.KindOf(err) != fault.Integrity {
		t.Fatalf("the store of an abandoned line opens: %v", err)
	}
	if got := p.restored(); !slices.Equal(got, []string{"3", "4"}) || p.l.Epoch() != 3 {
		t.Errorf("missing %v, epoch %d", got, p.l.Epoch())
	}
	if r := p.mustVerify(); !r.OK {
		t.Errorf("%+v", r)
	}
	head := p.l.Head()
	if err := p.reopen(); err != nil || p.l.Head() != head || head>>epochShift != 3 {
		t.Errorf("head %d, %v", head, err)
	}
}

// TestRestoreCutShort: until the missing acts are done, the store is an older one.
func TestRestoreCutShort(t *testing.T) {
	p := newPlace(t)
	p.act(1)
	p.db.Close()
	old := read(t, p.store)
	p.open()
	p.act(2)
	p.db.Close()
	write(t, p.store, old)
	ctx := context.Background()
	var err error
	if p.db, err = db.Open(ctx, db.Config{Path: p.store}); err != nil {
		t.Fatal(err)
	}
	c := p.config()
	c.Restored = true
	if _, err := Open(ctx, c); err != nil {
		t.Fatal(err)
	}
	if err := p.reopen(); fault.KindOf(err) != fault.Integrity {
		t.Fatalf("a half restored store opens: %v", err)
	}
	p.db.Close()
	if got := p.restored(); !slices.Equal(got, []string{"2"}) || p.l.Epoch() != 3 {
		t.Errorf("missing %v, epoch %d", got, p.l.Epoch())
	}
}

// TestSecondHead: a new place gets the whole file, one that fell behind what it lacks; two that differ are damage.
func TestSecondHead(t *testing.T) {
	p := newPlace(t)
	p.act(1)
	p.act(2)
	p.db.Close()
	whole := kept(t, p.actsFile())
	second := filepath.Join(p.dir, "second")
	open := func() error {
		var err error
		if p.db, err = db.Open(t.Context(), db.Config{Path: p.store}); err != nil {
			t.Fatal(err)
		}
		defer p.db.Close()
		c := p.config()
		c.Heads = append(c.Heads, second)
		_, err = Open(t.Context(), c)
		return err
	}
	for _, have := range [][]byte{nil, whole[:len(whole)-40], whole[:20]} {
		if have != nil {
			write(t, filepath.Join(second, actsFile), have)
		}
		if err := open(); err != nil {
			t.Fatal(err)
		}
		if got := kept(t, filepath.Join(second, actsFile)); !bytes.Equal(got, whole) {
			t.Errorf("from %d bytes it got %d", len(have), len(got))
		}
	}
	other := newPlace(t)
	other.act(7)
	write(t, filepath.Join(second, actsFile), read(t, other.actsFile()))
	if err := open(); fault.KindOf(err) != fault.Integrity {
		t.Errorf("the file of another key: %v", err)
	}
}

// TestDamagedActs: whatever happens to the file, it is refused or mended from what the store still holds, and nothing of
// it is lost silently; with an older store beside it, it is always refused.
func TestDamagedActs(t *testing.T) {
	p := newPlace(t)
	p.act(1)
	p.db.Close()
	older := read(t, p.store)
	p.open()
	for i := range 6 {
		p.act(10+i, 20+i)
	}
	if err := p.reopen(); err != nil { // only the last group is still in the store
		t.Fatal(err)
	}
	p.checkpoint()
	p.db.Close()
	store, whole := read(t, p.store), kept(t, p.actsFile())
	var groups [][]byte // each is a text, an empty line, a signature, an empty line
	for part := range slices.Chunk(bytes.SplitAfter(whole, []byte("\n\n")), 2) {
		groups = append(groups, bytes.Join(part, nil))
	}
	groups = groups[:len(groups)-1]
	if len(groups) != 7 {
		t.Fatalf("%d groups", len(groups))
	}
	join := func(gs ...[]byte) []byte { return bytes.Join(gs, nil) }
	blank := func(g []byte) []byte { return make([]byte, len(g)) }
	swapped := slices.Clone(groups)
	swapped[2], swapped[3] = swapped[3], swapped[2]
	damages := map[string][]byte{
		"missing": nil, "empty": {}, "cut at the start": whole[len(groups[0]):], "one group left out": join(slices.Delete(slices.Clone(groups), 3, 4)...),
		"reordered": join(swapped...), "cut by a group": join(groups[:6]...), "cut by three": join(groups[:4]...),
		"records swapped": swapRecords(groups), "doubled": join(append(slices.Clone(groups), groups[6])...), "torn": whole[:len(whole)-10],
		"one group blank": join(append(append(slices.Clone(groups[:3]), blank(groups[3])), groups[4:]...)...),
		"the first blank": join(append([][]byte{blank(groups[0])}, groups[1:]...)...), "the last blank": join(append(slices.Clone(groups[:6]), blank(groups[6]))...),
	}
	r := rand.New(rand.NewPCG(1, 2))
	for i := range 60 {
		b := bytes.Clone(whole)
		at := r.IntN(len(b))
		b[at] ^= 1 << r.IntN(8)
		damages[fmt.Sprintf("bit %d flipped at %d", i, at)] = b
	}
	for name, b := range damages {
		for _, s := range [][]byte{store, older} {
			write(t, p.store, s)
			if os.Remove(p.actsFile()); b != nil {
				write(t, p.actsFile(), b)
			}
			err := p.tryOpen()
			switch {
			case err == nil && bytes.Equal(s, older):
				t.Errorf("%s: an older store opens", name)
			case err == nil && !mended(whole, bytes.TrimRight(read(t, p.actsFile()), "\x00"), p.l.Acts()):
				t.Errorf("%s: opened, and acts are lost", name)
			case err != nil && fault.KindOf(err) != fault.Integrity:
				t.Errorf("%s: %v", name, err)
			}
			p.db.Close()
		}
	}
}

// mended tells whether a file holds what it held; the last group may have been signed anew.
func mended(whole, now []byte, acts int64) bool {
	return acts == 13 && len(now) == len(whole) && bytes.Equal(now[:len(now)/2], whole[:len(now)/2])
}

// swapRecords changes the order of two acts of a group.
func swapRecords(groups [][]byte) []byte {
	gs := slices.Clone(groups)
	lines := bytes.SplitAfter(gs[2], []byte("\n"))
	lines[4], lines[5] = lines[5], lines[4]
	gs[2] = bytes.Join(lines, nil)
	return bytes.Join(gs, nil)
}

// TestVerifyReadsTheActs: an act is covered at once, without another checkpoint, and a changed suppression ledger is told.
func TestVerifyReadsTheActs(t *testing.T) {
	p := newPlace(t)
	p.append(5)
	p.act(1)
	if r := p.mustVerify(); r.CheckpointSize != 6 || r.Uncovered != 0 {
		t.Errorf("%+v", r)
	}
	b := kept(t, p.actsFile())
	b[len(b)/2] ^= 1
	write(t, p.actsFile(), b)
	if r, err := p.verify(VerifyOptions{}); fault.KindOf(err) != fault.Integrity || r.OK {
		t.Errorf("%+v, %v", r, err)
	}
}
