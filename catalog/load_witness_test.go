package catalog

import (
	"strings"
	"testing"
)

// TestWitnesses are read with their key, and refused with every fault.
func TestWitnesses(t *testing.T) {
	const key = "witness.example+aa8cc0c0+BAABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4f"
	for text, want := range map[string]string{
		"{url: 'https://w.example', key: '" + key + "'}":                 "witnesses.key",
		"{url: 'http://w.example', key: x}":                              "witnesses.url",
		"{url: 'https://u:p@w.example', key: x}":                         "witnesses.url",
		"{url: 'https://w.example'}":                                     "key",
		"{url: 'https://w.example', key: 'ombud/1+01020304+AQ==', x: 1}": "x",
	} {
		_, err := Parse("ombud.yaml", []byte("witnesses:\n  - "+text+"\n"))
		if err == nil || !strings.Contains(err.Error(), "ombud.yaml:2") || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", text, err)
		}
	}
}
