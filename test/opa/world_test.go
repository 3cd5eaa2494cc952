package opa

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/ombudhq/ombud/app"
	"github.com/ombudhq/ombud/consent"
	"github.com/ombudhq/ombud/subject"
)

// openService is the program that ships, without its server, where everybody said yes to each purpose.
func openService(t *testing.T, people, purposes int) *consent.Service {
	t.Helper()
	dir := t.TempDir()
	var text strings.Builder
	text.WriteString("organization: {name: Bench, jurisdictions: [eu]}\npurposes:\n")
	for i := range purposes {
		fmt.Fprintf(&text, "  - {id: %s, basis: consent, categories: [contact, usage], notices: [{id: n, version: \"1\", language: en, text: \"May we?\"}]}\n", purpose(i))
	}
	config := filepath.Join(dir, "ombud.yaml")
	if err := os.WriteFile(config, []byte(text.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	a, err := app.Open(t.Context(), app.Config{DataDir: filepath.Join(dir, "data"), ConfigPath: config})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = a.Close() })
	var all sync.WaitGroup
	for k := range purposes {
		all.Go(func() {
			for i := range people {
				if _, err := a.Consents.Record(t.Context(), consent.RecordInput{Subject: []subject.Identity{identity(i)}, Purpose: purpose(k),
					Method: "web_form", Actor: "bench", Interface: "web", Notice: consent.NoticeInput{ID: "n", Version: "1", Language: "en"}}); err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	all.Wait()
	return a.Consents
}
