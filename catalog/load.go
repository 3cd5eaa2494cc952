package catalog

import (
	"errors"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"

	"go.yaml.in/yaml/v4"

	"github.com/ombudhq/ombud/internal/fault"
	"github.com/ombudhq/ombud/internal/witness"
	"github.com/ombudhq/ombud/law"
)

// Limits of a configuration file: far above any real one, far below what could hurt.
const (
	maxFile  = 8 << 20
	maxNodes = 500_000
)

// Load reads ombud.yaml strictly: an unknown key is a fault, and every fault is reported in one run
// with its line, as fault.Invalid. A file that is not there is fault.NotFound. DSNs stay unexpanded.
func Load(path string) (*Config, error) {
	data, err := readFile(path)
	if err != nil {
		return nil, err
	}
	return Parse(path, data)
}

// Parse is Load for content already read; path names it in faults and says where relative DSNs start.
func Parse(path string, data []byte) (*Config, error) {
	if len(data) > maxFile {
		return nil, fault.New(fault.Invalid, "%s is larger than %d MiB", filepath.Clean(path), maxFile>>20)
	}
	r := &reader{path: filepath.Clean(path)}
	cfg := &Config{Path: path, Folder: filepath.Dir(path)}
	if root := r.document(data); root != nil {
		r.config(root, cfg)
	}
	if err := r.err(); err != nil {
		return nil, err
	}
	cfg.Digest = digest(cfg)
	return cfg, nil
}

func readFile(path string) ([]byte, error) {
	data, err := os.ReadFile(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, fault.New(fault.NotFound, "%s is not there", filepath.Clean(path)).
			Then("Make one with: ombud scan ID=DSN… --write")
	case err != nil:
		return nil, fault.Wrap(fault.Invalid, err, "%s cannot be read", filepath.Clean(path))
	}
	return data, nil
}

func (r *reader) config(root *yaml.Node, cfg *Config) {
	r.mapping(root, "the file", fields{
		"organization": func(n *yaml.Node) { r.organization(n, &cfg.Organization) },
		"purposes": func(n *yaml.Node) {
			cfg.Purposes = list(r, n, "purposes", r.purpose)
		},
		"systems": func(n *yaml.Node) {
			cfg.Systems = list(r, n, "systems", r.system)
		},
		"targets": func(n *yaml.Node) {
			cfg.Targets = list(r, n, "targets", r.target)
		},
		"mirror": func(n *yaml.Node) {
			r.mapping(n, "mirror", fields{"redis": r.text(&cfg.Mirror.Redis)})
		},
		"approval": func(n *yaml.Node) { r.approval(n, &cfg.Approval) },
		"access": func(n *yaml.Node) {
			r.mapping(n, "access", fields{"policies": r.textOrTexts(&cfg.Access.Policies), "oidc": func(n *yaml.Node) {
				cfg.Access.OIDC = list(r, n, "access.oidc", r.oidc)
			}, "downloads": func(n *yaml.Node) { r.downloads(n, &cfg.Access.Downloads) }, "email_codes": r.flag(&cfg.Access.EmailCodes)})
		},
		"heads":     r.textOrTexts(&cfg.Heads),
		"witnesses": func(n *yaml.Node) { cfg.Witnesses = list(r, n, "witnesses", r.witness) },
		"decisions": func(n *yaml.Node) { r.decisions(n, &cfg.Decisions) },
		"audit":     func(n *yaml.Node) { cfg.Audit = list(r, n, "audit", r.logKeep) },
		"serve":     func(n *yaml.Node) { r.serve(n, &cfg.Serve) },
		"tracing":   func(n *yaml.Node) { r.tracing(n, &cfg.Tracing) },
		"keys":      func(n *yaml.Node) { r.keys(n, &cfg.Keys) },
		"mail":      func(n *yaml.Node) { r.mail(n, &cfg.Mail) },
	})
	if cfg.Access.EmailCodes && !cfg.Mail.On() {
		r.fault(root, "access.email_codes needs mail, which says how e-mail goes out")
	}
	r.finish(cfg)
}

