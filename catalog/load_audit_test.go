package catalog

import (
	"strings"
	"testing"
)

func TestAuditRules(t *testing.T) {
	cfg, err := Parse("ombud.yaml", []byte("audit:\n  - {keep: access, years: 6, because: law}\n"))
	if err != nil || len(cfg.Audit) != 1 || cfg.Audit[0] != (LogKeep{Class: "access", Years: 6, Because: "law"}) {
		t.Errorf("%+v, %v", cfg, err)
	}
	if cfg, err = Parse("ombud.yaml", []byte("audit:\n  - {law: hipaa}\n")); err != nil || len(cfg.Audit) != 1 || cfg.Audit[0] != (LogKeep{Law: "hipaa"}) {
		t.Errorf("%+v, %v", cfg, err)
	}
	for text, want := range map[string]string{
		"{keep: access, years: 6}":                  "because",
		"{keep: state, years: 6, because: law}":     "state",
		"{keep: access, years: 0, because: law}":    "years",
		"{keep: access, years: 1.5, because: law}":  "years",
		"{keep: access, years: 1000, because: law}": "years",
		"{law: hippa}":                               "hipaa",
		"{law: hipaa, years: 9}":                     "years",
		"{keep: access, for: 6 years, because: law}": "for",
	} {
		if _, err := Parse("ombud.yaml", []byte("audit:\n  - "+text+"\n")); err == nil || !strings.Contains(err.Error(), "ombud.yaml:2") || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", text, err)
		}
	}
}
