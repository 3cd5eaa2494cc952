package bench

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/ombudhq/ombud/access"
	"github.com/ombudhq/ombud/app"
	"github.com/ombudhq/ombud/consent"
	"github.com/ombudhq/ombud/internal/db"
	"github.com/ombudhq/ombud/subject"
)

// purposes of the measured company; every person says yes to each.
const purposes = 8

// company is a data directory with people who said yes.
type company struct {
	dir          string
	store        string // own store, when it is not a file
	people, rows int
	key          string // an API key of the role service
}

func newCompany(t testing.TB, name string, people int) *company {
	t.Helper()
	dir := t.TempDir()
	if keep := os.Getenv("OMBUD_BENCH_KEEP"); keep != "" {
		dir = filepath.Join(keep, fmt.Sprintf("%s-%d", name, people))
	}
	c := &company{dir: dir, people: people}
	c.fill(t)
	return c
}

func (c *company) fill(t testing.TB) {
	t.Helper()
	var text strings.Builder
	spans := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { _, _ = io.Copy(io.Discard, r.Body) }))
	t.Cleanup(spans.Close)
	fmt.Fprintf(&text, "organization: {name: Bench, jurisdictions: [eu]}\ntracing: {endpoint: %q, allow: private}\npurposes:\n", spans.URL)
	for i := range purposes {
		fmt.Fprintf(&text, "  - {id: purpose-%d, basis: consent, categories: [contact, usage], notices: [{id: n, version: \"1\", language: en, text: \"May we?\"}]}\n", i)
	}
	err := errors.Join(os.MkdirAll(c.dir, 0o700), os.WriteFile(c.config(), []byte(text.String()), 0o600))
	if err != nil {
		t.Fatal(err)
	}
	a := c.open(t)
	made, secret, err := a.Keys.Create(t.Context(), access.KeyInput{Name: "bench", Role: access.Service, Actor: "bench"})
	if err != nil || made.ID == "" {
		t.Fatal(err)
	}
	c.key = secret
	if full := c.people * purposes; a.Ledger.Size() < int64(full) {
		c.record(t, a.Consents, 256, full, func(i int) (subject.Identity, string) { return identity(i % c.people), purposeID(i / c.people) })
		if err := a.Consents.SaveSnapshot(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	c.close(t, a)
}

// grow lets people say yes again until the ledger has so many entries.
func (c *company) grow(t testing.TB, rows int) {
	t.Helper()
	a := c.open(t)
	if more := rows - c.rows; more > 0 {
		c.record(t, a.Consents, 256, more, func(i int) (subject.Identity, string) { return identity(i % c.people), purposeID(i % purposes) })
		if err := a.Consents.SaveSnapshot(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	c.close(t, a)
}

func (c *company) config() string { return filepath.Join(c.dir, "ombud.yaml") }
func (c *company) data() string   { return filepath.Join(c.dir, "data") }

func (c *company) forgetSnapshot() { _ = os.Remove(filepath.Join(c.data(), "decisions.snapshot")) }

// forgetCopy removes the copy of the snapshot from the store.
func (c *company) forgetCopy(t testing.TB) {
	t.Helper()
	d, err := db.Open(t.Context(), db.Config{Path: filepath.Join(c.data(), "ombud.db")})
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	err = d.Write(t.Context(), func(tx *db.Tx) error {
		_, err := tx.Exec(t.Context(), "delete from consent_copy")
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

func (c *company) open(t testing.TB) *app.App {
	t.Helper()
	a, err := app.Open(context.Background(), app.Config{DataDir: c.data(), ConfigPath: c.config(), Store: c.store})
	if err != nil {
		t.Fatal(err)
	}
	c.rows = int(a.Ledger.Size())
	return a
}

func (c *company) close(t testing.TB, a *app.App) {
	t.Helper()
	c.rows = int(a.Ledger.Size())
	if err := a.Close(); err != nil {
		t.Fatal(err)
	}
}

func purposeID(i int) string          { return fmt.Sprintf("purpose-%d", i) }
func identity(i int) subject.Identity { return subject.Identity{Kind: "email", Value: email(i)} }

// record lets writers say yes n times; which tells who says yes to what.
func (c *company) record(t testing.TB, s *consent.Service, writers, n int, which func(int) (person subject.Identity, purpose string)) {
	t.Helper()
	var next atomic.Int64
	var failed atomic.Value
	var all sync.WaitGroup
	for range writers {
		all.Go(func() {
			for i := int(next.Add(1)) - 1; i < n && failed.Load() == nil; i = int(next.Add(1)) - 1 {
				who, what := which(i)
				_, err := s.Record(context.Background(), consent.RecordInput{
					Subject: []subject.Identity{who}, Purpose: what, Method: "web_form", Actor: "bench", Interface: "web",
					Notice: consent.NoticeInput{ID: "n", Version: "1", Language: "en"},
				})
				if err != nil {
					failed.Store(err)
				}
			}
		})
	}
	all.Wait()
	if err := failed.Load(); err != nil {
		t.Fatal(err)
	}
}

// dice are the same in every run.
func dice() *rand.Rand { return rand.New(rand.NewPCG(3, 5)) }

// questions are n requests with so many questions each, about the first people, as they go over the wire.
func (c *company) questions(people, n, size int) [][]byte {
	d, out := dice(), make([][]byte, n)
	for i := range out {
		var body strings.Builder
		for j := range size {
			if j > 0 {
				body.WriteByte(',')
			}
			fmt.Fprintf(&body, `{"subject":{"email":%q},"purpose":%q,"category":"usage"}`, email(d.IntN(min(people, c.people))), purposeID(d.IntN(purposes)))
		}
		if size == 1 {
			out[i] = []byte(body.String())
		} else {
			out[i] = []byte(`{"decisions":[` + body.String() + `]}`)
		}
	}
	return out
}
