package ledger

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/ombudhq/ombud/internal/db"
)

// KindRead is the entry of everybody who reads entries: who, how, and by what they asked; never for what.
const KindRead = "ledger.read"

// KindLooked is the entry of everybody who was shown what is known of a person, in a page, an answer or a file.
const KindLooked = "subject.read"

// searchPage is how many rows are read from one snapshot.
const searchPage = 512

// Question says which entries are asked for; what is zero asks for nothing.
type Question struct {
	Kind  string
	Kinds []string // any of these
	Actor string
	// Operation and Purpose are whole words; Resource is kind/id, or the kind alone for all of that kind.
	Operation, Resource, Purpose string

	Subjects []string  // opaque id and keyed tokens of one person: an entry about any of them fits
	From, To time.Time // to the minute; To is the first that does not fit
	Before   int64     // only entries with a smaller id
	Limit    int       // 0 is all
}

// asked names what a question asks by.
func (q Question) asked() []string {
	out := []string{}
	for name, given := range map[string]bool{"kind": q.Kind != "" || len(q.Kinds) > 0, "actor": q.Actor != "",
		"operation": q.Operation != "", "resource": q.Resource != "", "purpose": q.Purpose != "", "subject": len(q.Subjects) > 0,
		"from": !q.From.IsZero(), "to": !q.To.IsZero(), "before": q.Before > 0} {
		if given {
			out = append(out, name)
		}
	}
	slices.Sort(out)
	return out
}

// Search gives the entries that fit, newest first, to each until it errs. That actor reads them, and how they came to it,
// is an entry of its own, on the disk before the first is shown; it is not among them.
func (l *Ledger) Search(ctx context.Context, actor, how string, q Question, each func(Row) error) error {
	at, err := l.reads(ctx, actor, map[string]any{"how": how, "asked": q.asked()})
	if err != nil {
		return err
	}
	if q.Before <= 0 || q.Before > at.ID {
		q.Before = at.ID
	}
	s := newSearch(q)
	if err := s.find(ctx, l); err != nil {
		return fmt.Errorf("reading the ledger: %w", err)
	}
	for left := q.Limit; ; {
		page, more, err := s.page(ctx, l)
		if err != nil {
			return fmt.Errorf("reading the ledger: %w", err)
		}
		for _, r := range page {
			if err := each(r); err != nil {
				return err
			}
			if left--; left == 0 {
				return nil
			}
		}
		if !more {
			return nil
		}
	}
}

// reads makes reading an act.
func (l *Ledger) reads(ctx context.Context, actor string, content map[string]any) (at Position, err error) {
	err = l.c.DB.Write(ctx, func(tx *db.Tx) error {
		at, err = l.Append(tx, Entry{Kind: KindRead, Result: "ok", Actor: actor, Content: content})
		return err
	})
	return at, err
}

// Looked says that actor is being shown something of a person: what, about whom, by the opaque id, and which fields, by name. It is on the disk when
// Looked returns, and only then may it be shown.
func (l *Ledger) Looked(ctx context.Context, actor, subject, what string, fields ...string) error {
	return l.c.DB.Write(ctx, func(tx *db.Tx) error {
		_, err := l.Append(tx, Entry{Kind: KindLooked, Result: "ok", Actor: actor, Subject: subject, Content: map[string]any{"what": what}, Resource: "person/" + subject, Fields: fields})
		return err
	})
}

// search is one run of Search.
type search struct {
	q     Question
	query string
	id    string  // of the subjects, the one that the table can be asked for
	exact bool    // no other subject is asked for
	ids   []int64 // then: what is left of what may be about it, newest first
	kinds []any
}

func newSearch(q Question) *search {
	s := &search{q: q, query: "select " + columns + ` from ledger_entries
		where id < $1 and minute >= $2 and minute < $3 and ($4 = '' or kind = $4)`}
	for _, one := range q.Subjects {
		if findable(one) {
			s.id = one
		}
	}
	s.exact = s.id != "" && len(q.Subjects) == 1
	next := 6
	switch {
	case s.exact:
		s.query += " and subject = $5 and " + among(next)
		next += few
	case len(q.Subjects) > 0: // tokens stay sealed: all entries that are not about somebody else are opened
		s.query += " and (subject is null or subject = $5)"
	default:
		s.query += " and $5 = ''"
	}
	for i, kind := range q.Kinds {
		s.query += fmt.Sprintf("%s$%d", []string{" and kind in (", ", "}[min(i, 1)], next+i)
		s.kinds = append(s.kinds, kind)
	}
	if len(q.Kinds) > 0 {
		s.query += ")"
	}
	s.query += fmt.Sprintf(" order by id desc limit %d", searchPage)
	return s
}

// page reads the next rows and keeps those that fit; more is false at the end.
func (s *search) page(ctx context.Context, l *Ledger) (page []Row, more bool, err error) {
	to := int64(maxMinute)
	if !s.q.To.IsZero() {
		to = s.q.To.Unix() / 60
	}
	from := int64(0)
	if !s.q.From.IsZero() {
		from = s.q.From.Unix() / 60
	}
	args := []any{s.q.Before, from, to, s.q.Kind, s.id}
	if s.exact {
		if len(s.ids) == 0 {
			return nil, false, nil
		}
		n := min(few, len(s.ids))
		args, s.ids = append(args, argsOf(s.ids[:n])...), s.ids[n:]
	}
	rows, err := l.rows(ctx, s.query, append(args, s.kinds...)...)
	if err != nil {
		return nil, false, err
	}
	for _, r := range rows {
		s.q.Before = r.ID
		if s.exact && !r.Erased && r.Subject != s.id {
			return nil, false, damaged("entry %d is about somebody else", r.ID)
		}
		if s.fits(r) {
			page = append(page, r)
		}
	}
	return page, len(rows) == searchPage || len(s.ids) > 0, nil
}

// find looks for what may be about the one subject that is asked for.
func (s *search) find(ctx context.Context, l *Ledger) error {
	if !s.exact {
		return nil
	}
	return l.c.DB.Read(ctx, func(tx *db.Tx) (err error) {
		s.ids, err = l.listed(ctx, tx, s.id)
		s.ids = slices.DeleteFunc(s.ids, func(id int64) bool { return id >= s.q.Before })
		slices.Reverse(s.ids)
		return err
	})
}

// fits judges what lies sealed.
func (s *search) fits(r Row) bool {
	if s.q.Actor != "" && r.Actor != s.q.Actor || s.q.Operation != "" && r.Operation != s.q.Operation || s.q.Purpose != "" && r.Purpose != s.q.Purpose {
		return false
	}
	if kind, _, _ := strings.Cut(r.Resource, "/"); s.q.Resource != "" && r.Resource != s.q.Resource && kind != s.q.Resource {
		return false
	}
	if len(s.q.Subjects) == 0 || s.exact {
		return true
	}
	return slices.ContainsFunc(strings.Fields(r.Subject), func(one string) bool { return slices.Contains(s.q.Subjects, one) })
}
