package catalog

import (
	"bytes"
	"encoding/json"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

var (
	plainText = regexp.MustCompile(`^[\p{L}_/][\p{L}\p{N}_./ -]*$`)
	reserved  = regexp.MustCompile(`^(?i:true|false|null|yes|no|on|off|y|n)$`)
)

// quoted writes a text as a YAML scalar, plain where nothing can misread it.
func quoted(s string) string {
	if isVariableText(s) || plainText.MatchString(s) && !reserved.MatchString(s) && !strings.HasSuffix(s, " ") {
		return s
	}
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(s); err != nil {
		panic("catalog: a string is always JSON: " + err.Error())
	}
	return strings.TrimSpace(b.String())
}

func isVariableText(s string) bool {
	return strings.HasPrefix(s, "${") && strings.HasSuffix(s, "}") && isVariable(s[2:len(s)-1])
}

// pairs renders a flow mapping from keys and rendered values.
type pair struct{ key, value string }

func flow(ps []pair) string {
	parts := make([]string, len(ps))
	for i, p := range ps {
		parts[i] = quoted(p.key) + ": " + p.value
	}
	return strings.Join(parts, ", ")
}

func flowMap(m map[string]string) string {
	var ps []pair
	for _, k := range slices.Sorted(maps.Keys(m)) {
		ps = append(ps, pair{k, quoted(m[k])})
	}
	return "{" + flow(ps) + "}"
}

func flowBy(p *People) string {
	var ps []pair
	for _, kind := range slices.Sorted(maps.Keys(p.By)) {
		columns := quoted(p.By[kind])
		if also := p.Also[kind]; len(also) > 0 {
			columns = flowList(append([]string{p.By[kind]}, also...))
		}
		ps = append(ps, pair{kind, columns})
	}
	return "{" + flow(ps) + "}"
}

func flowList(list []string) string {
	parts := make([]string, len(list))
	for i, s := range list {
		parts[i] = quoted(s)
	}
	return "[" + strings.Join(parts, ", ") + "]"
}

// entry renders what is said and, on a line of its own, that it is a guess and why.
func renderEntry(said []pair, m Mark) string {
	text := "{" + flow(said)
	if m.Proposed {
		if len(said) > 0 {
			text += ",\n "
		}
		text += flow([]pair{{"proposed", "true"}, {"id", quoted(m.ID)},
			{"confidence", strconv.FormatFloat(m.Confidence, 'f', 2, 64)}, {"reason", quoted(m.Reason)}})
	}
	return text + "}"
}

func renderPeople(p *People) string {
	return renderEntry([]pair{{"table", quoted(p.Table)}, {"by", flowBy(p)}}, p.Mark)
}

func renderLink(l *Link) string {
	said := []pair{{"from", quoted(l.From)}, {"to", quoted(l.To)}}
	if l.As != "" {
		said = append(said, pair{"as", string(l.As)})
	}
	if l.Author {
		said = append(said, pair{"author", "true"})
	}
	if len(l.When) > 0 {
		said = append(said, pair{"when", flowMap(l.When)})
	}
	return renderEntry(said, l.Mark)
}

// renderRule gives "table: {…}".
func renderRule(t *TableRule) string {
	var said []pair
	add := func(key, value string) {
		if value != "" && value != `""` {
			said = append(said, pair{key, value})
		}
	}
	add("erase", string(t.Erase))
	if len(t.Columns) > 0 {
		add("columns", flowList(t.Columns))
	}
	if len(t.Opaque) > 0 {
		add("opaque", flowList(t.Opaque))
	}
	add("because", quoted(t.Because))
	add("until", quoted(t.Until))
	if len(t.Categories) > 0 {
		add("categories", flowMap(t.Categories))
	}
	add("purpose", quoted(t.Purpose))
	return quoted(t.Table) + ": " + renderEntry(said, t.Mark)
}

// renderSystem gives a system's first lines, without the dash.
func renderSystem(s *System) string {
	text := "id: " + quoted(s.ID) + "\nconnector: " + s.Connector + "\ndsn: " + quoted(s.DSN)
	if s.Location != "" {
		text += "\nlocation: " + quoted(s.Location)
	}
	return text
}
