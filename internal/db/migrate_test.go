package db

import (
	"slices"
	"strings"
	"testing"

	"github.com/ombudhq/ombud/internal/fault"
	"github.com/ombudhq/ombud/internal/testkit/storetest"
)

func TestMigrate(t *testing.T) { storetest.Each(t, testMigrate) }

func testMigrate(t *testing.T, engine string) {
	d := opened(t, storetest.Address(t, engine))
	steps := []string{table, "insert into t (v) values ('two'); insert into t (v) values ('three')"}
	for range 2 {
		if err := d.Migrate(ctx, "test", steps...); err != nil {
			t.Fatal(err)
		}
	}
	if err := d.Migrate(ctx, "other", "create table o (id integer primary key)"); err != nil {
		t.Error(err)
	}
	if err := d.Write(ctx, func(tx *Tx) error {
		_, err := tx.Exec(ctx, "insert into o (id) values ($1)", int64(1)<<40)
		return err
	}); err != nil {
		t.Errorf("a primary key has fewer than 64 bits: %v", err)
	}
	if got := values(t, d); !slices.Equal(got, []string{"three", "two"}) {
		t.Errorf("%v", got)
	}
	if err := d.Migrate(ctx, "test", steps[0]); fault.KindOf(err) != fault.Unavailable || !strings.Contains(err.Error(), "newer") {
		t.Errorf("an old program: %v", err)
	}
	if err := d.Migrate(ctx, "test", steps[0], steps[1]+" "); fault.KindOf(err) != fault.Unavailable {
		t.Errorf("a changed step: %v", err)
	}
	broken := "insert into t (v) values ('four'); insert into nowhere values (1)"
	if err := d.Migrate(ctx, "test", append(steps, broken)...); err == nil {
		t.Error("a broken step was applied")
	}
	if err := d.Migrate(ctx, "test", append(steps, "insert into t (v) values ('four')")...); err != nil {
		t.Errorf("after a broken step: %v", err)
	}
}
