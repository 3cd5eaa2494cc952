package consent_test

import (
	"fmt"
	"math/rand/v2"
	"os"
	"sync"
	"testing"
	"time"

	"github.com/anishathalye/porcupine"

	"github.com/ombudhq/ombud/consent"
	"github.com/ombudhq/ombud/internal/fault"
	"github.com/ombudhq/ombud/subject"
)

func counts(short, soak int) int {
	if os.Getenv("OMBUD_SOAK") != "" {
		return soak
	}
	return short
}

// call is what a client did, reply what it was told.
type call struct {
	person int
	act    string // ask, yes, no
	seen   int64  // of a yes; 0 for none
}

type reply struct {
	ok       bool
	revision int64
}

// register is the slow, obvious model of one person and one purpose.
type register struct {
	given     bool
	withdrawn int64 // revision of the last no
}

var linearModel = porcupine.Model{
	Partition: func(history []porcupine.Operation) [][]porcupine.Operation {
		people := map[int][]porcupine.Operation{}
		for _, op := range history {
			p := op.Input.(call).person
			people[p] = append(people[p], op)
		}
		var out [][]porcupine.Operation
		for _, ops := range people {
			out = append(out, ops)
		}
		return out
	},
	Init: func() any { return register{} },
	Step: func(st, in, out any) (bool, any) {
		s, c, r := st.(register), in.(call), out.(reply)
		switch c.act {
		case "ask":
			return r.ok == s.given, s
		case "no":
			return r.revision > s.withdrawn, register{withdrawn: r.revision}
		}
		late := c.seen != 0 && c.seen < s.withdrawn || c.seen == 0 && s.withdrawn != 0 && !s.given
		if r.ok == late {
			return false, s
		}
		return true, register{given: s.given || r.ok, withdrawn: s.withdrawn}
	},
	Equal: func(a, b any) bool { return a == b },
}

// TestWithdrawalsHoldForEveryReader: writers and readers at once, restarts between; the history must have an order in which
// every answer is right.
func TestWithdrawalsHoldForEveryReader(t *testing.T) {
	const people, clients = 16, 8
	w := newWorld(t, letters())
	var mu sync.Mutex
	var history []porcupine.Operation
	begin := time.Now()
	rounds := 4
	each := counts(20_000, 1_000_000) / clients / rounds
	for round := range rounds {
		var wait sync.WaitGroup
		for id := range clients {
			wait.Go(func() {
				r := rand.New(rand.NewPCG(uint64(round), uint64(id)))
				ops := make([]porcupine.Operation, 0, each)
				for range each {
					c := call{person: r.IntN(people)}
					op := porcupine.Operation{ClientId: id, Call: time.Since(begin).Nanoseconds()}
					op.Output = w.act(&c, r)
					op.Input, op.Return = c, time.Since(begin).Nanoseconds()
					ops = append(ops, op)
				}
				mu.Lock()
				defer mu.Unlock()
				history = append(history, ops...)
			})
		}
		wait.Wait()
		if round%2 == 0 {
			if err := w.SaveSnapshot(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		w.restart()
	}
	if !porcupine.CheckOperations(linearModel, history) {
		t.Fatalf("no order of these %d operations explains the answers", len(history))
	}
}

// act does one random thing; a yes carries the revision of an answer had just before, of none, or an old one.
func (w *world) act(c *call, r *rand.Rand) reply {
	who := []subject.Identity{{Kind: "email", Value: fmt.Sprintf("p%d@example.com", c.person)}}
	switch n := r.IntN(10); {
	case n < 6:
		c.act = "ask"
		v := w.Decide(w.Find(who...), "letters", "contact", false)
		return reply{v.Allowed, v.Revision}
	case n < 8:
		c.act = "no"
		out, err := w.Withdraw(w.t.Context(), consent.WithdrawInput{Subject: who, Purpose: "letters"})
		if err != nil {
			w.t.Error(err)
		}
		return reply{true, out.Revision}
	}
	c.act = "yes"
	in := yes()
	in.Subject = who
	if seen := w.Revision() - int64(r.IntN(3)*r.IntN(40)); r.IntN(4) > 0 && seen > 0 {
		c.seen, in.Notice.SeenRevision = seen, &seen
	}
	out, err := w.Record(w.t.Context(), in)
	if kind := fault.KindOf(err); err != nil && kind != fault.Invalid && kind != fault.Conflict {
		w.t.Error(err)
	}
	return reply{err == nil, out.Revision}
}
