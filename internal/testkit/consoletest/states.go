package consoletest

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/ombudhq/ombud/internal/fault"
	"github.com/ombudhq/ombud/plan"
	"github.com/ombudhq/ombud/request"
	"github.com/ombudhq/ombud/subject"
)

// Refs finds a request by the state it stands in.
type Refs map[string]string

// fill is the state of filling a world: the first error ends it.
type fill struct {
	*World
	ctx  context.Context
	refs Refs
	err  error
}

// Populate makes a request in every state, over the weeks before Now. One of them goes on running until Close.
func (w *World) Populate(ctx context.Context) (Refs, error) {
	f := &fill{World: w, ctx: ctx, refs: Refs{}}
	f.consents()
	f.at("2026-10-12", func() { f.plan("late", plan.Erasure, "per") })
	f.at("2026-10-20", func() { f.run(f.plan("complete", plan.Erasure, "anna"), "") })
	f.at("2026-10-21", func() { f.run(f.plan("nobody", plan.Erasure, "nobody-at-all"), "") })
	f.at("2026-10-22", func() { f.run(f.plan("access-complete", plan.Access, "bo"), "") })
	f.at("2026-10-25", func() { f.refuse(f.plan("refused", plan.Erasure, "nils")) })
	f.at("2026-10-28", func() {
		f.run(f.plan("failed", plan.Access, "tor"), filepath.Join(w.Dir, "no such folder", "out.zip"))
	})
	f.at("2026-11-05", func() {
		f.without("mail", func() { f.run(f.plan("incomplete", plan.Erasure, "siri"), "") })
	})
	f.at("2026-11-12", func() { f.plan("access", plan.Access, "liv") })
	f.at("2026-11-13", func() { f.plan("planned", plan.Erasure, "ida") })
	f.at("2026-11-14", func() { f.drift(f.plan("drifted", plan.Erasure, "jon")) })
	f.at("2026-11-16", func() { f.without("mail", func() { f.plan("gap", plan.Erasure, "eva") }) })
	f.at("2026-11-17", func() { f.plan("mass", plan.Erasure, "olav", "eva") })
	f.at("2026-11-18", func() { f.begin(f.plan("running", plan.Erasure, "kari")) })
	f.at("2026-11-19", func() {
		f.keys()
		f.looks()
		f.backUp()
	})
	w.Clock.Advance(Now().Sub(w.Clock.Now()))
	return f.refs, f.err
}

// Block plans an erasure that guesses block.
func (w *World) Block(ctx context.Context) (Refs, error) {
	f := &fill{World: w, ctx: ctx, refs: Refs{}}
	f.plan("blocked", plan.Erasure, "ida")
	return f.refs, f.err
}

// at does something on a day, at 08:12. Days must come in order; the fake clock starts with Now and goes back for what people chose, and again for the requests.
func (f *fill) at(day string, do func()) {
	t, err := time.Parse(time.DateOnly, day)
	f.must(err)
	f.Clock.Advance(t.Add(8*time.Hour + 12*time.Minute).Sub(f.Clock.Now()))
	if f.err == nil {
		do()
	}
}

func (f *fill) must(err error) { f.err = errors.Join(f.err, err) }

func (f *fill) plan(state string, kind plan.Kind, names ...string) *request.Request {
	var people []plan.Person
	for _, n := range names {
		people = append(people, plan.Person{Identities: []subject.Identity{{Kind: "email", Value: n + "@example.com"}}})
	}
	r, err := f.Requests.Plan(f.ctx, request.PlanInput{Kind: kind, People: people, Actor: Actor})
	if err != nil {
		f.must(fmt.Errorf("planning %s: %w", state, err))
		return &request.Request{}
	}
	f.refs[state] = r.Ref
	return r
}

func (f *fill) run(r *request.Request, out string) {
	if f.err != nil {
		return
	}
	approve := r.Hash
	_, err := f.Requests.Run(f.ctx, request.RunInput{Ref: r.Ref, Approve: approve, Actor: Actor, Out: out})
	if err != nil && out == "" && fault.KindOf(err) != fault.Waiting {
		f.must(fmt.Errorf("running %s: %w", r.Ref, err))
	}
}

func (f *fill) refuse(r *request.Request) {
	if f.err == nil {
		_, err := f.Requests.Refuse(f.ctx, r.Ref, "The account belongs to a company.", Actor)
		f.must(err)
	}
}

// without takes a store away while something happens.
func (f *fill) without(store string, do func()) {
	path := filepath.Join(f.Dir, store+".db")
	f.must(f.Reload(f.ctx))
	f.must(os.Rename(path, path+".away"))
	f.must(os.Mkdir(path, 0o700))
	do()
	f.must(os.Remove(path))
	f.must(os.Rename(path+".away", path))
	f.must(f.Reload(f.ctx))
}

// drift changes the data between approval and run.
func (f *fill) drift(r *request.Request) {
	f.must(Exec(f.ctx, f.Dir, "shop", "insert into orders values (9999, 12, '7.00', '2026-11-14')"))
	f.run(r, "")
}

// begin starts a run that stops at its first step until Close.
func (f *fill) begin(r *request.Request) {
	if f.err != nil {
		return
	}
	here := make(chan struct{}, 64)
	w := f.World
	w.work.Go(func() {
		_, _ = w.Requests.Run(w.ctx, request.RunInput{Ref: r.Ref, Approve: r.Hash, Actor: Actor, Progress: func(p plan.Progress) {
			if p.Phase == "act" {
				here <- struct{}{}
				<-w.ctx.Done()
			}
		}})
	})
	<-here
}
