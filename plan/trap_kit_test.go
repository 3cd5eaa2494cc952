package plan_test

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/ombudhq/ombud/catalog"
	"github.com/ombudhq/ombud/connector"
	"github.com/ombudhq/ombud/internal/testkit/mariatest"
	"github.com/ombudhq/ombud/internal/testkit/world"
	"github.com/ombudhq/ombud/plan"
)

// customers is who everybody in a trap is: Ida, whose data is asked for, Bo beside her, and Ida
// Nordman, who looks like her and must come out untouched.
const customers = `create table customers (id integer primary key, email varchar(100) not null unique, name varchar(100));
insert into customers values (1, 'Ida@Example.com', 'Ida Nordmann'), (2, 'bo@example.com', 'Bo Berg'), (3, 'frida@example.com', 'Ida Nordman');`

// trap is one company with one difficulty.
type trap struct {
	on     []string          // engines that have it; nil is all
	maria  bool              // MySQL has it not, where it stands in for MariaDB
	tables string            // statements, each ending in a semicolon at the end of a line
	extra  map[string]string // further statements of one engine, behind tables
	system catalog.System    // what ombud.yaml says of it
	person plan.Person       // who asks; by default Ida
}

// trapped is a trap laid on one engine, with the program around it.
type trapped struct {
	*world.World
	store   *world.Store
	engine  string
	options world.Options
	person  plan.Person
}

// spring lays the trap on every engine that has it.
func (tr trap) spring(t *testing.T, check func(t *testing.T, c *trapped)) {
	t.Helper()
	on := tr.on
	if on == nil {
		on = world.Engines
	}
	for _, engine := range on {
		t.Run(engine, func(t *testing.T) {
			if tr.maria && engine == "mariadb" && mariatest.MySQL(t) {
				t.Skip("MySQL has no such type or table")
			}
			check(t, tr.lay(t, engine))
		})
	}
}

// lay makes the store and opens the program on it.
func (tr trap) lay(t *testing.T, engine string) *trapped {
	t.Helper()
	c := &trapped{store: world.NewStore(t, engine, "shop"), engine: engine, person: tr.person}
	c.store.Exec(t, statements(tr.tables)...)
	c.store.Exec(t, statements(tr.extra[engine])...)
	if c.person.Identities == nil {
		c.person = world.Person("email=ida@example.com")
	}
	system := tr.system
	system.ID, system.Connector, system.DSN = "shop", c.store.Connector(), c.store.DSN
	if system.People == nil {
		system.People = []catalog.People{{Table: "customers", By: map[string]string{"email": "email", "customer": "id"}}}
	}
	c.options = world.Options{Config: &catalog.Config{Systems: []catalog.System{system}}, Dir: t.TempDir()}
	return c
}

// statements cuts at semicolons that end a line, so that a trigger's body stays whole.
func statements(script string) []string {
	var out []string
	for _, s := range strings.Split(script, ";\n") {
		if s = strings.TrimSuffix(strings.TrimSpace(s), ";"); s != "" {
			out = append(out, s)
		}
	}
	return out
}

// open starts the program when it is first needed, so that a test can still change the options.
func (c *trapped) open(t *testing.T) *world.World {
	t.Helper()
	if c.World == nil {
		c.World = world.New(t, c.options)
	}
	return c.World
}

func (c *trapped) question(kind plan.Kind) plan.Question {
	return plan.Question{Request: "dsr_1", Kind: kind, People: []plan.Person{c.person}}
}

