package mysql

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/ombudhq/ombud/connector"
)

// Maintain changes nothing: these engines free deleted rows by themselves. It reports where traces
// stay for a while, which the receipt must not hide.
func (s *store) Maintain(ctx context.Context, touched []*connector.Table) ([]string, error) {
	var said []string
	for _, t := range touched {
		n, err := s.number(ctx, s.db, "SELECT COUNT(DISTINCT INDEX_NAME) FROM information_schema.STATISTICS WHERE INDEX_TYPE = 'FULLTEXT'"+
			" AND TABLE_SCHEMA = "+quote(t.Schema)+" AND TABLE_NAME = "+quote(t.Name))
		if err != nil {
			return nil, s.fault("reading full-text indexes", err)
		}
		if n > 0 {
			said = append(said, t.Dataset()+": the full-text index keeps words of deleted rows until OPTIMIZE TABLE with innodb_optimize_fulltext_only=ON")
		}
	}
	on, err := s.number(ctx, s.db, "SELECT @@log_bin")
	if err != nil {
		return nil, s.fault("reading settings", err)
	}
	if on == 0 || len(touched) == 0 {
		return said, nil
	}
	days := "SELECT FLOOR(@@expire_logs_days)"
	if s.engine == "mysql" {
		days = "SELECT FLOOR(@@binlog_expire_logs_seconds / 86400)"
	}
	n, err := s.number(ctx, s.db, days)
	if err != nil {
		return nil, s.fault("reading settings", err)
	}
	if n == 0 {
		return append(said, "the binary log keeps changed rows until somebody purges it: it has no expiry"), nil
	}
	return append(said, fmt.Sprintf("the binary log keeps changed rows until it expires after %d days", n)), nil
}

// Allowed evaluates a check over literals of the columns' types.
func (s *store) Allowed(ctx context.Context, t *connector.Table, check connector.Check, row map[string]connector.Value) (bool, error) {
	given := make([]string, 0, len(check.Columns))
	for _, n := range check.Columns {
		c, err := column(t, n)
		if err != nil {
			return false, err
		}
		v, ok := s.Convert(row[n], c)
		if !ok {
			return false, nil // no value of the column at all
		}
		given = append(given, s.asColumn(v, c)+" AS "+name(n))
	}
	from := ""
	if len(given) > 0 {
		from = " FROM (SELECT " + strings.Join(given, ", ") + ") AS one"
	}
	n, err := s.number(ctx, s.db, "SELECT COALESCE(("+check.Expr+"), 1) <> 0"+from)
	return n != 0, s.fault("evaluating a check of "+t.Dataset(), err)
}

// asColumn is a literal that compares as the column would.
func (s *store) asColumn(v connector.Value, c *connector.Column) string {
	text := s.literal(v, c)
	switch {
	case collated(c): // also NULL: MySQL compares no text with one of no character set
		charset, _, _ := strings.Cut(c.Collation, "_")
		return "CONVERT(" + text + " USING " + charset + ") COLLATE " + c.Collation
	case c.Kind == connector.Time:
		return "CAST(" + text + " AS " + map[string]string{"date": "DATE", "time": "TIME(6)"}[base(c)] +
			map[bool]string{true: "DATETIME(6)"}[base(c) != "date" && base(c) != "time"] + ")"
	}
	return text
}

// probeRows is how many rows are read to learn the speed of a scan.
const probeRows = 20000

// ScanCost reads some rows and scales up by the table's estimates.
func (s *store) ScanCost(ctx context.Context, t *connector.Table, names []string) (time.Duration, error) {
	plain := make([]string, len(names))
	for i, n := range names {
		plain[i], _ = t.Folded(n)
	}
	found, err := columns(t, plain)
	if err != nil || t.Rows <= 0 {
		return 0, err
	}
	tests := []string{"FALSE"}
	for _, c := range found {
		tests = append(tests, "LENGTH("+name(c.Name)+") < 0")
	}
	rows := min(t.Rows, probeRows)
	statement := fmt.Sprintf("SELECT COUNT(*) FROM (SELECT * FROM %s LIMIT %d) AS some WHERE %s", full(t), rows, strings.Join(tests, " OR "))
	begun := s.clock.Now()
	if _, err := s.number(ctx, s.db, statement); err != nil {
		return 0, s.fault("timing a scan of "+t.Dataset(), err)
	}
	took := s.clock.Now().Sub(begun)
	return time.Duration(float64(took) * float64(t.Rows) / float64(rows)), nil
}

// IndexStatement is the statement that makes an index on the columns.
func (s *store) IndexStatement(t *connector.Table, list []string) string {
	parts, title := make([]string, len(list)), "ombud"
	for i, n := range list {
		n, _ = t.Folded(n) // these engines fold by collation
		parts[i], title = name(n), title+"_"+n
		if c := t.Column(n); c != nil && slices.Contains([]string{"tinytext", "text", "mediumtext", "longtext", "tinyblob", "blob", "mediumblob", "longblob"}, base(c)) {
			parts[i] += "(191)" // such a column is indexed by its beginning
		}
	}
	if r := []rune(title); len(r) > 64 {
		title = string(r[:64])
	}
	return "ALTER TABLE " + full(t) + " ADD INDEX " + name(strings.TrimSpace(title)) + " (" + strings.Join(parts, ", ") + ")"
}
