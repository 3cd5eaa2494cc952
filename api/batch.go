package api

import (
	"encoding/json"
	"errors"
	"net/http"
	"slices"
	"strconv"
	"sync"

	"github.com/ombudhq/ombud/access"
	"github.com/ombudhq/ombud/consent"
	"github.com/ombudhq/ombud/internal/fault"
	"github.com/ombudhq/ombud/subject"
)

// batch is the body of many questions.
type batch struct {
	Decisions   []json.RawMessage `json:"decisions"`
	MinRevision int64             `json:"min_revision"`
}

// decideBatch answers many questions, in their order. One that is malformed refuses them all, with every fault named, and so
// does one that the asker may not ask.
func (s *server) decideBatch(w http.ResponseWriter, r *http.Request) {
	b, err := body(r, maxBatch)
	defer release(b)
	if err != nil {
		unreadable(w, err)
		return
	}
	caller, room := access.From(r.Context()), questionRooms.Get().(*[]question)
	questions, min, err := parseBatch(b.Bytes(), (*room)[:0])
	defer leave(room, questions)
	if err == nil {
		err = s.reachesBatch(r.Context(), caller, questions)
	}
	if err == nil {
		err = s.reach(r.Context(), min)
	}
	if err != nil {
		s.fail(w, err)
		return
	}
	b.Reset() // questions share no memory with it
	b.Grow(64 + 256*len(questions))
	out := b.AvailableBuffer()
	asker, signal, revision := s.Consents.Asker(caller.Actor), gpc(r.Header), s.Consents.Revision()
	out = s.appendAll(out, revision, questions, func(q *question, h consent.Handle) consent.Verdict {
		return asker.Ask(h, q.Purpose, q.Category, signal || q.Signals.GPC)
	})
	if asker.Done(r.Context()) != nil {
		out = s.appendAll(out[:0], revision, questions, func(*question, consent.Handle) consent.Verdict {
			return consent.Verdict{Revision: revision}.Unlogged()
		})
	}
	writeJSON(w, append(out, '\n'))
}

// questionRooms hold the questions of a batch while they are needed.
var questionRooms = sync.Pool{New: func() any { return new([]question) }}

// leave gives a room back, without the questions, which name people.
func leave(room *[]question, questions []question) {
	clear(questions)
	*room = questions
	questionRooms.Put(room)
}

// appendAll writes the answer to a batch.
func (s *server) appendAll(out []byte, revision int64, questions []question, answer func(*question, consent.Handle) consent.Verdict) []byte {
	out = append(out, `{"decisions":[`...)
	var handles [64]consent.Handle
	for i := range questions {
		some := i % len(handles)
		if some == 0 {
			s.find(questions[i:min(i+len(handles), len(questions))], &handles)
		}
		if i > 0 {
			out = append(out, ',')
		}
		out = appendDecision(out, s.Consents, answer(&questions[i], handles[some]))
	}
	return append(strconv.AppendInt(append(out, `],"revision":`...), revision, 10), '}')
}

// find finds the people of questions, those of one identity all at once.
func (s *server) find(questions []question, to *[64]consent.Handle) {
	var ids [len(to)]subject.Identity
	for i := range questions {
		if q := &questions[i]; q.one[0].Kind != "" && q.one[0].Kind != subjectID {
			ids[i] = q.one[0]
		} else {
			to[i] = q.handle(s.Consents)
		}
	}
	s.Consents.FindAll(ids[:len(questions)], to[:])
}

// parseBatch reads a batch the quick way, into the room for them, or, where something is unusual, the strict one.
func parseBatch(b []byte, room []question) (questions []question, min int64, err error) {
	quickly := quick{b: string(b)}
	questions, min, ok := quickly.batch(room)
	if ok {
		return questions, min, checkAll(questions)
	}
	clear(questions)
	var in batch
	if err := strict(b, &in); err != nil {
		return nil, 0, err
	}
	questions = make([]question, len(in.Decisions))
	if len(questions) > maxAsked {
		return nil, 0, errBatch(len(questions))
	}
	var faults []fault.Detail
	for i, raw := range in.Decisions {
		err := strict(raw, &questions[i])
		if err == nil {
			err = questions[i].check()
		}
		if err != nil {
			faults = append(faults, placed(i, err)...)
		}
		in.MinRevision = max(in.MinRevision, questions[i].MinRevision)
	}
	if len(faults) > 0 {
		return nil, 0, errQuestions(faults)
	}
	return questions, in.MinRevision, checkAll(questions)
}

// errQuestions refuses a batch by the faults of its questions.
func errQuestions(faults []fault.Detail) error {
	return fault.New(fault.Invalid, "not every question of the batch can be answered").With(faults...)
}

func errBatch(n int) error {
	return fault.New(fault.Invalid, "a batch has 1 to %d questions, this one %d", maxAsked, n)
}

// placed puts the faults of one question at its place.
func placed(i int, err error) []fault.Detail {
	out := detailsOf(err)
	for j := range out {
		out[j].Where = "/decisions/" + strconv.Itoa(i) + out[j].Where
	}
	return out
}

// detailsOf are the faults that an error names; one without any is one itself.
func detailsOf(err error) []fault.Detail {
	var f *fault.Error
	if !errors.As(err, &f) || len(f.Details) == 0 {
		return []fault.Detail{{Message: err.Error()}}
	}
	return slices.Clone(f.Details)
}

func checkAll(questions []question) error {
	if len(questions) == 0 || len(questions) > maxAsked {
		return errBatch(len(questions))
	}
	var faults []fault.Detail
	for i := range questions {
		if err := questions[i].check(); err != nil {
			faults = append(faults, placed(i, err)...)
		}
	}
	if len(faults) > 0 {
		return errQuestions(faults)
	}
	return nil
}

// batch is the quick way of a batch.
func (p *quick) batch(room []question) (questions []question, min int64, ok bool) {
	questions = room
	var seen [2]bool
	ok = p.object(func(name string) bool {
		switch name {
		case "decisions":
			was := seen[0]
			seen[0] = true
			return !was && p.questions(&questions)
		case "min_revision":
			was := seen[1]
			seen[1] = true
			return !was && p.number(&min)
		}
		return false
	})
	p.space()
	for i := range questions {
		min = max(min, questions[i].MinRevision)
	}
	return questions, min, ok && p.i == len(p.b)
}

func (p *quick) questions(to *[]question) bool {
	if !p.byte('[') {
		return false
	}
	*to = slices.Grow(*to, min(maxAsked, len(p.b)/80+1))
	for len(*to) <= maxAsked {
		*to = append(*to, question{})
		if !p.members(&(*to)[len(*to)-1]) {
			return false
		}
		if p.byte(']') {
			return true
		}
		if !p.byte(',') {
			return false
		}
	}
	return false
}
