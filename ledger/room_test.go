package ledger

import (
	"bytes"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/ombudhq/ombud/internal/db"
	"github.com/ombudhq/ombud/internal/fault"
)

// TestForeignTailIsNotOverwritten: what somebody else wrote into the suppression ledger is not taken for our own.
func TestForeignTailIsNotOverwritten(t *testing.T) {
	p := newPlace(t)
	p.act(1)
	whole := read(t, p.actsFile())
	end := len(kept(t, p.actsFile()))
	for _, before := range [][]byte{append(bytes.Clone(whole), "something"...), append(bytes.Clone(whole[:end]), "something"...), slices.Concat(whole[:end], []byte("x"), whole[end+1:])} {
		write(t, p.actsFile(), before)
		if err := p.tryAct(2); fault.KindOf(err) != fault.Unavailable {
			t.Errorf("answered with %v", err)
		}
		if !bytes.Equal(read(t, p.actsFile()), before) {
			t.Error("it was overwritten")
		}
	}
}

// TestActsAreWrittenOverZeros: the file is filled ahead, so that its length stays as it is, and in the end it is filled again.
func TestActsAreWrittenOverZeros(t *testing.T) {
	p := newPlace(t)
	p.act(make([]int, 30)...)
	lengths, acts := map[int]bool{}, 1
	for ; len(kept(t, p.actsFile())) < 2*room; acts++ {
		p.act(make([]int, 30)...)
		lengths[len(read(t, p.actsFile()))] = true
	}
	if len(lengths) > 3 {
		t.Errorf("the file had %d lengths", len(lengths))
	}
	if err := p.reopen(); err != nil || p.l.Acts() != int64(30*acts) {
		t.Errorf("%d acts, %v", p.l.Acts(), err)
	}
	p.act(1)
	p.mustVerify()
}

// TestActsGoWhereTheFileLies: the file of acts stays open, and what is kept goes to the one that lies there, not to one that was
// put aside meanwhile.
func TestActsGoWhereTheFileLies(t *testing.T) {
	p := newPlace(t)
	p.act(1)
	aside := p.actsFile() + ".aside"
	before := read(t, p.actsFile())
	if err := os.Rename(p.actsFile(), aside); err != nil {
		t.Fatal(err)
	}
	write(t, p.actsFile(), before)
	p.act(2)
	if !bytes.Equal(read(t, aside), before) {
		t.Error("it went to the file that was put aside")
	}
	if err := p.reopen(); err != nil || p.l.Acts() != 2 {
		t.Errorf("%d acts, %v", p.l.Acts(), err)
	}
}

// TestTornOverZeros: of an act that was being written over zeros a disk may have kept any part. It was never answered: the
// next start writes it again, whichever part that is.
func TestTornOverZeros(t *testing.T) {
	p := newPlace(t)
	p.act(1)
	begin := len(kept(t, p.actsFile()))
	p.act(2)
	whole := read(t, p.actsFile())
	end := len(kept(t, p.actsFile()))
	for from := begin; from < end; from += 37 {
		for _, to := range []int{from + 37, end} {
			torn := bytes.Clone(whole)
			clear(torn[from:min(to, end)])
			write(t, p.actsFile(), torn)
			if r := p.mustVerify(); r.CheckpointSize != 1 {
				t.Errorf("torn from %d to %d: %+v", from-begin, to-begin, r)
			}
			if err := p.reopen(); err != nil || p.l.Acts() != 2 {
				t.Fatalf("torn from %d to %d: %d acts, %v", from-begin, to-begin, p.l.Acts(), err)
			}
			if r := p.mustVerify(); r.CheckpointSize != 2 {
				t.Errorf("torn from %d to %d: %+v", from-begin, to-begin, r)
			}
		}
	}
}