// plan asks what an erasure would do.
func (c *trapped) plan(t *testing.T) *plan.Plan {
	t.Helper()
	p, err := c.open(t).Engine.Plan(context.Background(), c.question(plan.Erasure))
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// run does an approved plan and checks that no key was torn.
func (c *trapped) run(t *testing.T, p *plan.Plan) *plan.Outcome {
	t.Helper()
	o, err := c.Engine.Run(context.Background(), c.question(plan.Erasure), p, nil)
	if err != nil {
		t.Fatal(err)
	}
	c.Verify(t, c.store)
	if o.Status == plan.Complete {
		stillComplete(t, c.World, c.question(plan.Erasure), p)
	}
	return o
}

// erase plans and runs, and says how it must end.
func (c *trapped) erase(t *testing.T, status plan.Status) *plan.Outcome {
	t.Helper()
	o := c.run(t, c.plan(t))
	if o.Status != status {
		t.Errorf("the erasure is %s, want %s: remaining %+v, gaps %+v", o.Status, status, o.Remaining, o.Gaps)
	}
	return o
}

// want holds what queries give now against what they must: cells joined by commas, rows by spaces.
func (c *trapped) want(t *testing.T, answers ...string) {
	t.Helper()
	for i := 0; i < len(answers); i += 2 {
		if got := c.rows(t, answers[i]); got != answers[i+1] {
			t.Errorf("%s:\n got %q\nwant %q", answers[i], got, answers[i+1])
		}
	}
}

func (c *trapped) rows(t *testing.T, query string) string {
	t.Helper()
	rs, err := c.store.DB.QueryContext(context.Background(), query)
	if err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	defer rs.Close()
	columns, err := rs.Columns()
	if err != nil {
		t.Fatal(err)
	}
	cells, into := make([]sql.NullString, len(columns)), make([]any, len(columns))
	for i := range cells {
		into[i] = &cells[i]
	}
	var out []string
	for rs.Next() {
		if err := rs.Scan(into...); err != nil {
			t.Fatal(err)
		}
		var row []string
		for _, v := range cells {
			if !v.Valid {
				v.String = "NULL"
			}
			row = append(row, v.String)
		}
		out = append(out, strings.Join(row, ","))
	}
	if err := rs.Err(); err != nil {
		t.Fatal(err)
	}
	return strings.Join(out, " ")
}

// parcel is an access package as the engine gives it: rows by dataset, cells joined by commas.
type parcel map[string][]string

func (p parcel) Row(d plan.Item, row []connector.Value) error {
	var cells []string
	for i, v := range row {
		switch {
		case slices.Contains(d.Withheld, d.Columns[i].Name):
			cells = append(cells, "WITHHELD")
		case v.IsNull():
			cells = append(cells, "NULL")
		default:
			cells = append(cells, v.S)
		}
	}
	p[d.Dataset] = append(p[d.Dataset], strings.Join(cells, ","))
	slices.Sort(p[d.Dataset])
	return nil
}

// wantRows holds the rows of one dataset against what the person must get.
func (p parcel) wantRows(t *testing.T, dataset string, rows ...string) {
	t.Helper()
	if !slices.Equal(p[dataset], rows) {
		t.Errorf("the package has of %s %q, want %q", dataset, p[dataset], rows)
	}
}

// without: no cell of the package holds any of these texts.
func (p parcel) without(t *testing.T, texts ...string) {
	t.Helper()
	all := strings.ToLower(fmt.Sprint(p))
	for _, s := range texts {
		if strings.Contains(all, strings.ToLower(s)) {
			t.Errorf("the package holds %q", s)
		}
	}
}

// export answers an access request.
func (c *trapped) export(t *testing.T) (parcel, *plan.Outcome) {
	t.Helper()
	p := parcel{}
	_, o, err := c.open(t).Engine.Export(context.Background(), c.question(plan.Access), p, nil)
	if err != nil {
		t.Fatal(err)
	}
	return p, o
}

// named reports whether something is said to be left, or not known, in exactly this place.
func named(rs []plan.Remaining, code, dataset string) bool {
	return slices.ContainsFunc(rs, func(r plan.Remaining) bool {
		return r.System == "shop" && r.Code == code && r.Dataset == dataset && r.Why != "" && r.Who != "" && r.Next != ""
	})
}

// wantNamed holds an outcome or a plan to naming a place.
func wantNamed(t *testing.T, rs []plan.Remaining, code, dataset string) {
	t.Helper()
	if !named(rs, code, dataset) {
		t.Errorf("nothing names %s of %q: %+v", code, dataset, rs)
	}
}

// warned reports whether the plan warns of this.
func warned(p *plan.Plan, code, dataset string) bool {
	return slices.ContainsFunc(p.Warnings, func(w plan.Warning) bool { return w.Code == code && w.Dataset == dataset })
}

// step is the plan's steps for a dataset, "method rows" each.
func steps(p *plan.Plan, dataset string) string {
	var out []string
	for _, s := range p.Systems {
		for _, st := range s.Datasets {
			if st.Name == dataset {
				out = append(out, fmt.Sprint(st.Method, " ", st.Rows))
			}
		}
	}
	slices.Sort(out)
	return strings.Join(out, ", ")
}

// own is the everyday link: the child is the customer's.
func own(from string) catalog.Link { return catalog.Link{From: from, To: "customers.id"} }