func (r *reader) organization(n *yaml.Node, o *Organization) {
	r.mapping(n, "organization", fields{
		"name": r.text(&o.Name), "contact": r.text(&o.Contact),
		"jurisdictions": r.textsOf(&o.Jurisdictions, "jurisdiction", func(s string) bool { return jurisdiction.MatchString(s) },
			"such as eu, uk, in or us-ca"),
	})
}

func (r *reader) witness(n *yaml.Node) (w Witness) {
	r.mapping(n, "a witness", fields{"url": r.text(&w.URL), "key": r.text(&w.Key), "allow": r.oneOf(&w.Allow, "permission", permission, nil)}, "url", "key")
	u, err := url.Parse(w.URL)
	if err != nil || u.Host == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" || u.Scheme != "https" && (u.Scheme != "http" || w.Allow != "private") {
		r.fault(n, "witnesses.url is an https address, unless allow: private says that it is in a network of your own")
	}
	if _, err := witness.ParseKey(w.Key); err != nil {
		r.fault(n, "witnesses.key is a line NAME+HASH+KEY that the witness publishes, for cosignature/v1")
	}
	return w
}

func (r *reader) logKeep(n *yaml.Node) (k LogKeep) {
	var years float64
	rule := fields{
		"law":   r.oneOf(&k.Law, "law of logs", law.LogLaws(), nil),
		"keep":  r.oneOf(&k.Class, "keep", []string{"security", "access", "compliance"}, nil),
		"years": r.number(&years), "because": r.text(&k.Because),
	}
	for i := 0; i < len(n.Content); i += 2 {
		if n.Content[i].Value == "law" { // which says class and years itself
			r.mapping(n, "a rule of audit", fields{"law": rule["law"]})
			return k
		}
	}
	r.mapping(n, "a rule of audit", rule, "keep", "years", "because")
	if k.Years = int(years); years != float64(k.Years) || k.Years < 1 || k.Years > 100 {
		r.fault(n, "audit.years is a whole number from 1 to 100")
	}
	return k
}

func (r *reader) approval(n *yaml.Node, a *Approval) {
	r.mapping(n, "approval", fields{"erasure": func(n *yaml.Node) {
		var f float64
		r.number(&f)(n)
		a.Erasure = int(f)
		if f != float64(a.Erasure) || f < 0 || f > 2 {
			r.fault(n, "approval.erasure is 1 or 2: how many people approve an erasure")
		}
	}})
}

func (r *reader) tracing(n *yaml.Node, t *Tracing) {
	t.Sample = 0.01
	r.mapping(n, "tracing", fields{"endpoint": r.text(&t.Endpoint), "sample": r.number(&t.Sample), "allow": r.oneOf(&t.Allow, "permission", permission, nil)}, "endpoint")
	u, err := url.Parse(t.Endpoint)
	switch {
	case err != nil || u.Host == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" || u.Scheme != "http" && u.Scheme != "https":
		r.fault(n, "tracing.endpoint is the address of a collector, such as https://collector.example.com:4318")
	case u.Scheme == "http" && t.Allow != "private":
		r.fault(n, "tracing.endpoint is https, unless allow: private says that it is in a network of your own")
	}
	if t.Sample <= 0 || t.Sample > 1 {
		r.fault(n, "tracing.sample is a share: more than 0, at most 1")
	}
}

func (r *reader) decisions(n *yaml.Node, d *Decisions) {
	r.mapping(n, "decisions", fields{"log": r.oneOf(&d.Log, "log", []string{"ring", "sample", LogFull}, nil), "sample": r.number(&d.Sample)})
	switch {
	case d.Sample < 0 || d.Sample > 1:
		r.fault(n, "decisions.sample is a share: more than 0, at most 1")
	case d.Sample > 0 && d.Log != "sample":
		r.fault(n, "decisions.sample needs log: sample")
	case d.Log == "sample" && d.Sample == 0:
		d.Sample = 0.01
	}
}
