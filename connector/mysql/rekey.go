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
	if _, err := t.exec(ctx, "SET foreign_key_checks = 0"); err != nil {
		return nil, t.s.fault("setting a session", err)
	}
	defer func() {
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

// lost fails where rows that an act gave another reference refer to nothing.
func (t *tx) lost(ctx context.Context, a connector.Act) error {
	for _, fk := range a.Table.ForeignKeys {
		if !slices.Equal(fk.Columns, a.Set) {
			continue
		}
		var keys []connector.Key
		for _, v := range a.Values {
			keys = append(keys, v)
		}
		n, err := t.orphans(ctx, a.Table, fk, keys)
		if err != nil {
			return t.s.fault("checking references", err)
		}
		if n > 0 {
			return fault.New(fault.Conflict, "rows of %s would refer to nothing", a.Table.Dataset())
		}
	}
	return nil
}
