package plan_test

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime/debug"
	"strconv"
	"strings"
	"testing"

	"github.com/ombudhq/ombud/catalog"
	"github.com/ombudhq/ombud/connector"
	"github.com/ombudhq/ombud/internal/testkit/world"
	"github.com/ombudhq/ombud/plan"
	"github.com/ombudhq/ombud/subject"
)

// heavyEnv is set in the process that is measured, to the file of the store it works on.
const heavyEnv = "OMBUD_TEST_HEAVY"

// TestMemoryOfManyRows: however many rows a person has, an access and an erasure take no more than 64 MiB
// above what a small person takes. Each is measured in a process of its own, by its peak.
func TestMemoryOfManyRows(t *testing.T) {
	if file := os.Getenv(heavyEnv); file != "" {
		measureHeavy(t, file)
		return
	}
	rows := counts(400_000, 4_000_000)
	store := heavyStore(t, rows)
	bounded(t, store, rows)
	store.Want(t, map[string]string{"select count(*) from orders": "0", "select count(*) from lines": "0", "select count(*) from customers": "1",
		"select count(*) from threads": "0", "select count(*) from messages": "0"})
}

// TestMemoryOfARetry: the same bound holds for a retry, which takes up what a run under a hold left: it must
// know the key of every row of that run, those that went and those that stayed.
func TestMemoryOfARetry(t *testing.T) {
	if file := os.Getenv(heavyEnv); file != "" {
		measureRetry(t, file)
		return
	}
	rows := counts(200_000, 4_000_000)
	store := heavyStore(t, rows)
	bounded(t, store, rows)
	store.Want(t, map[string]string{"select count(*) from orders": "1", "select count(*) from lines": "1", "select count(*) from customers": "2",
		"select count(*) from threads": "0", "select count(*) from messages": "0"})
}

// heavyStore has a person, Ida, of so many rows, and Bo, of few.
func heavyStore(t *testing.T, rows int) *world.Store {
	t.Helper()
	store := world.NewStore(t, "sqlite", "shop")
	store.Exec(t, statements(customers+`
create table orders (id integer primary key, customer_id integer not null references customers(id), note varchar(80));
create index by_customer on orders (customer_id);
create table lines (id integer primary key, order_id integer not null references orders(id), what varchar(80));
create index by_order on lines (order_id);
create table threads (id integer primary key, customer_id integer not null references customers(id), title varchar(80));
create index threads_by_customer on threads (customer_id);
create table messages (id integer primary key, thread_id integer not null references threads(id), answers integer references messages(id), author_id integer references customers(id), body varchar(80));
create index by_thread on messages (thread_id);
create index by_answer on messages (answers);
create index by_author on messages (author_id);
insert into orders values (1, 2, 'small');
insert into lines values (1, 1, 'small');`+strings.Join([]string{
		fill("orders", rows/4, "n, 1, 'note of order number ' || n"),
		fill("lines", rows/4, fmt.Sprintf("n, 2 + n %% %d, 'an article in a box, ' || n", rows/4-2)),
		fill("threads", rows/4, "n, 1, 'about parcel number ' || n"),
		fill("messages", rows/4, fmt.Sprintf("n, 2 + n %% %d, case when n %% 3 = 0 then n - 1 end, 1, 'dear all, this is message ' || n", rows/4-2)),
	}, ""))...)
	return store
}

// bounded runs the test once more in a process of its own, which says what it took above idle.
func bounded(t *testing.T, store *world.Store, rows int) {
	t.Helper()
	const bound = 64 << 10 // KiB
	cmd := exec.Command(os.Args[0], "-test.run=^"+t.Name()+"$", "-test.timeout=30m")
	cmd.Env = append(os.Environ(), heavyEnv+"="+store.DSN)
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	_, after, _ := strings.Cut(string(out), "above idle: ")
	words := strings.Fields(after)
	if len(words) == 0 {
		t.Fatalf("nothing measured:\n%s", out)
	}
	kib, err := strconv.Atoi(words[0])
	if err != nil || kib > bound {
		t.Errorf("%d rows take %d KiB above idle, at most %d: %v", rows, kib, bound, err)
	}
	t.Logf("%d rows take %d MiB above idle", rows, kib>>10)
}

