package catalog

import (
	"bytes"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"go.yaml.in/yaml/v4"
)

// source is a file's bytes with its nodes: where each begins and ends in them. Edits replace ranges of
// bytes, so whatever they do not touch stays as a person wrote it.
type source struct {
	data  []byte
	root  *yaml.Node
	lines []int // offset of each line
	edits []edit
}

type edit struct {
	from, to int
	text     string
}

func newSource(data []byte) (*source, error) {
	root, err := parseYAML(data)
	if err != nil {
		return nil, err
	}
	s := &source{data: data, root: root, lines: []int{0}}
	for i, b := range data {
		if b == '\n' {
			s.lines = append(s.lines, i+1)
		}
	}
	return s, nil
}

func (s *source) replace(from, to int, text string) { s.edits = append(s.edits, edit{from, to, text}) }

// bytes applies the edits. Those at one place keep the order in which they were asked for.
func (s *source) bytes() []byte {
	slices.SortStableFunc(s.edits, func(a, b edit) int { return a.from - b.from })
	var out bytes.Buffer
	at := 0
	for _, e := range s.edits {
		if e.from < at {
			continue // inside what an earlier edit removed
		}
		out.Write(s.data[at:e.from])
		out.WriteString(e.text)
		at = e.to
	}
	out.Write(s.data[at:])
	return out.Bytes()
}

// start is the offset of a node's first byte, its anchor or tag included.
func (s *source) start(n *yaml.Node) int {
	if n.Line < 1 || n.Line > len(s.lines) {
		return len(s.data)
	}
	at := s.lines[n.Line-1]
	for range n.Column - 1 {
		if at >= len(s.data) {
			break
		}
		_, size := utf8.DecodeRune(s.data[at:])
		at += size
	}
	return at
}

// end is the offset behind a node's last byte, comments not included.
func (s *source) end(n *yaml.Node) int {
	at := s.content(n)
	switch {
	case isFlow(n):
		return s.closing(at)
	case n.Kind == yaml.MappingNode || n.Kind == yaml.SequenceNode:
		for _, c := range n.Content {
			at = max(at, s.end(c))
		}
		return at
	case n.Kind == yaml.AliasNode:
		return at + len(firstWord(s.data[at:]))
	case n.Style&(yaml.DoubleQuotedStyle|yaml.SingleQuotedStyle) != 0:
		return s.quoted(at)
	case n.Style&(yaml.LiteralStyle|yaml.FoldedStyle) != 0:
		return s.follow(s.lineEnd(at), n.Value)
	}
	return s.follow(at, n.Value)
}

func isFlow(n *yaml.Node) bool {
	return (n.Kind == yaml.MappingNode || n.Kind == yaml.SequenceNode) && n.Style&yaml.FlowStyle != 0
}

// content skips an anchor and a tag.
func (s *source) content(n *yaml.Node) int {
	at := s.start(n)
	for at < len(s.data) && n.Kind != yaml.AliasNode && (s.data[at] == '&' || s.data[at] == '!') {
		at += len(firstWord(s.data[at:]))
		for at < len(s.data) && isBlank(s.data[at]) {
			at++
		}
	}
	return at
}

func isBlank(b byte) bool { return b == ' ' || b == '\t' || b == '\n' || b == '\r' }

func firstWord(b []byte) []byte {
	if i := bytes.IndexAny(b, " \t\r\n,]}"); i >= 0 {
		return b[:i]
	}
	return b
}

// follow matches a scalar's text as it stands in the file, where blanks may be spread over lines.
func (s *source) follow(at int, value string) int {
	last := at
	for _, r := range value {
		if unicode.IsSpace(r) {
			continue
		}
		for at < len(s.data) && isBlank(s.data[at]) {
			at++
		}
		got, size := utf8.DecodeRune(s.data[min(at, len(s.data)):])
		if got != r {
			return last
		}
		at += size
		last = at
	}
	return last
}

// quoted gives the offset behind the closing quote of what begins at at.
func (s *source) quoted(at int) int {
	quote := s.data[at]
	for i := at + 1; i < len(s.data); i++ {
		switch {
		case s.data[i] == '\\' && quote == '"':
			i++
		case s.data[i] == quote && quote == '\'' && i+1 < len(s.data) && s.data[i+1] == '\'':
			i++
		case s.data[i] == quote:
			return i + 1
		}
	}
	return len(s.data)
}

