package ledger

import (
	"bytes"
	"context"
	"encoding/json"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/transparency-dev/merkle/compact"
	"github.com/transparency-dev/merkle/proof"
	"github.com/transparency-dev/merkle/rfc6962"
	"golang.org/x/mod/sumdb/tlog"

	"github.com/ombudhq/ombud/internal/fault"
	"github.com/ombudhq/ombud/vault"
)

func (p *place) export(dir string) Exported {
	p.t.Helper()
	x, err := p.l.ExportTiles(context.Background(), dir)
	if err != nil {
		p.t.Fatal(err)
	}
	return x
}

// TestOthersVerifyAnExport: golang.org/x/mod and transparency-dev/merkle, which share no code with each other or with us,
// find every entry in the signed tree, and one export to be the continuation of the other.
func TestOthersVerifyAnExport(t *testing.T) {
	each(t, func(t *testing.T, p *place) {
		line, err := vault.VerifierKey(p.vault.PublicKey())
		if err != nil {
			t.Fatal(err)
		}
		was := filepath.Join(t.TempDir(), "was")
		dir := filepath.Join(t.TempDir(), "now")
		p.append(777)
		p.export(was)
		p.export(dir)
		p.append(800)
		p.export(dir)
		older, newer := readExport(t, was, line), readExport(t, dir, line)
		entries := newer.entries()
		if older.tree.N != 777 || newer.tree.N != 1577 || len(entries) != 1577 {
			t.Fatalf("%d and %d, with %d entries", older.tree.N, newer.tree.N, len(entries))
		}
		byMod(t, older, newer, entries)
		byMerkle(t, older, newer, entries)
	})
}

// byMod verifies with golang.org/x/mod/sumdb/tlog.
func byMod(t *testing.T, older, newer *reader, entries [][]byte) {
	hashes := tlog.TileHashReader(newer.tree, newer)
	for _, i := range []int64{0, 1, 255, 256, 511, 512, 776, 777, 1535, 1536, 1576} {
		path, err := tlog.ProveRecord(newer.tree.N, i, hashes)
		if err != nil {
			t.Fatal(err)
		}
		if err := tlog.CheckRecord(path, newer.tree.N, newer.tree.Hash, i, tlog.RecordHash(entries[i])); err != nil {
			t.Errorf("entry %d: %v", i+1, err)
		}
	}
	path, err := tlog.ProveTree(newer.tree.N, older.tree.N, hashes)
	if err != nil {
		t.Fatal(err)
	}
	if err := tlog.CheckTree(path, newer.tree.N, newer.tree.Hash, older.tree.N, older.tree.Hash); err != nil {
		t.Error(err)
	}
}

// byMerkle verifies with github.com/transparency-dev/merkle.
func byMerkle(t *testing.T, older, newer *reader, entries [][]byte) {
	h := rfc6962.DefaultHasher
	all := (&compact.RangeFactory{Hash: h.HashChildren}).NewEmptyRange(0)
	for _, e := range entries {
		if err := all.Append(h.HashLeaf(e), nil); err != nil {
			t.Fatal(err)
		}
	}
	size := uint64(newer.tree.N)
	if root, err := all.GetRootHash(nil); err != nil || !bytes.Equal(root, newer.tree.Hash[:]) {
		t.Errorf("the entries make another tree, %v", err)
	}
	for i := uint64(0); i < size; i += 97 {
		path := newer.path(proof.Inclusion(i, size))
		if err := proof.VerifyInclusion(h, i, size, h.HashLeaf(entries[i]), path, newer.tree.Hash[:]); err != nil {
			t.Errorf("entry %d: %v", i+1, err)
		}
	}
	path := newer.path(proof.Consistency(uint64(older.tree.N), size))
	if err := proof.VerifyConsistency(h, uint64(older.tree.N), size, path, older.tree.Hash[:], newer.tree.Hash[:]); err != nil {
		t.Error(err)
	}
}

// TestExportHoldsNoContent: only what is public for ever leaves the vault.
func TestExportHoldsNoContent(t *testing.T) {
	p := newPlace(t)
	p.append(3)
	p.export(filepath.Join(p.dir, "out"))
	n := 0
	for path, b := range filesOf(t, filepath.Join(p.dir, "out")) {
		n++
		for _, word := range []string{"secret", "tester", "token-"} {
			if bytes.Contains(b, []byte(word)) {
				t.Errorf("%s holds %q", path, word)
			}
		}
	}
	if n != 3 {
		t.Errorf("%d files", n)
	}
}