// fill inserts rows 2 to n.
func fill(table string, n int, columns string) string {
	return fmt.Sprintf(`
with recursive s (n) as (select 2 union all select n + 1 from s where n < %d) insert into %s select %s from s;`, n, table, columns)
}

// counter is a sink that keeps nothing.
type counter int

func (c *counter) Row(plan.Item, []connector.Value) error { *c++; return nil }

func heavyWorld(t *testing.T, file string) *world.World {
	t.Helper()
	return world.New(t, world.Options{Dir: filepath.Join(t.TempDir(), "data"), Config: &catalog.Config{Systems: []catalog.System{{ID: "shop", Connector: "sqlite", DSN: file,
		People: []catalog.People{{Table: "customers", By: map[string]string{"email": "email", "customer": "id"}}}}}}})
}

func measureHeavy(t *testing.T, file string) {
	w := heavyWorld(t, file)
	answerBoth(t, w, "dsr_small", "bo@example.com")
	debug.FreeOSMemory()
	idle := kibOf(t, "VmRSS:")
	answerBoth(t, w, "dsr_heavy", "ida@example.com")
	fmt.Printf("above idle: %d KiB\n", kibOf(t, "VmHWM:")-idle)
}

// measureRetry erases under a hold, measures what the retry takes once it has ended, and leaves Bo alone.
func measureRetry(t *testing.T, file string) {
	w := heavyWorld(t, file)
	q := plan.Question{Request: "dsr_held", Kind: plan.Erasure, People: []plan.Person{world.Person("email=ida@example.com")}}
	holds, err := w.Holds.Add(t.Context(), subject.HoldInput{Subjects: q.People[0].Identities, System: "shop", Dataset: "lines", Because: "a claim", Actor: "test"})
	if err != nil {
		t.Fatal(err)
	}
	q.Holds = holds
	erase(t, w, q)
	q.Holds = nil
	debug.FreeOSMemory()
	if err := os.WriteFile("/proc/self/clear_refs", []byte("5"), 0); err != nil { // the peak starts from here
		t.Skip("the peak of memory cannot be set back")
	}
	idle := kibOf(t, "VmRSS:")
	erase(t, w, q)
	fmt.Printf("above idle: %d KiB\n", kibOf(t, "VmHWM:")-idle)
}

// answerBoth gives a person their data and then erases it.
func answerBoth(t *testing.T, w *world.World, request, email string) {
	t.Helper()
	ctx, rows := context.Background(), counter(0)
	q := plan.Question{Request: request, Kind: plan.Erasure, People: []plan.Person{world.Person("email=" + email)}}
	if _, _, err := w.Engine.Export(ctx, q, &rows, nil); err != nil || rows < 3 {
		t.Fatalf("%d rows exported: %v", rows, err)
	}
	erase(t, w, q)
}

func erase(t *testing.T, w *world.World, q plan.Question) {
	t.Helper()
	p, err := w.Engine.Plan(t.Context(), q)
	if err != nil {
		t.Fatal(err)
	}
	if o, err := w.Engine.Run(t.Context(), q, p, nil); err != nil || !isComplete(o) {
		t.Fatalf("%v %+v", err, o)
	}
}

func kibOf(t *testing.T, field string) int {
	t.Helper()
	b, err := os.ReadFile("/proc/self/status")
	if err != nil {
		t.Skip("memory is read from /proc")
	}
	_, after, _ := strings.Cut(string(b), field)
	n, err := strconv.Atoi(strings.Fields(after)[0])
	if err != nil {
		t.Fatal(err)
	}
	return n
}
