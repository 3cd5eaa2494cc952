package plan

import (
	"slices"
	"strings"
	"sync"
	"unicode"
	"unicode/utf8"

	"github.com/ombudhq/ombud/connector"
)

// matcher finds many values in text at once, whatever their case, at the speed of reading it: an
// Aho-Corasick automaton over folded bytes. A hit counts only where the value stands by itself:
// "ida@example.com" is neither in "frida@example.com" nor in "ida@example.com.au".
//
// The automaton is made when the first text is read: many plans have none to read.
type matcher struct {
	patterns []string
	once     sync.Once
	next     [][256]int32 // dense: a step is one look-up
	fail     []int32
	ends     [][]int32 // pattern lengths that end in a state
}

func newMatcher(patterns []string) *matcher {
	return &matcher{patterns: slices.DeleteFunc(slices.Clone(patterns), func(p string) bool { return p == "" })}
}

func (m *matcher) make() {
	m.next, m.fail, m.ends = make([][256]int32, 1), []int32{0}, [][]int32{nil}
	for _, p := range m.patterns {
		m.insert(p)
	}
	m.link()
}

func (m *matcher) insert(p string) {
	at := int32(0)
	for i := 0; i < len(p); i++ {
		n := m.next[at][p[i]]
		if n == 0 {
			n = int32(len(m.next))
			m.next = append(m.next, [256]int32{})
			m.fail, m.ends = append(m.fail, 0), append(m.ends, nil)
			m.next[at][p[i]] = n
		}
		at = n
	}
	m.ends[at] = append(m.ends[at], int32(len(p)))
}

// link turns the trie into an automaton, breadth first.
func (m *matcher) link() {
	var queue []int32
	for _, n := range m.next[0] {
		if n != 0 {
			queue = append(queue, n)
		}
	}
	for len(queue) > 0 {
		at := queue[0]
		queue = queue[1:]
		m.ends[at] = append(m.ends[at], m.ends[m.fail[at]]...)
		for c, n := range m.next[at] {
			f := m.next[m.fail[at]][c]
			if n == 0 {
				m.next[at][c] = f
				continue
			}
			m.fail[n] = f
			queue = append(queue, n)
		}
	}
}

// span is bytes of the text as it stands.
type span struct{ from, to int }

// find gives the hits in text, in the order of their ends.
func (m *matcher) find(text string) []span {
	if len(m.patterns) == 0 {
		return nil
	}
	m.once.Do(m.make)
	folded, at := foldText(text)
	var out []span
	state := int32(0)
	for i := 0; i < len(folded); i++ {
		state = m.next[state][folded[i]]
		for _, n := range m.ends[state] {
			from, to := i+1-int(n), i+1
			if alone(folded, from, to) {
				out = append(out, span{offset(at, from), offset(at, to)})
			}
		}
	}
	return out
}

// foldText folds case and keeps everything else; at maps folded offsets to the text's, nil when
// they are the same.
func foldText(text string) (string, []int32) {
	ascii := true
	for i := 0; i < len(text); i++ {
		if text[i] >= utf8.RuneSelf {
			ascii = false
			break
		}
	}
	if ascii {
		return strings.ToLower(text), nil
	}
	var b strings.Builder
	at := make([]int32, 0, len(text)+1)
	for i := 0; i < len(text); {
		r, size := utf8.DecodeRuneInString(text[i:])
		n := b.Len()
		if r == utf8.RuneError && size == 1 {
			b.WriteByte(text[i])
		} else {
			b.WriteRune(connector.FoldRune(r))
		}
		for ; n < b.Len(); n++ {
			at = append(at, int32(i))
		}
		i += size
	}
	return b.String(), append(at, int32(len(text)))
}

func offset(at []int32, i int) int {
	if at == nil {
		return i
	}
	return int(at[i])
}

// alone: nothing beside the hit continues it into a longer word, number or address.
func alone(s string, from, to int) bool {
	before, _ := utf8.DecodeLastRuneInString(s[:from])
	if from > 0 && (isWord(before) || strings.ContainsRune("._+-", before) && from > 1 && isWordEnd(s[:from-1])) {
		return false
	}
	after, size := utf8.DecodeRuneInString(s[to:])
	if to == len(s) {
		return true
	}
	if isWord(after) {
		return false
	}
	if after == '.' || after == '-' || after == '@' {
		r, _ := utf8.DecodeRuneInString(s[to+size:])
		return to+size == len(s) || !isWord(r)
	}
	return true
}

func isWord(r rune) bool { return unicode.IsLetter(r) || unicode.IsDigit(r) }

func isWordEnd(s string) bool {
	r, _ := utf8.DecodeLastRuneInString(s)
	return isWord(r)
}

// mark stands where a person stood.
const mark = "[erased]"

// maskSpans replaces every hit by the mark and leaves every other byte as it was.
func (m *matcher) maskSpans(text string) string {
	hits := m.find(text)
	if len(hits) == 0 {
		return text
	}
	covered := make([]bool, len(text))
	for _, h := range hits {
		for i := h.from; i < h.to; i++ {
			covered[i] = true
		}
	}
	var b strings.Builder
	for i := 0; i < len(text); i++ {
		switch {
		case !covered[i]:
			b.WriteByte(text[i])
		case i == 0 || !covered[i-1]:
			b.WriteString(mark)
		}
	}
	return b.String()
}
