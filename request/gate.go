package request

import (
	"context"
	"slices"
	"sync"

	"github.com/ombudhq/ombud/internal/fault"
	"github.com/ombudhq/ombud/plan"
)

// Traffic knows what runs in this process. Services over one store share it, so that a service made anew
// for a changed configuration does not run beside what the old one has under way.
type Traffic struct {
	gate gate
	desk desk
}

// gate decides which runs may overlap: those of one kind that share no subject token. It lets them in
// in the order they came, so nobody waits for ever.
type gate struct {
	mu      sync.Mutex
	inside  []*pass
	waiting []*pass
}

type pass struct {
	kind   plan.Kind
	tokens []string
	enter  chan struct{} // closed when it may go in
}

func (p *pass) clashes(q *pass) bool {
	return p.kind != q.kind || slices.ContainsFunc(p.tokens, func(t string) bool { return slices.Contains(q.tokens, t) })
}

// wait blocks until the run may begin. leave must be called once.
func (g *gate) wait(ctx context.Context, kind plan.Kind, tokens []string) (leave func(), err error) {
	p := &pass{kind: kind, tokens: tokens, enter: make(chan struct{})}
	g.mu.Lock()
	g.waiting = append(g.waiting, p)
	g.admit()
	g.mu.Unlock()
	select {
	case <-p.enter:
	case <-ctx.Done():
		g.leave(p)
		return nil, fault.Wrap(fault.Unavailable, ctx.Err(), "stopped while waiting for another request")
	}
	return func() { g.leave(p) }, nil
}

func (g *gate) leave(p *pass) {
	g.mu.Lock()
	defer g.mu.Unlock()
	gone := func(q *pass) bool { return q == p }
	g.inside = slices.DeleteFunc(g.inside, gone)
	g.waiting = slices.DeleteFunc(g.waiting, gone)
	g.admit()
}

// admit lets in everybody who clashes neither with who is inside nor with who waits longer.
func (g *gate) admit() {
	var left []*pass
	for _, p := range g.waiting {
		if slices.ContainsFunc(g.inside, p.clashes) || slices.ContainsFunc(left, p.clashes) {
			left = append(left, p)
			continue
		}
		g.inside = append(g.inside, p)
		close(p.enter)
	}
	g.waiting = left
}

// desk remembers what runs in this process: one run per request, with its progress.
type desk struct {
	mu   sync.Mutex
	runs map[string]*run
}

// run is a command that has a request.
type run struct {
	progress *plan.Progress
	reached  bool          // what it comes to is in the store, or about to be: it has only to file it and to let go
	over     chan struct{} // closed when it has let go
}

// claim takes a request for one command; fault.Conflict when another has it.
func (d *desk) claim(id, ref string) (release func(), err error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.runs == nil {
		d.runs = map[string]*run{}
	}
	if _, taken := d.runs[id]; taken {
		return nil, fault.New(fault.Conflict, "%s is being worked on already", ref).Then("ombud dsr show %s follows it.", ref)
	}
	r := &run{over: make(chan struct{})}
	d.runs[id] = r
	return func() {
		d.mu.Lock()
		defer d.mu.Unlock()
		delete(d.runs, id)
		close(r.over)
	}, nil
}

// next is claim for who may act upon what the store says already: it waits for a run that has reached that.
func (d *desk) next(ctx context.Context, id, ref string) (release func(), err error) {
	for r := d.reached(id); r != nil; r = d.reached(id) {
		select {
		case <-r.over:
		case <-ctx.Done():
			return nil, fault.Wrap(fault.Unavailable, ctx.Err(), "stopped while %s was being filed", ref)
		}
	}
	return d.claim(id, ref)
}

// reached gives the run of a request that has only to let go; nil where there is none, or it goes on.
func (d *desk) reached(id string) *run {
	d.mu.Lock()
	defer d.mu.Unlock()
	if r := d.runs[id]; r != nil && r.reached {
		return r
	}
	return nil
}

// reaches notes what the store is about to say of a request.
func (d *desk) reaches(id string, s State) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if r := d.runs[id]; r != nil {
		r.reached = s != Running
	}
}

func (d *desk) report(id string, p plan.Progress) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if r := d.runs[id]; r != nil {
		r.progress = &p
	}
}

func (d *desk) progress(id string) *plan.Progress {
	d.mu.Lock()
	defer d.mu.Unlock()
	if r := d.runs[id]; r != nil {
		return r.progress
	}
	return nil
}
