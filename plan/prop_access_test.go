package plan_test

import (
	"archive/zip"
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/ombudhq/ombud/connector"
	"github.com/ombudhq/ombud/internal/testkit/model"
	"github.com/ombudhq/ombud/internal/testkit/world"
	"github.com/ombudhq/ombud/plan"
	"github.com/ombudhq/ombud/request"
)

// TestAccessPurity asks for every person of random companies, each of whose cells holds a token of its
// own. All of a person's must be in what they get, cell by cell and in the bytes of the package, and
// nobody else's.
func TestAccessPurity(t *testing.T) {
	eachEngine(t, func(t *testing.T, engine string) {
		stores := databases(t, engine)
		people, chosen := 0, os.Getenv("OMBUD_SEED") != ""
		for _, seed := range seeds(t, counts(100, 1000)) {
			if people < counts(100, 1000) || chosen {
				t.Run(fmt.Sprint(seed), func(t *testing.T) { people += shipEverybody(t, seed, engine, stores, world.Options{}) })
			}
		}
		t.Logf("%d people", people)
	})
}

// shipEverybody asks for each person of a company once and says how many there were.
func shipEverybody(t *testing.T, seed uint64, engine string, stores map[string]*world.Store, o world.Options) int {
	c := load(t, seed, engine, stores)
	w := c.open(o)
	n := 0
	for _, table := range c.Tables {
		if table.People["email"] == "" {
			continue
		}
		for _, r := range table.Rows {
			if v := r.Cell("email"); !v.Null {
				c.Question = model.Question{Identities: []model.Identity{{Kind: "email", Value: v.S}}}
				c.shipOne(t, w, n)
				n++
			}
		}
	}
	if t.Failed() {
		t.Log(c.story())
	}
	return n
}

// shipped takes what the engine exports.
type shipped struct {
	c    *company
	rows map[string][][]connector.Value // by table and mark
	bad  []string
}

// Row remembers one row and checks that withheld cells are empty and named.
func (s *shipped) Row(d plan.Item, row []connector.Value) error {
	table := s.c.table(d.System, d.Dataset)
	r := &model.Row{Table: table}
	for i, col := range d.Columns {
		if table == nil || table.Columns[i].Name != col.Name {
			s.bad = append(s.bad, fmt.Sprintf("%s.%s: a column that is not there: %q", d.System, d.Dataset, col.Name))
			return nil
		}
		r.Cells = append(r.Cells, cellOf(row[i]))
	}
	for _, name := range d.Withheld {
		if !r.Cell(name).Null {
			s.bad = append(s.bad, fmt.Sprintf("%s.%q is named as withheld and not empty", d.Dataset, name))
		}
	}
	key := table.ID() + "\x00" + r.Mark()
	if s.rows[key] != nil && len(table.Mark) == 1 {
		s.bad = append(s.bad, "twice: "+key)
	}
	s.rows[key] = append(s.rows[key], slices.Clone(row))
	return nil
}

func (c *company) table(system, name string) *model.Table {
	for _, t := range c.Tables {
		if t.System == system && t.Name == name {
			return t
		}
	}
	return nil
}

func (c *company) shipOne(t *testing.T, w *world.World, n int) {
	t.Helper()
	want := model.Access(c.Company.Company, c.Question)
	got := &shipped{c: c, rows: map[string][][]connector.Value{}}
	if _, _, err := w.Engine.Export(context.Background(), c.ask(plan.Access), got, nil); err != nil {
		t.Fatal(err)
	}
	for _, b := range got.bad {
		t.Error(b)
	}
	for _, table := range c.Tables {
		for _, r := range table.Rows {
			checkShipped(t, c, r, want[r], got)
		}
	}
	for key := range got.rows {
		t.Errorf("%q asks and gets a row that is not there: %q", c.Question.Identities[0].Value, key)
	}
	c.checkPackage(t, w, want, n)
}

// take gives the shipped row that is r, and takes it from what is left. A link row is told apart by
// keys that are withheld themselves: then its shape is all there is.
func (s *shipped) take(r *model.Row, ship []model.Ship) []connector.Value {
	seen := &model.Row{Table: r.Table, Cells: slices.Clone(r.Cells)}
	for i := range ship {
		if ship[i] == model.Withheld {
			seen.Cells[i] = model.Cell{Null: true}
		}
	}
	key := r.Table.ID() + "\x00" + seen.Mark()
	rows := s.rows[key]
	if len(rows) == 0 {
		return nil
	}
	if s.rows[key] = rows[1:]; len(rows) == 1 {
		delete(s.rows, key)
	}
	return rows[0]
}

