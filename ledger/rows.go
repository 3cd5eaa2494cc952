package ledger

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/ombudhq/ombud/internal/db"
	"github.com/ombudhq/ombud/internal/fault"
	"github.com/ombudhq/ombud/vault"
)

const columns = "id, revision, minute, kind, result, commitments, payload"

// stored is an entry as it lies in the table.
type stored struct {
	id          int64
	meta        meta
	commitments []byte
	payload     []byte // nil when erased
	room        []byte // where payloads are opened one after the other; nil where what is opened is kept
}

// exact are the types the columns must have; an engine that turns bytes into text or back would hide a change.
type (
	exactInt   int64
	exactText  string
	exactBytes []byte
)

var errType = errors.New("a column holds another type")

func (v *exactInt) Scan(src any) error {
	n, ok := src.(int64)
	if !ok {
		return errType
	}
	*v = exactInt(n)
	return nil
}

func (v *exactText) Scan(src any) error {
	s, ok := src.(string)
	if !ok {
		return errType
	}
	*v = exactText(s)
	return nil
}

func (v *exactBytes) Scan(src any) error {
	b, ok := src.([]byte)
	if !ok && src != nil {
		return errType
	}
	if len(b) == 0 {
		*v = slices.Clone(b) // nil stays nil
		return nil
	}
	*v = append((*v)[:0], b...) // b is the engine's
	return nil
}

// scan reads a row of columns. It keeps the id even when a later column does not fit.
func (s *stored) scan(rows *db.Rows) error { return rows.Scan(s.places()...) }

// places are where the columns are read to. Who reads one row after the other to the same places is done with the one before.
func (s *stored) places() []any {
	return []any{(*exactInt)(&s.id), (*exactInt)(&s.meta.revision), (*exactInt)(&s.meta.minute),
		(*exactText)(&s.meta.kind), (*exactText)(&s.meta.result), (*exactBytes)(&s.commitments), (*exactBytes)(&s.payload)}
}

// take reads a row of columns, and is false where one holds another type. What is long stays where it lies, and with the row.
func (s *stored) take(row []db.Cell) bool {
	for i, kind := range [...]db.Kind{db.Int, db.Int, db.Int, db.Text, db.Text, db.Blob, db.Blob} {
		if row[i].Kind != kind && (kind != db.Blob || row[i].Kind != db.Null) {
			return false
		}
	}
	s.id, s.meta.revision, s.meta.minute = row[0].Int, row[1].Int, row[2].Int
	keepText(&s.meta.kind, row[3].Bytes)
	keepText(&s.meta.result, row[4].Bytes)
	s.commitments, s.payload = row[5].Bytes, row[6].Bytes
	return true
}

// keepText leaves a text that is the same as it is: of entries that follow each other many are.
func keepText(to *string, from []byte) {
	if *to != string(from) {
		*to = string(from)
	}
}

// check tells whether the row can be the entry with its id, and gives its leaf.
func (s *stored) check() (tlog.Hash, error) {
	if !s.meta.valid() || len(s.commitments) != 3*tlog.HashSize {
		return tlog.Hash{}, errors.New("it is not an entry")
	}
	if s.meta.id() != s.id {
		return tlog.Hash{}, errors.New("its revision belongs to another place")
	}
	return s.meta.leaf(s.commitments), nil
}

// open unseals the payload and compares it with the commitments; erased when it was erased, or its key shredded.
func (s *stored) open(l *Ledger, leaf tlog.Hash) (p payload, erased bool, err error) {
	if s.payload == nil {
		return p, true, nil
	}
	b, err := l.openPayload(s, leaf)
	if errors.Is(err, vault.ErrForgotten) {
		return p, true, nil
	}
	if err == nil {
		p, err = decodePayload(b)
	}
	var room [3 * tlog.HashSize]byte
	if err == nil && !bytes.Equal(p.commit(room[:0]), s.commitments) {
		err = errNotCommitted
	}
	return p, false, err
}

// Row is an entry as it is read back.
type Row struct {
	ID       int64     `json:"id"`
	Revision int64     `json:"revision"`
	Time     time.Time `json:"time"` // to the minute
	Kind     string    `json:"kind"`
	Result   string    `json:"result"`
	Actor    string    `json:"actor,omitempty"`
	Told
	// Purpose and Justification are what whoever acted wrote down about why; they stand in Via too, as they always did.
	Purpose       string          `json:"purpose,omitempty"`
	Justification string          `json:"justification,omitempty"`
	Via           *Via            `json:"via,omitempty"` // of entries that came over HTTP or the command line
	Subject       string          `json:"subject,omitempty"`
	Content       json.RawMessage `json:"content,omitempty"`
	Erased        bool            `json:"erased,omitempty"` // actor, subject and content are gone for good
	Leaf          string          `json:"leaf"`             // base64
}

