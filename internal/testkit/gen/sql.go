package gen

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"

	"github.com/go-sql-driver/mysql"

	"github.com/ombudhq/ombud/internal/testkit/model"
)

// Quote quotes a name by the rules of an engine.
func Quote(engine, name string) string {
	if engine == MariaDB {
		return "`" + strings.ReplaceAll(name, "`", "``") + "`"
	}
	return `"` + strings.ReplaceAll(name, `"`, `""`) + `"`
}

func (c *Company) quote(name string) string { return Quote(c.Engine, name) }

func (c *Company) list(names []string) string {
	out := make([]string, len(names))
	for i, n := range names {
		out[i] = c.quote(n)
	}
	return strings.Join(out, ", ")
}

// Schema is the statements that make one system's tables, and those that add the references once
// the rows are there (rows may refer in circles). SQLite has them in the tables.
func (c *Company) Schema(system string) (tables, references []string) {
	for _, t := range c.Tables {
		if t.System != system {
			continue
		}
		tables = append(tables, c.createTable(t))
		if c.Engine == SQLite {
			continue
		}
		for _, e := range t.Edges {
			if e.Declared {
				references = append(references, "ALTER TABLE "+c.quote(t.Name)+" ADD "+c.reference(e))
			}
		}
	}
	return tables, references
}

func (c *Company) createTable(t *model.Table) string {
	var parts []string
	for _, col := range t.Columns {
		parts = append(parts, c.quote(col.Name)+" "+c.typeOf(t, col)+notNull(col))
	}
	if len(t.Key) > 0 {
		parts = append(parts, "PRIMARY KEY ("+c.list(t.Key)+")")
	}
	for _, u := range t.Uniques {
		parts = append(parts, "UNIQUE ("+c.list(u)+")")
	}
	for _, ch := range t.Checks {
		s := ch.SQL
		for _, col := range ch.Columns {
			s = strings.Replace(s, "?", strings.ReplaceAll(c.quote(col), "?", "\x00"), 1)
		}
		parts = append(parts, "CHECK ("+strings.ReplaceAll(s, "\x00", "?")+")")
	}
	if c.Engine == SQLite {
		for _, e := range t.Edges {
			if e.Declared {
				parts = append(parts, c.reference(e))
			}
		}
	}
	return "CREATE TABLE " + c.quote(t.Name) + " (" + strings.Join(parts, ", ") + ")"
}

func notNull(c model.Column) string {
	if c.NotNull {
		return " NOT NULL"
	}
	return ""
}

func (c *Company) typeOf(t *model.Table, col model.Column) string {
	switch {
	case col.Type == model.Int:
		return "INTEGER"
	case col.Type == model.Date && c.Engine == SQLite:
		return "TEXT"
	case col.Type == model.Date:
		return "DATE"
	case col.Length > 0:
		return fmt.Sprintf("VARCHAR(%d)", col.Length)
	}
	return "TEXT"
}

func (c *Company) reference(e *model.Edge) string {
	s := "FOREIGN KEY (" + c.list(e.Columns) + ") REFERENCES " + c.quote(e.To.Name) + " (" + c.list(e.ToColumns) + ")"
	if e.OnDelete != "" {
		s += " ON DELETE " + e.OnDelete
	}
	if e.Deferred && c.Engine != MariaDB {
		s += " DEFERRABLE INITIALLY DEFERRED"
	}
	return s
}

