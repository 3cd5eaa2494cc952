package consent_test

import (
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/ombudhq/ombud/consent"
	"github.com/ombudhq/ombud/internal/clock"
	"github.com/ombudhq/ombud/purpose"
	"github.com/ombudhq/ombud/subject"
)

// BenchmarkDecide asks about random people by handle, beside one probe of a Go map of the same people and words, in turns.
func BenchmarkDecide(b *testing.B) {
	people, _ := strconv.Atoi(os.Getenv("OMBUD_DECIDE_PEOPLE"))
	people = max(people, 50_000)
	var all []purpose.Purpose
	for i := range 8 {
		p := letters()
		p.ID = fmt.Sprintf("purpose-%d", i)
		all = append(all, p)
	}
	w := newWorld(b, all...)
	w.SetClock(clock.System{})
	words := map[subject.Key][8]uint64{}
	who := func(n int) subject.Identity {
		return subject.Identity{Kind: "email", Value: fmt.Sprintf("person-%d@example.com", n)}
	}
	key := func(n int) subject.Key { return w.people.Key(who(n)) }
	w.Fill(people, 8, key)
	for n := range people {
		words[key(n+1)] = [8]uint64{1, 1, 1, 1, 1, 1, 1, 1}
	}
	const n = 100_000
	handles, keys, what, ids := make([]consent.Handle, n), make([]subject.Key, n), make([]int, n), make([]subject.Identity, n)
	d := rand.New(rand.NewPCG(3, 5))
	for i := range n {
		p := d.IntN(people) + 1
		handles[i], keys[i], what[i], ids[i] = consent.HandleOf(subject.Number(p)), key(p), d.IntN(8), who(p)
	}
	names := make([]string, 8)
	for i := range names {
		names[i] = fmt.Sprintf("purpose-%d", i)
	}
	run := func(ask func(i int) bool) float64 {
		begun := time.Now()
		for i := range n {
			if !ask(i) {
				b.Fatal("a no")
			}
		}
		return float64(time.Since(begun).Nanoseconds()) / n
	}
	questions := make([]consent.Question, 8)
	for i := range questions {
		questions[i] = w.Question(names[i], "usage")
	}
	took := map[string][]float64{}
	minute := w.Now()
	for b.Loop() {
		took["handle"] = append(took["handle"], run(func(i int) bool { return w.Decide(handles[i], names[what[i]], "usage", false).Allowed }))
		took["minute"] = append(took["minute"], run(func(i int) bool { return w.DecideAt(minute, handles[i], names[what[i]], "usage", false).Allowed }))
		took["question"] = append(took["question"], run(func(i int) bool { return questions[what[i]].Decide(minute, &handles[i]).Allowed }))
		took["question,now"] = append(took["question,now"], run(func(i int) bool { return questions[what[i]].Decide(w.Now(), &handles[i]).Allowed }))
		took["email"] = append(took["email"], run(func(i int) bool { return w.Decide(w.Find(ids[i]), names[what[i]], "usage", false).Allowed }))
		took["look"] = append(took["look"], run(func(i int) bool { return w.Look(handles[i], what[i]) != 0 }))
		took["map"] = append(took["map"], run(func(i int) bool { return words[keys[i]][what[i]] != 0 }))
	}
	for name, list := range took {
		b.ReportMetric(slices.Sorted(slices.Values(list))[len(list)/2], "ns/"+name)
	}
	b.ReportMetric(0, "ns/op")
}
