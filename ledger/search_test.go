package ledger

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/ombudhq/ombud/internal/db"
	"github.com/ombudhq/ombud/internal/fault"
)

// search gives the ids that are found.
func (p *place) search(q Question) (ids []int64) {
	p.t.Helper()
	err := p.l.Search(context.Background(), "local:auditor", "search", q, func(r Row) error {
		ids = append(ids, r.ID)
		return nil
	})
	if err != nil {
		p.t.Fatal(err)
	}
	return ids
}

func (p *place) write(entries ...Entry) {
	p.t.Helper()
	err := p.db.Write(context.Background(), func(tx *db.Tx) error {
		for _, e := range entries {
			if _, err := p.l.Append(tx, e); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		p.t.Fatal(err)
	}
}

func TestSearch(t *testing.T) {
	each(t, func(t *testing.T, p *place) {
		start := p.clock.Now()
		p.write(
			Entry{Kind: "a.done", Result: "ok", Actor: "local:ida", Subject: "sub_1"},
			Entry{Kind: "b.done", Result: "ok", Actor: "local:jon", Subject: "t1 t2"},
			Entry{Kind: "a.done", Result: "ok", Actor: "local:jon", Subject: "t3"},
			Entry{Kind: "a.done", Result: "ok", Actor: "local:jon"},
		)
		p.clock.Advance(2 * time.Minute)
		p.write(Entry{Kind: "b.done", Result: "ok", Actor: "local:ida", Subject: "sub_2"})
		for name, c := range map[string]struct {
			q    Question
			want []int64
		}{
			"kind":        {Question{Kind: "a.done"}, []int64{4, 3, 1}},
			"actor":       {Question{Actor: "local:ida"}, []int64{5, 1}},
			"both":        {Question{Kind: "a.done", Actor: "local:jon"}, []int64{4, 3}},
			"id":          {Question{Subjects: []string{"sub_1"}}, []int64{1}},
			"token":       {Question{Subjects: []string{"t2"}}, []int64{2}},
			"either":      {Question{Subjects: []string{"sub_2", "t1", "t3"}}, []int64{5, 3, 2}},
			"part":        {Question{Subjects: []string{"t"}}, nil},
			"unknown":     {Question{Subjects: []string{"sub_3"}}, nil},
			"from":        {Question{From: start.Add(time.Minute), Before: 6}, []int64{5}},
			"to":          {Question{To: start.Add(time.Minute)}, []int64{4, 3, 2, 1}},
			"limit":       {Question{Kind: "a.done", Limit: 2}, []int64{4, 3}},
			"page behind": {Question{Kind: "a.done", Before: 3}, []int64{1}},
		} {
			if got := p.search(c.q); !slices.Equal(got, c.want) {
				t.Errorf("%s: %v, want %v", name, got, c.want)
			}
		}
	})
}

// TestSearchOverPages: what is found does not depend on how rows are read.
func TestSearchOverPages(t *testing.T) {
	p := newPlace(t)
	p.append(2*searchPage + 30)
	if got := p.search(Question{Kind: "test.happened"}); len(got) != 2*searchPage+30 || got[0] != 2*searchPage+30 || got[len(got)-1] != 1 {
		t.Errorf("%d found", len(got))
	}
	if got := p.search(Question{Subjects: []string{"token-7"}}); !slices.Equal(got, []int64{8}) {
		t.Errorf("%v", got)
	}
}

// TestReadingIsAnEntry: it is durable before anything is shown, says by what was asked and never for what, and is not
// among what it shows.
func TestReadingIsAnEntry(t *testing.T) {
	p := newPlace(t)
	p.append(2)
	stop := errors.New("stop")
	err := p.l.Search(t.Context(), "local:auditor", "search", Question{Kind: "test.happened", Subjects: []string{"token-1"}, Limit: 9}, func(Row) error {
		rows, err := p.l.Tail(context.Background(), 1, TailOptions{})
		if err != nil {
			t.Fatal(err)
		}
		var content struct {
			How   string
			Asked []string
		}
		if err := json.Unmarshal(rows[0].Content, &content); err != nil {
			t.Fatal(err)
		}
		if r := rows[0]; r.Kind != KindRead || r.Actor != "local:auditor" || r.Subject != "" ||
			content.How != "search" || !slices.Equal(content.Asked, []string{"kind", "subject"}) {
			t.Errorf("%+v, %s", r, r.Content)
		}
		return stop
	})
	if !errors.Is(err, stop) || p.l.Size() != 3 {
		t.Errorf("%v, %d entries", err, p.l.Size())
	}
	if got := p.search(Question{Limit: 1}); !slices.Equal(got, []int64{3}) {
		t.Errorf("the next reader sees the one before: %v", got)
	}
}

// TestSearchFindsAnExchangedSubject: the column that a subject is found by is not what the leaf commits to.
func TestSearchFindsAnExchangedSubject(t *testing.T) {
	p := newPlace(t)
	for i := range 3 {
		p.write(Entry{Kind: "a.done", Result: "ok", Subject: "sub_" + strconv.Itoa(i)})
	}
	err := p.db.Write(t.Context(), func(tx *db.Tx) error {
		_, err := tx.Exec(t.Context(), "update ledger_entries set subject = 'sub_1' where id = 3")
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	err = p.l.Search(t.Context(), "local:auditor", "search", Question{Subjects: []string{"sub_1"}}, func(Row) error { return nil })
	if fault.KindOf(err) != fault.Integrity {
		t.Errorf("%v", err)
	}
}
