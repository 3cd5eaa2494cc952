package sqlite

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/ombudhq/ombud/connector"
	"github.com/ombudhq/ombud/internal/fault"
)

// A check of all foreign keys reads all children; a catalog must not take that long.
const (
	violationTime  = 2 * time.Second
	violationLimit = 10_000
)

// readRows takes row counts from ANALYZE where it ran; SQLite keeps no others.
func (c *catalog) readRows() error {
	n, err := c.s.number(c.ctx, c.conn, "SELECT count(*) FROM main.sqlite_schema WHERE name = 'sqlite_stat1'")
	if err != nil || n == 0 {
		return err
	}
	return c.each("SELECT tbl, stat FROM sqlite_stat1", func(f []connector.Value) error {
		if t := c.tables[f[0].S]; t != nil {
			n, _, _ := strings.Cut(f[1].S, " ")
			t.Rows = max(t.Rows, whole(connector.TextValue(n)))
		}
		return nil
	})
}

// readNotes says what a plan must show of the file as it was before us.
func (c *catalog) readNotes() error {
	if !c.s.writable() {
		c.note("read-only", "", "the SQLite file can be read only", "")
	}
	declared := false
	for _, t := range c.out.Tables {
		declared = declared || len(t.ForeignKeys) > 0
	}
	if !declared {
		return nil
	}
	ctx, cancel := context.WithTimeout(c.ctx, violationTime)
	defer cancel()
	const q = `SELECT "table", count(*) FROM (SELECT "table" FROM temp.pragma_foreign_key_check LIMIT ?) GROUP BY 1`
	err := c.s.query(ctx, c.conn, q, []any{int64(violationLimit)}, func(row []connector.Value) error {
		c.note("violations", row[0].S, fmt.Sprintf("%s rows break a foreign key already: the key is not enforced by every program that writes here", row[1].S), "")
		return nil
	})
	switch {
	case c.ctx.Err() != nil:
		return err
	case err != nil && (ctx.Err() != nil || fault.KindOf(err) == fault.Internal): // too many rows, or a key that SQLite cannot check at all
		c.note("violations-unknown", "", "whether all foreign keys hold could not be checked", "PRAGMA foreign_key_check")
		return nil
	}
	return err
}
