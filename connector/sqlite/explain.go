package sqlite

import (
	"context"
	"strings"
	"time"

	"github.com/ombudhq/ombud/connector"
)

// scanPerPage is what reading and testing one page of 4 KiB takes on a small machine, warm.
const scanPerPage = 10 * time.Microsecond

// ScanCost estimates one scan. The file's size bounds it from above, the row count, where ANALYZE
// left one, from below.
func (s *Store) ScanCost(ctx context.Context, t *connector.Table, _ []string) (time.Duration, error) {
	if t.Rows >= 0 {
		return time.Duration(t.Rows) * 200 * time.Nanosecond, nil
	}
	pages, err := s.number(ctx, s.db, "SELECT page_count FROM temp.pragma_page_count")
	return time.Duration(pages) * scanPerPage, err
}

// IndexStatement is the CREATE INDEX for the columns.
func (s *Store) IndexStatement(t *connector.Table, columns []string) string {
	quoted := make([]string, len(columns))
	for i, c := range columns {
		quoted[i] = quote(c)
		if inner, ok := strings.CutPrefix(c, "lower("); ok && t.Column(c) == nil {
			quoted[i] = "lower(" + quote(strings.TrimSuffix(inner, ")")) + ")"
		}
	}
	name := quote(strings.Join(append([]string{"ombud", t.Name}, columns...), "_"))
	return "CREATE INDEX " + name + " ON " + quote(t.Name) + " (" + strings.Join(quoted, ", ") + ")"
}
