package catalog

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v4"

	"github.com/ombudhq/ombud/internal/fault"
	"github.com/ombudhq/ombud/pii"
)

// reader walks the nodes of a file and collects what is wrong with them. It goes on after a fault,
// so that one run names them all.
type reader struct {
	path    string
	faults  []located
	seen    map[string]*yaml.Node // "system shop" → where that id was given
	systems []reference           // mentions of systems, judged when all are known
	visited int
}

type located struct {
	line int
	text string
}

type reference struct {
	node *yaml.Node
	name string
}

// fields maps the keys a mapping may have to what reads their values.
type fields map[string]func(*yaml.Node)

func (r *reader) fault(n *yaml.Node, format string, args ...any) {
	r.faults = append(r.faults, located{n.Line, fmt.Sprintf(format, args...)})
}

// err gives the collected faults in the order of the file.
func (r *reader) err() error {
	if len(r.faults) == 0 {
		return nil
	}
	slices.SortStableFunc(r.faults, func(a, b located) int { return cmp.Compare(a.line, b.line) })
	e := fault.New(fault.Invalid, "%s has %s", r.path, plural(len(r.faults), "fault"))
	for _, f := range r.faults {
		e = e.With(fault.Detail{Where: r.path + ":" + strconv.Itoa(max(f.line, 1)), Message: f.text})
	}
	return e
}

func plural(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return strconv.Itoa(n) + " " + noun + "s"
}

var syntaxLine = regexp.MustCompile(`line (\d+)`)

// document parses; nil when there is nothing to read or the syntax is broken.
func (r *reader) document(data []byte) *yaml.Node {
	doc, err := parseYAML(data)
	if err != nil {
		line := 1
		if m := syntaxLine.FindStringSubmatch(err.Error()); m != nil {
			line, _ = strconv.Atoi(m[1])
		}
		text := err.Error()[strings.LastIndex(err.Error(), ": ")+1:]
		r.fault(&yaml.Node{Line: line}, "this is not YAML: %s", strings.TrimSpace(text))
		return nil
	}
	if doc != nil {
		r.cards(doc)
	}
	return doc
}

// cards names every place that holds the number of a payment card, and not what it holds.
func (r *reader) cards(n *yaml.Node) {
	if n.Kind == yaml.ScalarNode && pii.HoldsCard(n.Value) {
		r.fault(n, "this holds the number of a payment card: Ombud takes none")
	}
	for _, c := range n.Content {
		r.cards(c)
	}
}

// YAML reads the brace of an unquoted ${NAME} inside {…} as the end of the mapping. Variables are
// written that way all the same, so their braces step aside while the file is parsed, each for
// one other character: lines and columns stay true.
var (
	variable = regexp.MustCompile(`\$\{([A-Za-z_][A-Za-z0-9_]*)\}`)
	hidden   = regexp.MustCompile("\\$\uE000([A-Za-z_][A-Za-z0-9_]*)\uE001")
)

// parseYAML gives the root node of a file, nil when there is nothing in it.
func parseYAML(data []byte) (*yaml.Node, error) {
	loader := yaml.NewDecoder(bytes.NewReader(variable.ReplaceAll(data, []byte("$$\uE000${1}\uE001"))))
	var doc, second yaml.Node
	if err := loader.Decode(&doc); errors.Is(err, io.EOF) {
		return nil, nil
	} else if err != nil {
		return nil, err
	}
	if err := loader.Decode(&second); err == nil {
		return nil, fmt.Errorf("line %d: a second document begins here; one file holds one", max(second.Line-1, 1))
	} else if !errors.Is(err, io.EOF) {
		return nil, err
	}
	if doc.Kind != yaml.DocumentNode || len(doc.Content) == 0 || isNull(doc.Content[0]) {
		return nil, nil
	}
	unhide(doc.Content[0])
	return doc.Content[0], nil
}

func unhide(n *yaml.Node) {
	n.Value = hidden.ReplaceAllString(n.Value, "$${${1}}")
	for _, c := range n.Content {
		unhide(c)
	}
}

func isNull(n *yaml.Node) bool { return n.Kind == yaml.ScalarNode && n.ShortTag() == "!!null" }

// resolve follows an alias. Nodes read are counted, so aliases of aliases cannot multiply without end.
func (r *reader) resolve(n *yaml.Node) *yaml.Node {
	r.visited++
	if r.visited == maxNodes {
		r.fault(n, "the file expands to over %d values", maxNodes)
	}
	if n.Kind == yaml.AliasNode && n.Alias != nil {
		return n.Alias
	}
	return n
}

func (r *reader) tooMuch() bool { return r.visited >= maxNodes }

