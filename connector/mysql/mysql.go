// Package mysql connects MariaDB and MySQL.
//
// Keys travel as IN lists of literals, quoted by the type of the column they are compared with:
// that is the fastest these engines know, and a number never meets a text column, where "12" would
// equal "12abc". Collations equate more than a person may: the connector lets the collation use its
// index and then compares bytes as well. There is one exception, on purpose: on the columns of a
// declared foreign key the collation alone decides, because it decides for the engine too; the row
// that "ANNA" refers to "anna" by is a child of anna, and ON DELETE acts on it.
//
// Identities (Match.Fold) are narrowed on the server to a superset and decided by connector.Fold.
//
// A session pins what the answer may depend on: sql_mode, time zone, character set, foreign key
// checks, the length of a statement. Values are read by the text protocol and stay exact.
package mysql

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	driver "github.com/go-sql-driver/mysql"

	"github.com/ombudhq/ombud/connector"
	"github.com/ombudhq/ombud/internal/clock"
	"github.com/ombudhq/ombud/internal/fault"
)

const (
	defaultTimeout = 60 * time.Second
	// grace is how much longer than the server the client waits: the server's own end is cleaner.
	grace       = 5 * time.Second
	connections = 8
	// atOnce is how many keys one statement carries.
	atOnce = 5000
)

// store is one database of a server.
type store struct {
	system  string
	name    string // the database
	engine  string // "mariadb" or "mysql"
	version string
	timeout time.Duration
	db      *sql.DB // reads and acts
	proof   *sql.DB // looks again, on a connection of its own
	pace    *pace
	clock   clock.Clock
}

// Open connects to the database named in the DSN: mysql://user:password@host:3306/database, the same
// with mariadb://, or the form of go-sql-driver. It is a connector.Opener.
func Open(ctx context.Context, c connector.Config) (connector.Store, error) {
	dsn, err := parseDSN(c.System, c.DSN)
	if err != nil {
		return nil, err
	}
	s := &store{system: c.System, name: dsn.DBName, timeout: c.Timeout, clock: clock.System{}}
	if s.timeout <= 0 {
		s.timeout = defaultTimeout
	}
	limitWaits(dsn, s.timeout)
	if err := s.greet(ctx, dsn); err != nil {
		return nil, err
	}
	dsn.Params = s.session()
	if s.db, err = pool(dsn, connections); err != nil {
		return nil, s.fault("opening", err)
	}
	if s.proof, err = pool(dsn, 2); err != nil {
		return nil, s.fault("opening", err)
	}
	s.pace = newPace(c.Rate)
	if err := s.db.PingContext(ctx); err != nil {
		_ = s.Close()
		return nil, s.fault("opening", err)
	}
	return s, nil
}

func pool(dsn *driver.Config, size int) (*sql.DB, error) {
	way, err := driver.NewConnector(dsn)
	if err != nil {
		return nil, err
	}
	db := sql.OpenDB(way)
	db.SetMaxOpenConns(size)
	db.SetMaxIdleConns(size)
	db.SetConnMaxIdleTime(time.Minute)
	return db, nil
}

// greet asks which engine answers, before the session can be set up for it.
func (s *store) greet(ctx context.Context, dsn *driver.Config) error {
	db, err := pool(dsn, 1)
	if err != nil {
		return s.fault("opening", err)
	}
	defer db.Close()
	var database sql.NullString
	if err := db.QueryRowContext(ctx, "SELECT VERSION(), DATABASE()").Scan(&s.version, &database); err != nil {
		return s.fault("opening", err)
	}
	if database.Valid { // as the server spells it
		s.name = database.String
	}
	if s.engine = "mysql"; strings.Contains(s.version, "MariaDB") {
		s.engine = "mariadb"
	}
	if s.tooOld() {
		return fault.New(fault.Invalid, "system %s: this is MySQL %s; 8.0.19 is the oldest that can be read", s.system, s.version)
	}
	return nil
}

// tooOld: MySQL tells roles since 8.0 and checks since 8.0.16, and has table values, by which Look asks, since 8.0.19.
func (s *store) tooOld() bool {
	v := make([]int, 3)
	_, err := fmt.Sscanf(s.version, "%d.%d.%d", &v[0], &v[1], &v[2])
	return s.engine == "mysql" && err == nil && slices.Compare(v, []int{8, 0, 19}) < 0
}

// session is what every connection sets first.
func (s *store) session() map[string]string {
	seconds := strconv.FormatFloat(s.timeout.Seconds(), 'f', 3, 64)
	wait := strconv.Itoa(max(1, int(s.timeout.Seconds())))
	p := map[string]string{
		// Zero dates stay readable and comparable, so NO_ZERO_DATE is not here; CHECK clauses are
		// stored with backslash escapes, so NO_BACKSLASH_ESCAPES is not either (see quote).
		"sql_mode":                 "'STRICT_ALL_TABLES,ERROR_FOR_DIVISION_BY_ZERO,NO_ENGINE_SUBSTITUTION'",
		"time_zone":                "'+00:00'",
		"foreign_key_checks":       "1",
		"unique_checks":            "1",
		"sql_safe_updates":         "0",
		"sql_big_selects":          "1",
		"sql_select_limit":         "18446744073709551615",
		"sql_auto_is_null":         "0",
		"sql_quote_show_create":    "1",
		"net_write_timeout":        "600", // a row's reader may be slow
		"innodb_lock_wait_timeout": wait,
		"lock_wait_timeout":        wait,
	}
	if s.engine == "mariadb" {
		p["max_statement_time"] = seconds
		p["in_predicate_conversion_threshold"] = "0" // above it, IN lists become slower derived tables
	} else {
		p["max_execution_time"] = strconv.FormatInt(s.timeout.Milliseconds(), 10)
		p["information_schema_stats_expiry"] = "0" // else how many rows a table has is told as of yesterday
	}
	return p
}

// Close ends all connections.
func (s *store) Close() error {
	s.pace.stop()
	if err := s.proof.Close(); err != nil {
		_ = s.db.Close()
		return s.fault("closing", err)
	}
	if err := s.db.Close(); err != nil {
		return s.fault("closing", err)
	}
	return nil
}

// column looks a column up in the catalog; a name that is not there never reaches SQL.
func column(t *connector.Table, name string) (*connector.Column, error) {
	if c := t.Column(name); c != nil {
		return c, nil
	}
	return nil, fault.New(fault.Invalid, "table %s has no column %q", t.Dataset(), name)
}

func columns(t *connector.Table, names []string) ([]*connector.Column, error) {
	found := make([]*connector.Column, len(names))
	for i, n := range names {
		c, err := column(t, n)
		if err != nil {
			return nil, err
		}
		found[i] = c
	}
	return found, nil
}

// pace spreads statements evenly over time.
type pace struct{ tick *time.Ticker }

func newPace(rate float64) *pace {
	if rate <= 0 {
		return &pace{}
	}
	return &pace{time.NewTicker(max(1, time.Duration(float64(time.Second)/rate)))}
}

// wait returns when the next statement may start.
func (p *pace) wait(ctx context.Context) error {
	if p.tick == nil {
		return ctx.Err()
	}
	select {
	case <-p.tick.C:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("waiting for the pace of the store: %w", ctx.Err())
	}
}

func (p *pace) stop() {
	if p != nil && p.tick != nil {
		p.tick.Stop()
	}
}
