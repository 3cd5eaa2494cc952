package bench

import (
	"fmt"
	"runtime"
	"testing"
	"time"

	"github.com/ombudhq/ombud/consent"
	"github.com/ombudhq/ombud/subject"
)

// measureInside asks without a wire, beside a Go map of the same people and words.
func measureInside(t *testing.T, r *report, c *company, z size) {
	before := heap()
	a := c.open(t)
	defer c.close(t, a)
	used := float64(heap()-before) / (1 << 20)
	goal := 100 * max(0.05, float64(c.people)/1e6)
	r.add(fmt.Sprintf("heap of the decision index and all else, %d people x 8", c.people), "", fmt.Sprintf("%.1f MiB", used), "", "", "", fmt.Sprintf("%.1f MiB", goal), verdict(goal, used))

	s, d := a.Consents, dice()
	words := map[subject.Key][purposes]uint64{}
	for i := range c.people {
		words[a.People.Key(identity(i))] = [purposes]uint64{1, 1, 1, 1, 1, 1, 1, 1}
	}
	n := 200_000
	handles, keys, ids, what := make([]consent.Handle, n), make([]subject.Key, n), make([]subject.Identity, n), make([]int, n)
	names := make([]string, purposes)
	for i := range names {
		names[i] = purposeID(i)
	}
	for i := range n {
		ids[i], what[i] = identity(d.IntN(c.people)), d.IntN(purposes)
		handles[i], keys[i] = s.Find(ids[i]), a.People.Key(ids[i])
	}
	yes := func(name string, ask func(i int) bool) lap {
		return func(int) map[string]time.Duration {
			begun := time.Now()
			for i := range n {
				if !ask(i) {
					panic("a no")
				}
			}
			return map[string]time.Duration{name: time.Since(begun) / time.Duration(n)}
		}
	}
	minute, questions := s.Now(), make([]consent.Question, purposes)
	for i := range questions {
		questions[i] = s.Question(names[i], "usage")
	}
	got := takeTurns(max(z.rounds, 31),
		yes("handle", func(i int) bool { return s.Decide(handles[i], names[what[i]], "usage", false).Allowed }),
		yes("given minute", func(i int) bool { return s.DecideAt(minute, handles[i], names[what[i]], "usage", false).Allowed }),
		yes("question", func(i int) bool { return questions[what[i]].Decide(minute, &handles[i]).Allowed }),
		yes("map", func(i int) bool { return words[keys[i]][what[i]] != 0 }),
		yes("email", func(i int) bool { return s.Decide(s.Find(ids[i]), names[what[i]], "usage", false).Allowed }))
	r.ratio("decision in process, by handle, question looked up once, against one map probe", "", got["question"], got["map"], 1.2)
	r.ratio("the same with the purpose looked up each time", "", got["given minute"], got["map"], 1.2)
	r.ratio("the same and the clock read each time", "", got["handle"], got["map"], 1.2)
	r.ratio("decision in process, by e-mail, against by handle", "", got["email"], got["handle"], 2.5)
	allocs := testing.AllocsPerRun(1000, func() {
		s.Decide(handles[1], names[what[1]], "usage", false)
		questions[0].Decide(minute, &handles[1])
	})
	r.add("allocations of a decision in process, by handle", "", fmt.Sprint(allocs), "", "", "", "0", verdict(0.5, allocs))
}

func heap() uint64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}
