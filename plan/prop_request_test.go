package plan_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/ombudhq/ombud/internal/fault"
	"github.com/ombudhq/ombud/internal/testkit/model"
	"github.com/ombudhq/ombud/internal/testkit/world"
	"github.com/ombudhq/ombud/plan"
	"github.com/ombudhq/ombud/request"
	"github.com/ombudhq/ombud/subject"
)

// TestRequestsOnRandomCompanies erases while a hold stands on one dataset, ends the hold, and goes on as
// a person would: retry, approve, run. What the hold kept must then be as if it had never stood, and as
// long as it is not, no request may be complete. Another hold, set on an identity that nobody gave and
// only the person's row told, stands all the time.
func TestRequestsOnRandomCompanies(t *testing.T) {
	eachEngine(t, func(t *testing.T, engine string) {
		stores := databases(t, engine)
		short := 30
		if stores != nil {
			short = 8
		}
		for _, seed := range seedsAnd(t, counts(short, 1000), 51, 378, 983) {
			t.Run(fmt.Sprint(seed), func(t *testing.T) { holdAndRelease(t, seed, engine, stores) })
		}
	})
}

func holdAndRelease(t *testing.T, seed uint64, engine string, stores map[string]*world.Store) {
	c := load(t, seed, engine, stores)
	c.Question.Holds = nil
	w := c.open(world.Options{})
	ctx := context.Background()
	person := c.ask(plan.Erasure).People[0]
	free := model.Judge(c.Company.Company, c.Question)
	rnd := rand.New(rand.NewPCG(seed, 3))
	on, always := c.holdOn(free, rnd), c.holdOn(free, rnd)
	if id, ok := c.found(free); ok && on != always {
		c.hold(always, id)
		free = model.Judge(c.Company.Company, c.Question)
	}
	in := c.hold(on, person.Identities[0])
	held := model.Judge(c.Company.Company, c.Question)
	r, err := w.Erase(ctx, person)
	if err != nil {
		t.Fatalf("%v\n%s", err, c.story())
	}
	if _, err := w.Holds.Release(ctx, in); err != nil {
		t.Fatal(err)
	}
	c.goOn(r.ID)
	if r, err = w.Requests.Get(ctx, r.ID); err != nil {
		t.Fatal(err)
	}
	checkReleased(t, c, free, held, r)
	w.Verify(t)
	if t.Failed() {
		t.Logf("%shold on %s: %s remaining %+v gaps %+v", c.story(), on.ID(), r.State, r.Outcome.Remaining, r.Outcome.Gaps)
	}
}

// hold sets one in the program and in the model's question.
func (c *company) hold(on *model.Table, id subject.Identity) subject.HoldInput {
	c.t.Helper()
	in := subject.HoldInput{Subjects: []subject.Identity{id}, System: on.System, Dataset: on.Name, Because: "a case", Actor: "test"}
	if _, err := c.world.Holds.Add(context.Background(), in); err != nil {
		c.t.Fatal(err)
	}
	c.Question.Holds = append(c.Question.Holds, model.Hold{System: on.System, Dataset: on.Name})
	return in
}

// found is an identity of the person that the first given one leads to.
func (c *company) found(v *model.Verdict) (subject.Identity, bool) {
	given := strings.ToLower(strings.TrimSpace(c.Question.Identities[0].Value))
	for _, t := range c.Tables {
		number, mail := t.People["customer"], t.People["email"]
		for _, r := range t.Rows {
			if number != "" && mail != "" && v.Fates[r].Owner == model.Owned && strings.ToLower(strings.TrimSpace(r.Cell(mail).S)) == given {
				return subject.Identity{Kind: "customer", Value: r.Cell(number).S}, true
			}
		}
	}
	return subject.Identity{}, false
}

// holdOn picks the dataset to hold: one with rows that an erasure takes, where there is any.
func (c *company) holdOn(v *model.Verdict, rnd *rand.Rand) *model.Table {
	var from []*model.Table
	for _, r := range v.Touched(c.Company.Company) {
		if !slices.Contains(from, r.Table) {
			from = append(from, r.Table)
		}
	}
	if len(from) == 0 {
		from = c.Tables
	}
	return from[rnd.IntN(len(from))]
}

// goOn retries and approves until nothing asks for it any more, a few times at most.
func (c *company) goOn(id string) {
	c.t.Helper()
	ctx := context.Background()
	for range 4 {
		r, err := c.world.Requests.Get(ctx, id)
		if err == nil && r.State == request.Incomplete {
			r, err = c.world.Requests.Retry(ctx, request.RunInput{Ref: id, Actor: "test"})
		}
		if r != nil && r.State == request.Awaiting {
			_, err = c.world.Requests.Run(ctx, request.RunInput{Ref: id, Approve: r.Hash, Actor: "test"})
		}
		if err != nil && fault.KindOf(err) != fault.Waiting {
			c.t.Fatalf("%v\n%s", err, c.story())
		}
	}
}

// checkReleased holds the stores against the fates without the hold.
func checkReleased(t *testing.T, c *company, free, held *model.Verdict, r *request.Request) {
	t.Helper()
	after := c.snapshot()
	forgive(c, after, free, held)
	for _, d := range free.Compare(c.Company.Company, after) {
		t.Error(d)
	}
	residue := free.Residue(c.Company.Company, after)
	complete := r.State == request.Complete
	switch {
	case complete && len(residue) > 0:
		t.Errorf("complete, and the person is still in %s", strings.Join(residue, ", "))
	case complete && free.Conflicts > 0:
		t.Errorf("complete with %d rows nobody can tell whose they are", free.Conflicts)
	case !complete && len(residue) == 0 && free.Conflicts == 0:
		t.Errorf("%s without a reason", r.State)
	}
}

// forgive lets rows stay that the first run could only empty, because held rows referred to them, and
// rows to which such a one refers: it is nobody's now. No reference to one has to break, one may have followed a key, and
// where a row's own was broken, its mention of the person may go too.
func forgive(c *company, after model.Snapshot, free, held *model.Verdict) {
	there := map[string]bool{}
	for id, rows := range after {
		for _, row := range rows {
			there[id+"\x00"+row.Mark()] = true
		}
	}
	var empty []*model.Row
	for row, f := range free.Fates {
		h := held.Fates[row]
		if f.Dies && h.Pinned && there[row.Table.ID()+"\x00"+row.Mark()] {
			f.Dies, f.Pinned, f.Cells = false, true, slices.Clone(h.Cells)
			empty = append(empty, row)
		}
		for i, change := range f.Cells {
			follows := change == model.Same && h.Cells[i] == model.Changed
			masked := change == model.Same && f.Owner == model.Owned && free.Mentions(row.Cells[i].S)
			if change != h.Cells[i] && (!h.Kept || change == model.Nulled || follows) || masked {
				f.Cells[i] = model.Free
			}
		}
	}
	for len(empty) > 0 {
		from := empty[0]
		empty = empty[1:]
		for row, f := range free.Fates {
			for _, e := range from.Table.Edges {
				if f.Dies && e.To == row.Table && from.Refers(e, row) && there[row.Table.ID()+"\x00"+row.Mark()] {
					f.Dies, f.Pinned, f.Cells = false, true, slices.Repeat([]model.Change{model.Free}, len(row.Cells))
					empty = append(empty, row)
				}
			}
		}
	}
}
