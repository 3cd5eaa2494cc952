package request

import (
	"archive/zip"
	"bytes"
	"context"
	"crypto/ed25519"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/ombudhq/ombud/catalog"
	"github.com/ombudhq/ombud/connector"
	"github.com/ombudhq/ombud/internal/fault"
	"github.com/ombudhq/ombud/plan"
	"github.com/ombudhq/ombud/vault"
)

func openVault(t testing.TB) *vault.Vault {
	t.Helper()
	v, err := vault.Open(vault.Config{Dir: filepath.Join(t.TempDir(), "keys")})
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func cols(kinds map[string]connector.Kind, names ...string) []connector.Column {
	var out []connector.Column
	for _, n := range names {
		kind, ok := kinds[n]
		if !ok {
			kind = connector.Text
		}
		out = append(out, connector.Column{Name: n, Kind: kind, Type: "text"})
	}
	return out
}

// packed writes a package of the given rows and gives its path.
func packed(t testing.TB, v *vault.Vault, fill func(plan.Sink) error) (string, *PackageRef) {
	t.Helper()
	dir := t.TempDir()
	rows, err := newSpool(filepath.Join(dir, "tmp"))
	if err != nil {
		t.Fatal(err)
	}
	if err := fill(rows); err != nil {
		t.Fatal(err)
	}
	if left, _ := os.ReadDir(filepath.Join(dir, "tmp")); len(left) > 0 {
		t.Errorf("the spool has a name: %v", left)
	}
	path := filepath.Join(dir, "out.zip")
	f, err := newPackageFile(path)
	if err != nil {
		t.Fatal(err)
	}
	p := &pack{
		config: &catalog.Config{
			Organization: catalog.Organization{Name: "Fjordly AS", Contact: "privacy@fjordly.example"},
			Purposes:     []catalog.Purpose{{ID: "newsletter", Basis: "consent", Categories: []string{"contact"}, Systems: []string{"shop"}, Recipients: []string{"Mailer Inc"}}},
			Systems:      []catalog.System{{ID: "shop", Connector: "sqlite", Location: "EU", Tables: []catalog.TableRule{{Table: "orders", Erase: catalog.Keep, Because: "bookkeeping law", Until: "5 years after issued_at"}}}},
			Targets:      []catalog.Target{{ID: "crm-sync", Systems: []string{"shop"}}},
		},
		key: v, now: time.Date(2026, 11, 21, 4, 0, 0, 0, time.UTC), rows: rows, ref: "R-2026-0148",
		received: time.Date(2026, 11, 20, 4, 0, 0, 0, time.UTC),
		plan:     &plan.Plan{Hash: "7f3a", Systems: []plan.SystemPlan{{ID: "shop"}}},
		outcome: &plan.Outcome{
			Held:      []plan.Held{{System: "shop", Dataset: "messages", Field: "body", Rows: 1, Why: "somebody else wrote it"}},
			Gaps:      []plan.Remaining{{System: "search", Rows: -1, Why: "could not be reached"}},
			Remaining: []plan.Remaining{}, Ignored: []string{"shop.schema_migrations"},
		},
	}
	ref, err := p.write(t.Context(), f)
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(f.place(), rows.Close()); err != nil {
		t.Fatal(err)
	}
	return path, ref
}

func smallPackage(t testing.TB, v *vault.Vault) (string, *PackageRef) {
	kinds := map[string]connector.Kind{"id": connector.Int, "photo": connector.Bytes}
	return packed(t, v, func(s plan.Sink) error {
		orders := plan.Item{System: "shop", Dataset: "orders", Path: "email › customers › orders.customer_id", Role: catalog.Own, Columns: cols(kinds, "id", "note", "photo")}
		messages := plan.Item{System: "shop", Dataset: "messages", Role: catalog.Co, Columns: cols(kinds, "id", "body"), Withheld: []string{"body"}}
		clear := messages
		clear.Withheld, clear.Columns = nil, cols(kinds, "id", "body", "extra")
		return errors.Join(
			s.Row(orders, []connector.Value{connector.IntValue(1), connector.TextValue(`=HYPERLINK("x","<b>&")`), connector.BytesValue([]byte{0, 255})}),
			s.Row(messages, []connector.Value{connector.IntValue(7), {}}),
			s.Row(orders, []connector.Value{connector.IntValue(2), {}, {}}),
			s.Row(clear, []connector.Value{connector.IntValue(8), connector.TextValue("mine\r\nwhole"), connector.TextValue("")}),
		)
	})
}

func TestPackageHoldsEverythingReadably(t *testing.T) {
	v := openVault(t)
	path, ref := smallPackage(t, v)
	if st, err := os.Stat(path); err != nil || st.Mode().Perm() != 0o600 || st.Size() != ref.Size {
		t.Errorf("the package is %v, %v; the record says %d bytes", st, err, ref.Size)
	}
	b, err := os.ReadFile(path)
	if err != nil || sum(b) != ref.SHA256 {
		t.Errorf("the recorded hash is not the file's (%v)", err)
	}
	files := unzip(t, path)
	var orders, messages []map[string]any
	for name, into := range map[string]*[]map[string]any{"data/shop/orders.json": &orders, "data/shop/messages.json": &messages} {
		if err := json.Unmarshal(files[name], into); err != nil {
			t.Fatalf("%s: %v\n%s", name, err, files[name])
		}
	}
	want := []map[string]any{
		{"id": 1.0, "note": `=HYPERLINK("x","<b>&")`, "photo": map[string]any{"base64": "AP8="}},
		{"id": 2.0, "note": nil, "photo": nil},
	}
	if d := cmp.Diff(want, orders); d != "" {
		t.Error(d)
	}
	want = []map[string]any{{"id": 7.0, "_withheld": []any{"body"}}, {"id": 8.0, "body": "mine\r\nwhole", "extra": ""}}
	if d := cmp.Diff(want, messages); d != "" {
		t.Error(d)
	}
	rec, err := csv.NewReader(bytes.NewReader(files["data/shop/orders.csv"])).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff([][]string{{"id", "note", "photo"}, {"1", `'=HYPERLINK("x","<b>&")`, "base64:AP8="}, {"2", "", ""}}, rec); d != "" {
		t.Error(d)
	}
	if got := string(files["data/shop/messages.csv"]); got != "\"id\",\"body\",\"extra\"\r\n\"7\",\"[held back for review]\",\r\n\"8\",\"mine\r\nwhole\",\"\"\r\n" {
		t.Errorf("messages.csv is %q", got)
	}
}

func TestPageSaysWhatTheLawAsks(t *testing.T) {
	path, _ := smallPackage(t, openVault(t))
	page := string(unzip(t, path)["index.html"])
	for _, want := range []string{
		"Fjordly AS holds 4 rows about you, in 1 system.", "newsletter", "consent, Art. 6(1)(a) GDPR", "contact", "Mailer Inc", "crm-sync",
		"EU", "email › customers › orders.customer_id", "bookkeeping law", "5 years after issued_at", "could not be reached",
		"somebody else wrote it", "schema_migrations", "Art. 77", "Art. 16", "Art. 17", "Art. 18", "Art. 20", "Art. 21", "Art. 22",
		"privacy@fjordly.example", "R-2026-0148", `href="data/shop/orders.csv"`, "[held back for review]",
		"&lt;b&gt;&amp;", "Content-Security-Policy",
	} {
		if !strings.Contains(page, want) {
			t.Errorf("the page does not say %q", want)
		}
	}
	for _, no := range []string{"<script", "http://", "https://", "<b>&", "style=", "ZgotmplZ"} {
		if strings.Contains(page, no) {
			t.Errorf("the page has %q", no)
		}
	}
}

func TestVerifyPackage(t *testing.T) {
	v := openVault(t)
	path, ref := smallPackage(t, v)
	info, err := VerifyPackage(path, v.PublicKey())
	if err != nil || info.Ref != "R-2026-0148" || info.Rows != 4 || ref.Rows != 4 {
		t.Fatalf("a good package: %+v, %v", info, err)
	}
	other, _, err := ed25519.GenerateKey(nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := VerifyPackage(path, other); fault.KindOf(err) != fault.Integrity {
		t.Errorf("with another key: %v", err)
	}
	good := unzip(t, path)
	for name, change := range map[string]func(map[string][]byte){
		"edit data":     func(f map[string][]byte) { f["data/shop/orders.csv"] = append(f["data/shop/orders.csv"], '1') },
		"edit page":     func(f map[string][]byte) { f["index.html"][100] ^= 1 },
		"edit manifest": func(f map[string][]byte) { f["manifest.json"][60] ^= 1 },
		"edit sig":      func(f map[string][]byte) { f["manifest.sig"][3] ^= 1 },
		"remove":        func(f map[string][]byte) { delete(f, "data/shop/messages.json") },
		"add":           func(f map[string][]byte) { f["data/shop/more.json"] = []byte("[]") },
		"no manifest":   func(f map[string][]byte) { delete(f, "manifest.json") },
	} {
		files := map[string][]byte{}
		for k, b := range good {
			files[k] = bytes.Clone(b)
		}
		change(files)
		if _, err := VerifyPackage(rezip(t, files), v.PublicKey()); fault.KindOf(err) != fault.Integrity {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := VerifyPackage(filepath.Join(t.TempDir(), "none.zip"), v.PublicKey()); fault.KindOf(err) != fault.NotFound {
		t.Errorf("no file: %v", err)
	}
}

// TestPackageMemoryIsBounded: a person with very many rows costs no more memory than one with few.
func TestPackageMemoryIsBounded(t *testing.T) {
	const rows, limit = 400_000, 64 << 20
	if testing.Short() {
		t.Skip("writes 400,000 rows")
	}
	v := openVault(t)
	runtime.GC()
	idle := heap()
	peak := idle
	_, ref := packed(t, v, func(s plan.Sink) error {
		it := plan.Item{System: "shop", Dataset: "events", Path: "email", Role: catalog.Own,
			Columns: cols(map[string]connector.Kind{"id": connector.Int}, "id", "what", "more")}
		for i := range rows {
			row := []connector.Value{connector.IntValue(int64(i)), connector.TextValue(fmt.Sprintf("event %d", i)), connector.TextValue(strings.Repeat("x", 150))}
			if err := s.Row(it, row); err != nil {
				return err
			}
			if i%10_000 == 0 {
				peak = max(peak, heap())
			}
		}
		return nil
	})
	peak = max(peak, heap())
	if ref.Rows != rows {
		t.Errorf("%d rows came out", ref.Rows)
	}
	if peak-idle > limit {
		t.Errorf("%d MiB above idle", (peak-idle)>>20)
	}
	t.Logf("%.1f MiB above idle, package %.1f MiB", float64(peak-idle)/(1<<20), float64(ref.Size)/(1<<20))
}

// heap is what the process has taken for its heap and not given back: the part of RSS that can grow.
func heap() int64 {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapSys - m.HeapReleased)
}

func TestPackageStopsWithItsContext(t *testing.T) {
	rows, err := newSpool(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	it := plan.Item{System: "s", Dataset: "d", Columns: cols(nil, "a")}
	for range 2000 {
		if err := rows.Row(it, []connector.Value{connector.TextValue("x")}); err != nil {
			t.Fatal(err)
		}
	}
	dir := t.TempDir()
	f, err := newPackageFile(filepath.Join(dir, "out.zip"))
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	p := &pack{config: &catalog.Config{}, key: openVault(t), rows: rows, plan: &plan.Plan{}, outcome: &plan.Outcome{}}
	if _, err := p.write(ctx, f); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	if err := errors.Join(f.drop(), f.drop()); err != nil {
		t.Error(err)
	}
	if left, _ := os.ReadDir(dir); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
}

func unzip(t testing.TB, path string) map[string][]byte {
	t.Helper()
	z, err := zip.OpenReader(path)
	if err != nil {
		t.Fatal(err)
	}
	defer z.Close()
	out := map[string][]byte{}
	for _, f := range z.File {
		r, err := f.Open()
		if err != nil {
			t.Fatal(err)
		}
		b, err := io.ReadAll(r)
		if err := errors.Join(err, r.Close()); err != nil {
			t.Fatal(err)
		}
		out[f.Name] = b
	}
	return out
}

func rezip(t testing.TB, files map[string][]byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "changed.zip")
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	z := zip.NewWriter(f)
	for name, b := range files {
		w, err := z.Create(name)
		if err == nil {
			_, err = w.Write(b)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := errors.Join(z.Close(), f.Close()); err != nil {
		t.Fatal(err)
	}
	return path
}
