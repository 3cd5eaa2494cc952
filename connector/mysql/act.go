package mysql

import (
	"context"
	"slices"
	"strings"

	"github.com/ombudhq/ombud/connector"
	"github.com/ombudhq/ombud/internal/fault"
)

// perRow is how many rows one UPDATE with different values names: its CASE is searched for each row.
const perRow = 200

// target is one row of an act: its address and, for an Update, its new values.
type target struct {
	key    connector.Key
	values []connector.Value
	times  int // of a whole row as address: how many equal rows are meant
}

// work is an act made ready: checked, converted, and cut down to the rows that still are what they were.
type work struct {
	act     connector.Act
	table   *connector.Table
	verb    connector.Verb
	locator match // without keys
	targets []target
	fence   string // " AND …"
	set     []*connector.Column
	oneSet  bool // all targets have the same values
}

// prepare makes an act ready; nil when no row can be meant.
func (t *tx) prepare(ctx context.Context, a connector.Act) (*work, error) {
	found, err := columns(a.Table, a.Table.Locator.Columns)
	if err != nil {
		return nil, err
	}
	w := &work{act: a, table: a.Table, verb: a.Verb, oneSet: len(a.Values) == 1}
	w.locator = match{form: formOf(a.Table, connector.Match{Columns: a.Table.Locator.Columns}, found), columns: found}
	switch {
	case t.rekeys: // as the engine's own check compares
		w.locator.form = byRule
	case w.locator.form == byRule: // an address is exact, also where it is a foreign key
		w.locator.form = byKey
	}
	if err := t.check(a, w); err != nil {
		return nil, err
	}
	fence, none, err := t.s.ready(a.Table, a.Fence)
	if err != nil || none {
		return nil, err
	}
	for _, m := range fence {
		if m.form != byFold {
			w.fence += " AND " + t.s.condition(m, m.keys)
		}
	}
	if err := t.aim(a, w); err != nil {
		return nil, err
	}
	if slices.ContainsFunc(fence, func(m match) bool { return m.form == byFold }) || len(a.Expect) > 0 && w.locator.form != byRow {
		err = t.reread(ctx, w)
	}
	if err != nil || len(w.targets) == 0 {
		return nil, err
	}
	return w, nil
}

// check refuses acts that no plan may contain.
func (t *tx) check(a connector.Act, w *work) (err error) {
	if w.set, err = columns(a.Table, a.Set); err != nil {
		return err
	}
	switch {
	case a.Verb != connector.Delete && a.Verb != connector.Update:
		return invalid(a.Table, "unknown verb")
	case len(w.locator.columns) == 0:
		return invalid(a.Table, "rows have no address")
	case len(a.Expect) > 0 && len(a.Expect) != len(a.Rows):
		return invalid(a.Table, "not one content hash per row")
	case a.Verb == connector.Delete:
		return nil
	case len(a.Set) == 0 || len(a.Values) != 1 && len(a.Values) != len(a.Rows):
		return invalid(a.Table, "values and rows do not fit together")
	}
	for _, c := range w.set {
		if c.Generated {
			return invalid(a.Table, "column "+c.Name+" is generated and cannot be set")
		}
	}
	return nil
}

// aim converts rows and values. Rows that cannot be of the key's type are nobody's; equal rows of a
// table without a key are counted together when they get equal values.
func (t *tx) aim(a connector.Act, w *work) error {
	for i, row := range a.Rows {
		if len(row) != len(w.locator.columns) {
			return invalid(a.Table, "an address has the wrong number of parts")
		}
		key, ok := t.s.convertKey(row, w.locator)
		if !ok || len(a.Expect) > 0 && w.locator.form == byRow && connector.RowHash(key) != a.Expect[i] {
			continue
		}
		one := target{key: key, times: 1}
		if a.Verb == connector.Update {
			values := a.Values[0]
			if !w.oneSet {
				values = a.Values[i]
			}
			var err error
			if one.values, err = t.values(w, values); err != nil {
				return err
			}
		}
		w.targets = append(w.targets, one)
	}
	slices.SortStableFunc(w.targets, func(x, y target) int { return compareKeys(x.key, y.key) })
	w.targets = merge(w.targets, w.locator.form == byRow)
	return nil
}

// merge joins neighbours that are the same: named twice by mistake where there is a key, several
// equal rows where there is none.
func merge(list []target, counted bool) []target {
	out := list[:0]
	for _, x := range list {
		last := len(out) - 1
		if last < 0 || !slices.Equal(out[last].key, x.key) || counted && !slices.Equal(out[last].values, x.values) {
			out = append(out, x)
		} else if counted {
			out[last].times++
		}
	}
	return out
}

