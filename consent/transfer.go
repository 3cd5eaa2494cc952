package consent

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"hash/maphash"
	"io"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/ombudhq/ombud/internal/fault"
	"github.com/ombudhq/ombud/subject"
)

// Line is one act as it travels: a line of NDJSON in an import or an export, and the data of an event that a service
// posts.
type Line struct {
	Event      string            `json:"event"` // given, withdrawn
	Subject    map[string]string `json:"subject"`
	Purpose    string            `json:"purpose,omitempty"`
	Categories []string          `json:"categories,omitempty"`
	All        bool              `json:"all,omitempty"`
	Within     []string          `json:"within,omitempty"` // the only purposes that all, or categories, are about
	Method     string            `json:"method,omitempty"`
	Notice     *LineNotice       `json:"notice,omitempty"`
	At         time.Time         `json:"at,omitzero"` // when it was said, by its source
	Reason     string            `json:"reason,omitempty"`
	Interface  string            `json:"interface,omitempty"`
	Metadata   map[string]string `json:"metadata,omitempty"`
	TCF        string            `json:"tcf,omitempty"`
	GPP        string            `json:"gpp,omitempty"`
}

// LineNotice is the notice of a line.
type LineNotice struct {
	ID           string `json:"id"`
	Version      string `json:"version"`
	Language     string `json:"language,omitempty"`
	SeenRevision *int64 `json:"seen_revision,omitempty"`
}

// Identities are those of a map of kind to value, by kind.
func Identities(m map[string]string) []subject.Identity {
	out := make([]subject.Identity, 0, len(m))
	for kind, value := range m {
		out = append(out, subject.Identity{Kind: kind, Value: value})
	}
	slices.SortFunc(out, func(a, b subject.Identity) int { return compare(a.Kind, b.Kind) })
	return out
}

// Import says what became of a file.
type Import struct {
	Lines    int          `json:"lines"`
	Recorded int          `json:"recorded"`
	Ended    int          `json:"ended"` // consents that withdrawals among them ended
	Refused  []LineFaults `json:"refused"`
}

// ImportInput says where a file comes from.
type ImportInput struct {
	Source string
	Actor  string
	Erase  bool // open an erasure for what its withdrawals leave without a ground, as for those said to us
}

// LineFaults says why a line was refused. It quotes nothing of it.
type LineFaults struct {
	Line    int            `json:"line"`
	Message string         `json:"message"`
	Faults  []fault.Detail `json:"errors,omitempty"`
}

const (
	importers   = 32      // lines on their way at once: they share commits
	maxLine     = 1 << 20 // bytes
	maxRefusals = 1000    // told one by one
)

// Import records the lines of a file, those of one person in their order. A yes behind a no of the same file counts when
// both say when, in that order, and we heard of no other no: such a file is one history. A line that cannot count is refused and told;
// the others are recorded. What is answered is durable. A file tells of years, and to plan an erasure for each no of them
// would bury those that people say today: without in.Erase it opens none.
func (s *Service) Import(ctx context.Context, r io.Reader, in ImportInput) (Import, error) {
	job := &importing{s: s, in: in, nos: map[no]ownNo{}}
	seed := maphash.MakeSeed()
	var queues [importers]chan numbered
	var wait sync.WaitGroup
	for i := range queues {
		queues[i] = make(chan numbered, 8)
		wait.Go(func() { job.work(ctx, queues[i]) })
	}
	lines := bufio.NewScanner(r)
	lines.Buffer(make([]byte, 64<<10), maxLine)
	n := 0
	for lines.Scan() && ctx.Err() == nil {
		n++
		text := bytes.TrimSpace(lines.Bytes())
		if n == 1 {
			text = bytes.TrimPrefix(text, []byte("\ufeff")) // some programs begin every file with it
		}
		if len(text) > 0 {
			line, err := parseLine(text)
			if err != nil {
				job.refuse(n, err)
				continue
			}
			queues[maphash.Comparable(seed, firstIdentity(line))%importers] <- numbered{n, line}
		}
	}
	for _, q := range queues {
		close(q)
	}
	wait.Wait()
	slices.SortFunc(job.out.Refused, func(a, b LineFaults) int { return a.Line - b.Line })
	job.out.Lines = n
	if ctx.Err() != nil {
		return job.out, fault.Wrap(fault.Unavailable, ctx.Err(), "interrupted: %d acts of it are recorded, and stay", job.out.Recorded).
			Then("Import what is missing: consent export shows what is there.")
	}
	err := lines.Err()
	if errors.Is(err, bufio.ErrTooLong) {
		err = fault.New(fault.Invalid, "line %d is longer than %d bytes; of those before it %d are recorded, and nothing behind it", n+1, maxLine, job.out.Recorded)
	}
	return job.out, errors.Join(err, job.failed)
}

