package mysql

import (
	"context"
	"errors"
	"slices"

	"github.com/ombudhq/ombud/connector"
	"github.com/ombudhq/ombud/internal/fault"
)

var _ connector.Rekeyer = (*tx)(nil)

// Rekey runs updates without the engine's checks, which would refuse the first of them, and then checks what they were
// about: no reference may lead nowhere. The first act is about the row with the key: who would refer to it waits until the end.
func (t *tx) Rekey(ctx context.Context, acts []connector.Act) (counts []int64, err error) {
	if t.failed {
		return nil, errFailed()
	}
	t.rekeys = true
	if _, err := t.exec(ctx, "SET foreign_key_checks = 0"); err != nil {
		return nil, t.s.fault("setting a session", err)
	}
	defer func() {
		t.rekeys = false
		if _, e := t.exec(context.WithoutCancel(ctx), "SET foreign_key_checks = 1"); e != nil {
			t.failed, err = true, errors.Join(err, t.s.fault("setting a session", e))
		}
	}()
	if counts, err = t.Do(ctx, acts); err != nil {
		return nil, err
	}
	for _, a := range acts {
		if err := t.lost(ctx, a); err != nil {
			t.failed = true
			return nil, err
		}
	}
	return counts, nil
}

// lost fails where rows that an act gave another reference, or that it did not find, refer to nothing.
func (t *tx) lost(ctx context.Context, a connector.Act) error {
	for _, fk := range a.Table.ForeignKeys {
		var by []string
		for _, c := range a.Set {
			if slices.Contains(fk.Columns, c) {
				by = append(by, c)
			}
		}
		if len(by) == 0 {
			continue
		}
		n, err := t.orphans(ctx, a.Table, fk, by, keysOf(a, by))
		if err != nil {
			return t.s.fault("checking references", err)
		}
		if n > 0 {
			return fault.New(fault.Conflict, "rows of %s would refer to nothing", a.Table.Dataset())
		}
	}
	return nil
}

// keysOf are what some of the columns that an act sets become, and what they were where it finds its rows by them.
func keysOf(a connector.Act, columns []string) []connector.Key {
	out := pickAll(a.Set, a.Values, columns)
	if !slices.ContainsFunc(columns, func(c string) bool { return !slices.Contains(a.Table.Locator.Columns, c) }) {
		for _, k := range a.Rows {
			out = append(out, pickAll(a.Table.Locator.Columns, [][]connector.Value{k}, columns)...)
		}
	}
	return out
}

// pickAll takes some columns of rows.
func pickAll(names []string, rows [][]connector.Value, columns []string) []connector.Key {
	var out []connector.Key
	for _, row := range rows {
		k := make(connector.Key, len(columns))
		for i, c := range columns {
			k[i] = row[slices.Index(names, c)]
		}
		out = append(out, k)
	}
	return out
}
