package db

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"unsafe"

	"modernc.org/libc"
	sqlite3 "modernc.org/sqlite/lib"
)

// walker is a connection that only reads, spoken to by the engine's own functions. The driver asks twice or three times for a
// column, under a lock each time, and copies what it gets; here one goroutine has the connection, so that it needs no locks,
// and a cell points at the engine's memory.
type walker struct {
	tls   *libc.TLS
	db    uintptr
	stmts map[string]uintptr
	row   []Cell
}

// each is DB.Each.
func (f *file) each(ctx context.Context, text string, args []int64, fn func(row []Cell) error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	w, err := f.walker()
	if err != nil {
		return err
	}
	defer f.keep(w)
	return w.each(text, args, fn)
}

// walker takes an idle one, or opens another.
func (f *file) walker() (*walker, error) {
	select {
	case w := <-f.walkers:
		return w, nil
	default:
		return openWalker(f.path)
	}
}

// keep keeps one for the next time, unless there are enough.
func (f *file) keep(w *walker) {
	select {
	case f.walkers <- w:
	default:
		w.close()
	}
}

// rest closes the idle ones.
func (f *file) rest() {
	for {
		select {
		case w := <-f.walkers:
			w.close()
		default:
			return
		}
	}
}

// openWalker is refused where there is no file: the writer makes it.
func openWalker(path string) (*walker, error) {
	abs, err := filepath.Abs(path)
	if err != nil {
		return nil, fmt.Errorf("opening the store: %w", err)
	}
	w := &walker{tls: libc.NewTLS(), stmts: map[string]uintptr{}}
	name, err := libc.CString(abs)
	if err != nil {
		w.tls.Close()
		return nil, fmt.Errorf("opening the store: %w", err)
	}
	defer libc.Xfree(w.tls, name)
	out := w.tls.Alloc(8)
	rc := sqlite3.Xsqlite3_open_v2(w.tls, name, out, sqlite3.SQLITE_OPEN_READWRITE|sqlite3.SQLITE_OPEN_NOMUTEX, 0)
	w.db = *at[uintptr](out)
	w.tls.Free(8)
	if rc == sqlite3.SQLITE_OK {
		rc = sqlite3.Xsqlite3_extended_result_codes(w.tls, w.db, 1)
	}
	for _, p := range readerPragmas {
		if rc == sqlite3.SQLITE_OK {
			rc = w.script(p)
		}
	}
	if rc != sqlite3.SQLITE_OK {
		err := w.failed("opening the store", rc)
		w.close()
		return nil, err
	}
	return w, nil
}

func (w *walker) script(text string) int32 {
	s, err := libc.CString(text)
	if err != nil {
		return sqlite3.SQLITE_NOMEM
	}
	defer libc.Xfree(w.tls, s)
	return sqlite3.Xsqlite3_exec(w.tls, w.db, s, 0, 0, 0)
}

func (w *walker) each(text string, args []int64, fn func(row []Cell) error) (err error) {
	stmt, err := w.prepared(text)
	if err != nil {
		return err
	}
	defer sqlite3.Xsqlite3_reset(w.tls, stmt) // repeats what step gave; a SELECT has nothing else to report
	for i, a := range args {
		if rc := sqlite3.Xsqlite3_bind_int64(w.tls, stmt, int32(i+1), a); rc != sqlite3.SQLITE_OK {
			return w.failed("running a query", rc)
		}
	}
	w.row = make([]Cell, sqlite3.Xsqlite3_column_count(w.tls, stmt))
	for {
		switch rc := sqlite3.Xsqlite3_step(w.tls, stmt); rc {
		case sqlite3.SQLITE_ROW:
		case sqlite3.SQLITE_DONE:
			return nil
		default:
			return w.failed("reading rows", rc)
		}
		for i := range w.row {
			w.row[i] = w.cell(sqlite3.Xsqlite3_column_value(w.tls, stmt, int32(i)))
		}
		if err := fn(w.row); err != nil {
			return err
		}
	}
}

// cell reads a column. Bytes are nil when there are none, as from the driver.
func (w *walker) cell(v uintptr) Cell {
	switch sqlite3.Xsqlite3_value_type(w.tls, v) {
	case sqlite3.SQLITE_NULL:
		return Cell{}
	case sqlite3.SQLITE_INTEGER:
		return Cell{Kind: Int, Int: sqlite3.Xsqlite3_value_int64(w.tls, v)}
	case sqlite3.SQLITE_TEXT:
		return Cell{Kind: Text, Bytes: w.bytes(v)}
	case sqlite3.SQLITE_BLOB:
		return Cell{Kind: Blob, Bytes: w.bytes(v)}
	}
	return Cell{Kind: Other}
}

func (w *walker) bytes(v uintptr) []byte {
	p := sqlite3.Xsqlite3_value_blob(w.tls, v)
	n := sqlite3.Xsqlite3_value_bytes(w.tls, v)
	if p == 0 || n <= 0 {
		return nil
	}
	return unsafe.Slice(at[byte](p), n)
}

// at is what lies at an address of the engine's, whose memory the collector knows nothing of.
func at[T any](address uintptr) *T { return *(**T)(unsafe.Pointer(&address)) }

func (w *walker) prepared(text string) (uintptr, error) {
	if stmt, ok := w.stmts[text]; ok {
		return stmt, nil
	}
	s, err := libc.CString(text)
	if err != nil {
		return 0, fmt.Errorf("preparing a statement: %w", err)
	}
	defer libc.Xfree(w.tls, s)
	out := w.tls.Alloc(8)
	defer w.tls.Free(8)
	if rc := sqlite3.Xsqlite3_prepare_v2(w.tls, w.db, s, -1, out, 0); rc != sqlite3.SQLITE_OK {
		return 0, w.failed("preparing a statement", rc)
	}
	w.stmts[text] = *at[uintptr](out)
	return w.stmts[text], nil
}

// failed is the engine's error. Its texts name tables and columns, never values.
func (w *walker) failed(doing string, rc int32) error {
	text := libc.GoString(sqlite3.Xsqlite3_errstr(w.tls, rc))
	return engineError(doing, int(rc), errors.New(text))
}

func (w *walker) close() {
	for _, stmt := range w.stmts {
		sqlite3.Xsqlite3_finalize(w.tls, stmt)
	}
	sqlite3.Xsqlite3_close_v2(w.tls, w.db) // what was only read has nothing to report
	w.tls.Close()
}
