package bench

import (
	"fmt"
	"os"
	"runtime"
	"slices"
	"strings"
	"testing"
)

// size of a run: people in the shop, and rounds of each comparison.
type size struct {
	name   string
	people int
	rounds int
	heavy  []int // rows of the heavy people

	subjects, rows int // people who consented to eight purposes, and the entries that they grow to
	records        int // consents of one round
}

var sizes = map[string]size{
	"tiny":   {"tiny", 3_000, 5, []int{40_000}, 2_000, 20_000, 2_000},
	"short":  {"short", 100_000, 5, []int{400_000}, 50_000, 1_000_000, 20_000},
	"full":   {"full", 1_000_000, 9, []int{400_000, 4_000_000}, 1_000_000, 10_000_000, 50_000},
	"memory": {"memory", 0, 0, []int{400_000, 4_000_000}, 0, 0, 0},
}

// TestBench measures everything: OMBUD_BENCH=short (as make bench does), full or tiny; memory is that
// alone, of people with very many rows. OMBUD_BENCH_ONLY names one engine, or consent (decisions and consents
// alone), fanout, keys, ledger or signin. OMBUD_BENCH_PART names parts, with commas between, of what is measured on an
// engine, or of the ledger: verify or withdraw.
func TestBench(t *testing.T) {
	z, ok := sizes[os.Getenv("OMBUD_BENCH")]
	if !ok {
		t.Skip("make bench measures; here only TestBothSidesAgree runs")
	}
	s := startServers(t, "fsync=on", "synchronous_commit=on", "full_page_writes=on", "shared_buffers=2GB", "max_wal_size=16GB",
		"checkpoint_timeout=1h", "autovacuum=off", "max_connections=400")
	r := &report{t: t}
	fmt.Printf("%s: a shop of %d people, %d rows, 8 tables; medians of %d rounds\n", z.name, z.people, z.people*192/10, z.rounds)
	r.head()
	measured, only := slices.Clone(engines), os.Getenv("OMBUD_BENCH_ONLY")
	// The ledger first: who verifies it has a process of their own, without what the other parts leave to the collector.
	if z.people > 0 && (only == "" || only == "ledger") {
		measureLedger(t, r, s, z)
	}
	if z.subjects > 0 && (only == "" || only == "consent") {
		measureConsents(t, r, s, z)
	}
	if z.people > 0 && (only == "" || only == "fanout") {
		measureFanOut(t, r, z)
	}
	if z.people > 0 && (only == "" || only == "keys") {
		measureKeys(t, r, z)
	}
	if z.people > 0 && (only == "" || only == "signin") {
		measureSignIns(t, r, z)
	}
	switch only {
	case "":
	case "consent", "fanout", "keys", "ledger", "signin":
		measured = nil
	default:
		measured = []string{only}
	}
	if z.people > 0 {
		for _, engine := range measured {
			measureSpeed(t, r, s, engine, z)
		}
	}
	if os.Getenv("OMBUD_BENCH_PART") != "" {
		return
	}
	for _, engine := range measured {
		measureMemory(t, r, s, engine, z)
	}
}

func measureSpeed(t *testing.T, r *report, s *servers, engine string, z size) {
	defer runtime.KeepAlive(make([]byte, 32<<20)) // garbage that may gather, as in a server
	p := newShop(t, s, engine, z.people)
	for _, m := range []struct {
		part    string
		measure func()
	}{
		{"agree", func() { agree(t, s, engine, 700) }},
		{"access", func() { measureAccess(t, r, p, z) }},
		{"erasure", func() { measureErasure(t, r, p, z) }},
		{"growth", func() { measureGrowth(t, r, s, p, z) }},
		{"sweep", func() { measureSweep(t, r, p, z) }},
		{"missing", func() { measureMissing(t, r, p, z) }},
		{"catalog", func() { measureCatalog(t, r, s, engine, z) }},
	} {
		if wanted(m.part) {
			m.measure()
		}
	}
}

// wanted tells whether a part is to be measured: where none is named, all are.
func wanted(part string) bool {
	named := os.Getenv("OMBUD_BENCH_PART")
	return named == "" || slices.Contains(strings.Split(named, ","), part)
}