// checkShipped holds one row of the company against what was shipped of it.
func checkShipped(t *testing.T, c *company, r *model.Row, ship []model.Ship, got *shipped) {
	t.Helper()
	row := got.take(r, ship)
	if ship == nil && len(r.Table.Mark) > 1 && row != nil {
		got.rows[r.Table.ID()+"\x00"+r.Mark()] = append(got.rows[r.Table.ID()+"\x00"+r.Mark()], row) // another link row's shape
		return
	}
	if (ship != nil) != (row != nil) {
		t.Errorf("%q asks: row %q of %s must be shipped: %v, is: %v", c.Question.Identities[0].Value, r.Mark(), r.Table.ID(), ship != nil, row != nil)
		return
	}
	for i := range ship {
		cell := cellOf(row[i])
		switch {
		case ship[i] == model.Theirs && cell != r.Cells[i]:
			t.Errorf("%q asks: row %q of %s: %q must be %v, is %v", c.Question.Identities[0].Value, r.Mark(), r.Table.ID(), r.Table.Columns[i].Name, r.Cells[i], cell)
		case ship[i] == model.Withheld && !cell.Null:
			t.Errorf("%q asks: row %q of %s: %q must be withheld, is %v", c.Question.Identities[0].Value, r.Mark(), r.Table.ID(), r.Table.Columns[i].Name, cell)
		}
	}
}

// tokens are the made-up words of a cell: no two cells of a company share one but by reference.
var tokens = regexp.MustCompile(`(?i)(?:[bcdfghjklmnpqrstvwxz][aeiou]){5}\d+q`)

func tokensOf(s string) []string { return tokens.FindAllString(strings.ToLower(s), -1) }

// checkPackage reads every byte of the person's package: their tokens are in it, others' are not.
func (c *company) checkPackage(t *testing.T, w *world.World, want map[*model.Row][]model.Ship, n int) {
	t.Helper()
	out := filepath.Join(t.TempDir(), fmt.Sprintf("package-%d.zip", n))
	r, err := w.Requests.RunNow(context.Background(), request.PlanInput{Kind: plan.Access, People: c.ask(plan.Access).People, Actor: "test"}, out, nil)
	if err != nil {
		t.Fatalf("%v (%+v)", err, r)
	}
	if _, err := request.VerifyPackage(out, w.Vault.PublicKey()); err != nil {
		t.Error(err)
	}
	in := map[string]bool{}
	for _, token := range tokensOf(unpack(t, out)) {
		in[token] = true
	}
	must, may := map[string]bool{}, map[string]bool{}
	for row, ship := range want {
		for i, cell := range row.Cells {
			for _, token := range tokensOf(cell.S) {
				must[token] = must[token] || ship[i] == model.Theirs
				may[token] = may[token] || ship[i] != model.Withheld
			}
		}
	}
	for token := range must {
		if must[token] && !in[token] {
			t.Errorf("%q asks: their token %s is not in the package", c.Question.Identities[0].Value, token)
		}
	}
	for token := range c.tokens() {
		if in[token] && !may[token] && !strings.Contains(strings.ToLower(c.Question.Identities[0].Value), token) {
			t.Errorf("%q asks: somebody else's token %s is in the package", c.Question.Identities[0].Value, token)
		}
	}
}

// tokens are all that the company's cells hold: the base64 of a signature can look like one by chance.
func (c *company) tokens() map[string]bool {
	out := map[string]bool{}
	for _, table := range c.Tables {
		for _, r := range table.Rows {
			for _, cell := range r.Cells {
				for _, token := range tokensOf(cell.S) {
					out[token] = true
				}
			}
		}
	}
	return out
}

// unpack is all files of a package with their names.
func unpack(t *testing.T, path string) string {
	t.Helper()
	z, err := zip.OpenReader(path)
	if err != nil {
		t.Fatal(err)
	}
	defer z.Close()
	var all strings.Builder
	for _, f := range z.File {
		all.WriteString(f.Name + "\n")
		r, err := f.Open()
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.Copy(&all, r); err != nil {
			t.Fatal(err)
		}
		r.Close()
	}
	return all.String()
}