// firstIdentity keeps the lines of a person on one way.
func firstIdentity(l Line) subject.Identity {
	ids := Identities(l.Subject)
	if len(ids) == 0 {
		return subject.Identity{}
	}
	return subject.Identity{Kind: ids[0].Kind, Value: subject.Canonical(ids[0].Kind, ids[0].Value)}
}

type numbered struct {
	n    int
	line Line
}

// importing is one import under way.
type importing struct {
	s      *Service
	in     ImportInput
	mu     sync.Mutex
	out    Import
	failed error
	nos    map[no]ownNo
}

// no is what a person said no to.
type no struct {
	who     subject.Identity
	purpose string
}

// ownNo is the newest that we heard, where this import brought it and all before it.
type ownNo struct {
	revision int64
	at       time.Time // by the source
}

// take records a line.
func (j *importing) take(ctx context.Context, l Line) error {
	who := firstIdentity(l)
	j.mu.Lock()
	before := j.nos[no{who, l.Purpose}]
	j.mu.Unlock()
	if !before.at.IsZero() && l.At.After(before.at) && l.Notice != nil && l.Notice.SeenRevision == nil {
		shown := *l.Notice
		shown.SeenRevision, l.Notice = &before.revision, &shown
	}
	out, err := j.s.take(ctx, l, origin{source: j.in.Source, past: !j.in.Erase}, j.in.Actor)
	j.mu.Lock()
	defer j.mu.Unlock()
	j.out.Ended += out.Ended
	for p, last := range out.before {
		if key := (no{who, p}); last == 0 || last == j.nos[key].revision {
			j.nos[key] = ownNo{out.Revision, l.At}
		}
	}
	return err
}

func (j *importing) work(ctx context.Context, lines <-chan numbered) {
	for l := range lines {
		if err := j.take(ctx, l.line); err != nil {
			j.refuse(l.n, err)
			continue
		}
		j.mu.Lock()
		j.out.Recorded++
		j.mu.Unlock()
	}
}

func (j *importing) refuse(n int, err error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	var f *fault.Error
	if !errors.As(err, &f) || f.Kind == fault.Unavailable || f.Kind == fault.Integrity {
		j.failed = errors.Join(j.failed, err)
		return
	}
	if len(j.out.Refused) < maxRefusals {
		j.out.Refused = append(j.out.Refused, LineFaults{n, f.Message, f.Details})
	}
}

func parseLine(text []byte) (l Line, err error) {
	d := json.NewDecoder(bytes.NewReader(text))
	d.DisallowUnknownFields()
	if err := d.Decode(&l); err != nil {
		return l, fault.New(fault.Invalid, "this is not a line of consents").With(badLine(err))
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) { // passed over, what stands there would be a no that nobody hears
		return l, fault.New(fault.Invalid, "this is not a line of consents").With(fault.Detail{Message: "something stands behind the object"})
	}
	return l, nil
}

// badLine says what is wrong with a line, and quotes no value of it.
func badLine(err error) fault.Detail {
	var kind *json.UnmarshalTypeError
	var moment *time.ParseError
	switch {
	case errors.As(err, &kind) && kind.Field == "":
		return fault.Detail{Message: "a line is one object"}
	case errors.As(err, &kind):
		return fault.Detail{Where: kind.Field, Message: "must be " + kind.Type.String()}
	case errors.As(err, &moment):
		return fault.Detail{Where: "at", Message: "a time is written 2026-11-21T09:00:00Z"}
	case strings.HasPrefix(err.Error(), "json: unknown field "):
		return fault.Detail{Message: "it has a field that is none of a line's: consent export shows which there are"}
	}
	return fault.Detail{Message: "it is not JSON"}
}

