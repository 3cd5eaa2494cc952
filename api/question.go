package api

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"math/bits"
	"reflect"
	"strconv"
	"strings"
	"time"

	"github.com/ombudhq/ombud/consent"
	"github.com/ombudhq/ombud/internal/fault"
	"github.com/ombudhq/ombud/subject"
)

// question is the body of a decision.
type question struct {
	Subject     map[string]string `json:"subject"`
	Purpose     string            `json:"purpose"`
	Category    string            `json:"category"`
	Signals     signals           `json:"signals"`
	MinRevision int64             `json:"min_revision"`

	one [1]subject.Identity // the subject, where it is one identity: the quick way has no map
}

type signals struct {
	GPC bool `json:"gpc"`
}

// subjectID is the kind that names a person by the id that answers carry.
const subjectID = "id"

// maxRevision is the largest that every JSON reader keeps exactly.
const maxRevision = 1<<53 - 1

// parse reads a question the quick way, or, where something is unusual, the strict one. Both accept the same.
func (q *question) parse(b []byte) error {
	if (&quick{b: string(b)}).question(q) {
		return q.check()
	}
	strictly := new(question) // so that a quick one needs no place of its own
	if err := strict(b, strictly); err != nil {
		return err
	}
	*q = *strictly
	return q.check()
}

// strict decodes one JSON value with nothing unknown in it and nothing behind it. Its faults name places, no values.
func strict(b []byte, to any) error {
	d := json.NewDecoder(bytes.NewReader(b))
	d.DisallowUnknownFields()
	err := d.Decode(to)
	if err == nil {
		if _, err = d.Token(); errors.Is(err, io.EOF) {
			return nil
		}
		return fault.New(fault.Invalid, "the body is more than one JSON value")
	}
	var kind *json.UnmarshalTypeError
	var moment *time.ParseError
	switch {
	case errors.As(err, &moment):
		return fault.New(fault.Invalid, "the body has a time that cannot be read").With(fault.Detail{Message: "a time is written 2026-11-21T09:00:00Z"})
	case errors.As(err, &kind):
		return fault.New(fault.Invalid, "the body has another shape").With(fault.Detail{Where: pointer(kind.Field), Message: "must be " + kindOf(kind.Type)})
	case strings.HasPrefix(err.Error(), "json: unknown field "):
		return fault.New(fault.Invalid, "the body has an unknown field").With(fault.Detail{Message: "unknown field; there are " + fieldsOf(to)})
	}
	return fault.New(fault.Invalid, "the body is not JSON")
}

// fieldsOf names the fields of a body. What a client called its own may be anything, and is not repeated.
func fieldsOf(v any) string {
	t := reflect.TypeOf(v).Elem()
	var names []string
	for i := range t.NumField() {
		if name, _, _ := strings.Cut(t.Field(i).Tag.Get("json"), ","); name != "" {
			names = append(names, name)
		}
	}
	return strings.Join(names, ", ")
}

// pointer is where a field lies; "" is all of the body.
func pointer(field string) string {
	if field == "" {
		return ""
	}
	return "/" + strings.ReplaceAll(field, ".", "/")
}

// kindOf names a type as JSON knows it.
func kindOf(t reflect.Type) string {
	switch t.Kind() {
	case reflect.Bool:
		return "true or false"
	case reflect.String:
		return "a text"
	case reflect.Int64:
		return "a whole number"
	case reflect.Slice:
		return "a list"
	}
	return "an object"
}

// check names every fault of a question.
func (q *question) check() error {
	var faults []fault.Detail
	bad := func(where, message string) {
		faults = append(faults, fault.Detail{Where: "/" + where, Message: message})
	}
	if q.one[0].Kind == "" && len(q.Subject) == 0 {
		bad("subject", "whose data is it? {\"email\": …}, or {\"id\": \"sub_…\"}")
	}
	if q.Purpose == "" {
		bad("purpose", "for which purpose?")
	}
	if q.Category == "" {
		bad("category", "which category of data?")
	}
	if q.MinRevision < 0 || q.MinRevision > maxRevision {
		bad("min_revision", "a revision of one of our answers")
	}
	if len(faults) > 0 {
		return fault.New(fault.Invalid, "this question cannot be answered").With(faults...)
	}
	return nil
}