// closing gives the offset behind the bracket that closes the one at at.
func (s *source) closing(at int) int {
	depth := 0
	for i := at; i < len(s.data); i++ {
		switch b := s.data[i]; {
		case b == '{' || b == '[':
			depth++
		case b == '}' || b == ']':
			if depth--; depth == 0 {
				return i + 1
			}
		case (b == '"' || b == '\'') && strings.IndexByte(" \t\n,[{:", s.data[i-1]) >= 0:
			i = s.quoted(i) - 1
		case b == '#' && isBlank(s.data[i-1]):
			i = s.lineEnd(i) - 1
		}
	}
	return len(s.data)
}

// lineEnd is the offset of the line break at or behind at.
func (s *source) lineEnd(at int) int {
	if i := bytes.IndexByte(s.data[at:], '\n'); i >= 0 {
		return at + i
	}
	return len(s.data)
}

// lineStart is the offset of the first byte of at's line.
func (s *source) lineStart(at int) int { return bytes.LastIndexByte(s.data[:at], '\n') + 1 }

// indent is the column, from 0, in which a node stands.
func indent(n *yaml.Node) string { return strings.Repeat(" ", max(n.Column-1, 0)) }

// append adds rendered entries to a block or flow collection; entries of a mapping are "key: value".
func (s *source) append(n *yaml.Node, entries ...string) {
	if isFlow(n) {
		s.appendFlow(n, entries)
		return
	}
	dash := ""
	if n.Kind == yaml.SequenceNode {
		dash = "- "
	}
	s.insertLines(s.end(n), indent(n)+dash, entries)
}

func (s *source) appendFlow(n *yaml.Node, entries []string) {
	bracket := s.end(n) - 1
	at := s.content(n) + 1
	text := strings.Join(entries, ", ")
	if len(n.Content) > 0 {
		at = s.end(n.Content[len(n.Content)-1])
		if rest := bytes.TrimSpace(s.data[at:bracket]); bytes.HasPrefix(rest, []byte(",")) {
			at += bytes.IndexByte(s.data[at:], ',') + 1
			text = " " + text
		} else {
			text = ", " + text
		}
	}
	s.replace(at, at, text)
}

// insertLines puts each entry on lines of its own behind the line that holds at.
func (s *source) insertLines(at int, lead string, entries []string) {
	eol := s.lineEnd(at)
	pad := strings.Repeat(" ", len(lead))
	newline := "\n"
	if eol > 0 && eol < len(s.data) && s.data[eol-1] == '\r' {
		newline, eol = "\r\n", eol-1
	}
	for _, e := range entries {
		s.replace(eol, eol, newline+lead+strings.ReplaceAll(e, "\n", newline+pad))
	}
}

// keep rewrites a mapping with only the pairs that stay.
func (s *source) keep(n *yaml.Node, stays func(key string) bool) {
	if isFlow(n) {
		var parts []string
		for i := 0; i+1 < len(n.Content); i += 2 {
			if k, v := n.Content[i], n.Content[i+1]; stays(k.Value) {
				parts = append(parts, s.edited(s.start(k), max(s.end(k), s.end(v))))
			}
		}
		s.replace(s.content(n), s.end(n), "{"+strings.Join(parts, ", ")+"}")
		return
	}
	for i := 0; i+1 < len(n.Content); i += 2 {
		if !stays(n.Content[i].Value) {
			s.dropPair(n, i)
		}
	}
}

// edited gives a range's text with the edits already asked for inside it, which it takes over.
func (s *source) edited(from, to int) string {
	inner := &source{data: s.data[:to]}
	s.edits = slices.DeleteFunc(s.edits, func(e edit) bool {
		if e.from < from || e.to > to {
			return false
		}
		inner.edits = append(inner.edits, e)
		return true
	})
	return string(inner.bytes()[from:])
}

// dropPair removes the lines of a block mapping's pair; behind a dash only up to the next key.
func (s *source) dropPair(n *yaml.Node, i int) {
	k, v := n.Content[i], n.Content[i+1]
	from, to := s.start(k), s.lineEnd(max(s.end(k), s.end(v)))
	if len(bytes.TrimSpace(s.data[s.lineStart(from):from])) == 0 {
		s.replace(s.lineStart(from), min(to+1, len(s.data)), "")
		return
	}
	if i+2 < len(n.Content) {
		to = s.start(n.Content[i+2])
	}
	s.replace(from, to, "")
}

// dropItem removes entry i of a sequence.
func (s *source) dropItem(n *yaml.Node, i int) {
	from, to := s.start(n.Content[i]), s.end(n.Content[i])
	switch {
	case !isFlow(n):
		s.replace(s.lineStart(from), min(s.lineEnd(to)+1, len(s.data)), "")
	case i+1 < len(n.Content):
		s.replace(from, s.start(n.Content[i+1]), "")
	case i > 0:
		s.replace(s.end(n.Content[i-1]), to, "")
	default:
		s.replace(from, to, "")
	}
}