// filesOf reads all files below a folder, by their paths in it.
func filesOf(t *testing.T, dir string) map[string][]byte {
	t.Helper()
	out := map[string][]byte{}
	err := fs.WalkDir(os.DirFS(dir), ".", func(path string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			out[path], err = os.ReadFile(filepath.Join(dir, path))
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// TestExportGoesOn: complete tiles are written once, whatever stops an export the former one stands, and the next one
// goes on from there.
func TestExportGoesOn(t *testing.T) {
	p := newPlace(t)
	dir := filepath.Join(p.dir, "out")
	if x := p.export(dir); x != (Exported{}) {
		t.Errorf("an empty ledger: %+v", x)
	}
	p.append(300)
	if x := p.export(dir); x.Size != 300 || x.Added != 300 || x.Files != 6 {
		t.Errorf("%+v", x)
	}
	if x := p.export(dir); x.Added != 0 || x.Files != 0 {
		t.Errorf("nothing is new: %+v", x)
	}
	early := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	for _, complete := range []string{"tile/0/000", "tile/entries/000"} {
		if err := os.Chtimes(filepath.Join(dir, complete), early, early); err != nil {
			t.Fatal(err)
		}
	}

	p.append(700)
	inTheWay := filepath.Join(dir, "tile", "0", "002") // a folder: no file can take its name
	if err := os.Mkdir(inTheWay, 0o700); err != nil {
		t.Fatal(err)
	}
	if _, err := p.l.ExportTiles(t.Context(), dir); fault.KindOf(err) != fault.Unavailable {
		t.Fatalf("%v", err)
	}
	if r, err := VerifyTiles(t.Context(), dir, p.vault.PublicKey(), VerifyOptions{}); err != nil || r.Size != 300 {
		t.Errorf("the former export after one that failed: %+v, %v", r, err)
	}
	if err := os.Remove(inTheWay); err != nil {
		t.Fatal(err)
	}
	p.export(dir)
	if r, err := VerifyTiles(t.Context(), dir, p.vault.PublicKey(), VerifyOptions{}); err != nil || r.Size != 1000 || r.Entries != 1000 {
		t.Errorf("%+v, %v", r, err)
	}
	for path := range filesOf(t, dir) {
		info, err := os.Stat(filepath.Join(dir, path))
		if err != nil {
			t.Fatal(err)
		}
		if complete := path == "tile/0/000" || path == "tile/entries/000"; complete != info.ModTime().Equal(early) {
			t.Errorf("%s was written at %v", path, info.ModTime())
		}
		if strings.Contains(path, "001.p") || strings.Contains(path, ".new-") {
			t.Errorf("%s is left", path)
		}
	}
}

// TestExportOfAnotherLedger is not continued, nor is one that this ledger has left.
func TestExportOfAnotherLedger(t *testing.T) {
	p, other := newPlace(t), newPlace(t)
	p.append(10)
	other.append(20)
	dir := filepath.Join(p.dir, "out")
	other.export(dir)
	before := filesOf(t, dir)
	if _, err := p.l.ExportTiles(t.Context(), dir); fault.KindOf(err) != fault.Integrity {
		t.Errorf("another's export: %v", err)
	}
	if after := filesOf(t, dir); len(after) != len(before) || !bytes.Equal(after["checkpoint"], before["checkpoint"]) {
		t.Error("another's export was written to")
	}
}

// TestEveryChangeOfAnExportIsFound: any byte of any file, a file less, a tail less.
func TestEveryChangeOfAnExportIsFound(t *testing.T) {
	p := newPlace(t)
	dir := filepath.Join(p.dir, "out")
	p.append(600)
	p.export(dir)
	files := filesOf(t, dir)
	var names []string
	for name := range files {
		names = append(names, name)
	}
	rounds := 300
	if soak() {
		rounds = 10_000
	}
	r := rand.New(rand.NewPCG(1, 2))
	for i := range rounds {
		name := names[i%len(names)]
		good, bad := files[name], bytes.Clone(files[name])
		at := r.IntN(len(bad))
		switch i % 5 {
		case 0:
			bad = bad[:at]
		case 1:
			bad = append(bad, 0)
		default:
			bad[at] ^= 1 << r.IntN(8)
		}
		if name == "checkpoint" && i%5 == 1 {
			continue // what stands behind a note is another's signature, which nobody must understand
		}
		rewrite(t, filepath.Join(dir, name), bad)
		if rep, err := VerifyTiles(t.Context(), dir, p.vault.PublicKey(), VerifyOptions{}); fault.KindOf(err) != fault.Integrity {
			t.Fatalf("%s changed at %d, %d: %+v, %v", name, at, i%5, rep, err)
		}
		rewrite(t, filepath.Join(dir, name), good)
	}
	if _, err := VerifyTiles(t.Context(), dir, p.vault.PublicKey(), VerifyOptions{}); err != nil {
		t.Error(err)
	}
}

// TestASignatureIsWrittenInOneWay: its last letter has two bits that mean nothing. They are nought, or somebody changed them.
func TestASignatureIsWrittenInOneWay(t *testing.T) {
	p := newPlace(t)
	dir := filepath.Join(p.dir, "out")
	p.append(3)
	p.export(dir)
	head := read(t, filepath.Join(dir, exportHead))
	at := bytes.LastIndexByte(head, '=') - 1
	for _, bit := range []byte{1, 2, 3} {
		bad := bytes.Clone(head)
		bad[at] += bit
		rewrite(t, filepath.Join(dir, exportHead), bad)
		if rep, err := VerifyTiles(t.Context(), dir, p.vault.PublicKey(), VerifyOptions{}); fault.KindOf(err) != fault.Integrity {
			t.Errorf("%+v, %v", rep, err)
		}
	}
}

func rewrite(t *testing.T, path string, content []byte) {
	t.Helper()
	if err := os.WriteFile(path, content, 0o600); err != nil {
		t.Fatal(err)
	}
}

// TestExportAgainstACheckpointKept: an export of a rewritten ledger, sound in itself, does not fit what was kept.
func TestExportAgainstACheckpointKept(t *testing.T) {
	p := newPlace(t)
	p.append(200)
	kept := filepath.Join(t.TempDir(), "kept")
	rewrite(t, kept, []byte(p.checkpoint().Note))
	p.append(100)
	dir := filepath.Join(p.dir, "out")
	p.export(dir)
	r, err := VerifyTiles(t.Context(), dir, p.vault.PublicKey(), VerifyOptions{Checkpoint: kept})
	if err != nil || !r.OK || r.Uncovered != 0 {
		t.Errorf("%+v, %v", r, err)
	}
	p.restart() // all is gone but the keys
	p.append(310)
	if _, err := p.l.ExportTiles(t.Context(), dir); fault.KindOf(err) != fault.Integrity {
		t.Errorf("the export of another history was continued: %v", err)
	}
	dir = filepath.Join(p.dir, "forged")
	p.export(dir)
	if _, err := VerifyTiles(t.Context(), dir, p.vault.PublicKey(), VerifyOptions{}); err != nil {
		t.Error(err)
	}
	r, err = VerifyTiles(t.Context(), dir, p.vault.PublicKey(), VerifyOptions{Checkpoint: kept})
	if fault.KindOf(err) != fault.Integrity || r.From != 1 || r.To != 200 {
		t.Errorf("%+v, %v", r, err)
	}
}

// restart begins anew with the same keys, as somebody would who rewrites everything.
func (p *place) restart() {
	p.t.Helper()
	p.db.Close()
	p.store, p.heads = filepath.Join(p.dir, "again.db"), filepath.Join(p.dir, "heads-again")
	p.open()
}

func TestConsistencyStandsAlone(t *testing.T) {
	p := newPlace(t)
	p.append(300)
	older := p.checkpoint()
	p.append(400)
	c, err := p.l.ProveConsistency(t.Context(), []byte(older.Note))
	if err != nil {
		t.Fatal(err)
	}
	check := func(c Consistency) error {
		b, err := json.Marshal(c)
		if err != nil {
			t.Fatal(err)
		}
		return VerifyConsistency(b, p.vault.PublicKey())
	}
	if err := check(c); err != nil || c.From != 300 || c.To != 700 {
		t.Errorf("%d to %d: %v", c.From, c.To, err)
	}
	for name, spoil := range map[string]func(*Consistency){
		"path":    func(c *Consistency) { c.Path = append([]tlog.Hash{{1}}, c.Path[1:]...) },
		"from":    func(c *Consistency) { c.From = 200 },
		"older":   func(c *Consistency) { c.Older = c.Checkpoint },
		"swapped": func(c *Consistency) { c.Older, c.Checkpoint, c.From, c.To = c.Checkpoint, c.Older, c.To, c.From },
		"format":  func(c *Consistency) { c.Format = proofFormat },
	} {
		bad := c
		spoil(&bad)
		if err := check(bad); fault.KindOf(err) != fault.Integrity {
			t.Errorf("%s: %v", name, err)
		}
	}
	if same, err := p.l.ProveConsistency(t.Context(), []byte(p.checkpoint().Note)); err != nil || check(same) != nil {
		t.Errorf("with itself: %v", err)
	}
	p.restart()
	p.append(800)
	if _, err := p.l.ProveConsistency(t.Context(), []byte(older.Note)); fault.KindOf(err) != fault.Integrity {
		t.Errorf("of a ledger that was rewritten: %v", err)
	}
}
