package world

import (
	"bytes"
	"context"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/ombudhq/ombud/connector"
	"github.com/ombudhq/ombud/internal/testkit/gen"
	"github.com/ombudhq/ombud/ledger"
	"github.com/ombudhq/ombud/request"
)

// Canary names texts that must never lie readable in the program's own files: identities, names.
func (w *World) Canary(texts ...string) { w.canaries = append(w.canaries, texts...) }

// Verify checks what must hold after every scenario: the ledger proves itself, receipts verify with
// the public key alone, references of all stores are intact, no canary is readable in our own files.
func (w *World) Verify(t testing.TB, stores ...*Store) {
	t.Helper()
	ctx := context.Background()
	if w.DB != nil {
		rep, err := w.Ledger.Verify(ctx, ledger.VerifyOptions{})
		if err != nil || !rep.OK {
			t.Errorf("the ledger does not verify: %v %s", err, rep.Problem)
		}
	}
	w.verifyReceipts(t)
	w.verifyFiles(t)
	for _, s := range stores {
		w.verifyReferences(t, s)
	}
}

func (w *World) verifyReceipts(t testing.TB) {
	t.Helper()
	files, _ := filepath.Glob(filepath.Join(w.Dir, "receipts", "*"))
	for _, f := range files {
		if strings.Contains(f, "opening") || !strings.HasSuffix(f, ".json") {
			continue
		}
		b, err := os.ReadFile(f)
		if err != nil {
			t.Error(err)
			continue
		}
		if _, err := request.VerifyReceipt(b, w.Vault.PublicKey(), nil, nil); err != nil {
			t.Errorf("receipt %s: %v", filepath.Base(f), err)
		}
	}
}

// verifyFiles reads every byte of the data directory. Packages are the person's own copy.
func (w *World) verifyFiles(t testing.TB) {
	t.Helper()
	err := filepath.WalkDir(w.Dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			if d != nil && d.Name() == "packages" {
				return fs.SkipDir
			}
			return err
		}
		b, err := os.ReadFile(path)
		if os.IsNotExist(err) {
			return nil
		}
		for _, c := range w.canaries {
			if bytes.Contains(bytes.ToLower(b), []byte(strings.ToLower(c))) || strings.Contains(strings.ToLower(path), strings.ToLower(c)) {
				t.Errorf("%s holds %q in clear", filepath.Base(path), c)
			}
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
}

// verifyReferences looks for rows whose foreign key points at nothing, by a join for each.
func (w *World) verifyReferences(t testing.TB, s *Store) {
	t.Helper()
	if w.Catalog == nil {
		return
	}
	store, err := w.Catalog.Store(s.System)
	if err != nil {
		t.Error(err)
		return
	}
	schema, err := store.Schema(context.Background())
	if err != nil {
		t.Error(err)
		return
	}
	for _, table := range schema.Tables {
		for _, fk := range table.ForeignKeys {
			if parent := schema.Resolve(fk); parent != nil && !fk.NotValidated {
				if n := s.Text(t, orphans(s.Engine, table, parent, fk)); n != "0" {
					t.Errorf("%s: %s rows of %s refer to nothing in %s", s.System, n, table.Name, parent.Name)
				}
			}
		}
	}
}

func orphans(engine string, child, parent *connector.Table, fk connector.ForeignKey) string {
	q := func(n string) string { return gen.Quote(engine, n) }
	name := func(t *connector.Table) string {
		if t.Schema == "" || engine == "sqlite" {
			return q(t.Name)
		}
		return q(t.Schema) + "." + q(t.Name)
	}
	var on, set []string
	for i, c := range fk.Columns {
		on = append(on, fmt.Sprintf("p.%s = c.%s", q(fk.RefColumns[i]), q(c)))
		set = append(set, fmt.Sprintf("c.%s IS NOT NULL", q(c)))
	}
	return fmt.Sprintf("SELECT count(*) FROM %s c WHERE %s AND NOT EXISTS (SELECT 1 FROM %s p WHERE %s)",
		name(child), strings.Join(set, " AND "), name(parent), strings.Join(on, " AND "))
}

// VerifyGone closes the world and checks that nothing of it runs on.
func (w *World) VerifyGone(t testing.TB) {
	t.Helper()
	if err := w.Close(); err != nil {
		t.Error(err)
	}
	for end, left := time.After(time.Minute), ours(); len(left) > 0; left = ours() {
		select {
		case <-time.After(time.Millisecond):
		case <-end:
			t.Fatalf("still running after Close:\n%s", strings.Join(left, "\n\n"))
		}
	}
}

// ours are the goroutines in code of this module that no test started.
func ours() []string {
	buf := make([]byte, 1<<20)
	all := strings.Split(string(buf[:runtime.Stack(buf, true)]), "\n\n")
	return slices.DeleteFunc(all[1:], func(g string) bool {
		return !strings.Contains(g, "github.com/ombudhq/ombud/") || strings.Contains(g, "testing.tRunner") || strings.Contains(g, "testkit/")
	})
}
