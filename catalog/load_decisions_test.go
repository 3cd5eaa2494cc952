package catalog

import (
	"strings"
	"testing"
)

func TestLoadDecisions(t *testing.T) {
	for text, want := range map[string]Decisions{
		"{}": {}, "{log: ring}": {Log: "ring"}, "{log: full}": {Log: "full"},
		"{log: sample}": {Log: "sample", Sample: 0.01}, "{log: sample, sample: 0.5}": {Log: "sample", Sample: 0.5},
	} {
		cfg, err := Parse("ombud.yaml", []byte("organization: {name: x}\nsystems: []\ndecisions: "+text+"\n"))
		if err != nil || cfg.Decisions != want {
			t.Errorf("%s: %+v, %v", text, cfg, err)
		}
	}
	for text, want := range map[string]string{
		"{log: all}": "all", "{sample: 0.5}": "needs log: sample", "{log: sample, sample: 2}": "a share", "{logs: full}": "logs",
	} {
		_, err := Parse("ombud.yaml", []byte("organization: {name: x}\nsystems: []\ndecisions: "+text+"\n"))
		if err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), ":3") {
			t.Errorf("%s: %v", text, err)
		}
	}
}
