package bench

import (
	"fmt"
	"testing"
	"time"

	"github.com/ombudhq/ombud/app"
)

// measureConsents: decisions and consents against what a service would do by hand. The data lies in OMBUD_BENCH_KEEP, to
// be filled once for several runs, or else in a folder that goes with the test.
func measureConsents(t *testing.T, r *report, s *servers, z size) {
	large, small := newCompany(t, "large", z.subjects), newCompany(t, "small", 1250)
	measureInside(t, r, large, z)
	measureStart(t, r, large)
	large.grow(t, z.rows)
	measureHistory(t, r, large, small, z)
	measureHTTP(t, r, large, small, z)
	measureRecords(t, r, s, z)
}

// measureHistory: what somebody said and was shown, found among few entries and among many, for each entry of theirs.
func measureHistory(t *testing.T, r *report, large, small *company, z size) {
	read := func(name string, c *company, a *app.App) lap {
		d := dice()
		return func(int) map[string]time.Duration {
			begun, entries := time.Now(), 0
			for range 20 {
				said, err := a.Consents.History(t.Context(), a.Consents.Find(identity(d.IntN(c.people))))
				if err != nil || len(said) == 0 {
					t.Fatal(len(said), err)
				}
				entries += len(said)
			}
			return map[string]time.Duration{name: time.Since(begun) / time.Duration(entries)}
		}
	}
	many, few := large.open(t), small.open(t)
	defer large.close(t, many)
	defer small.close(t, few)
	got := takeTurns(z.rounds, read("many rows", large, many), read("few rows", small, few))
	r.ratio(fmt.Sprintf("an entry of one person, ledger of %d against %d entries", large.rows, small.rows), "", got["many rows"], got["few rows"], 0)
}

// measureHTTP asks the real server, with an API key, and a handler that only reads and answers; both are processes of their
// own, and what counts is the processor time they take.
func measureHTTP(t *testing.T, r *report, large, small *company, z size) {
	big, _ := large.serve(t)
	little, _ := small.serve(t)
	bare := startBare(t)
	big.settle()
	little.settle()
	n := max(2000, min(30_000, z.subjects))
	single, hot := large.questions(z.subjects, n, 1), large.questions(1000, n, 1)
	batches := large.questions(z.subjects, n/20, 100)
	got := takeTurns(z.rounds,
		big.lap("single", large, single, 1), bare.lap("bare", large, single, 1),
		big.lap("batch", large, batches, 100),
		big.lap("many rows", large, hot, 1), little.lap("few rows", small, hot, 1))
	r.ratio(fmt.Sprintf("decision over HTTP, %d people x 8: server CPU", z.subjects), "", got["single"], got["bare"], 1.2)
	each := got["batch"].median()
	r.add("batch of 100: server CPU of each decision", "", each.String(), "", "", "", "at most 1µs", verdict(1, float64(each)/1e3))
	r.ratio(fmt.Sprintf("the same, ledger of %d against %d entries", large.rows, small.rows), "", got["many rows"], got["few rows"], 1.3)
	measureRedis(t, r, large, big, z)
}

// measureStart starts the server with its snapshot and without, up to the first answer.
func measureStart(t *testing.T, r *report, c *company) {
	for _, how := range []struct {
		what string
		goal float64
		quit func()
	}{
		{"start from the snapshot, first decision", 1, func() {}},
		{"start without its file, from the copy in the store", 6, c.forgetSnapshot},
		{"start from the entries of the ledger alone", 0, func() { c.forgetSnapshot(); c.forgetCopy(t) }},
	} {
		var took samples
		var rss int
		for range 3 {
			how.quit()
			p, d := c.serve(t)
			took, rss = append(took, d), p.settle().rss(t)
			p.stop(t)
		}
		r.add(fmt.Sprintf("%s, %d people x 8", how.what, c.people), "", took.median().Round(time.Millisecond).String(), "", "", "",
			pick(how.goal > 0, fmt.Sprintf("%gs per 10⁶", how.goal), ""), verdict(how.goal*max(0.2, float64(c.people)/1e6), took.median().Seconds()))
		r.add("resident memory of the server after that", "", fmt.Sprintf("%d MiB", rss), "", "", "", "180 MiB, 10⁶", verdict(180, float64(rss)))
	}
}
