package db

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"

	"github.com/ombudhq/ombud/internal/fault"
)

const stepsTable = `create table if not exists schema_steps (
	feature text not null,
	step bigint not null,
	checksum text not null,
	applied_at bigint not null,
	primary key (feature, step)
)`

// textsTable holds the steps as they were run, in order, so that a backup can be filled into another store.
const textsTable = `create table if not exists schema_texts (
	n bigint not null primary key,
	feature text not null,
	step bigint not null,
	body text not null
)`

const insertText = `insert into schema_texts (n, feature, step, body) select coalesce(max(n), 0) + 1, $1, $2, $3 from schema_texts where true
	on conflict do nothing`

// Migrate brings the tables of a feature to the last of its steps, each in a transaction of its own. Steps are only ever
// added: one that was applied and then changed is refused, and so is a store that already knows more steps than this
// program does.
//
// Both engines get the same text but for two phrases: "integer primary key" is the address of the row in SQLite, which has
// 64 bits, and becomes "bigint primary key" in PostgreSQL; "without rowid" is left out there. Neither engine gives ids: the statement that inserts does.
func (d *DB) Migrate(ctx context.Context, feature string, steps ...string) error {
	var applied []string
	err := d.Write(ctx, func(tx *Tx) (err error) {
		if _, err = tx.Exec(ctx, stepsTable); err == nil {
			_, err = tx.Exec(ctx, textsTable)
		}
		if err == nil {
			applied, err = appliedSteps(ctx, tx, feature)
		}
		return err
	})
	if err != nil {
		return err
	}
	if err := compareSteps(feature, applied, steps); err != nil {
		return err
	}
	for i := len(applied); i < len(steps); i++ {
		if err := d.applyStep(ctx, feature, i+1, steps[i]); err != nil {
			return fmt.Errorf("schema step %d of %s: %w", i+1, feature, err)
		}
	}
	return nil
}

func appliedSteps(ctx context.Context, tx *Tx, feature string) ([]string, error) {
	rows, err := tx.Query(ctx, "select checksum from schema_steps where feature = $1 order by step", feature)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var sums []string
	for rows.Next() {
		var sum string
		if err := rows.Scan(&sum); err != nil {
			return nil, err
		}
		sums = append(sums, sum)
	}
	return sums, rows.Err()
}

func compareSteps(feature string, applied, steps []string) error {
	if len(applied) > len(steps) {
		return fault.New(fault.Unavailable, "the store is newer than this program: %s has schema step %d, this program knows %d",
			feature, len(applied), len(steps)).Then("Use the version of ombud that made it, or a newer one.")
	}
	for i, sum := range applied {
		if sum != checksum(steps[i]) {
			return fault.New(fault.Unavailable, "schema step %d of %s is not the one this store was made with", i+1, feature).
				Then("Use the version of ombud that made it.")
		}
	}
	return nil
}

func (d *DB) applyStep(ctx context.Context, feature string, n int, text string) error {
	return d.Write(ctx, func(tx *Tx) error {
		tx.dirty = true
		if err := tx.c.script(context.WithoutCancel(ctx), tx.c.schema(text)); err != nil {
			return tx.fail(err)
		}
		_, err := tx.Exec(ctx, "insert into schema_steps (feature, step, checksum, applied_at) values ($1, $2, $3, $4)",
			feature, n, checksum(text), d.clock.Now().Unix())
		if err == nil {
			_, err = tx.Exec(ctx, insertText, feature, n, text)
		}
		return err
	})
}

func checksum(text string) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:])
}
