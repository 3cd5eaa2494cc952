package catalog

import (
	"maps"
	"slices"
	"strings"

	"go.yaml.in/yaml/v4"
)

func (r *reader) system(n *yaml.Node) (s System) {
	r.mapping(n, "a system", fields{
		"id": r.id(&s.ID, "system"), "connector": r.connector(&s.Connector), "dsn": r.dsn(&s.DSN),
		"location": r.text(&s.Location), "owner": r.text(&s.Owner), "rate": r.number(&s.Rate),
		"people": func(n *yaml.Node) { s.People = list(r, n, "people", r.people) },
		"links":  func(n *yaml.Node) { s.Links = list(r, n, "links", r.link) },
		"tables": func(n *yaml.Node) { s.Tables = r.tables(n) },
		"ignore": r.texts(&s.Ignore),
	}, "id", "connector", "dsn")
	if s.Rate < 0 {
		r.fault(n, "rate is statements a second, not below 0")
	}
	nameMarks(&s)
	r.consistent(n, &s)
	return s
}

func (r *reader) connector(to *string) func(*yaml.Node) {
	return func(n *yaml.Node) {
		s, ok := r.scalar(n, "a connector")
		*to = s
		switch {
		case !ok || slices.Contains(connectors, s):
		case slices.Contains(planned, s):
			r.fault(n, "the connector %s is not built yet; there are: %s", s, strings.Join(connectors, ", "))
		default:
			r.fault(n, "no connector is called %q%s; there are: %s", s, didYouMean(s, connectors), strings.Join(connectors, ", "))
		}
	}
}

func (r *reader) dsn(to *string) func(*yaml.Node) {
	return func(n *yaml.Node) {
		s, ok := r.scalar(n, "a DSN")
		*to = s
		if _, err := expand(s, func(string) (string, bool) { return "", true }); ok && err != nil {
			r.fault(n, "a variable in this DSN is not written ${NAME}")
		}
	}
}

func (r *reader) people(n *yaml.Node) (p People) {
	f := fields{"table": r.text(&p.Table), "by": r.by(&p)}
	maps.Copy(f, r.mark(&p.Mark))
	r.mapping(n, "an entry of people", f, "table", "by")
	for kind := range p.By {
		if !idShape.MatchString(kind) {
			r.fault(n, "%q cannot be a kind of identity: letters, digits, _ and -", kind)
		}
	}
	if p.By != nil && len(p.By) == 0 {
		r.fault(n, "by names at least one identity: {email: column}")
	}
	return p
}

// by reads {kind: column} or {kind: [column, another]}.
func (r *reader) by(p *People) func(*yaml.Node) {
	return func(n *yaml.Node) {
		p.By = map[string]string{}
		r.each(n, "by", func(key, value *yaml.Node) {
			var columns []string
			if r.textOrTexts(&columns)(value); len(columns) == 0 {
				r.fault(value, "%s names no column", key.Value)
				return
			}
			p.By[key.Value] = columns[0]
			p.alsoBy(key.Value, columns[1:]...)
		})
	}
}

func (r *reader) link(n *yaml.Node) (l Link) {
	var as string
	f := fields{
		"from": r.endpoint(&l.From), "to": r.endpoint(&l.To), "as": r.oneOf(&as, "role", roles, nil),
		"author": r.flag(&l.Author), "when": r.pairs(&l.When, "when"),
	}
	maps.Copy(f, r.mark(&l.Mark))
	r.mapping(n, "a link", f, "from", "to")
	l.As = Role(as)
	if strings.HasSuffix(l.From, listMark) && (l.As != "" && l.As != Mention || l.Author || len(l.When) > 0) {
		r.fault(n, "a column that lists many rows only mentions them: leave out as, author and when")
	}
	return l
}

// endpoint reads "dataset.column"; the column is what follows the last dot.
func (r *reader) endpoint(to *string) func(*yaml.Node) {
	return func(n *yaml.Node) {
		s, ok := r.scalar(n, "dataset.column")
		*to = s
		if dot := strings.LastIndexByte(s, '.'); ok && (dot <= 0 || dot == len(s)-1) {
			r.fault(n, "%q names no column: write dataset.column", s)
		}
	}
}

func (r *reader) tables(n *yaml.Node) (rules []TableRule) {
	r.each(n, "tables", func(key, value *yaml.Node) {
		rule := r.table(value)
		rule.Table = key.Value
		rules = append(rules, rule)
	})
	return rules
}

