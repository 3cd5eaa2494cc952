package consent_test

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/ombudhq/ombud/consent"
	"github.com/ombudhq/ombud/internal/db"
	"github.com/ombudhq/ombud/internal/fault"
	"github.com/ombudhq/ombud/ledger"
	"github.com/ombudhq/ombud/purpose"
	"github.com/ombudhq/ombud/subject"
)

// The slow, obvious model: for each person what was said, as a list, read from its beginning at every question. It shares
// no code with the service.
type modelPerson struct {
	said   []modelAct
	facts  []subject.Fact
	erased bool // and not come back
	never  int64
}

type modelAct struct {
	revision   int64
	purpose    string
	categories []string // yes: covered; no: ended (nil is all)
	yes        bool
	until      time.Time
}

type modelWorld struct {
	*world
	r        *rand.Rand
	purposes []purpose.Purpose
	people   []*modelPerson
}

func (p *modelPerson) covered(purposeID string, now time.Time) (categories []string, revision int64) {
	for _, a := range p.said {
		if a.purpose != purposeID {
			continue
		}
		switch {
		case a.yes && now.Before(a.until):
			categories, revision = a.categories, a.revision
		case a.yes:
			categories, revision = nil, a.revision
		case a.categories == nil:
			categories = nil
		default:
			categories = slices.DeleteFunc(slices.Clone(categories), func(c string) bool { return slices.Contains(a.categories, c) })
		}
	}
	return categories, revision
}

// may is the model's answer.
func (p *modelPerson) may(pu purpose.Purpose, category string, now time.Time) bool {
	if p.erased || !slices.Contains(pu.Categories, category) {
		return false
	}
	covered, revision := p.covered(pu.ID, now)
	yes := slices.Contains(covered, category)
	for _, f := range p.facts {
		if pu.Basis == purpose.Consent && len(covered) > 0 && revision > f.Revision {
			continue
		}
		if f.Kind == subject.Restriction && !slices.Contains(f.Allowed, pu.ID) || f.Kind == subject.Objection && pu.ID == "ads" {
			return false
		}
	}
	return pu.Basis != purpose.Consent || yes
}

func TestServiceAgreesWithTheModel(t *testing.T) {
	for seed := range counts(12, 500) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			m := &modelWorld{r: rand.New(rand.NewPCG(7, uint64(seed))), purposes: []purpose.Purpose{
				letters(), {ID: "advice", Basis: purpose.Consent, Categories: []string{"usage", "location"}, Expires: "2 months"},
				{ID: "orders", Basis: purpose.Contract, Categories: []string{"contact"}}, interest("ads", purpose.DirectMarketing),
			}}
			m.purposes[3].LIA.Review = "2099-01-01"
			m.world = newWorld(t, m.purposes...)
			for range 5 {
				m.people = append(m.people, &modelPerson{})
			}
			for step := range 120 {
				what := m.step()
				m.compare(step, what)
				if t.Failed() {
					return
				}
			}
		})
	}
}

func identity(i int) []subject.Identity {
	return []subject.Identity{{Kind: "email", Value: fmt.Sprintf("p%d@example.com", i)}}
}

func (m *modelWorld) compare(step int, what string) {
	m.t.Helper()
	for i, p := range m.people {
		for _, pu := range m.purposes {
			for _, c := range []string{"contact", "usage", "location"} {
				at, h := m.Now(), m.Find(identity(i)...)
				v := m.DecideAt(at, h, pu.ID, c, false)
				m.sameKept(at, identity(i)[0], pu.ID, c, v)
				if want := p.may(pu, c, m.clock.Now()); v.Allowed != want {
					m.t.Errorf("step %d, after %s: person %d, %s for %s: %+v, want %v", step, what, i, c, pu.ID, v, want)
				}
				if pu.Basis == purpose.Consent && v.Allowed {
					m.replayed(i, pu.ID, c, v)
				}
			}
		}
	}
}

// replayed finds the yes in the ledger: what was answered can be shown to have been said.
func (m *modelWorld) replayed(i int, purposeID, category string, v consent.Verdict) {
	m.t.Helper()
	st, err := m.StateAt(m.t.Context(), m.Find(identity(i)...), m.clock.Now())
	if err != nil {
		m.t.Fatal(err)
	}
	found := slices.ContainsFunc(st, func(s consent.Standing) bool {
		return s.Purpose == purposeID && s.Status == consent.Given && s.ConsentID == v.ConsentID() && slices.Contains(s.Categories, category)
	})
	if !found {
		m.t.Errorf("the ledger does not explain %+v: %+v", v, st)
	}
}