func (t *tx) values(w *work, values []connector.Value) ([]connector.Value, error) {
	if len(values) != len(w.set) {
		return nil, invalid(w.table, "values and columns do not fit together")
	}
	out := make([]connector.Value, len(values))
	for i, v := range values {
		var ok bool
		if out[i], ok = t.s.Convert(v, w.set[i]); !ok {
			return nil, fault.New(fault.Invalid, "table %s: a value does not fit column %s", w.table.Dataset(), w.set[i].Name)
		}
	}
	return out, nil
}

// reread locks the rows and keeps those that pass what only this side can decide: folded fences and
// content hashes.
func (t *tx) reread(ctx context.Context, w *work) error {
	a := w.act
	n := len(w.locator.columns)
	q := connector.Select{Table: a.Table, Columns: slices.Clone(a.Table.Locator.Columns)}
	expect := map[string]string{}
	if len(a.Expect) > 0 && w.locator.form != byRow {
		for _, c := range a.Table.Columns {
			q.Columns = append(q.Columns, c.Name)
		}
		for i, row := range a.Rows {
			if key, ok := t.s.convertKey(row, w.locator); ok {
				expect[key.Encode()] = a.Expect[i]
			}
		}
	}
	keys := make([]connector.Key, len(w.targets))
	for i, x := range w.targets {
		keys[i] = x.key
	}
	q.Where = append([]connector.Match{{Columns: a.Table.Locator.Columns, Keys: keys}}, a.Fence...)
	seen := map[string]int{}
	err := t.s.selectOne(ctx, t.tx, q, " FOR UPDATE", func(row []connector.Value) error {
		id := connector.Key(row[:n]).Encode()
		if want, asked := expect[id]; !asked || want == connector.RowHash(row[n:]) {
			seen[id]++
		}
		return nil
	})
	w.targets = slices.DeleteFunc(w.targets, func(x target) bool { return seen[x.key.Encode()] == 0 })
	for i := range w.targets {
		w.targets[i].times = min(w.targets[i].times, seen[w.targets[i].key.Encode()])
	}
	return err
}

// where addresses targets, fenced.
func (t *tx) where(w *work, targets []target) string {
	keys := make([]connector.Key, len(targets))
	for i, x := range targets {
		keys[i] = x.key
	}
	return " WHERE " + t.s.condition(w.locator, keys) + w.fence
}

// rowByRow acts on rows that are their own address, as many of each as are meant.
func (t *tx) rowByRow(ctx context.Context, w *work) (int64, error) {
	var total int64
	for _, x := range w.targets {
		statement := "DELETE FROM " + full(w.table)
		if w.verb == connector.Update {
			statement = "UPDATE " + full(w.table) + " SET " + t.assign(w, x.values)
		}
		n, err := t.exec(ctx, statement+t.where(w, []target{x})+" LIMIT "+connector.IntValue(int64(x.times)).S)
		if err != nil {
			return 0, err
		}
		total += n
	}
	return total, nil
}

func (t *tx) assign(w *work, values []connector.Value) string {
	parts := make([]string, len(w.set))
	for i, c := range w.set {
		parts[i] = name(c.Name) + " = " + t.s.literal(values[i], c)
	}
	return strings.Join(parts, ", ")
}

func (t *tx) update(ctx context.Context, w *work) (int64, error) {
	size := perRow
	switch {
	case w.oneSet:
		size = atOnce
	case slices.ContainsFunc(w.set, func(c *connector.Column) bool { return slices.Contains(w.locator.columns, c) }):
		size = 1 // assignments see those before them: a CASE on a changed key would miss
	}
	var total int64
	for part := range slices.Chunk(w.targets, size) {
		set := t.assign(w, part[0].values)
		if !w.oneSet && len(part) > 1 {
			set = t.cases(w, part)
		}
		n, err := t.exec(ctx, "UPDATE "+full(w.table)+" SET "+set+t.where(w, part))
		if err != nil {
			return 0, err
		}
		total += n
	}
	return total, nil
}

// cases gives each row its own values.
func (t *tx) cases(w *work, part []target) string {
	sets := make([]string, len(w.set))
	for i, c := range w.set {
		var b strings.Builder
		b.WriteString(name(c.Name) + " = CASE")
		for _, x := range part {
			b.WriteString(" WHEN " + t.s.rowEqual(w.locator.columns, x.key) + " THEN " + t.s.literal(x.values[i], c))
		}
		sets[i] = b.String() + " END"
	}
	return strings.Join(sets, ", ")
}