// mapping reads a mapping's values by key, names unknown and repeated keys, and missing required ones.
func (r *reader) mapping(n *yaml.Node, what string, f fields, required ...string) {
	had := map[string]bool{}
	r.each(n, what, func(key, value *yaml.Node) {
		read, ok := f[key.Value]
		if !ok {
			r.fault(key, "%s has no key %q%s", what, key.Value, didYouMean(key.Value, keys(f)))
			return
		}
		had[key.Value] = true
		read(value)
	})
	if n = r.resolve(n); n.Kind != yaml.MappingNode {
		return
	}
	for _, k := range required {
		if !had[k] {
			r.fault(n, "%s needs %s", what, k)
		}
	}
}

// each visits a mapping in its order; a key given twice is a fault.
func (r *reader) each(n *yaml.Node, what string, visit func(key, value *yaml.Node)) {
	n = r.resolve(n)
	if n.Kind != yaml.MappingNode {
		if !isNull(n) {
			r.fault(n, "%s is a mapping of keys to values", what)
		}
		return
	}
	had := map[string]bool{}
	for i := 0; i+1 < len(n.Content) && !r.tooMuch(); i += 2 {
		key := r.resolve(n.Content[i])
		switch {
		case key.Kind != yaml.ScalarNode:
			r.fault(key, "a key of %s is plain text", what)
		case had[key.Value]:
			r.fault(key, "%q is given twice", key.Value)
		default:
			had[key.Value] = true
			visit(key, n.Content[i+1])
		}
	}
}

// list reads a sequence with one reader per entry.
func list[T any](r *reader, n *yaml.Node, what string, read func(*yaml.Node) T) []T {
	n = r.resolve(n)
	if isNull(n) {
		return nil
	}
	if n.Kind != yaml.SequenceNode {
		r.fault(n, "%s is a list: each entry starts with a dash", what)
		return nil
	}
	var out []T
	for _, c := range n.Content {
		if r.tooMuch() {
			break
		}
		out = append(out, read(c))
	}
	return out
}

// scalar gives a node's text; false, with a fault, when it is no scalar.
func (r *reader) scalar(n *yaml.Node, what string) (string, bool) {
	n = r.resolve(n)
	if n.Kind != yaml.ScalarNode || isNull(n) {
		r.fault(n, "%s is missing here", what)
		return "", false
	}
	return n.Value, true
}

func (r *reader) text(to *string) func(*yaml.Node) {
	return func(n *yaml.Node) { *to, _ = r.scalar(n, "text") }
}

func (r *reader) texts(to *[]string) func(*yaml.Node) {
	return r.textsOf(to, "", func(string) bool { return true }, "")
}

// textsOf reads a list of texts that all satisfy ok.
func (r *reader) textsOf(to *[]string, what string, ok func(string) bool, hint string) func(*yaml.Node) {
	return func(n *yaml.Node) {
		*to = list(r, n, "this", func(c *yaml.Node) string {
			s, given := r.scalar(c, "text")
			if given && !ok(s) {
				r.fault(c, "%q is no %s, %s", s, what, hint)
			}
			return s
		})
	}
}

func (r *reader) textOrTexts(to *[]string) func(*yaml.Node) {
	return func(n *yaml.Node) {
		if n = r.resolve(n); n.Kind == yaml.ScalarNode && !isNull(n) {
			*to = []string{n.Value}
			return
		}
		r.texts(to)(n)
	}
}

func (r *reader) flag(to *bool) func(*yaml.Node) {
	return func(n *yaml.Node) {
		if err := r.resolve(n).Decode(to); err != nil {
			r.fault(n, "this is true or false")
		}
	}
}

func (r *reader) number(to *float64) func(*yaml.Node) {
	return func(n *yaml.Node) {
		n = r.resolve(n)
		if tag := n.ShortTag(); n.Kind != yaml.ScalarNode || tag != "!!int" && tag != "!!float" || n.Decode(to) != nil {
			r.fault(n, "this is a number")
		}
	}
}

// pairs reads a mapping of text to text.
func (r *reader) pairs(to *map[string]string, what string) func(*yaml.Node) {
	return func(n *yaml.Node) {
		*to = map[string]string{}
		r.each(n, what, func(key, value *yaml.Node) {
			if s, ok := r.scalar(value, "a value"); ok {
				(*to)[key.Value] = s
			}
		})
	}
}

// oneOf reads a word of a closed list; aliases map other spellings to it.
func (r *reader) oneOf(to *string, what string, words []string, aliases map[string]string) func(*yaml.Node) {
	return func(n *yaml.Node) {
		s, ok := r.scalar(n, what)
		if a, is := aliases[s]; is {
			s = a
		}
		if ok && !slices.Contains(words, s) {
			r.fault(n, "%q is no %s%s; one of: %s", s, what, didYouMean(s, words), strings.Join(words, ", "))
		}
		*to = s
	}
}
