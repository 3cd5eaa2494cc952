package ledger

import (
	"context"
	"fmt"
	"math"
	"slices"
	"strconv"
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

// spans were of eight strides each, in which entries stood by subject: a stride changed the pages of its span alone.
const spans = `create table ledger_spans (
	span bigint not null,
	who text not null,
	id bigint not null,
	primary key (span, who, id)
) without rowid;
insert into ledger_spans (span, who, id) select id / 32768, who, id from ledger_whose order by 1, 2, 3;
drop table ledger_whose`

// lists tell of a stride which entries are about those whose ids begin alike, as ",id who,id who,": a row for every four entries or
// so; with a row for each a durable consent on PostgreSQL took a fifth longer. They stand by the beginning of ids within spans of
// eight strides: a stride changes the pages of its span alone, and who looks for a subject looks once in each span.
const lists = `create table ledger_lists (
	span bigint not null,
	part text not null,
	stride bigint not null,
	list text not null,
	primary key (span, part, stride)
) without rowid;
insert into ledger_lists (span, part, stride, list)
	select (id - 1) / 32768, substr(who, 1, 2), (id - 1) / 4096, ',' || string_agg(id || ' ' || who, ',') || ','
	from ledger_spans group by 1, 2, 3 order by 1, 2, 3;
drop table ledger_spans`

const (
	whoseSpan = 8 * whoseStride
	whoseLong = 12 // letters of an id that a list has
	whosePart = 2  // letters that are alike in one
)

var listsTable = db.NewTable("ledger_lists", db.Column{Name: "span", Type: "bigint"}, db.Column{Name: "part", Type: "text"},
	db.Column{Name: "stride", Type: "bigint"}, db.Column{Name: "list", Type: "text"})

// owned is an entry that the table does not know yet, with what the table knows of its subject.
type owned struct {
	who string
	id  int64
}

func newOwned(subject string, id int64) owned {
	who := subject[min(len(subjectPrefix), len(subject)):]
	return owned{who[:min(whoseLong, len(who))], id}
}

func (o owned) part() string { return o.who[:min(whosePart, len(o.who))] }

func (o owned) append(list []byte) []byte {
	list = append(strconv.AppendInt(list, o.id, 10), ' ')
	return append(append(list, o.who...), ',')
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
	slices.SortStableFunc(stride, func(a, b owned) int { return strings.Compare(a.part(), b.part()) })
	for len(stride) > 0 {
		part, list := stride[0].part(), []byte{','}
		for ; len(stride) > 0 && stride[0].part() == part; stride = stride[1:] {
			list = stride[0].append(list)
		}
		span, n := spanOf(id)
		if err := tx.Insert(listsTable, db.OfInt(span), db.OfText(part), db.OfInt(n), db.Cell{Kind: db.Text, Bytes: list}); err != nil {
			return fmt.Errorf("noting whose entries they are: %w", err)
		}
	}
	return nil
}

func spanOf(id int64) (span, stride int64) { return (id - 1) / whoseSpan, (id - 1) / whoseStride }

// disown forgets whose an entry is, but for the row itself: call it while that still tells.
func (l *Ledger) disown(ctx context.Context, tx *db.Tx, id int64) error {
	tx.OnRollback(l.forget)
	tx.OnSettled(l.publish)
	if len(l.owned) > 0 && id >= l.owned[0].id {
		l.owned = slices.DeleteFunc(slices.Clone(l.owned), func(o owned) bool { return o.id == id })
	}
	span, stride := spanOf(id)
	_, err := tx.Exec(ctx, `update ledger_lists
		set list = (select replace(list, ',' || id || ' ' || substr(subject, 5, 12) || ',', ',') from ledger_entries where id = $1)
		where span = $2 and stride = $3 and part = (select substr(subject, 5, 2) from ledger_entries where id = $1)`, id, span, stride)
	if err != nil {
		return fmt.Errorf("forgetting whose an entry is: %w", err)
	}
	return nil
}

// listed are the entries about a subject, and perhaps some of others whose ids begin as its own, oldest first. The newest are a
// range with two ends: for one end PostgreSQL reads the whole table as long as it has no statistics.
func (l *Ledger) listed(ctx context.Context, tx *db.Tx, subject string) (ids []int64, err error) {
	o := newOwned(subject, 0)
	rows, err := tx.Query(ctx, fmt.Sprintf(`with recursive spans (n) as
			(select 0 union all select n + 1 from spans where n < cast($1 as bigint) / %d)
		select l.list from spans cross join ledger_lists l where l.span = spans.n and l.part = $2
		union all select id || ' ' || $3 from ledger_entries where id > $1 and id < %d and subject = $4`, whoseSpan, int64(math.MaxInt64)), l.noted(), o.part(), o.who, subject)
	if err != nil {
		return nil, fmt.Errorf("looking for the entries about somebody: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		var list string
		if err := rows.Scan(&list); err != nil {
			return nil, fmt.Errorf("looking for the entries about somebody: %w", err)
		}
		for one := range strings.SplitSeq(list, ",") {
			number, who, _ := strings.Cut(one, " ")
			if who != o.who || one == "" {
				continue
			}
			id, err := strconv.ParseInt(number, 10, 64)
			if err != nil {
				return nil, damaged("the list of whose entries they are cannot be read")
			}
			ids = append(ids, id)
		}
	}
	slices.Sort(ids)
	return slices.Compact(ids), rows.Err()
}

// few is how many entries one query asks for by their ids.
const few = 64

// among says in a query that an entry is one of few; $first is the first of the arguments.
func among(first int) string {
	places := make([]string, few)
	for i := range places {
		places[i] = fmt.Sprintf("$%d", first+i)
	}
	return "id in (" + strings.Join(places, ", ") + ")"
}

// argsOf are the arguments that a query with among has for so many ids or less.
func argsOf(ids []int64) []any {
	args := make([]any, few)
	for i := range args {
		args[i] = ids[min(i, len(ids)-1)]
	}
	return args
}

// noted is the id up to which the table knows the entries that are durable now.
func (l *Ledger) noted() int64 { return l.Size() / whoseStride * whoseStride }
