package app

import (
	"testing"
	"time"

	"github.com/ombudhq/ombud/catalog"
	"github.com/ombudhq/ombud/ledger"
)

// TestYearsOfLaws: the longest of what a file says, of the laws it names and of those that hold where the company is.
func TestYearsOfLaws(t *testing.T) {
	day := time.Date(2026, 11, 21, 0, 0, 0, 0, time.UTC)
	cfg := &catalog.Config{Organization: catalog.Organization{Jurisdictions: []string{"eu", "us-ca"}}}
	if y := yearsOf(cfg, day); y[ledger.Access] != 1 || y[ledger.Security] != 7 || y[ledger.Compliance] != 10 {
		t.Errorf("by default: %v", y)
	}
	cfg.Audit = []catalog.LogKeep{{Law: "hipaa"}, {Class: "access", Years: 3, Because: "a contract"}}
	if y := yearsOf(cfg, day); y[ledger.Access] != 6 || y[ledger.Security] != 7 {
		t.Errorf("with a law: %v", y)
	}
	cfg.Audit = append(cfg.Audit, catalog.LogKeep{Class: "access", Years: 8, Because: "a contract"})
	if y := yearsOf(cfg, day); y[ledger.Access] != 8 {
		t.Errorf("with more than a law: %v", y)
	}
}
