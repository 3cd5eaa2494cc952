package consent

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/ombudhq/ombud/internal/db"
	"github.com/ombudhq/ombud/internal/fault"
	"github.com/ombudhq/ombud/ledger"
	"github.com/ombudhq/ombud/purpose"
	"github.com/ombudhq/ombud/subject"
)

// What was processed by a consent that ended, by a no or by itself, has to go where nothing else carries it (Art. 17(1)(b)
// GDPR). That it is owed is written with the end, and stays so until it is settled: who asks hears of it at least once.

const owedSchema = `create table consent_owed (
	revision bigint not null primary key,
	person bigint not null
)`

// owedByRevision lets the revision be the address of the row: then an end changes one page, and not one of an index too.
const owedByRevision = `create table consent_owed_copy as select * from consent_owed;
drop table consent_owed;
create table consent_owed (
	revision integer primary key,
	person bigint not null
);
insert into consent_owed (revision, person) select revision, person from consent_owed_copy;
drop table consent_owed_copy`

var owedTable = db.NewTable("consent_owed", db.Column{Name: "revision", Type: "bigint"}, db.Column{Name: "person", Type: "bigint"})

// Owed is what the end of a consent left to be erased.
type Owed struct {
	Revision   int64  // of the entry that tells of the end
	Cause      string // names the end: the same however often it is told
	Identities []subject.Identity
	Purposes   []string // that rested on it; those of which the data may be kept are not among them
	Categories []string // that were withdrawn; none: all
}

// expiry begins the cause of what ended by itself.
const expiry = "expiry "

// CauseOf is the cause of what a withdrawal leaves.
func CauseOf(withdrawal int64) string { return fmt.Sprintf("withdrawal %d", withdrawal) }

// ByItself tells whether a cause is a consent whose time was over.
func ByItself(cause string) bool { return strings.HasPrefix(cause, expiry) }

// owe notes the end of a consent, in its transaction.
func owe(tx *db.Tx, n subject.Number, revision int64) error {
	return tx.Insert(owedTable, db.OfInt(revision), db.OfInt(int64(n)))
}

// Owed gives up to limit ends that are not settled, oldest first, from one revision on. Of one that leaves nothing to
// erase, for the person is gone or its purposes keep their data, it names no purpose. One that cannot be read is left out,
// and the error tells of it beside the others.
func (s *Service) Owed(ctx context.Context, after int64, limit int) (out []Owed, err error) {
	for len(out) < limit {
		found, rerr := s.unsettled(ctx, after, limit-len(out))
		if rerr != nil || len(found) == 0 {
			return out, errors.Join(err, rerr)
		}
		for _, revision := range found {
			after = revision
			o, werr := s.weigh(ctx, revision)
			if werr != nil {
				err = errors.Join(err, werr)
				continue
			}
			out = append(out, o)
		}
	}
	return out, err
}

// unsettled are the revisions behind one that are not settled, oldest first: of those that decisions obey, for they tell what
// goes on nevertheless.
func (s *Service) unsettled(ctx context.Context, after int64, limit int) (found []int64, err error) {
	head := s.cfg.Ledger.Head()
	err = s.cfg.DB.Read(ctx, func(tx *db.Tx) error {
		found = nil
		rows, err := tx.Query(ctx, "select revision from consent_owed where revision > $1 and revision <= $2 order by revision limit $3", after, head, limit)
		if err != nil {
			return fmt.Errorf("reading what consents left: %w", err)
		}
		defer rows.Close()
		for rows.Next() {
			var revision int64
			if err := rows.Scan(&revision); err != nil {
				return fmt.Errorf("reading what consents left: %w", err)
			}
			found = append(found, revision)
		}
		return rows.Err()
	})
	return found, err
}

// weigh reads what ended.
func (s *Service) weigh(ctx context.Context, revision int64) (Owed, error) {
	o := Owed{Revision: revision}
	var row ledger.Row
	err := s.cfg.DB.Read(ctx, func(tx *db.Tx) (err error) {
		row, err = s.cfg.Ledger.One(ctx, tx, entryOf(revision))
		return err
	})
	if err != nil {
		return o, err
	}
	ids, err := o.read(row)
	if err != nil || len(ids) == 0 {
		return o, err
	}
	o.Identities, err = s.Identities(ctx, row.Subject)
	if fault.KindOf(err) == fault.NotFound {
		return o, nil
	}
	for _, id := range ids {
		if rule, ok := s.cfg.Purposes.Now().Known(id); ok && rule.OnWithdrawal != purpose.KeepData {
			o.Purposes = append(o.Purposes, id)
		}
	}
	return o, err
}

// read gives the purposes that ended, wholly or in part.
func (o *Owed) read(row ledger.Row) (purposes []string, err error) {
	if row.Kind == kindExpired && !row.Erased {
		var c lapsed
		if err := json.Unmarshal(row.Content, &c); err != nil {
			return nil, fmt.Errorf("entry %d: %w", row.ID, err)
		}
		o.Cause = expiry + c.Consent
		return []string{c.Purpose}, nil
	}
	content, err := decode(row)
	c, ok := content.(*ended)
	if err != nil || !ok {
		return nil, err
	}
	o.Cause, o.Categories, purposes = CauseOf(o.Revision), c.Categories, c.Purposes
	for _, p := range c.Narrowed {
		purposes = append(purposes, p.Purpose)
	}
	return purposes, nil
}

// Settle notes that what the end of a consent left is taken care of.
func (s *Service) Settle(ctx context.Context, revision int64) error {
	return s.cfg.DB.Write(ctx, func(tx *db.Tx) error {
		_, err := tx.Exec(ctx, "delete from consent_owed where revision = $1", revision)
		return err
	})
}
