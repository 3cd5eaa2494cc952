package bench

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"
)

// samples are what one thing took in each round, per unit of work.
type samples []time.Duration

func (s samples) median() time.Duration {
	o := slices.Sorted(slices.Values(s))
	return o[len(o)/2]
}

// lap does one side's work of a round and tells how long each named part of it took, per unit.
type lap func(round int) map[string]time.Duration

// takeTurns warms up with round 0, then measures: A B in one round, B A in the next.
func takeTurns(rounds int, laps ...lap) map[string]samples {
	out := map[string]samples{}
	for round := range rounds + 1 {
		order := slices.Clone(laps)
		if round%2 == 1 {
			slices.Reverse(order)
		}
		for _, l := range order {
			for name, d := range l(round) {
				if round > 0 {
					out[name] = append(out[name], d)
				}
			}
		}
	}
	return out
}

// spread is a ratio of every round: its median, smallest and largest.
type spread struct{ median, low, high float64 }

func ratio(ours, theirs samples) spread {
	rs := make([]float64, len(ours))
	for i := range ours {
		rs[i] = float64(ours[i]) / float64(theirs[min(i, len(theirs)-1)])
	}
	slices.Sort(rs)
	return spread{rs[len(rs)/2], rs[0], rs[len(rs)-1]}
}

// report is the table that `make bench` prints.
type report struct {
	t     testing.TB
	lines []string
}

// ratio adds a row. A goal of 0 is none: the row only informs.
func (r *report) ratio(what, engine string, ours, theirs samples, goal float64) {
	s := ratio(ours, theirs)
	r.add(what, engine, ours.median().String(), theirs.median().String(), fmt.Sprintf("%.2fx", s.median), fmt.Sprintf("%.2f to %.2f", s.low, s.high), limit(goal), verdict(goal, s.median))
}

// faster adds a row of what should be so many times as fast as the other.
func (r *report) faster(what, engine string, ours, theirs samples, goal float64) {
	s, least, result := ratio(theirs, ours), "", ""
	if goal > 0 {
		least, result = fmt.Sprintf("at least %gx", goal), verdict(s.median, goal)
	}
	r.add(what, engine, ours.median().String(), theirs.median().String(), fmt.Sprintf("%.2fx", s.median), fmt.Sprintf("%.2f to %.2f", s.low, s.high), least, result)
}

func limit(goal float64) string {
	if goal == 0 {
		return ""
	}
	return fmt.Sprintf("at most %gx", goal)
}

func verdict(goal, value float64) string {
	switch {
	case goal == 0:
		return ""
	case value <= goal:
		return "met"
	}
	return "NOT MET"
}

func (r *report) add(cells ...string) {
	widths := []int{58, 9, 13, 13, 10, 16, 14, 8}
	var b strings.Builder
	for i, c := range cells {
		fmt.Fprintf(&b, "%-*s ", widths[i], c)
	}
	line := strings.TrimRight(b.String(), " ")
	r.lines = append(r.lines, line)
	fmt.Fprintln(os.Stdout, line)
}

func (r *report) head() {
	r.add("what", "engine", "Ombud", "expert", "ratio", "min to max", "goal", "")
}