// take records a line.
func (s *Service) take(ctx context.Context, l Line, from origin, actor string) (out Withdrawal, err error) {
	from.at = l.At
	ids := Identities(l.Subject)
	switch l.Event {
	case "given":
		in := RecordInput{Subject: ids, Purpose: l.Purpose, Categories: l.Categories, Method: l.Method, Interface: l.Interface, Metadata: l.Metadata,
			TCF: l.TCF, GPP: l.GPP, Actor: actor, from: &from}
		if l.Notice != nil {
			in.Notice = NoticeInput(*l.Notice)
		}
		if l.Within != nil {
			return out, fault.New(fault.Invalid, "this cannot be recorded as consent").With(fault.Detail{Where: "within", Message: "belongs to a withdrawal"})
		}
		if l.At.After(s.cfg.Clock.Now()) {
			return out, fault.New(fault.Invalid, "this cannot be recorded as consent").With(fault.Detail{Where: "at", Message: "it lies in the future"})
		}
		_, err = s.Record(ctx, in)
		return out, err
	case "withdrawn":
		return s.Withdraw(ctx, WithdrawInput{Subject: ids, Purpose: l.Purpose, Categories: l.Categories, All: l.All, Within: l.Within, Reason: l.Reason, Actor: actor, from: &from})
	}
	return out, fault.New(fault.Invalid, "an event is given or withdrawn").With(fault.Detail{Where: "event", Message: "given or withdrawn"})
}

// Export writes every act of the ledger, oldest first, as lines that Import reads. It holds identities: only for who may
// see them. The people who were erased are left out.
func (s *Service) Export(ctx context.Context, w io.Writer) (lines int, err error) {
	const chunk = 1024
	out := bufio.NewWriter(w)
	for from := int64(0); ; {
		rows, err := s.cfg.Ledger.Since(ctx, from, chunk)
		if err != nil {
			return lines, err
		}
		for _, r := range rows {
			from = r.ID
			content, err := decode(r)
			if err != nil {
				return lines, err
			}
			n, err := s.exportOne(ctx, out, r.Kind, r.Subject, content)
			if err != nil {
				return lines, err
			}
			lines += n
		}
		if len(rows) < chunk {
			return lines, out.Flush()
		}
	}
}

func (s *Service) exportOne(ctx context.Context, w io.Writer, kind, person string, content any) (int, error) {
	n, ok := s.cfg.People.Number(person)
	if content == nil || kind == kindPending || !ok {
		return 0, nil
	}
	ids, err := s.cfg.People.Identities(ctx, n)
	if err != nil || len(ids) == 0 {
		return 0, err
	}
	who := map[string]string{}
	for _, i := range ids {
		who[i.Kind] = i.Value
	}
	var all []Line
	switch c := content.(type) {
	case *given:
		at := c.At
		if !c.Given.IsZero() {
			at = c.Given
		}
		all = []Line{{Event: "given", Subject: who, Purpose: c.Purpose, Categories: c.Categories, Method: c.Method, At: at, Interface: c.Interface,
			Metadata: c.Metadata, TCF: c.TCF, GPP: c.GPP, Notice: &LineNotice{ID: c.Notice.ID, Version: c.Notice.Version, Language: c.Notice.Language}}}
	case *ended:
		all = withdrawals(c, who)
	}
	for _, l := range all {
		b, err := json.Marshal(l)
		if err != nil {
			return 0, fmt.Errorf("encoding a line: %w", err)
		}
		if _, err := w.Write(append(b, '\n')); err != nil {
			return 0, err
		}
	}
	return len(all), nil
}

func withdrawals(c *ended, who map[string]string) []Line {
	line := Line{Event: "withdrawn", Subject: who, At: c.At, Reason: c.Reason, Categories: c.Categories, Within: c.Within, All: c.All}
	if !c.Said.IsZero() {
		line.At = c.Said
	}
	if c.All || len(c.Categories) > 0 {
		return []Line{line}
	}
	var out []Line
	for _, p := range c.Purposes {
		line.Purpose = p
		out = append(out, line)
	}
	return out
}
