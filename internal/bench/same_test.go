package bench

import (
	"context"
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/ombudhq/ombud/internal/testkit/pgtest"
	"github.com/ombudhq/ombud/internal/testkit/world"
	"github.com/ombudhq/ombud/plan"
)

// TestBothSidesAgree: an expert's SQL and Ombud give the same cells and leave the same database behind.
func TestBothSidesAgree(t *testing.T) {
	s := startServers(t)
	for _, engine := range engines {
		t.Run(engine, func(t *testing.T) { agree(t, s, engine, 700) })
	}
}

func startServers(t testing.TB, settings ...string) *servers {
	t.Helper()
	dsn, stop, err := pgtest.Start(settings...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(stop)
	return &servers{admin: dsn}
}

func agree(t *testing.T, s *servers, engine string, n int) {
	t.Helper()
	ours, theirs := newShop(t, s, engine, n), newShop(t, s, engine, n)
	w, x := ours.world(t), newExpert(t, theirs)
	defer x.close()
	ctx := context.Background()
	for i := 1; i <= n; i += n / 20 {
		sameCells(t, w, x, i)
	}
	var many []plan.Person
	var emails []string
	for i := 1; i <= n; i += 5 {
		many, emails = append(many, person(i)), append(emails, email(i))
	}
	for i := 3; i <= n; i += n / 20 {
		erase(t, w, fmt.Sprint("one-", i), person(i))
		if err := x.erase(ctx, email(i)); err != nil {
			t.Fatal(err)
		}
	}
	if diff := cmp.Diff(theirs.dump(t), ours.dump(t)); diff != "" {
		t.Fatalf("%s: one person each left different databases (-expert +ombud):\n%s", engine, diff)
	}
	erase(t, w, "many", many...)
	if err := x.eraseMany(ctx, emails); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(theirs.dump(t), ours.dump(t)); diff != "" {
		t.Fatalf("%s: many people at once left different databases (-expert +ombud):\n%s", engine, diff)
	}
}

func sameCells(t testing.TB, w *world.World, x expert, i int) {
	t.Helper()
	ctx := context.Background()
	document, err := x.access(ctx, email(i))
	if err != nil {
		t.Fatal(err)
	}
	want, err := cellsOf(document)
	if err != nil {
		t.Fatal(err)
	}
	e := &encoder{keep: true, cells: map[string]int{}}
	if _, _, err := w.Engine.Export(ctx, plan.Question{Request: "same", Kind: plan.Access, People: []plan.Person{person(i)}}, e, nil); err != nil {
		t.Fatal(err)
	}
	if e.rows < 15 {
		t.Errorf("person %d has %d rows only", i, e.rows)
	}
	if diff := cmp.Diff(want, e.cells); diff != "" {
		t.Fatalf("person %d (-expert +ombud):\n%s", i, diff)
	}
}

// erase plans and runs; what must be left to do is the queued sweep alone.
func erase(t testing.TB, w *world.World, request string, people ...plan.Person) {
	t.Helper()
	q, p := planned(t, w, request, people...)
	o, err := w.Engine.Run(context.Background(), q, p, nil)
	if err != nil {
		t.Fatal(err)
	}
	proven(t, o)
}

func planned(t testing.TB, w *world.World, request string, people ...plan.Person) (plan.Question, *plan.Plan) {
	t.Helper()
	q := plan.Question{Request: request, Kind: plan.Erasure, People: people}
	p, err := w.Engine.Plan(context.Background(), q)
	if err != nil {
		t.Fatal(err)
	}
	if p.Matched != len(people) || len(p.Blocking)+len(p.Gaps) > 0 {
		t.Fatalf("matched %d of %d, blocking %v, gaps %+v", p.Matched, len(people), p.Blocking, p.Gaps)
	}
	return q, p
}

func proven(t testing.TB, o *plan.Outcome) {
	t.Helper()
	for _, r := range o.Remaining {
		if r.Code != "sweep-queued" {
			t.Fatalf("remaining: %+v", r)
		}
	}
}
