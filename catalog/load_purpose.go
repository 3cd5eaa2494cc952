package catalog

import (
	"os"
	"path/filepath"
	"regexp"
	"time"

	"go.yaml.in/yaml/v4"

	"github.com/ombudhq/ombud/pii"
)

var periodShape = regexp.MustCompile(`^(never|[1-9]\d{0,3} (day|month|year)s?)$`)

func (r *reader) purpose(n *yaml.Node) (p Purpose) {
	r.mapping(n, "a purpose", fields{
		"id": r.id(&p.ID, "purpose"), "name": r.text(&p.Name), "description": r.text(&p.Description),
		"retention": r.text(&p.Retention), "because": r.text(&p.Because), "review": r.date(&p.Review),
		"basis": r.oneOf(&p.Basis, "basis", bases, basisAliases),
		"lia": func(n *yaml.Node) {
			lia := r.lia(n)
			p.LIA = &lia
		},
		"categories": r.categories(&p.Categories), "explicit": r.flag(&p.Explicit),
		"fields":  func(n *yaml.Node) { p.Fields = list(r, n, "fields", r.fieldNeed) },
		"uses":    r.wordsOf(&p.Uses, "use", uses),
		"systems": r.systemRefs(&p.Systems), "recipients": r.texts(&p.Recipients),
		"notices": func(n *yaml.Node) { p.Notices = list(r, n, "notices", r.notice) },
		"expires": r.period(&p.Expires), "double_opt_in": r.flag(&p.DoubleOptIn), "reconsent": r.text(&p.Reconsent),
		"on_withdrawal": r.oneOf(&p.OnWithdrawal, "act", []string{"erase", "keep"}, nil),
	}, "id", "basis")
	r.sensible(n, p)
	return p
}

// sensible judges what only the whole purpose shows.
func (r *reader) sensible(n *yaml.Node, p Purpose) {
	if p.LIA != nil && p.Basis != "legitimate_interests" {
		r.fault(n, "lia belongs to legitimate_interests, and the basis of %q is another", p.ID)
	}
	if p.OnWithdrawal != "" && p.Basis != "consent" {
		r.fault(n, "on_withdrawal belongs to consent, and the basis of %q is another", p.ID)
	}
	known := p.Reconsent == ""
	for _, v := range p.Notices {
		known = known || v.Version == p.Reconsent
	}
	if !known {
		r.fault(n, "reconsent names version %q, and no notice of %q has it", p.Reconsent, p.ID)
	}
}

func (r *reader) lia(n *yaml.Node) (l LIA) {
	r.mapping(n, "lia", fields{
		"assessed": r.date(&l.Assessed), "review": r.date(&l.Review), "by": r.text(&l.By), "file": r.text(&l.File),
		"outcome": r.oneOf(&l.Outcome, "outcome", outcomes, nil),
	}, "assessed", "outcome", "review")
	return l
}

func (r *reader) fieldNeed(n *yaml.Node) (f FieldNeed) {
	r.mapping(n, "a field", fields{
		"name": r.text(&f.Name), "because": r.text(&f.Because), "required": r.flag(&f.Required),
	}, "name", "because")
	return f
}

// notice reads a notice; the words of a file are read here, so that what is shown is what the configuration was loaded with.
func (r *reader) notice(n *yaml.Node) (v Notice) {
	r.mapping(n, "a notice", fields{
		"id": r.text(&v.ID), "version": r.text(&v.Version), "language": r.text(&v.Language),
		"text": r.text(&v.Text), "file": r.text(&v.File), "superseded": r.flag(&v.Superseded),
	}, "id", "version")
	if v.Text != "" && v.File != "" {
		r.fault(n, "a notice has its words in text or in file, not in both")
		return v
	}
	if v.File != "" {
		v.Text = r.words(n, v.File)
	}
	return v
}

// words reads a text file beside the configuration.
func (r *reader) words(n *yaml.Node, name string) string {
	if !filepath.IsLocal(name) {
		r.fault(n, "file is a path below the configuration's folder")
		return ""
	}
	b, err := os.ReadFile(filepath.Join(filepath.Dir(r.path), name))
	if err != nil || len(b) > maxNotice {
		r.fault(n, "the file %s cannot be read, or is larger than %d KiB", name, maxNotice>>10)
		return ""
	}
	if pii.HoldsCard(string(b)) {
		r.fault(n, "the file %s holds the number of a payment card: Ombud takes none", name)
		return ""
	}
	return string(b)
}

// maxNotice bounds the words of one notice.
const maxNotice = 1 << 20

func (r *reader) target(n *yaml.Node) (t Target) {
	r.mapping(n, "a target", fields{
		"id": r.id(&t.ID, "target"), "url": r.text(&t.URL), "systems": r.systemRefs(&t.Systems),
		"secret": r.text(&t.Secret), "identity": r.text(&t.Identity), "key": r.text(&t.Key),
		"allow": r.oneOf(&t.Allow, "permission", []string{"private"}, nil),
		"tls":   func(n *yaml.Node) { r.peer(n, &t.TLS) },
		"hears": r.wordsOf(&t.Hears, "kind of thing to hear", []string{Changes, Alarms}),
	}, "id", "url")
	return t
}

func (r *reader) date(to *string) func(*yaml.Node) {
	return func(n *yaml.Node) {
		s, ok := r.scalar(n, "a date")
		if _, err := time.Parse(time.DateOnly, s); ok && err != nil {
			r.fault(n, "%q is no date: YYYY-MM-DD", s)
		}
		*to = s
	}
}

func (r *reader) period(to *string) func(*yaml.Node) {
	return func(n *yaml.Node) {
		s, ok := r.scalar(n, "a period")
		if ok && !periodShape.MatchString(s) {
			r.fault(n, "%q is no period: N days, N months, N years, or never", s)
		}
		*to = s
	}
}

func (r *reader) wordsOf(to *[]string, what string, words []string) func(*yaml.Node) {
	return func(n *yaml.Node) {
		*to = list(r, n, what+"s", func(c *yaml.Node) string {
			var s string
			r.oneOf(&s, what, words, nil)(c)
			return s
		})
	}
}
