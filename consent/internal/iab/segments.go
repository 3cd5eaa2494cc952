package iab

import (
	"strings"

	"github.com/ombudhq/ombud/internal/fault"
)

// Unknown is the kind of a segment that is not known.
const Unknown = -1

// maxSegments is more than any version has had, and few enough to name each.
const maxSegments = 64

// Segments describes a text of segments behind dots, of which each kind is there once at most and kind 0 comes first.
type Segments struct {
	Names  []string                                  // by kind; "" where there is no such kind
	Kind   func(i int, text string) int              // of the segment at position i, from 1; or Unknown
	Has    func(kind int) bool                       // is there such a segment in the value that is written?
	Fields func(kind int, reading bool) func(*Coder) // describes it; when reading, it is there from now on
}

// Written is how one segment was written.
type Written struct {
	kind    int
	padding int
	text    string // of an unknown one
}

// Read reads all segments and says how they were written. It gives a fault for each segment that cannot be read.
func (s Segments) Read(text string) (written []Written, bad []fault.Detail) {
	if strings.Count(text, ".") >= maxSegments {
		return nil, []fault.Detail{{Where: "segment", Message: "is there more often than in any honest text"}}
	}
	done := make([]bool, len(s.Names))
	for i, part := range strings.Split(text, ".") {
		w, detail := s.read(i, part, done)
		if written = append(written, w); detail != nil {
			bad = append(bad, *detail)
		}
	}
	return written, bad
}

func (s Segments) read(i int, text string, done []bool) (Written, *fault.Detail) {
	kind := 0
	if i > 0 {
		if text == "" || !isBase64(text) {
			return Written{}, &fault.Detail{Where: "segment", Message: "is empty or not base64url"}
		}
		kind = s.Kind(i, text)
	}
	switch {
	case kind == Unknown:
		return Written{kind: Unknown, text: text}, nil
	case done[kind]:
		return Written{}, &fault.Detail{Where: s.Names[kind], Message: "is there twice"}
	}
	done[kind] = true
	padding, detail := Read(s.Names[kind], text, s.Fields(kind, true))
	return Written{kind: kind, padding: padding}, detail
}

// Write writes the segments that were read and are still there, as they were, and then those that are new, in the
// order of their kinds. It gives a fault for each segment that cannot be written.
func (s Segments) Write(written []Written) (text string, bad []fault.Detail) {
	done := make([]bool, len(s.Names))
	for _, w := range written {
		if w.kind != Unknown {
			done[w.kind] = true
		}
	}
	for kind, name := range s.Names {
		if !done[kind] && name != "" {
			written = append(written[:len(written):len(written)], Written{kind: kind})
		}
	}
	var texts []string
	for _, w := range written {
		switch {
		case w.kind == Unknown:
			texts = append(texts, w.text)
		case s.Has(w.kind):
			part, detail := Write(s.Names[w.kind], w.padding, s.Fields(w.kind, false))
			if texts = append(texts, part); detail != nil {
				bad = append(bad, *detail)
			}
		}
	}
	return strings.Join(texts, "."), bad
}

// CountUnknown counts the segments that are not known.
func CountUnknown(written []Written) int {
	n := 0
	for _, w := range written {
		if w.kind == Unknown {
			n++
		}
	}
	return n
}
