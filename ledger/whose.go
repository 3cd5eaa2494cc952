package ledger

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/ombudhq/ombud/internal/db"
)

// whoseStride is how many entries the table of whose they are takes up at once. An entry at a time would change a page of
// the table for each; those of the newest stride are found by reading it.
const whoseStride = 4096

// whose tells which entries are about a subject, by a part of its id that is as good as the whole; what is found by it is
// compared with the subject beside the entry.
const whose = `create table ledger_whose (
	who text not null,
	id bigint not null,
	primary key (who, id)
) without rowid;
drop index ledger_entries_subject;
insert into ledger_whose (who, id) select substr(subject, 5, 12), id from ledger_entries
	where subject is not null and id <= (select max(id) / 4096 * 4096 from ledger_entries)`

// whoseSpan is how many entries share a part of the table, in which they stand by subject. A stride changes the pages of its
// span alone, few and the same ones again and again; were all in one order, it would change nearly every page there is. Who looks
// for a subject looks once in each span.
const whoseSpan = 8 * whoseStride

const spans = `create table ledger_spans (
	span bigint not null,
	who text not null,
	id bigint not null,
	primary key (span, who, id)
) without rowid;
insert into ledger_spans (span, who, id) select id / 32768, who, id from ledger_whose order by 1, 2, 3;
drop table ledger_whose`

var whoseTable = db.NewTable("ledger_spans", db.Column{Name: "span", Type: "bigint"}, db.Column{Name: "who", Type: "text"},
	db.Column{Name: "id", Type: "bigint"})

// owned is an entry that the table does not know yet, with what the table knows of its subject.
type owned struct {
	who string
	id  int64
}

func newOwned(subject string, id int64) owned {
	return owned{subject[min(4, len(subject)):min(16, len(subject))], id}
}

// readOwned reads what the table does not know.
func (l *Ledger) readOwned(ctx context.Context, tx *db.Tx) error {
	rows, err := tx.Query(ctx, "select id, subject from ledger_entries where id > $1 and subject is not null order by id", l.edge.size/whoseStride*whoseStride)
	if err != nil {
		return fmt.Errorf("reading whose entries they are: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		var id int64
		var subject string
		if err := rows.Scan(&id, &subject); err != nil {
			return fmt.Errorf("reading whose entries they are: %w", err)
		}
		l.owned = append(l.owned, newOwned(subject, id))
	}
	l.ownedKept = l.owned
	return rows.Err()
}

// noteWhose takes note of whose an entry is, and lets the table take up a stride that ends with it.
func (l *Ledger) noteWhose(tx *db.Tx, subject string, id int64) error {
	if findable(subject) {
		l.owned = append(l.owned, newOwned(subject, id))
	}
	if id%whoseStride != 0 {
		return nil
	}
	stride := slices.Clone(l.owned) // a rollback wants the order
	l.owned = make([]owned, 0, whoseStride)
	slices.SortFunc(stride, func(a, b owned) int {
		return cmp.Or(cmp.Compare(a.id/whoseSpan, b.id/whoseSpan), strings.Compare(a.who, b.who), cmp.Compare(a.id, b.id))
	})
	for _, o := range stride {
		if err := tx.Insert(whoseTable, db.OfInt(o.id/whoseSpan), db.OfText(o.who), db.OfInt(o.id)); err != nil {
			return fmt.Errorf("noting whose entries they are: %w", err)
		}
	}
	return nil
}

// disown forgets whose an entry is, but for the row itself: call it while that still tells.
func (l *Ledger) disown(ctx context.Context, tx *db.Tx, id int64) error {
	tx.OnRollback(l.forget)
	tx.OnSettled(l.publish)
	if len(l.owned) > 0 && id >= l.owned[0].id {
		l.owned = slices.DeleteFunc(slices.Clone(l.owned), func(o owned) bool { return o.id == id })
	}
	_, err := tx.Exec(ctx, "delete from ledger_spans where span = $2 and id = $1 and who = (select substr(subject, 5, 12) from ledger_entries where id = $1)", id, id/whoseSpan)
	if err != nil {
		return fmt.Errorf("forgetting whose an entry is: %w", err)
	}
	return nil
}

// of finds the entries about a subject, given the numbers of two arguments: the subject, and noted.
func of(subject, noted int) string {
	return fmt.Sprintf(`subject = $%[1]d and id in (with recursive spans (n) as
			(select 0 union all select n + 1 from spans where n < cast($%[2]d as bigint) / %[3]d)
		select w.id from spans cross join ledger_spans w where w.span = spans.n and w.who = substr($%[1]d, 5, 12)
		union all select id from ledger_entries where id > $%[2]d and subject = $%[1]d)`, subject, noted, whoseSpan)
}

// noted is the id up to which the table knows the entries that are durable now.
func (l *Ledger) noted() int64 { return l.Size() / whoseStride * whoseStride }