func (m *modelWorld) step() string {
	i := m.r.IntN(len(m.people))
	p := m.people[i]
	switch n := m.r.IntN(20); {
	case n < 8:
		return m.sayYes(i, p)
	case n < 12:
		return m.sayNo(i, p)
	case n < 13:
		m.clock.Advance(time.Duration(m.r.IntN(40)) * 24 * time.Hour)
		if err := m.Expire(m.t.Context()); err != nil {
			m.t.Fatal(err)
		}
		return "time"
	case n < 16:
		return m.fact(i, p)
	case n < 17:
		m.eraseOne(i, p)
		return "an erasure"
	}
	return m.again()
}

// again restarts: with the snapshot of now, one from earlier, or none.
func (m *modelWorld) again() string {
	file := filepath.Join(m.dir, "decisions")
	switch m.r.IntN(3) {
	case 0:
		if err := os.RemoveAll(file); err != nil {
			m.t.Fatal(err)
		}
	case 1:
		if err := m.SaveSnapshot(m.t.Context()); err != nil {
			m.t.Fatal(err)
		}
	}
	m.restart()
	return "a restart"
}

func (m *modelWorld) sayYes(i int, p *modelPerson) string {
	pu := m.purposes[m.r.IntN(2)]
	in := consent.RecordInput{Subject: identity(i), Purpose: pu.ID, Method: "api", Notice: yes().Notice}
	categories := pu.Categories
	if m.r.IntN(2) == 0 {
		categories = categories[:1]
		in.Categories = categories
	}
	head := m.ledger.Head()
	fresh := m.r.IntN(4) > 0
	if fresh {
		in.Notice.SeenRevision = &head
	}
	c, err := m.Record(m.t.Context(), in)
	if late := !fresh && m.stands(p, pu.ID); late != (fault.KindOf(err) == fault.Invalid && err != nil) || err != nil && !late {
		m.t.Errorf("late %v, but %v", late, err)
	}
	if err != nil {
		return "a late yes"
	}
	p.erased = false
	until, _ := pu.Ends(m.clock.Now())
	p.said = append(p.said, modelAct{c.Revision, pu.ID, categories, true, until.Truncate(time.Minute)})
	return "a yes"
}

// stands tells whether the last thing said about a purpose was a no to all of it.
func (m *modelWorld) stands(p *modelPerson, purposeID string) bool {
	last := p.never > 0
	for _, a := range p.said {
		if a.purpose == purposeID && (a.yes || a.categories == nil) {
			last = !a.yes
		}
	}
	return last
}

func (m *modelWorld) sayNo(i int, p *modelPerson) string {
	in := consent.WithdrawInput{Subject: identity(i)}
	switch m.r.IntN(3) {
	case 0:
		in.All = true
	case 1:
		in.Purpose = m.purposes[m.r.IntN(2)].ID
	case 2:
		in.Categories = []string{[]string{"contact", "usage", "location"}[m.r.IntN(3)]}
	}
	out, err := m.Withdraw(m.t.Context(), in)
	if err != nil {
		m.t.Fatal(err)
	}
	for _, name := range out.Purposes {
		p.said = append(p.said, modelAct{revision: out.Revision, purpose: name})
	}
	for _, name := range out.Narrowed {
		p.said = append(p.said, modelAct{revision: out.Revision, purpose: name, categories: in.Categories})
	}
	return "a no"
}

func (m *modelWorld) fact(i int, p *modelPerson) string {
	if len(p.facts) > 0 && m.r.IntN(2) == 0 {
		if _, err := m.EndFact(m.t.Context(), p.facts[0].ID, "test"); err != nil {
			m.t.Fatal(err)
		}
		p.facts = p.facts[1:]
		return "a fact that ended"
	}
	in := subject.FactInput{Kind: subject.Objection, Type: "direct_marketing"}
	if m.r.IntN(2) == 0 {
		in = subject.FactInput{Kind: subject.Restriction, Type: "accuracy_dispute", Allowed: []string{"orders"}}
	}
	_, f, err := m.AddFact(m.t.Context(), identity(i), in)
	if err != nil {
		m.t.Fatal(err)
	}
	p.facts = append(p.facts, f)
	return "a fact"
}

func (m *modelWorld) eraseOne(i int, p *modelPerson) {
	err := m.db.Write(m.t.Context(), func(tx *db.Tx) error {
		at, err := m.ledger.Append(tx, ledger.Entry{Kind: "request.completed", Result: "complete"})
		if err != nil {
			return err
		}
		return m.erased.Suppress(m.t.Context(), tx, fmt.Sprintf("dsr_%d", at.ID), identity(i), subject.Erasure{Revision: at.Revision})
	})
	if err != nil {
		m.t.Fatal(err)
	}
	*p = modelPerson{erased: true, never: m.ledger.Head()}
}
