package bench

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"runtime/debug"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/ombudhq/ombud/internal/testkit/pgtest"
	"github.com/ombudhq/ombud/internal/testkit/world"
	"github.com/ombudhq/ombud/plan"
)

// childEnv makes this test binary one measured process: "engine kind small heavy dsn".
const childEnv = "OMBUD_BENCH_CHILD"

func TestMain(m *testing.M) {
	if os.Getenv(childEnv) != "" {
		os.Exit(child(os.Getenv(childEnv)))
	}
	os.Exit(pgtest.Main(m))
}

// bound is how far memory may rise above idle, in MiB, whatever the person's rows.
const bound = 64

// measureMemory: people with very many rows, each case in a process of its own.
func measureMemory(t *testing.T, r *report, s *servers, engine string, z size) {
	p := newShop(t, s, engine, 2000)
	for i, rows := range z.heavy {
		heavy(t, p, 10_000_000*(i+1), rows)
	}
	p.settle(t)
	for i, rows := range z.heavy {
		for k, kind := range []plan.Kind{plan.Access, plan.Erasure} {
			mib, took := inChild(t, p, kind, 5+2*i+k, 10_000_000*(i+1))
			r.add(fmt.Sprintf("memory above idle, %s, a person of %d rows", kind, rows), engine, fmt.Sprintf("%.0f MiB", mib), "", "", took.Round(time.Millisecond).String(), fmt.Sprintf("%d MiB", bound), verdict(bound, mib))
		}
	}
}

// heavy adds one person with that many rows: in every table the share that the shop's people have there.
func heavy(t *testing.T, p *shop, first, rows int) {
	t.Helper()
	series := func(n int) (string, string) {
		if p.engine == "postgres" {
			return "", fmt.Sprintf("generate_series(%d, %d) value", first+1, first+n)
		}
		return fmt.Sprintf("WITH RECURSIVE s (value) AS (SELECT %d UNION ALL SELECT value + 1 FROM s WHERE value < %d) ", first+1, first+n), "s"
	}
	at := "'2025-01-01 00:00:00'"
	if p.engine == "postgres" {
		at = "timestamp " + at
	}
	staff := "value % 3 = 0"
	add := func(table string, share float64, columns string) {
		with, from := series(int(float64(rows) * share / 19.2))
		p.run(t, with+"INSERT INTO "+table+" SELECT "+columns+" FROM "+from)
	}
	me := strconv.Itoa(first + 1)
	add("users", 19.3/float64(rows), "value, 'User."+strconv.Itoa(first)+"@Example.org', 'Heavy Person', '+49', "+at)
	add("addresses", 1.2, "value, "+me+", 'Street ' || value, 'City', '10000', 'DE'")
	add("orders", 3, "value, "+me+", "+me+", "+at+", 'paid', 100")
	add("order_items", 6, fmt.Sprintf("value, %d + value %% %d, 'SKU-' || value, 'Article number ' || value || ' in a box', 1, 99", first+1, int(float64(rows)*3/19.2)))
	add("payments", 3, fmt.Sprintf("value, %d + value %% %d, 'card', 100, 'REF' || value, ", first+1, int(float64(rows)*3/19.2))+at)
	add("sessions", 4, "value, "+me+", 'token' || value, 'Mozilla/5.0 (X11; Linux x86_64) Gecko/20100101', '10.1.1.1', "+at)
	add("tickets", 0.5, "value, "+me+", 'Where is my parcel', "+at)
	add("ticket_messages", 1.5, fmt.Sprintf("value, %d + value %% %d, %s, 'Dear all, this is message ' || value || ' of a long conversation about a parcel.', ", first+1, int(float64(rows)*0.5/19.2), staff)+at)
}

func inChild(t *testing.T, p *shop, kind plan.Kind, small, who int) (mib float64, took time.Duration) {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), fmt.Sprintf("%s=%s %s %d %d %s", childEnv, p.engine, kind, small, who, p.dsn))
	cmd.Stderr = os.Stderr
	start := time.Now()
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("the measured process failed: %v", err)
	}
	if mib, err = strconv.ParseFloat(strings.TrimSpace(string(out)), 64); err != nil {
		t.Fatal(err)
	}
	return mib, time.Since(start)
}

// child answers a small person first, then the heavy one, and prints by how many MiB memory rose between.
func child(what string) int {
	if what == "bare" {
		return bare()
	}
	if n, ok := strings.CutPrefix(what, servicesAway); ok {
		many, _ := strconv.Atoi(n)
		return serveAway(many)
	}
	if socket, ok := strings.CutPrefix(what, profiled); ok {
		return serveProfiled(socket)
	}
	f := strings.SplitN(what, " ", 5)
	small, _ := strconv.Atoi(f[2])
	who, _ := strconv.Atoi(f[3])
	dir, err := os.MkdirTemp("", "ombud-bench-")
	if err == nil {
		defer os.RemoveAll(dir)
		err = measureChild(&shop{engine: f[0], dsn: f[4]}, plan.Kind(f[1]), small, who, dir)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return 0
}

func measureChild(p *shop, kind plan.Kind, small, who int, dir string) error {
	ctx := context.Background()
	w, err := world.Open(ctx, world.Options{Config: p.config(), Dir: dir, SweepMS: -1})
	if err != nil {
		return err
	}
	defer w.Close()
	if err := answer(ctx, w, kind, small); err != nil {
		return err
	}
	debug.FreeOSMemory()
	idle, err := status("VmRSS:")
	if err != nil {
		return err
	}
	if err := os.WriteFile("/proc/self/clear_refs", []byte("5"), 0); err != nil { // the peak starts from here
		return err
	}
	if err := answer(ctx, w, kind, who); err != nil {
		return err
	}
	peak, err := status("VmHWM:")
	fmt.Printf("%.1f\n", float64(peak-idle)/1024)
	return err
}

func answer(ctx context.Context, w *world.World, kind plan.Kind, who int) error {
	q := plan.Question{Request: fmt.Sprint("heavy-", who), Kind: kind, People: []plan.Person{person(who)}}
	if kind == plan.Access {
		e := &encoder{}
		_, _, err := w.Engine.Export(ctx, q, e, nil)
		if err == nil && e.rows < 10 {
			err = fmt.Errorf("%d rows only", e.rows)
		}
		return err
	}
	p, err := w.Engine.Plan(ctx, q)
	if err != nil {
		return err
	}
	o, err := w.Engine.Run(ctx, q, p, nil)
	if err != nil {
		return err
	}
	for _, r := range o.Remaining {
		if r.Code != "sweep-queued" {
			return fmt.Errorf("remaining: %+v", r)
		}
	}
	return nil
}

// status reads a line of /proc/self/status, in KiB.
func status(line string) (int, error) {
	b, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return 0, err
	}
	_, rest, _ := strings.Cut(string(b), line)
	return strconv.Atoi(strings.Fields(rest)[0])
}
