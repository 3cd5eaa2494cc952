package sqlite

import (
	"cmp"
	"context"
	"encoding/binary"
	"fmt"
	"os"
	"slices"
	"strconv"
	"sync/atomic"
	"time"

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
	log, err := s.emptyLog(ctx, len(names) > 0) // what is purged was written into the log by the commit
	if err != nil {
		return did, err
	}
	did = append(did, log...)
	free, err := s.number(ctx, s.db, "PRAGMA main.freelist_count")
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
	if err := s.exec(ctx, s.db, "INSERT INTO "+from(table)+" ("+quote(name)+") VALUES (?1)", command); err != nil {
		return "", err
	}
	return "full-text index " + name + " " + word, nil
}

// writeAhead is what we know of the log.
type writeAhead struct {
	path   string                  // "" where it is not known
	before atomic.Pointer[logHead] // when we last began to commit, while the lock to write was ours; nil where it is not known
}

// logHead is the first bytes of a log, other ones whenever SQLite begins it anew; of a log without any it is zero.
type logHead [32]byte

const frameHead = 24 // bytes before each page of a log

// note remembers the head for young. Nobody begins the log anew before our commit does.
func (l *writeAhead) note() {
	head, _, err := l.read()
	l.before.Store(&head)
	if err != nil {
		l.before.Store(nil)
	}
}

// young reports whether all bytes of the log, which has so many pages, are of our last commit or later: it was begun anew
// then, or since, and has nothing left behind its last page, where SQLite leaves what a longer log held unless told otherwise.
func (l *writeAhead) young(pages int64) bool {
	before := l.before.Load()
	head, size, err := l.read()
	return before != nil && err == nil && head != *before && size == int64(len(head))+pages*(frameHead+int64(binary.BigEndian.Uint32(head[8:])))
}

func (l *writeAhead) read() (head logHead, size int64, err error) {
	f, err := os.Open(l.path)
	if err != nil {
		return head, 0, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err == nil && info.Size() >= int64(len(head)) {
		size = info.Size()
		_, err = f.ReadAt(head[:], 0)
	}
	return head, size, err
}

// emptyLog moves what a write-ahead log holds into the file, which readers do not disturb, and cuts the log
// off, so that nothing deleted is left in it. A young one holds nothing deleted: it stays, and is written over by the next
// commit. Readers that stay keep the log from being emptied.
func (s *Store) emptyLog(ctx context.Context, purged bool) ([]string, error) {
	conn, err := s.db.Conn(ctx)
	if err != nil {
		return nil, s.fail(ctx, err)
	}
	defer conn.Close()
	r := single{conn}
	state, pages, err := s.checkpoint(ctx, r, "PASSIVE")
	if err != nil || state == noLog {
		return nil, err
	}
	if state == copied && !purged && s.log.young(pages) {
		return []string{"write-ahead log copied into the file; nothing in it is older than what was deleted"}, nil
	}
	state, err = s.cutLog(ctx, r)
	if err == nil && state != copied {
		state, _, err = s.checkpoint(ctx, r, "TRUNCATE")
	}
	switch {
	case err != nil:
		return nil, err
	case state == copied:
		return []string{"write-ahead log emptied"}, nil
	}
	return []string{"write-ahead log not emptied: another program is reading"}, nil
}

// cutLog cuts the log off, for which nobody may read from it: a look on its way does so for some
// microseconds, after which SQLite would come again in a whole millisecond, so the first attempts are ours,
// without waiting for anybody, a little later each time.
func (s *Store) cutLog(ctx context.Context, r runner) (state logState, err error) {
	if err := s.exec(ctx, r, "PRAGMA busy_timeout = 0"); err != nil {
		return busy, err
	}
	for pause := 20 * time.Microsecond; err == nil && state != copied && pause < 3*time.Millisecond; pause *= 2 {
		if state, _, err = s.checkpoint(ctx, r, "TRUNCATE"); state == copied {
			break
		}
		select {
		case <-s.clock.After(pause):
		case <-ctx.Done():
			err = s.fail(ctx, ctx.Err())
		}
	}
	restored := s.exec(context.WithoutCancel(ctx), r, "PRAGMA busy_timeout = "+strconv.FormatInt(s.timeout.Milliseconds(), 10))
	return state, cmp.Or(err, restored)
}

// logState is how a checkpoint ended.
type logState int

const (
	busy   logState = iota
	copied          // all of the log is in the file; where it was to be cut off, it is
	noLog
)

// checkpoint also gives the pages in the log.
func (s *Store) checkpoint(ctx context.Context, r runner, mode string) (state logState, pages int64, err error) {
	err = s.query(ctx, r, "PRAGMA wal_checkpoint("+mode+")", nil, func(row []connector.Value) error {
		pages = whole(row[1])
		switch {
		case pages < 0:
			state = noLog
		case row[0].S == "0" && row[1] == row[2]:
			state = copied
		}
		return nil
	})
	return state, pages, err
}
