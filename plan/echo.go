package plan

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/ombudhq/ombud/catalog"
	"github.com/ombudhq/ombud/connector"
	"github.com/ombudhq/ombud/internal/db"
)

// A trigger on a table that a run touches may write what it sees into another one. Where the walk reaches that, and its rows
// are to be deleted or changed, the plan says so, and who approves the plan approves that too: when all is done, the run looks
// once more, and does to what has come there since what the same rule says. What is to stay as it is, and whatever else has come
// meanwhile, is for a new plan: how many rows are kept is part of what was approved.

// echoes are the datasets into which triggers write what a plan touches, and whose rows go or change, with the method.
func echoes(g *catalog.Graph, p *Plan) map[string]catalog.Method {
	out := map[string]catalog.Method{}
	for _, s := range p.Systems {
		for _, st := range s.Datasets {
			d := g.Dataset(s.ID, st.Name)
			if d == nil || p.Limit != nil || st.Method == catalog.Keep {
				continue
			}
			for _, tr := range d.Table.Triggers {
				for _, t := range written(g, d, tr) {
					if echoed(t) {
						out[t.ID()] = wanted(t)
					}
				}
			}
		}
	}
	return out
}

// written are the datasets a trigger writes to where the walk will find it.
func written(g *catalog.Graph, d *catalog.Dataset, tr connector.Trigger) (out []*catalog.Dataset) {
	for _, name := range tr.Writes {
		if t := g.Dataset(d.System, name); !tr.Disabled && t != nil && t != d && t.Personal && !t.Ignored {
			out = append(out, t)
		}
	}
	return out
}

// echoed: no rule keeps rows of the person there.
func echoed(d *catalog.Dataset) bool { return d.Rule == nil || d.Rule.Erase != catalog.Keep }

// echoWarning says what a run will do to what a trigger writes.
func (w *walk) echoWarning(d *catalog.Dataset, tr connector.Trigger) string {
	var gone, change, later []string
	for _, t := range written(w.g, d, tr) {
		switch {
		case !echoed(t) || w.q.Limit != nil:
			later = append(later, t.Name)
		case removes(wanted(t)):
			gone = append(gone, t.Name)
		default:
			change = append(change, t.Name)
		}
	}
	out := ""
	if len(gone) > 0 {
		out += "; what comes to " + strings.Join(gone, ", ") + " meanwhile is deleted too"
	}
	if len(change) > 0 {
		out += "; what comes to " + strings.Join(change, ", ") + " meanwhile is changed by its rule too"
	}
	if len(later) > 0 {
		out += "; what it writes to " + strings.Join(later, ", ") + " needs a second plan, by retry"
	}
	return out
}

// echo acts, when everything planned is done, on what triggers wrote meanwhile, if that is all there is to do.
func (e *Engine) echo(ctx context.Context, j *journal, q Question, approved *Plan, g *catalog.Graph, progress func(Progress)) ([]Remaining, error) {
	may := echoes(g, approved)
	if len(may) == 0 {
		return nil, nil
	}
	p, w, err := e.findAfter(ctx, j, q, false)
	if err != nil {
		return nil, err
	}
	defer w.close()
	if !foreseen(p, approved, may) {
		return nil, nil
	}
	if err := w.addTo(ctx, j); err != nil {
		return nil, err
	}
	e.cfg.Hook("own:echo")
	return e.act(ctx, j, w.g, progress)
}

// foreseen: there is something to do, and the approved plan named all of it.
func foreseen(p, approved *Plan, may map[string]catalog.Method) bool {
	known := func(r Remaining) bool {
		return slices.ContainsFunc(approved.Gaps, func(o Remaining) bool { return o.System == r.System && o.Dataset == r.Dataset && o.Code == r.Code })
	}
	if p.Config != approved.Config || len(p.Blocking) > 0 || slices.ContainsFunc(p.Gaps, func(r Remaining) bool { return !known(r) }) {
		return false
	}
	any := false
	for _, s := range p.Systems {
		for _, st := range s.Datasets {
			if st.Method == catalog.Keep {
				continue
			}
			if method, ok := may[s.ID+"."+st.Name]; !ok || st.Method != method || st.Role != catalog.Own {
				return false
			}
			any = true
		}
	}
	return any
}

// addTo writes what is to be done behind a journal that is whole: the proof goes by that.
func (w *walk) addTo(ctx context.Context, j *journal) error {
	heads, err := j.heads(ctx)
	if err != nil {
		return err
	}
	s := w.scribe(j, w.groups)
	s.n, s.echo = len(heads), true
	return s.inscribe(ctx, s.breaks, s.changes, s.deletes, s.rekeys, s.stays)
}

// stays tells the proof how many rows more may answer to a key: those that came, and stay changed.
func (s *scribe) stays(ctx context.Context) error {
	for _, e := range s.w.g.Edges {
		set, n := s.w.sets[e.Child], int64(0)
		if set == nil || e.Value || !slices.ContainsFunc(s.groups, func(g *group) bool { return g.d == e.Child && !removes(g.decision.method) }) {
			continue
		}
		err := set.each(func(r *record) error {
			s.w.finish(set, r)
			dec, ok := s.w.decideFor(set, r)
			if ok && len(dec.fields) > 0 && !removes(dec.method) && s.staysBehind(set, r, e) {
				n++
			}
			return nil
		})
		if err == nil && n > 0 {
			err = s.add(ctx, e.Child.System, act{dataset: e.Child.Name, verb: watchKeys, step: -1, expect: []string{itoa(n)}, fence: append([]fence{{columns: e.ChildColumns}}, whenFences(e)...)})
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// extend makes chunks durable behind those of a journal that is whole. It is read again from there.
func (j *journal) extend(ctx context.Context, chunks []chunk) error {
	sealed, err := j.seal(chunks)
	if err != nil {
		return err
	}
	if err := j.settle(ctx); err != nil {
		return err
	}
	j.recent = nil
	return j.db.Write(ctx, func(tx *db.Tx) error { return j.insert(ctx, tx, sealed) })
}

// echoed counts what was done to what triggers wrote: acts of no step.
func (l *looker) echoed(system string, a act, acted int64) {
	if a.step >= 0 || a.breaks || acted == 0 {
		return
	}
	switch a.verb {
	case connector.Delete:
		l.echoes[system+"."+a.dataset+" deleted"] += acted
	case connector.Update:
		l.echoes[system+"."+a.dataset+" changed"] += acted
	}
}

// echoMeans say it in the proof.
func (l *looker) echoMeans() {
	for _, d := range l.g.Datasets {
		for _, done := range []string{"deleted", "changed"} {
			if n := l.echoes[d.ID()+" "+done]; n > 0 {
				l.proof[d.System].Means = append(l.proof[d.System].Means, fmt.Sprintf("%d rows that came to %s meanwhile, where triggers write, were %s", n, d.Name, done))
			}
		}
	}
}