func (s *stored) row(l *Ledger) (Row, error) {
	leaf, err := s.check()
	if err != nil {
		return Row{}, damaged("entry %d: %v", s.id, err)
	}
	p, erased, err := s.open(l, leaf)
	if err != nil {
		return Row{}, damaged("entry %d: %v", s.id, err)
	}
	r := Row{ID: s.id, Revision: s.meta.revision, Time: s.meta.time(), Kind: s.meta.kind, Result: s.meta.result,
		Erased: erased, Leaf: leaf.String()}
	if !erased {
		if r.Actor, r.Told, r.Via = readActor(p.values[0]); r.Via != nil {
			r.Purpose, r.Justification = r.Via.Purpose, r.Via.Because
		}
		r.Subject, r.Content = string(p.values[1]), json.RawMessage(p.values[2])
	}
	return r, nil
}

// TailOptions narrow what Tail gives.
type TailOptions struct {
	Before int64  // only entries with a smaller id; 0 for no bound
	Kind   string // only this kind; empty for all
}

// Tail gives the newest n entries, oldest first. An entry that is not what was sealed is fault.Integrity.
func (l *Ledger) Tail(ctx context.Context, n int, o TailOptions) ([]Row, error) {
	if o.Before <= 0 {
		o.Before = 1 << epochShift
	}
	text, err := tailText(o.Kind)
	if err != nil {
		return nil, err
	}
	out, err := l.rows(ctx, text, o.Before, n)
	slices.Reverse(out)
	return out, err
}

// tailText names the kind where it stands, for a parameter would not lead to the index of registers.
func tailText(kind string) (string, error) {
	of := ""
	if kind != "" {
		if !isName(kind) {
			return "", fault.New(fault.Invalid, "no entry is of a kind %.64q", kind)
		}
		of = " and kind = '" + kind + "'"
	}
	return "select " + columns + " from ledger_entries where id < $1" + of + " order by id desc limit $2", nil
}

// Since gives up to n entries that follow the one with this id, in order, up to Head: what is newer may lie in the store and
// not yet in what decisions take into account.
func (l *Ledger) Since(ctx context.Context, id int64, n int) ([]Row, error) {
	return l.rows(ctx, "select "+columns+" from ledger_entries where id > $1 and id <= $2 order by id limit $3", id, l.Size(), n)
}

// Of gives all entries about a subject, oldest first. Those whose payload names somebody else are fault.Integrity: the
// column they are found by is not what the leaf commits to.
func (l *Ledger) Of(ctx context.Context, subject string) ([]Row, error) {
	var out []Row
	err := l.c.DB.Read(ctx, func(tx *db.Tx) error {
		out = nil
		ids, err := l.listed(ctx, tx, subject)
		for some := range slices.Chunk(ids, few) {
			if out, err = l.appendRows(ctx, tx, out, "select "+columns+" from ledger_entries where subject = $1 and "+among(2)+" order by id",
				append([]any{subject}, argsOf(some)...)...); err != nil {
				return err
			}
		}
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("reading the ledger: %w", err)
	}
	for _, r := range out {
		if !r.Erased && r.Subject != subject {
			return nil, damaged("entry %d is about somebody else", r.ID)
		}
	}
	return out, nil
}

// One gives an entry, in a transaction of the caller's; fault.NotFound when there is none.
func (l *Ledger) One(ctx context.Context, tx *db.Tx, id int64) (Row, error) {
	rows, err := tx.Query(ctx, "select "+columns+" from ledger_entries where id = $1", id)
	if err != nil {
		return Row{}, fmt.Errorf("reading the ledger: %w", err)
	}
	defer rows.Close()
	if !rows.Next() {
		return Row{}, errors.Join(fault.New(fault.NotFound, "there is no entry %d", id), rows.Err())
	}
	var s stored
	if err := s.scan(rows); err != nil {
		return Row{}, damaged("entry %d cannot be read", id)
	}
	return s.row(l)
}

func (l *Ledger) rows(ctx context.Context, query string, args ...any) (out []Row, err error) {
	err = l.c.DB.Read(ctx, func(tx *db.Tx) (err error) {
		out, err = l.appendRows(ctx, tx, nil, query, args...)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("reading the ledger: %w", err)
	}
	return out, nil
}

func (l *Ledger) appendRows(ctx context.Context, tx *db.Tx, out []Row, query string, args ...any) ([]Row, error) {
	rows, err := tx.Query(ctx, query, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var s stored
		if err := s.scan(rows); err != nil {
			return nil, damaged("entry %d cannot be read", s.id)
		}
		r, err := s.row(l)
		if err != nil {
			return nil, err
		}
		out = append(out, r)
	}
	return out, rows.Err()
}
