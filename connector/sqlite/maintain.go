package sqlite

import (
	"context"
	"fmt"
	"slices"

	"github.com/ombudhq/ombud/connector"
)

// Maintain purges full-text indexes, which keep words of deleted rows, and empties the write-ahead
// log into the file. It reports pages that are free: what we delete is overwritten, but what others
// deleted before may still be there until somebody runs VACUUM.
func (s *Store) Maintain(ctx context.Context, touched []*connector.Table) ([]string, error) {
	var did, names []string
	for _, t := range touched {
		names = append(names, t.FullText...)
	}
	slices.Sort(names)
	for _, name := range slices.Compact(names) {
		what, err := s.purge(ctx, name)
		if err != nil {
			return did, fmt.Errorf("purging full-text index %s: %w", name, err)
		}
		did = append(did, what)
	}
	log, err := s.emptyLog(ctx)
	if err != nil {
		return did, err
	}
	did = append(did, log...)
	free, err := s.number(ctx, s.db, "SELECT freelist_count FROM temp.pragma_freelist_count")
	if err != nil {
		return did, err
	}
	if free > 0 {
		did = append(did, fmt.Sprintf("%d free pages remain in the file; what was deleted here is overwritten, older remains go with VACUUM", free))
	}
	return did, nil
}

// purge rebuilds an index whose words come from another table, and merges any other into one part.
func (s *Store) purge(ctx context.Context, name string) (string, error) {
	var sql string
	const q = "SELECT sql FROM main.sqlite_schema WHERE type = 'table' AND name = ?1"
	err := s.query(ctx, s.db, q, []any{name}, func(row []connector.Value) error { sql = row[0].S; return nil })
	if err != nil {
		return "", err
	}
	command, word := "optimize", "optimised"
	if f, ok := readFullText(name, sql); ok && f.content != "" {
		command, word = "rebuild", "rebuilt"
	}
	table := &connector.Table{Name: name}
	if _, err := s.exec(ctx, s.db, "INSERT INTO "+from(table)+" ("+quote(name)+") VALUES (?1)", command); err != nil {
		return "", err
	}
	return "full-text index " + name + " " + word, nil
}

// emptyLog checkpoints a write-ahead log; readers may keep it from being emptied.
func (s *Store) emptyLog(ctx context.Context) ([]string, error) {
	var did []string
	err := s.query(ctx, s.db, "PRAGMA wal_checkpoint(TRUNCATE)", nil, func(row []connector.Value) error {
		switch busy, pages := row[0].S, row[1].S; {
		case pages == "-1": // no write-ahead log
		case busy == "0":
			did = append(did, "write-ahead log emptied")
		default:
			did = append(did, "write-ahead log not emptied: another program is reading")
		}
		return nil
	})
	return did, err
}