// Load makes the tables of one system in an empty database and fills them.
func (c *Company) Load(ctx context.Context, db *sql.DB, system string) error {
	conn, err := db.Conn(ctx)
	if err != nil {
		return err
	}
	defer conn.Close()
	tables, references := c.Schema(system)
	for _, s := range tables {
		if _, err := conn.ExecContext(ctx, s); err != nil {
			return fmt.Errorf("%s: %w", s, err)
		}
	}
	for _, t := range c.Tables {
		if t.System != system {
			continue
		}
		for _, r := range t.Rows {
			if err := c.insert(ctx, conn, r); err != nil {
				return fmt.Errorf("row %v of %s: %w", r.Cells, t.ID(), err)
			}
		}
	}
	for i, s := range references {
		_, err := conn.ExecContext(ctx, s)
		if refused, ok := errors.AsType[*mysql.MySQLError](err); ok && refused.Number == tooLong {
			_, err = conn.ExecContext(ctx, strings.Replace(s, " ADD FOREIGN KEY ", fmt.Sprintf(" ADD CONSTRAINT k%d FOREIGN KEY ", i), 1))
		}
		if err != nil {
			return fmt.Errorf("%s: %w", s, err)
		}
	}
	return nil
}

// tooLong is what MySQL says where it would have to cut the name that it makes for a key, as MariaDB does.
const tooLong = 1059

func (c *Company) insert(ctx context.Context, conn *sql.Conn, r *model.Row) error {
	t := r.Table
	var names, marks []string
	var args []any
	for i, col := range t.Columns {
		names = append(names, col.Name)
		mark := "?"
		if c.Engine == Postgres {
			mark = fmt.Sprintf("CAST($%d AS %s)", i+1, c.typeOf(t, col))
		}
		marks = append(marks, mark)
		switch cell := r.Cells[i]; {
		case cell.Null:
			args = append(args, nil)
		default:
			args = append(args, cell.S)
		}
	}
	_, err := conn.ExecContext(ctx, "INSERT INTO "+c.quote(t.Name)+" ("+c.list(names)+") VALUES ("+strings.Join(marks, ", ")+")", args...)
	return err
}

// Read reads every row of one system's tables into after.
func (c *Company) Read(ctx context.Context, db *sql.DB, system string, after model.Snapshot) error {
	for _, t := range c.Tables {
		if t.System != system {
			continue
		}
		rows, err := c.readTable(ctx, db, t)
		if err != nil {
			return fmt.Errorf("reading %s: %w", t.ID(), err)
		}
		after[t.ID()] = rows
	}
	return nil
}

func (c *Company) readTable(ctx context.Context, db *sql.DB, t *model.Table) ([]*model.Row, error) {
	var exprs []string
	for _, col := range t.Columns {
		as := "TEXT"
		if c.Engine == MariaDB {
			as = "CHAR"
		}
		exprs = append(exprs, "CAST("+c.quote(col.Name)+" AS "+as+")")
	}
	rows, err := db.QueryContext(ctx, "SELECT "+strings.Join(exprs, ", ")+" FROM "+c.quote(t.Name))
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var out []*model.Row
	for rows.Next() {
		cells := make([]sql.NullString, len(t.Columns))
		into := make([]any, len(cells))
		for i := range cells {
			into[i] = &cells[i]
		}
		if err := rows.Scan(into...); err != nil {
			return nil, err
		}
		r := &model.Row{Table: t}
		for _, cell := range cells {
			r.Cells = append(r.Cells, model.Cell{Null: !cell.Valid, S: cell.String})
		}
		out = append(out, r)
	}
	return out, rows.Err()
}

// Drop removes the tables of one system, whatever refers to what.
func (c *Company) Drop(ctx context.Context, db *sql.DB, system string) error {
	conn, err := db.Conn(ctx)
	if err != nil {
		return err
	}
	defer conn.Close()
	var all []string
	for _, t := range c.Tables {
		if t.System == system {
			all = append(all, c.quote(t.Name))
		}
	}
	if len(all) == 0 {
		return nil
	}
	switch c.Engine {
	case Postgres:
		_, err = conn.ExecContext(ctx, "DROP TABLE IF EXISTS "+strings.Join(all, ", ")+" CASCADE")
	case MariaDB:
		_, err = conn.ExecContext(ctx, "SET foreign_key_checks=0")
		if err == nil {
			_, err = conn.ExecContext(ctx, "DROP TABLE IF EXISTS "+strings.Join(all, ", "))
		}
		if err == nil {
			_, err = conn.ExecContext(ctx, "SET foreign_key_checks=1")
		}
	}
	return err
}