func (r *reader) table(n *yaml.Node) (t TableRule) {
	var erase string
	f := fields{
		"erase": r.oneOf(&erase, "method", methods, methodAliases), "columns": r.texts(&t.Columns),
		"opaque":  r.texts(&t.Opaque),
		"because": r.text(&t.Because), "until": r.until(&t.Until), "purpose": r.text(&t.Purpose),
		"categories": func(n *yaml.Node) {
			t.Categories = map[string]string{}
			r.each(n, "categories", func(key, value *yaml.Node) {
				var c string
				r.category(&c)(value)
				t.Categories[key.Value] = c
			})
		},
	}
	maps.Copy(f, r.mark(&t.Mark))
	r.mapping(n, "a table's rule", f)
	t.Erase = Method(erase)
	r.rule(n, &t)
	return t
}

// rule judges what a method needs.
func (r *reader) rule(n *yaml.Node, t *TableRule) {
	because := strings.TrimSpace(t.Because)
	switch {
	case t.Rejected:
	case t.Erase == Keep && because == "":
		r.fault(n, "erase: keep needs because: the law or the reason that lets these rows stay")
	case t.Erase == Keep && because == "?" && !t.Proposed:
		r.fault(n, "because: \"?\" is a question; say why these rows stay")
	case (t.Erase == Redact || t.Erase == Nullify) && len(t.Columns) == 0:
		r.fault(n, "erase: %s needs columns", t.Erase)
	case t.Until != "" && t.Erase != Keep:
		r.fault(n, "until ends a keep; here nothing is kept")
	}
}

func (r *reader) until(to *string) func(*yaml.Node) {
	return func(n *yaml.Node) {
		s, ok := r.scalar(n, "until")
		*to = s
		if _, err := ParseUntil(s); ok && err != nil {
			r.fault(n, "%v", err)
		}
	}
}

func (r *reader) mark(m *Mark) fields {
	return fields{
		"proposed": r.flag(&m.Proposed), "rejected": r.flag(&m.Rejected), "id": r.text(&m.ID),
		"reason": r.text(&m.Reason),
		"confidence": func(n *yaml.Node) {
			if r.number(&m.Confidence)(n); m.Confidence < 0 || m.Confidence > 1 {
				r.fault(n, "confidence lies between 0 and 1")
			}
		},
	}
}

// nameMarks gives guesses written without an id the one that --accept and --reject take.
func nameMarks(s *System) {
	for i := range s.People {
		nameMark(&s.People[i].Mark, "people", s.ID, s.People[i].Table)
	}
	for i := range s.Links {
		nameMark(&s.Links[i].Mark, "link", s.ID, s.Links[i].From)
	}
	for i := range s.Tables {
		verb := string(s.Tables[i].Erase)
		if verb == "" {
			verb = "table"
		}
		nameMark(&s.Tables[i].Mark, verb, s.ID, s.Tables[i].Table)
	}
}

func nameMark(m *Mark, verb, system, what string) {
	if (m.Proposed || m.Rejected) && m.ID == "" {
		m.ID = verb + ":" + system + "." + what
	}
}

// consistent finds entries of one system that contradict each other.
func (r *reader) consistent(n *yaml.Node, s *System) {
	n = r.resolve(n)
	entered := map[string]bool{}
	for _, p := range s.People {
		if p.Rejected {
			continue
		}
		if entered[p.Table] {
			r.fault(valueOf(n, "people"), "%s stands twice in people; name all its identities in one by:", p.Table)
		}
		entered[p.Table] = true
		if slices.Contains(s.Ignore, p.Table) {
			r.fault(valueOf(n, "ignore"), "%s is ignored and stands in people; only one can be true", p.Table)
		}
	}
	for _, t := range s.Tables {
		if t.Erase != "" && !t.Proposed && !t.Rejected && slices.Contains(s.Ignore, t.Table) {
			r.fault(valueOf(n, "ignore"), "%s is ignored and has a rule in tables; only one can be true", t.Table)
		}
	}
}

// valueOf finds a key's value in a mapping; the mapping itself when the key is not there.
func valueOf(n *yaml.Node, key string) *yaml.Node {
	if n.Kind == yaml.MappingNode {
		for i := 0; i+1 < len(n.Content); i += 2 {
			if n.Content[i].Value == key {
				return n.Content[i+1]
			}
		}
	}
	return n
}