// TestActsAreTriedAgain: what an earlier try left of acts, whole or torn, is written over; what somebody else wrote is not.
func TestActsAreTriedAgain(t *testing.T) {
	f, err := os.Create(filepath.Join(t.TempDir(), "acts"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	b := []byte("one group of acts\n\n")
	try := func(b []byte) error {
		info, err := f.Stat()
		if err != nil {
			t.Fatal(err)
		}
		_, err = writeActs(f, b, 0, info.Size(), info.Size() > 0)
		return err
	}
	for i := range 3 {
		if err := try(b); err != nil {
			t.Errorf("try %d: %v", i, err)
		}
		if got := kept(t, f.Name()); string(got) != string(b) {
			t.Errorf("try %d: %q", i, got)
		}
		if _, err := f.WriteAt(make([]byte, 7), 3); err != nil {
			t.Fatal(err)
		}
	}
	if err := try([]byte("another group of acts\n\n")); err == nil {
		t.Error("it wrote over what somebody else left")
	}
}

// TestActTakenOut: an act that was made to zeros in front of another is missed, by a start and by a verification.
func TestActTakenOut(t *testing.T) {
	p := newPlace(t)
	var ends []int
	for i := range 4 {
		p.act(i)
		ends = append(ends, len(kept(t, p.actsFile())))
	}
	whole := read(t, p.actsFile())
	for i := range 3 {
		b := bytes.Clone(whole)
		clear(b[ends[i]:ends[min(i+1, 2)]])
		if i == 2 { // only the beginning of the last but one
			clear(b[ends[1] : ends[1]+1])
		}
		write(t, p.actsFile(), b)
		if r, err := p.verify(VerifyOptions{}); fault.KindOf(err) != fault.Integrity || r.OK {
			t.Errorf("%d: %+v, %v", i, r, err)
		}
		if err := p.reopen(); fault.KindOf(err) != fault.Integrity {
			t.Errorf("%d: it opens: %v", i, err)
		}
	}
}

// TestActsOfAnOlderStore: acts that a version before had not yet kept outside are kept, and numbered on; in SQLite their table has
// no index beside it.
func TestActsOfAnOlderStore(t *testing.T) {
	each(t, func(t *testing.T, p *place) {
		ctx := t.Context()
		err := p.db.Write(ctx, func(tx *db.Tx) error {
			for _, text := range []string{"drop table ledger_acts", actsSchema, "drop index ledger_entries_registers", "drop table ledger_lists", "create table ledger_spans (span bigint, who text, id bigint)"} {
				if _, err := tx.Exec(ctx, text); err != nil {
					return err
				}
			}
			for number := int64(1); number < 4; number++ {
				a := Act{number: number, Revision: p.l.revision(0), Kind: "test.act"}
				if err := tx.Insert(actsTable, db.OfInt(number), db.OfInt(a.Revision), db.OfText(a.Kind), db.OfBlob(p.vault.Seal(actLabel, a.aad(), []byte("1")))); err != nil {
					return err
				}
			}
			_, err := tx.Exec(ctx, "delete from schema_steps where feature = 'ledger' and step >= 7")
			return err
		})
		if err == nil {
			err = p.reopen()
		}
		if err != nil {
			t.Fatal(err)
		}
		if n := p.l.Acts(); n != 3 {
			t.Fatalf("%d acts", n)
		}
		p.act(4)
		if err := p.reopen(); err != nil || p.l.Acts() != 4 {
			t.Errorf("%d acts, %v", p.l.Acts(), err)
		}
		if p.store == filepath.Join(p.dir, "ombud.db") {
			p.noIndex("ledger_acts")
		}
	})
}

func (p *place) noIndex(table string) {
	p.t.Helper()
	n := 0
	err := p.db.Read(p.t.Context(), func(tx *db.Tx) error {
		return tx.QueryRow(p.t.Context(), "select count(*) from sqlite_master where type = 'index' and tbl_name = $1", table).Scan(&n)
	})
	if err != nil || n != 0 {
		p.t.Errorf("%d indexes on %s, %v", n, table, err)
	}
}

// TestActsAreHandedOver: what is written over our own zeros is handed to the disk that the store is forced to, and what finds none,
// or zeros that need not be blocks, is not.
func TestActsAreHandedOver(t *testing.T) {
	carries := true
	h := &head{dir: filepath.Join(t.TempDir(), "heads"), carries: func(*os.File) bool { return carries }}
	path := filepath.Join(h.dir, actsFile)
	var end int64
	add := func(handed bool, n int) {
		t.Helper()
		b := bytes.Repeat([]byte("x"), n)
		if got := h.handActs(b, end); got != handed {
			t.Errorf("at %d: handed over: %v", end, got)
		}
		if !handed {
			if err := h.addActs(b, end); err != nil {
				t.Error(err)
			}
		}
		end += int64(n)
		if got := kept(t, path); int64(len(got)) != end {
			t.Errorf("%d of %d bytes are there", len(got), end)
		}
	}
	add(false, 100) // there was no file
	add(true, 1000)
	add(true, room/2)
	add(false, room)
	add(true, 10)
	h.file.Close()
	h.file = nil
	if err := os.WriteFile(path, read(t, path), 0o600); err != nil { // a copy, which may have holes
		t.Fatal(err)
	}
	carries = false
	add(false, 10)
	add(false, 10)
	carries = true
	write(t, path+".new", read(t, path))
	if err := os.Rename(path+".new", path); err != nil {
		t.Fatal(err)
	}
	add(false, 10)
	b := read(t, path)
	if int64(len(b)) != end+room {
		t.Errorf("%d bytes are filled ahead of a copy, not anew", int64(len(b))-end)
	}
	add(true, 10)
	b = read(t, path)
	b[end+3] = 'y'
	write(t, path, b)
	if h.handActs([]byte("xxxxxx"), end) {
		t.Error("it wrote over what somebody else left")
	}
}
