package bench

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"testing"

	"github.com/jackc/pgx/v5"
)

// expert is somebody who knows the shop and its engine by heart, on one open connection, with
// statements prepared and nothing to decide at run time.
type expert interface {
	exec(ctx context.Context, q string) error
	access(ctx context.Context, email string) ([]byte, error)
	// erase runs the statements one by one; together sends them in one round trip, where there are any.
	erase(ctx context.Context, email string) error
	together(ctx context.Context, email string) error
	eraseMany(ctx context.Context, emails []string) error
	// read runs queries and reads every row; catalogs are read so.
	read(ctx context.Context, queries []string) (rows int, err error)
	texts(ctx context.Context, table string) ([]string, error)
	close()
}

func newExpert(t testing.TB, p *shop) expert {
	t.Helper()
	ctx := context.Background()
	if p.engine == "postgres" {
		conn, err := pgx.Connect(ctx, p.dsn)
		if err != nil {
			t.Fatal(err)
		}
		return &pgExpert{conn, sqlOf(t, p.engine, "access", 0), statements(sqlOf(t, p.engine, "erase", 0)), statements(sqlOf(t, p.engine, "erase_many", 0))}
	}
	// The pragmas are those that Ombud erases under: durable, and what is deleted is overwritten.
	db, err := sql.Open("sqlite", "file:"+p.dsn+"?_pragma=busy_timeout(60000)&_pragma=journal_mode(wal)&_pragma=foreign_keys(1)&_pragma=secure_delete(1)")
	if err != nil {
		t.Fatal(err)
	}
	conn, err := db.Conn(ctx)
	if err != nil {
		t.Fatal(err)
	}
	return &liteExpert{db: db, conn: conn, prepared: map[string]*sql.Stmt{}, accessing: sqlOf(t, p.engine, "access", 0),
		erasing: statements(sqlOf(t, p.engine, "erase", 0)), many: statements(sqlOf(t, p.engine, "erase_many", 0))}
}

type pgExpert struct {
	conn      *pgx.Conn
	accessing string
	erasing   []string
	many      []string
}

func (x *pgExpert) close() { x.conn.Close(context.Background()) }

func (x *pgExpert) exec(ctx context.Context, q string) error {
	_, err := x.conn.PgConn().Exec(ctx, q).ReadAll()
	return err
}

func (x *pgExpert) access(ctx context.Context, email string) (document []byte, err error) {
	err = x.conn.QueryRow(ctx, x.accessing, email).Scan(&document)
	return document, err
}

func (x *pgExpert) erase(ctx context.Context, email string) error {
	return pgx.BeginFunc(ctx, x.conn, func(tx pgx.Tx) error {
		for _, q := range x.erasing {
			if _, err := tx.Exec(ctx, q, email); err != nil {
				return err
			}
		}
		return nil
	})
}

func (x *pgExpert) together(ctx context.Context, email string) error {
	b := &pgx.Batch{}
	for _, q := range x.erasing {
		b.Queue(q, email)
	}
	return x.conn.SendBatch(ctx, b).Close() // one transaction
}

func (x *pgExpert) eraseMany(ctx context.Context, emails []string) error {
	return pgx.BeginFunc(ctx, x.conn, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, x.many[0], pgx.QueryExecModeExec, emails); err != nil {
			return err
		}
		for _, q := range x.many[1:] {
			if _, err := tx.Exec(ctx, q, pgx.QueryExecModeSimpleProtocol); err != nil {
				return err
			}
		}
		return nil
	})
}

func (x *pgExpert) read(ctx context.Context, queries []string) (int, error) {
	n := 0
	for _, q := range queries {
		rows, err := x.conn.Query(ctx, q, pgx.QueryExecModeSimpleProtocol)
		if err != nil {
			return n, err
		}
		for rows.Next() {
			rows.RawValues()
			n++
		}
		if rows.Err() != nil {
			return n, rows.Err()
		}
	}
	return n, nil
}

func (x *pgExpert) texts(ctx context.Context, table string) ([]string, error) {
	rows, err := x.conn.Query(ctx, "SELECT x::text FROM "+table+" x ORDER BY id")
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, pgx.RowTo[string])
}

type liteExpert struct {
	db        *sql.DB
	conn      *sql.Conn
	prepared  map[string]*sql.Stmt
	accessing string
	erasing   []string
	many      []string
}

func (x *liteExpert) close() {
	x.conn.Close()
	x.db.Close()
}

func (x *liteExpert) stmt(ctx context.Context, q string) (*sql.Stmt, error) {
	if s := x.prepared[q]; s != nil {
		return s, nil
	}
	s, err := x.conn.PrepareContext(ctx, q)
	x.prepared[q] = s
	return s, err
}

func (x *liteExpert) exec(ctx context.Context, q string) error {
	_, err := x.conn.ExecContext(ctx, q)
	return err
}

func (x *liteExpert) access(ctx context.Context, email string) (document []byte, err error) {
	s, err := x.stmt(ctx, x.accessing)
	if err != nil {
		return nil, err
	}
	err = s.QueryRowContext(ctx, email).Scan(&document)
	return document, err
}

// transact runs the statements on one transaction, each with the arguments it asks for.
func (x *liteExpert) transact(ctx context.Context, list []string, args func(i int) []any) error {
	if err := x.exec(ctx, "BEGIN IMMEDIATE"); err != nil {
		return err
	}
	for i, q := range list {
		s, err := x.stmt(ctx, q)
		if err != nil {
			return err
		}
		if _, err := s.ExecContext(ctx, args(i)...); err != nil {
			return fmt.Errorf("%.60s: %w", q, err)
		}
	}
	return x.exec(ctx, "COMMIT")
}

func (x *liteExpert) erase(ctx context.Context, email string) error {
	return x.transact(ctx, x.erasing, func(int) []any { return []any{email} })
}

func (x *liteExpert) together(ctx context.Context, email string) error { return x.erase(ctx, email) }

func (x *liteExpert) eraseMany(ctx context.Context, emails []string) error {
	list, err := json.Marshal(emails)
	if err != nil {
		return err
	}
	clear(x.prepared) // the temporary table is a new one
	return x.transact(ctx, x.many, func(i int) []any {
		if i == 0 {
			return []any{string(list)}
		}
		return nil
	})
}

func (x *liteExpert) read(ctx context.Context, queries []string) (int, error) {
	n := 0
	for _, q := range queries {
		rows, err := x.conn.QueryContext(ctx, q)
		if err != nil {
			return n, err
		}
		columns, err := rows.Columns()
		if err != nil {
			return n, err
		}
		cells := make([]any, len(columns))
		for i := range cells {
			cells[i] = new(any)
		}
		for rows.Next() {
			if err := rows.Scan(cells...); err != nil {
				return n, err
			}
			n++
		}
		if err := rows.Err(); err != nil {
			return n, err
		}
	}
	return n, nil
}

func (x *liteExpert) texts(ctx context.Context, table string) ([]string, error) {
	rows, err := x.conn.QueryContext(ctx, "SELECT * FROM "+table+" ORDER BY id")
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	columns, err := rows.Columns()
	if err != nil {
		return nil, err
	}
	cells := make([]any, len(columns))
	for i := range cells {
		cells[i] = new(any)
	}
	var out []string
	for rows.Next() {
		if err := rows.Scan(cells...); err != nil {
			return nil, err
		}
		line := ""
		for _, c := range cells {
			line += fmt.Sprintf("%v\x1f", *c.(*any))
		}
		out = append(out, line)
	}
	return out, rows.Err()
}
