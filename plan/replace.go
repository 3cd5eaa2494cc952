package plan

import (
	"context"
	"encoding/hex"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/ombudhq/ombud/catalog"
	"github.com/ombudhq/ombud/connector"
)

// replacer finds the values that take the place of a person's. The same request, row and column
// always give the same value, so a step that runs twice writes the same; to anybody without the
// request's key they are random.
type replacer struct {
	w   *walk
	mac func(parts ...[]byte) [32]byte
	m   *matcher
}

func (w *walk) replacer(mac func(parts ...[]byte) [32]byte) *replacer {
	v := w.collect()
	var patterns []string
	for id := range v.ids {
		if len(id) >= minSweep {
			patterns = append(patterns, id)
		}
	}
	for n := range v.names {
		patterns = append(patterns, n)
	}
	slices.Sort(patterns)
	return &replacer{w: w, mac: mac, m: newMatcher(patterns)}
}

// row gives new values for the decision's fields, in their order. false when no value fits one of
// them: then the row must not be touched and the column is a gap.
func (p *replacer) row(ctx context.Context, s *rowset, r *record, dec decision, full []connector.Value) ([]connector.Value, bool) {
	t := s.d.Table
	cells := map[string]connector.Value{}
	for i, c := range t.Columns {
		cells[c.Name] = full[i]
	}
	after := maps.Clone(cells)
	nulls := p.w.nullColumns(r)
	who := p.w.writerOf(s, r)
	for _, f := range dec.fields {
		c := t.Column(f)
		switch old := cells[f]; {
		case slices.Contains(nulls, f):
			after[f] = connector.Value{}
		case old.IsNull():
		case s.d.IsList(f) && (othersToo(r) || dec.method == catalog.Redact && !slices.Contains(s.d.Rule.Columns, f)):
			after[f] = p.w.unlist(s.d, f, old)
		default:
			after[f] = p.cell(s, r, dec.method, who, c, old)
		}
	}
	if !p.fit(ctx, s, r, dec, cells, after) {
		return nil, false
	}
	out := make([]connector.Value, len(dec.fields))
	for i, f := range dec.fields {
		out[i] = after[f]
	}
	return out, true
}

// cell is the new value of one cell that is not NULL.
func (p *replacer) cell(s *rowset, r *record, m catalog.Method, who writer, c *connector.Column, old connector.Value) connector.Value {
	t := s.d.Table
	switch m {
	case catalog.Nullify, catalog.Anonymise:
		if canBeNull(t, c.Name) && !slices.Contains(p.w.allHandles(s.d), c.Name) {
			return connector.Value{}
		}
	case catalog.Redact:
		if who == byOther {
			if masked := p.m.maskSpans(old.S); masked == old.S || maskable(c) {
				return connector.Value{Kind: old.Kind, S: cut(masked, c)}
			}
		}
		if c.Kind == connector.Text && !inKey(t, c.Name) && (c.Length == 0 || c.Length >= len(mark)) {
			return connector.TextValue(mark)
		}
		if !textual(c.Kind) && canBeNull(t, c.Name) {
			return connector.Value{}
		}
	}
	return p.random(s, r, c, old, 0)
}

func textual(k connector.Kind) bool { return k == connector.Text || k == connector.JSON }

// maskable: with the mark in the place of a span, the cell is still one of its type, and what it
// holds about others stays.
func maskable(c *connector.Column) bool {
	typ := strings.ToLower(c.Type)
	switch c.Kind {
	case connector.Array:
		return strings.HasPrefix(typ, "text") || strings.Contains(typ, "char")
	case connector.Other:
		return strings.HasPrefix(typ, "xml") || strings.HasPrefix(typ, "hstore")
	}
	return textual(c.Kind)
}

func inKey(t *connector.Table, column string) bool {
	return slices.Contains(t.Primary, column) || slices.ContainsFunc(t.Uniques, func(u connector.Unique) bool { return slices.Contains(u.Columns, column) })
}

// cut keeps a masked text within the column's length: the mark may be longer than what it masks.
func cut(s string, c *connector.Column) string {
	if c.Length == 0 {
		return s
	}
	runes := []rune(s)
	if len(runes) <= c.Length {
		return s
	}
	return string(runes[:c.Length])
}

// shapes is how many forms of a random value are tried against a CHECK.
const shapes = 6

// fit tries other forms of the replaced cells until every CHECK that names one passes.
func (p *replacer) fit(ctx context.Context, s *rowset, r *record, dec decision, before, after map[string]connector.Value) bool {
	ev, ok := s.d.Store.(connector.Evaluator)
	if !ok {
		return true
	}
	for _, check := range s.d.Table.Checks {
		named := slices.DeleteFunc(slices.Clone(check.Columns), func(c string) bool { return !slices.Contains(dec.fields, c) || before[c].IsNull() })
		if len(named) == 0 || p.allowed(ctx, ev, s, check, after) {
			continue
		}
		if !p.tryShapes(ctx, ev, s, r, check, named, before, after) {
			p.w.constraintGap(s.d, check.Name)
			return false
		}
	}
	return true
}

func (p *replacer) tryShapes(ctx context.Context, ev connector.Evaluator, s *rowset, r *record, check connector.Check, named []string, before, after map[string]connector.Value) bool {
	for shape := 1; shape <= shapes; shape++ {
		for _, f := range named {
			if !slices.Contains(p.w.nullColumns(r), f) {
				after[f] = p.random(s, r, s.d.Table.Column(f), before[f], shape)
			}
		}
		if p.allowed(ctx, ev, s, check, after) {
			return true
		}
	}
	return false
}