// handle finds the person.
func (q *question) handle(s *consent.Service) consent.Handle {
	if q.one[0].Kind != "" {
		if q.one[0].Kind == subjectID {
			h, _ := s.FindID(q.one[0].Value)
			return h
		}
		return s.Find(q.one[0])
	}
	if id, ok := q.Subject[subjectID]; ok && len(q.Subject) == 1 {
		h, _ := s.FindID(id)
		return h
	}
	return s.Find(consent.Identities(q.Subject)...)
}

// quick reads the plain form of a question: ASCII, no escapes, known fields once each, one identity. It gives up on
// everything else.
type quick struct {
	b string // all of it at once, so that its words need no copies
	i int
}

func (p *quick) question(q *question) bool {
	ok := p.members(q)
	p.space()
	return ok && p.i == len(p.b)
}

func (p *quick) members(q *question) bool {
	if p.usual(q) {
		return true
	}
	var seen [5]bool
	once := func(i int) bool {
		was := seen[i]
		seen[i] = true
		return !was
	}
	return p.object(func(name string) bool {
		switch name {
		case "subject":
			return once(0) && p.identity(&q.one[0])
		case "purpose":
			return once(1) && p.text(&q.Purpose)
		case "category":
			return once(2) && p.text(&q.Category)
		case "signals":
			return once(3) && p.signals(&q.Signals)
		case "min_revision":
			return once(4) && p.number(&q.MinRevision)
		}
		return false
	})
}

// usual reads a question as programs write it: one identity, purpose and category in this order, and no spaces. Of any other it
// reads nothing.
func (p *quick) usual(q *question) bool {
	at, id := p.i, &q.one[0]
	if p.word(`{"subject":{"`) && p.rest(&id.Kind) && id.Kind != "" && p.word(`:"`) && p.rest(&id.Value) &&
		p.word(`},"purpose":"`) && p.rest(&q.Purpose) && p.word(`,"category":"`) && p.rest(&q.Category) && p.word(`}`) {
		return true
	}
	p.i, *q = at, question{}
	return false
}

// word reads exactly these characters.
func (p *quick) word(s string) bool {
	if !strings.HasPrefix(p.b[p.i:], s) {
		return false
	}
	p.i += len(s)
	return true
}

func (p *quick) identity(to *subject.Identity) bool {
	n := 0
	return p.object(func(kind string) bool {
		n++
		to.Kind = kind
		return n == 1 && to.Kind != "" && p.text(&to.Value)
	}) && n == 1
}

func (p *quick) signals(to *signals) bool {
	n := 0
	return p.object(func(name string) bool {
		n++
		return n == 1 && name == "gpc" && p.flag(&to.GPC)
	})
}

func (p *quick) object(member func(name string) bool) bool {
	if !p.byte('{') {
		return false
	}
	if p.byte('}') {
		return true
	}
	for {
		name, ok := p.raw()
		if !ok || !p.byte(':') || !member(name) {
			return false
		}
		if p.byte('}') {
			return true
		}
		if !p.byte(',') {
			return false
		}
	}
}

func (p *quick) space() {
	for p.i < len(p.b) && (p.b[p.i] == ' ' || p.b[p.i] == '\n' || p.b[p.i] == '\t' || p.b[p.i] == '\r') {
		p.i++
	}
}

func (p *quick) byte(c byte) bool {
	p.space()
	if p.i < len(p.b) && p.b[p.i] == c {
		p.i++
		return true
	}
	return false
}

// raw is a string without escapes and outside letters.
func (p *quick) raw() (s string, ok bool) {
	ok = p.byte('"') && p.rest(&s)
	return s, ok
}

