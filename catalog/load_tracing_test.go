package catalog

import (
	"strings"
	"testing"
)

func TestLoadTracing(t *testing.T) {
	for text, want := range map[string]Tracing{
		"{endpoint: 'https://c.example.com'}":                            {Endpoint: "https://c.example.com", Sample: 0.01},
		"{endpoint: 'http://127.0.0.1:4318', allow: private, sample: 1}": {Endpoint: "http://127.0.0.1:4318", Sample: 1, Allow: "private"},
	} {
		cfg, err := Parse("ombud.yaml", []byte("organization: {name: x}\nsystems: []\ntracing: "+text+"\n"))
		if err != nil || cfg.Tracing != want {
			t.Errorf("%s: %+v, %v", text, cfg, err)
		}
	}
	for text, want := range map[string]string{
		"{}": "endpoint", "{endpoint: 'http://c.example.com'}": "unless allow: private", "{endpoint: collector}": "address of a collector",
		"{endpoint: 'https://user:secret@c.example.com'}": "address of a collector", "{endpoint: 'https://c.example.com', sample: 2}": "a share",
		"{endpoint: 'https://c.example.com', sample: 0}": "a share", "{endpoint: 'https://c.example.com', all: true}": "all",
	} {
		_, err := Parse("ombud.yaml", []byte("organization: {name: x}\nsystems: []\ntracing: "+text+"\n"))
		if err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), ":3") || strings.Contains(err.Error(), "secret@") {
			t.Errorf("%s: %v", text, err)
		}
	}
}
