package bench

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/ombudhq/ombud/internal/db"
	"github.com/ombudhq/ombud/internal/testkit/world"
	"github.com/ombudhq/ombud/ledger"
	"github.com/ombudhq/ombud/plan"
)

// perRound is how many people one round of single requests takes.
const perRound = 30

// measureAccess: from the identity to the last row encoded, with a warm catalog.
func measureAccess(t *testing.T, r *report, p *shop, z size) {
	w, x := p.world(t), newExpert(t, p)
	defer x.close()
	got := takeTurns(z.rounds, exports(t, "ombud", w, p.n), func(round int) map[string]time.Duration {
		start := time.Now()
		for i := range perRound {
			if _, err := x.access(context.Background(), email(reader(p.n, round, i))); err != nil {
				t.Fatal(err)
			}
		}
		return map[string]time.Duration{"expert": time.Since(start) / perRound}
	})
	r.ratio("access, one person", p.engine, got["ombud"], got["expert"], 1.2)
}

// reader is a person of the shop who is never erased here.
func reader(n, round, i int) int { return n/2 + 1 + (round*perRound+i)*37%(n/2) }

// exports reads a round of people through the engine.
func exports(t testing.TB, name string, w *world.World, n int) lap {
	return func(round int) map[string]time.Duration {
		e := &encoder{}
		start := time.Now()
		for i := range perRound {
			q := plan.Question{Request: fmt.Sprint("access-", round, "-", i), Kind: plan.Access, People: []plan.Person{person(reader(n, round, i))}}
			if _, _, err := w.Engine.Export(context.Background(), q, e, nil); err != nil {
				t.Fatal(err)
			}
		}
		took := time.Since(start)
		if e.rows < 15*perRound {
			t.Fatalf("%d rows only", e.rows)
		}
		return map[string]time.Duration{name: took / perRound}
	}
}

// measureErasure: the run of approved plans, with journal and ledger, against a transaction by hand;
// then a thousand people in one plan. What the value sweep takes is not in it: it is queued.
func measureErasure(t *testing.T, r *report, p *shop, z size) {
	w, x := p.world(t), newExpert(t, p)
	defer x.close()
	next := 0
	take := func(n int) []int { // people whom nobody has erased yet
		out := make([]int, n)
		for i := range out {
			next++
			out[i] = next
		}
		if next > p.n/2 {
			t.Fatal("the shop is too small for so many erasures")
		}
		return out
	}
	byHand := func(name string, erase func(context.Context, string) error) lap {
		return func(int) map[string]time.Duration {
			people := take(perRound)
			start := time.Now()
			for _, i := range people {
				if err := erase(context.Background(), email(i)); err != nil {
					t.Fatal(err)
				}
			}
			return map[string]time.Duration{name: time.Since(start) / perRound}
		}
	}
	got := takeTurns(z.rounds, func(int) map[string]time.Duration { return runAll(t, w, take(perRound)) },
		byHand("expert", x.erase), byHand("together", x.together))
	r.ratio("erasure, one person, journal and ledger", p.engine, got["acted"], got["expert"], 1.5)
	r.ratio("erasure, one person, with proof", p.engine, got["proven"], got["expert"], 2.5)
	if p.engine == "postgres" {
		r.ratio("  the same against 9 statements in one round trip", p.engine, got["proven"], got["together"], 0)
	}
	measureMany(t, r, w, x, p, z, take, got["proven"])
}

// runAll runs a plan for each of the people: time to the end of the acts, and to the end of the proof, each with one
// durable entry in the ledger.
func runAll(t testing.TB, w *world.World, people []int) map[string]time.Duration {
	type approved struct {
		q plan.Question
		p *plan.Plan
	}
	list := make([]approved, len(people))
	for n, i := range people {
		list[n].q, list[n].p = planned(t, w, fmt.Sprint("erase-", i), person(i))
	}
	var acted, proof time.Duration
	for _, a := range list {
		d := runOne(t, w, a.q, a.p)
		acted, proof = acted+d.acted, proof+d.proven
	}
	n := time.Duration(len(people))
	return map[string]time.Duration{"acted": acted / n, "proven": proof / n}
}

type ran struct{ acted, proven time.Duration }

func runOne(t testing.TB, w *world.World, q plan.Question, p *plan.Plan) ran {
	ctx := context.Background()
	start := time.Now()
	var looking time.Duration
	o, err := w.Engine.Run(ctx, q, p, func(p plan.Progress) {
		if p.Phase == "look" && looking == 0 {
			looking = time.Since(start)
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	end := time.Since(start)
	err = w.DB.Write(ctx, func(tx *db.Tx) error {
		_, err := w.Ledger.Append(tx, ledger.Entry{Kind: "request.finished", Result: "ok", Actor: "bench", Subject: q.Request, Content: o.Done})
		return errors.Join(err, o.Settle(ctx, tx))
	})
	if err != nil {
		t.Fatal(err)
	}
	entry := time.Since(start) - end
	proven(t, o)
	return ran{looking + entry, end + entry}
}

const batch = 1000

func measureMany(t *testing.T, r *report, w *world.World, x expert, p *shop, z size, take func(int) []int, single samples) {
	n := min(batch, p.n/2/(3*(z.rounds+2)))
	got := takeTurns(z.rounds, func(round int) map[string]time.Duration {
		var people []plan.Person
		for _, i := range take(n) {
			people = append(people, person(i))
		}
		q, approved := planned(t, w, fmt.Sprint("many-", round), people...)
		d := runOne(t, w, q, approved)
		return map[string]time.Duration{"acted": d.acted / time.Duration(n), "proven": d.proven / time.Duration(n)}
	}, func(int) map[string]time.Duration {
		var emails []string
		for _, i := range take(n) {
			emails = append(emails, email(i))
		}
		start := time.Now()
		if err := x.eraseMany(context.Background(), emails); err != nil {
			t.Fatal(err)
		}
		return map[string]time.Duration{"expert": time.Since(start) / time.Duration(n)}
	})
	r.ratio(fmt.Sprintf("erasure, %d people in one plan, each", n), p.engine, got["acted"], got["expert"], 1.25)
	r.ratio("  with proof", p.engine, got["proven"], got["expert"], 0)
	r.ratio("  against single runs, each", p.engine, got["proven"], single, 0.3)
}
