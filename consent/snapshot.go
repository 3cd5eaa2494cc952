package consent

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"

	"github.com/ombudhq/ombud/consent/internal/index"
	"github.com/ombudhq/ombud/internal/db"
	"github.com/ombudhq/ombud/internal/file"
	"github.com/ombudhq/ombud/subject"
)

// A snapshot file is what lies aside, sealed and after its length, then the index in sealed frames; both name the revision
// they stand at and the form they are written in. It is a copy: where it is missing, damaged, of another ledger or of a
// build with another form, the index is rebuilt. It holds blind indexes, so it is sealed, and made anew after people were erased.
const (
	snapshotLabel = "decision-index"
	asideLabel    = "decision-index/aside"
	asideForm     = 2 // to be raised with every change of what lies aside or of what it means
	maxAsides     = 1 << 30
)

// asideFile is the first part of a snapshot.
type asideFile struct {
	Form     int   `json:"form"`
	Revision int64 `json:"revision"`

	Asides []asideRecord `json:"asides"`
	Days   []dayRecord   `json:"days"`
}

// dayRecord is one day of the tally.
type dayRecord struct {
	Rank int   `json:"r"`
	Day  int64 `json:"d"`
	Count
}

// asideRecord is one of the states that do not fit into the index.
type asideRecord struct {
	Person     uint32       `json:"p"`
	Rank       int          `json:"r"`
	Categories []string     `json:"c,omitempty"`
	Withdrawn  int64        `json:"w,omitempty"`
	Pending    int64        `json:"n,omitempty"`
	Lapses     index.Minute `json:"l,omitempty"`
}

// SaveSnapshot writes the index of now to its file, beside the commands that go on, and now and then a copy into the
// store.
func (s *Service) SaveSnapshot(ctx context.Context) error {
	if s.cfg.Snapshot == "" {
		return nil
	}
	var snap *index.Snapshot
	var asides map[asideKey]aside
	var days map[tallyKey]Count
	var head int64
	s.stale.Store(false)
	err := s.cfg.DB.Write(ctx, func(*db.Tx) error { // between two commits: index and ledger stand at the same entry
		tree := s.cfg.Ledger.Tree()
		head = s.cfg.Ledger.Head()
		snap = s.index.Snapshot(index.Meta{Epoch: uint64(head >> 40), Revision: uint64(head), Root: tree.Hash})
		s.asideMu.RLock()
		defer s.asideMu.RUnlock()
		asides = maps.Clone(s.asides)
		s.tally.mu.Lock()
		defer s.tally.mu.Unlock()
		days = maps.Clone(s.tally.days)
		return nil
	})
	if err != nil {
		return err
	}
	defer snap.Close()
	second := s.newCopy(ctx, head)
	err = file.Save(s.cfg.Snapshot, func(w io.Writer) error {
		if second != nil {
			w = io.MultiWriter(w, second)
		}
		if err := s.writeAsides(w, head, asides, days); err != nil {
			return err
		}
		return snap.Write(w, func(frame []byte) ([]byte, error) { return s.cfg.Vault.Seal(snapshotLabel, nil, frame), nil })
	})
	if err != nil {
		return err
	}
	s.saved.Store(head)
	return second.finish()
}

// Stale tells that the snapshot file leads from identities to somebody who is forgotten, and must be written anew soon.
func (s *Service) Stale() bool { return s.stale.Load() && s.cfg.Snapshot != "" }

// Saved is the revision of the snapshot file; 0 when there is none that can be used.
func (s *Service) Saved() int64 { return s.saved.Load() }

func (s *Service) writeAsides(w io.Writer, revision int64, asides map[asideKey]aside, days map[tallyKey]Count) error {
	file := asideFile{Form: asideForm, Revision: revision}
	for k, a := range asides {
		file.Asides = append(file.Asides, asideRecord{uint32(k.person), k.rank, a.categories, a.withdrawn, a.pending, a.lapses})
	}
	for k, c := range days {
		file.Days = append(file.Days, dayRecord{k.rank, k.day, c})
	}
	b, err := json.Marshal(file)
	if err != nil {
		return fmt.Errorf("writing the snapshot: %w", err)
	}
	sealed := s.cfg.Vault.Seal(asideLabel, nil, b)
	if _, err := w.Write(binary.BigEndian.AppendUint64(nil, uint64(len(sealed)))); err != nil {
		return err
	}
	_, err = w.Write(sealed)
	return err
}

// loadSnapshot takes the snapshot in, if it is one of this ledger, and gives the entry it stands at; 0 when there is none.
func (s *Service) loadSnapshot(ctx context.Context) (int64, error) {
	if s.cfg.Snapshot == "" {
		return 0, nil
	}
	f, err := os.Open(s.cfg.Snapshot)
	if errors.Is(err, fs.ErrNotExist) {
		return 0, nil
	}
	if err != nil {
		return 0, err
	}
	defer f.Close()
	revision, err := s.adopt(ctx, f)
	s.saved.Store(revision)
	return entryOf(revision), err
}

// adopt takes a snapshot in whole or, with an error, nothing of it, and gives the revision it stands at.
func (s *Service) adopt(ctx context.Context, r io.Reader) (revision int64, err error) {
	defer func() {
		if err != nil {
			s.index, s.tally.days, revision = index.New(), nil, 0
			clear(s.asides)
		}
	}()
	aside, err := s.readAsides(r)
	if err != nil {
		return 0, err
	}
	meta, x, err := index.Read(r, func(frame []byte) ([]byte, error) { return s.cfg.Vault.Open(snapshotLabel, nil, frame) })
	if err != nil {
		return 0, err
	}
	if int64(meta.Revision) != aside {
		return 0, errors.New("its two parts are of two snapshots")
	}
	at := entryOf(aside)
	if at > s.cfg.Ledger.Size() || s.cfg.Ledger.Head()>>40 != int64(meta.Epoch) {
		return 0, errors.New("it is of a ledger that went further")
	}
	root, err := s.cfg.Ledger.RootAt(ctx, at)
	if err != nil {
		return 0, err
	}
	if root != meta.Root {
		return 0, errors.New("it is of another ledger")
	}
	s.index = x
	return int64(meta.Revision), nil
}

// readAsides takes in what lies aside, and gives the revision it stands at.
func (s *Service) readAsides(r io.Reader) (revision int64, err error) {
	var size [8]byte
	if _, err := io.ReadFull(r, size[:]); err != nil {
		return 0, err
	}
	n := binary.BigEndian.Uint64(size[:])
	if n > maxAsides {
		return 0, errors.New("it is too long")
	}
	sealed := make([]byte, n)
	if _, err := io.ReadFull(r, sealed); err != nil {
		return 0, err
	}
	b, err := s.cfg.Vault.Open(asideLabel, nil, sealed)
	if err != nil {
		return 0, err
	}
	var file asideFile
	if err := json.Unmarshal(b, &file); err != nil {
		return 0, err
	}
	if file.Form != asideForm {
		return 0, errors.New("another build wrote it, in another form")
	}
	for _, a := range file.Asides {
		s.asides[asideKey{subject.Number(a.Person), a.Rank}] = aside{a.Categories, a.Withdrawn, a.Pending, a.Lapses}
	}
	s.tally.days = map[tallyKey]Count{}
	for _, d := range file.Days {
		s.tally.days[tallyKey{d.Rank, d.Day}] = d.Count
	}
	return file.Revision, nil
}
