package db

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/ombudhq/ombud/internal/fault"
)

// TestReadWaitsForTheDisk: a commit that is part of the store and is not on the disk yet may be seen, and nobody comes back with
// what was seen before it is; who will not wait comes back with an error.
func TestReadWaitsForTheDisk(t *testing.T) {
	d := opened(t, filepath.Join(t.TempDir(), "own.db"))
	defer d.Close()
	if err := d.Migrate(ctx, "test", table); err != nil {
		t.Fatal(err)
	}
	seen, back := make(chan int), make(chan error, 1)
	read := func(tx *Tx) error {
		n := 0
		err := tx.QueryRow(ctx, "select count(*) from t").Scan(&n)
		seen <- n
		return err
	}
	err := d.Write(ctx, func(tx *Tx) error {
		tx.WhileForced(func() func() {
			impatient, leave := context.WithCancel(ctx)
			go func() { back <- d.Read(impatient, read) }()
			<-seen
			leave()
			if err := <-back; !errors.Is(err, context.Canceled) {
				t.Errorf("who did not wait came back with %v", err)
			}
			go func() { back <- d.Read(ctx, read) }()
			if n := <-seen; n != 1 {
				t.Errorf("%d rows are seen", n)
			}
			for range 1000 {
				runtime.Gosched()
			}
			if len(back) > 0 {
				t.Error("who saw it did not wait for the disk")
			}
			return nil
		})
		return insert(tx, "one")
	})
	if err := errors.Join(err, <-back); err != nil {
		t.Error(err)
	}
}

// TestNotForcedIsNotAnswered: what cannot be forced to the disk is answered as unknown, whatever was kept elsewhere meanwhile, and
// the store takes nothing more.
func TestNotForcedIsNotAnswered(t *testing.T) {
	d := opened(t, filepath.Join(t.TempDir(), "own.db"))
	defer d.Close()
	if err := d.Migrate(ctx, "test", table); err != nil {
		t.Fatal(err)
	}
	var told []string
	note := func(what string) func() { return func() { told = append(told, what) } }
	write := func(tx *Tx) error {
		tx.WhileForced(func() func() { return note("kept elsewhere") })
		tx.OnCommit(note("memory"))
		tx.OnRollback(note("undone"))
		return insert(tx, "one")
	}
	log := d.w.c.(*sqliteConn)
	log.log.Close()
	for range 2 {
		if err := d.Write(ctx, write); fault.KindOf(err) != fault.Unavailable || d.Err() == nil {
			t.Errorf("answered with %v; the store is %v", err, d.Err())
		}
	}
	if len(told) != 2 || told[0] != "kept elsewhere" || told[1] != "undone" {
		t.Errorf("told %v", told)
	}
}

// tells notes when a store is forced to the disk.
type tells struct {
	conn
	note func(string)
}

func (c tells) force() error {
	c.note("forced")
	return c.conn.force()
}

// TestWrittenBeforeForced: what is kept elsewhere is written before a file is forced to the disk, which carries it there, and finds
// the transaction in the store; it is not written for what did not come to be.
func TestWrittenBeforeForced(t *testing.T) {
	d := fresh(t, "sqlite")
	var told []string
	note := func(what string) { told = append(told, what) }
	write := func(v string) error {
		return d.Write(ctx, func(tx *Tx) error {
			tx.WhileForced(func() func() {
				err := d.read(ctx, func(tx *Tx) error {
					n := 0
					err := tx.QueryRow(ctx, "select count(*) from t").Scan(&n)
					note(fmt.Sprint("written of ", n))
					return err
				})
				if err != nil {
					t.Error(err)
				}
				return nil
			})
			return insert(tx, v)
		})
	}
	d.w.c = tells{d.w.c, note}
	if err, again := write("one"), write("one"); err != nil || again == nil || write("two") != nil {
		t.Errorf("%v, %v", err, again)
	}
	if got := strings.Join(told, ", "); got != "written of 1, forced, written of 2, forced" {
		t.Error(got)
	}
}

// TestOnlyWritingIsForced: a group that wrote nothing does not wait for the disk.
func TestOnlyWritingIsForced(t *testing.T) {
	d := opened(t, filepath.Join(t.TempDir(), "own.db"))
	defer d.Close()
	d.w.c.(*sqliteConn).log.Close()
	for _, err := range d.group(
		func(tx *Tx) error { var n int; return tx.QueryRow(ctx, "select 1").Scan(&n) },
		func(tx *Tx) error { return nil },
	) {
		if err != nil {
			t.Error(err)
		}
	}
}

// TestTheLogBesideALink: the engine puts its log beside the file that a link leads to.
func TestTheLogBesideALink(t *testing.T) {
	dir := t.TempDir()
	real, link := filepath.Join(dir, "real", "own.db"), filepath.Join(dir, "own.db")
	opened(t, real).Close()
	if err := os.Symlink(real, link); err != nil {
		t.Fatal(err)
	}
	d := opened(t, link)
	defer d.Close()
	info, err := d.w.c.(*sqliteConn).log.Stat()
	there, err2 := os.Stat(real + "-wal")
	if err != nil || err2 != nil || !os.SameFile(info, there) {
		t.Errorf("%v, %v", err, err2)
	}
	if err := d.Migrate(ctx, "test", table); err != nil {
		t.Error(err)
	}
}