func (p *replacer) allowed(ctx context.Context, ev connector.Evaluator, s *rowset, check connector.Check, row map[string]connector.Value) bool {
	ok, err := ev.Allowed(ctx, s.d.Table, check, row)
	return err == nil && ok
}

func (w *walk) constraintGap(d *catalog.Dataset, check string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.gap(d, Remaining{Rows: -1, Code: "constraint", Why: "no value fits check " + check, Next: "name the columns to change under tables: in ombud.yaml, or relax the check"})
}

// random fits the column's type and length. Shape 0 is the plain form; others are for CHECKs: the
// old value's own pattern, digits, capitals, the shortest.
func (p *replacer) random(s *rowset, r *record, c *connector.Column, old connector.Value, shape int) connector.Value {
	h := p.mac([]byte(s.d.ID()), []byte(s.key(r).Encode()), []byte(c.Name))
	digits := hex.EncodeToString(h[:])
	switch c.Kind {
	case connector.Text:
		return connector.Value{Kind: textKind(old), S: cut(textShape(digits, c, old.S, shape), c)}
	case connector.Int, connector.Decimal, connector.Float:
		return connector.Value{Kind: old.Kind, S: number(h, s.d.Table, c, shape)}
	case connector.Bool:
		return connector.Value{Kind: old.Kind, S: pickString(old.Kind == connector.Int, "0", "false")}
	case connector.Bytes:
		n := len(h)
		if c.Bytes > 0 {
			n = min(n, c.Bytes)
		}
		return connector.Value{Kind: old.Kind, S: string(h[:n])}
	case connector.JSON:
		return connector.Value{Kind: old.Kind, S: "{}"}
	case connector.Array:
		return connector.Value{Kind: old.Kind, S: "{}"}
	case connector.UUID:
		return connector.Value{Kind: old.Kind, S: digits[:8] + "-" + digits[8:12] + "-4" + digits[13:16] + "-8" + digits[17:20] + "-" + digits[20:32]}
	case connector.Time:
		return connector.Value{Kind: old.Kind, S: noTime(c.Type)}
	}
	return connector.Value{Kind: old.Kind, S: otherShape(strings.ToLower(c.Type), digits)}
}

// textKind: an engine without strict types may hold a number in a text column; what replaces it is text.
func textKind(old connector.Value) connector.Kind {
	if old.Kind == connector.Bytes {
		return connector.Bytes
	}
	return connector.Text
}

func textShape(digits string, c *connector.Column, old string, shape int) string {
	if len(c.Enum) > 0 {
		i := slices.IndexFunc(c.Enum, func(v string) bool { return v != old })
		return c.Enum[max(i, 0)]
	}
	mail := strings.Contains(strings.ToLower(c.Name), "mail") || strings.Contains(old, "@") && !strings.ContainsAny(old, " \n")
	switch shape {
	case 0:
		if mail && (c.Length == 0 || c.Length >= 30) {
			return digits[:15] + "@erased.invalid"
		}
		return pickString(c.Length == 0 || c.Length >= 20, "erased-"+digits[:12], digits)
	case 1:
		return likePattern(old, digits)
	case 2:
		return digits[:10] + "@erased.invalid"
	case 3:
		return onlyDigits(digits)[:min(10, max(1, len([]rune(old))))]
	case 4:
		return strings.ToUpper(likePattern(old, digits))
	}
	return onlyDigits(digits)
}

// likePattern keeps the old value's punctuation and kinds of characters, so that most patterns fit.
func likePattern(old, digits string) string {
	var b strings.Builder
	i := 0
	for _, r := range old {
		d := digits[i%len(digits)]
		n := int(d-'0') % 10
		if d >= 'a' {
			n = int(d-'a') + 4
		}
		i++
		switch {
		case r >= '0' && r <= '9':
			b.WriteByte('0' + byte(n%10))
		case r >= 'A' && r <= 'Z':
			b.WriteByte('A' + byte((n*7+i)%26))
		case isWord(r):
			b.WriteByte('a' + byte((n*7+i)%26))
		default:
			b.WriteRune(r)
		}
	}
	return b.String()
}

func onlyDigits(digits string) string {
	return strings.Map(func(r rune) rune {
		if r >= 'a' {
			return '0' + (r-'a')%10
		}
		return r
	}, digits)
}

func number(h [32]byte, t *connector.Table, c *connector.Column, shape int) string {
	n := int64(h[0])<<16 | int64(h[1])<<8 | int64(h[2])
	switch {
	case inKey(t, c.Name):
		return strconv.FormatInt(n, 10)
	case shape == 0:
		return "0"
	case shape == 1:
		return "1"
	}
	return strconv.FormatInt(n%(1<<(3*shape)), 10)
}

func noTime(typ string) string {
	t := strings.ToLower(typ)
	switch {
	case strings.HasPrefix(t, "date") && !strings.Contains(t, "time"):
		return "1970-01-02"
	case strings.HasPrefix(t, "time") && !strings.HasPrefix(t, "timestamp"):
		return "00:00:00"
	case strings.HasPrefix(t, "interval"):
		return "00:00:00"
	case strings.HasPrefix(t, "year"):
		return "1970"
	}
	return "1970-01-02 00:00:00"
}

func otherShape(typ, digits string) string {
	switch {
	case strings.HasPrefix(typ, "inet"):
		return "0.0.0.0"
	case strings.HasPrefix(typ, "cidr"):
		return "0.0.0.0/32"
	case strings.HasPrefix(typ, "macaddr"):
		return "00:00:00:00:00:00"
	case strings.HasPrefix(typ, "xml"):
		return "<erased/>"
	case strings.HasPrefix(typ, "point"):
		return "(0,0)"
	}
	return digits[:8]
}

func pickString(first bool, a, b string) string {
	if first {
		return a
	}
	return b
}