// rest is a string behind its first quote.
func (p *quick) rest(to *string) bool {
	start := p.i
	for p.i+8 <= len(p.b) {
		if end := special(p.b[p.i : p.i+8]); end != 0 {
			p.i += bits.TrailingZeros64(end) / 8
			break
		}
		p.i += 8
	}
	for ; p.i < len(p.b); p.i++ {
		switch c := p.b[p.i]; {
		case c == '"':
			p.i++
			*to = p.b[start : p.i-1]
			return true
		case c < 0x20 || c >= 0x80 || c == '\\':
			return false
		}
	}
	return false
}

// special marks, of eight bytes, those that are not ASCII, or a quote, a backslash or a control character: the highest bit of
// each in its place in one number. Behind the first it may mark others too.
func special(s string) uint64 {
	const each, high = 0x0101010101010101, 0x8080808080808080
	x := uint64(s[0]) | uint64(s[1])<<8 | uint64(s[2])<<16 | uint64(s[3])<<24 | uint64(s[4])<<32 | uint64(s[5])<<40 | uint64(s[6])<<48 | uint64(s[7])<<56
	quote, slash := x^each*'"', x^each*'\\'
	return (x | (x - each*0x20) | (quote-each)&^quote | (slash-each)&^slash) & high
}

func (p *quick) text(to *string) (ok bool) {
	*to, ok = p.raw()
	return ok
}

func (p *quick) flag(to *bool) bool {
	p.space()
	rest := p.b[p.i:]
	switch {
	case strings.HasPrefix(rest, "true"):
		p.i, *to = p.i+len("true"), true
	case strings.HasPrefix(rest, "false"):
		p.i, *to = p.i+len("false"), false
	default:
		return false
	}
	return true
}

func (p *quick) number(to *int64) bool {
	p.space()
	start := p.i
	for p.i < len(p.b) && p.b[p.i] >= '0' && p.b[p.i] <= '9' {
		p.i++
	}
	digits := p.b[start:p.i]
	if len(digits) == 0 || len(digits) > 16 || digits[0] == '0' && len(digits) > 1 {
		return false
	}
	n, err := strconv.ParseInt(digits, 10, 64)
	*to = n
	return err == nil
}

// appendDecision writes an answer.
func appendDecision(b []byte, s *consent.Service, v consent.Verdict) []byte {
	if v.Reason == consent.Consented { // as most are: the rest of it follows
		b = v.AppendConsentID(append(b, `{"allowed":true,"basis":"consent","consent_id":"`...))
		b = append(b, `","reason":"consent","valid_until":`...)
	} else {
		b = appendOther(b, v)
	}
	if until, ends := v.AppendValidUntil(append(b, '"')); ends {
		b = append(until, '"')
	} else {
		b = append(b, "null"...)
	}
	b = append(b, `,"revision":`...)
	b = strconv.AppendInt(b, v.Revision, 10)
	if v.Person != 0 {
		b = append(s.AppendWho(append(b, `,"subject":"`...), v.Person), '"')
	}
	return append(b, '}')
}

// appendOther begins the answer that has any reason.
func appendOther(b []byte, v consent.Verdict) []byte {
	b = strconv.AppendBool(append(b, `{"allowed":`...), v.Allowed)
	b = appendText(append(b, `,"basis":`...), string(v.Basis))
	b = append(b, `,"consent_id":`...)
	if v.Consent == 0 {
		b = append(b, "null"...)
	} else {
		b = append(v.AppendConsentID(append(b, '"')), '"')
	}
	b = appendText(append(b, `,"reason":`...), string(v.Reason))
	return append(b, `,"valid_until":`...)
}

// appendText writes words of ours, which need no escapes; null for none.
func appendText(b []byte, s string) []byte {
	if s == "" {
		return append(b, "null"...)
	}
	return append(append(append(b, '"'), s...), '"')
}
