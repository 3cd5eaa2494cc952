package consent_test

import (
	"bytes"
	"encoding/binary"
	"hash/crc32"
	"os"
	"path/filepath"
	"testing"

	"github.com/ombudhq/ombud/consent"
	"github.com/ombudhq/ombud/internal/db"
)

// saved is the snapshot file of now.
func (w *world) saved() []byte {
	w.t.Helper()
	if err := w.SaveSnapshot(w.t.Context()); err != nil {
		w.t.Fatal(err)
	}
	b, err := os.ReadFile(filepath.Join(w.dir, "decisions"))
	if err != nil {
		w.t.Fatal(err)
	}
	return b
}

// parts cuts a snapshot file into what lies aside and the one frame of its index, both opened.
func (w *world) parts(file []byte) (aside, frame []byte) {
	w.t.Helper()
	n := binary.BigEndian.Uint64(file)
	aside, err := w.vault.Open("decision-index/aside", nil, file[8:8+n])
	if err != nil {
		w.t.Fatal(err)
	}
	rest := file[8+n:]
	if int(binary.LittleEndian.Uint32(rest)) != len(rest)-4 {
		w.t.Fatal("the index has several frames")
	}
	if frame, err = w.vault.Open("decision-index", nil, rest[4:]); err != nil {
		w.t.Fatal(err)
	}
	return aside, frame
}

// whole is a snapshot file of these parts, with the checksum of its frame mended.
func (w *world) whole(aside, frame []byte) []byte {
	body := frame[:len(frame)-4]
	frame = binary.LittleEndian.AppendUint32(bytes.Clone(body), crc32.Checksum(body, crc32.MakeTable(crc32.Castagnoli)))
	aside = w.vault.Seal("decision-index/aside", nil, aside)
	frame = w.vault.Seal("decision-index", nil, frame)
	out := append(binary.BigEndian.AppendUint64(nil, uint64(len(aside))), aside...)
	return append(binary.LittleEndian.AppendUint32(out, uint32(len(frame))), frame...)
}

// TestSnapshotOfAnotherBuild: a snapshot file in the form of another build, cut short, with a wrong checksum, or of parts of two
// snapshots, is not believed, though every seal is ours: the index is rebuilt, and answers as before.
func TestSnapshotOfAnotherBuild(t *testing.T) {
	w := newWorld(t, letters())
	w.record(yes())
	before, _ := w.parts(w.saved())
	w.withdraw(consent.WithdrawInput{Subject: ida, Categories: []string{"contact"}})
	now := w.saved()
	aside, frame := w.parts(now)
	changed := func(b []byte, at int, to byte) []byte {
		b = bytes.Clone(b)
		b[at] = to
		return b
	}
	start := func(file []byte) int64 {
		t.Helper()
		err := w.db.Write(t.Context(), func(tx *db.Tx) error {
			_, err := tx.Exec(t.Context(), "delete from consent_copy")
			return err
		})
		if err == nil {
			err = os.WriteFile(filepath.Join(w.dir, "decisions"), file, 0o600)
		}
		if err != nil {
			t.Fatal(err)
		}
		w.restart()
		w.expect("letters", "contact", false, consent.NotCovered)
		w.expect("letters", "usage", true, consent.Consented)
		return w.Saved()
	}
	const place, form = 24, "\"form\":2"
	if got := start(w.whole(aside, frame)); got == 0 {
		t.Fatal("the snapshot of this build is not believed")
	}
	for name, file := range map[string][]byte{
		"what lies aside in a former form":        w.whole(bytes.Replace(aside, []byte(form), []byte("\"form\":1"), 1), frame),
		"what lies aside in a later form":         w.whole(bytes.Replace(aside, []byte(form), []byte("\"form\":3"), 1), frame),
		"what lies aside of before there was one": w.whole([]byte(`{"asides":null,"days":null}`), frame),
		"an index in a former form":               w.whole(aside, changed(frame, place, '0')),
		"an index in a later form":                w.whole(aside, changed(frame, place, '2')),
		"a wrong checksum":                        changed(now, len(now)-1, now[len(now)-1]+1),
		"cut in what lies aside":                  now[:20],
		"cut in the index":                        now[:len(now)-20],
		"empty":                                   {},
		"parts of two snapshots":                  w.whole(before, frame),
	} {
		if got := start(file); got != 0 {
			t.Errorf("%s: it was believed at %d", name, got)
		}
	}
}
