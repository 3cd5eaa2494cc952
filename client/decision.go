package client

import (
	"context"
	"errors"
	"hash/maphash"
	"net/http"
	"slices"
	"time"
)

const (
	// Unavailable is the reason of a no that nobody gave: it could not be known. An error comes with it.
	Unavailable = "unavailable"

	notLogged = "not-logged" // a no of this moment: the next question may be logged

	stale   = 2 * time.Second // no answer in memory is used when what we heard is older
	longest = time.Minute     // an answer is used: some things change by the calendar, and no event tells
	maxAsk  = 1000            // questions of one request
)

// Subject is one person: identity kind to value, as in {"email": "name@example.com"}, or "id" to a sub_… of an answer.
type Subject map[string]string

// Options of a question; the zero value is the plain one.
type Options struct {
	GPC         bool  // the person's browser sends Sec-GPC: 1
	MinRevision int64 // answer only by a state at least this new
}

// Question is one of a Batch.
type Question struct {
	Subject  Subject
	Purpose  string
	Category string
	Options
}

// Decision is the answer. Only Allowed says yes.
type Decision struct {
	Allowed    bool      `json:"allowed"`
	Basis      string    `json:"basis"`       // the one that carries it, or would have to
	ConsentID  string    `json:"consent_id"`  // the consent that carries it
	Reason     string    `json:"reason"`      // one word that never changes meaning
	ValidUntil time.Time `json:"valid_until"` // when a yes ends by itself; zero when it does not
	Revision   int64     `json:"revision"`    // the answer holds at this revision
	Subject    string    `json:"subject"`     // sub_…, where the person is known
}

// Allowed tells whether a category of data of a person may be processed for a purpose now. What is in memory is answered
// without the server. When it cannot be known, the decision is no with the reason Unavailable, and the error says why.
func (c *Client) Allowed(ctx context.Context, s Subject, purpose, category string, o Options) (Decision, error) {
	if d, ok := c.remembered(&Question{s, purpose, category, o}); ok {
		return d, nil
	}
	own := make(Subject, len(s)) // so that the caller's need not leave the stack
	for kind, value := range s {
		own[kind] = value
	}
	out := []Decision{{}}
	err := c.ask(ctx, []Question{{own, purpose, category, o}}, []int{0}, out)
	return out[0], err
}

// Batch is Allowed for many questions at once, with the decisions in their order. The server gets those that are not in
// memory. With an error, those it did not answer are no with the reason Unavailable.
func (c *Client) Batch(ctx context.Context, questions []Question) ([]Decision, error) {
	out := make([]Decision, len(questions))
	var open []int
	for i := range questions {
		var ok bool
		if out[i], ok = c.remembered(&questions[i]); !ok {
			open = append(open, i)
		}
	}
	var errs error
	for some := range slices.Chunk(open, maxAsk) {
		errs = errors.Join(errs, c.ask(ctx, questions, some, out))
	}
	return out, errs
}

// keyOf hashes what is asked, and tells what was heard last of the person's identities.
func (c *Client) keyOf(q *Question) (k key, place uint64, revision int64) {
	place, revision = c.heard.everybody.place.Load(), c.heard.everybody.revision.Load()
	for kind, value := range q.Subject {
		h := c.identity(kind, value)
		k.who[0] += h[0] // in any order
		k.who[1] += h[1]
		m := c.heard.slot(h[0])
		place, revision = max(place, m.place.Load()), max(revision, m.revision.Load())
	}
	k.what = maphash.String(c.seeds[0], q.Purpose) + 3*maphash.String(c.seeds[0], q.Category)
	if q.GPC {
		k.what = ^k.what
	}
	return k, place, revision
}

func (c *Client) identity(kind, value string) [2]uint64 {
	return [2]uint64{
		maphash.String(c.seeds[0], kind)*3 ^ maphash.String(c.seeds[0], value),
		maphash.String(c.seeds[1], kind)*3 ^ maphash.String(c.seeds[1], value),
	}
}

// remembered is the answer in memory, if it counts.
func (c *Client) remembered(q *Question) (Decision, bool) {
	k, place, _ := c.keyOf(q)
	a := c.cache.get(k)
	if a == nil || a.asked < place || a.asked < c.heard.slot(a.subject).place.Load() || a.decision.Revision < q.MinRevision {
		return Decision{}, false
	}
	now, b := c.clock.Now(), c.beat.Load()
	if !b.fresh(now) || !now.Before(a.until) || expired(a.decision.ValidUntil, now, b) {
		return Decision{}, false
	}
	return a.decision, true
}

// expired goes by the later of the two clocks, ours and the server's: one that is slow prolongs nothing.
func expired(until, now time.Time, b *beat) bool {
	return !until.IsZero() && (!now.Before(until) || !b.serverTime(now).Before(until))
}

// ask puts the questions at these places to the server. What it answers from before something we have heard by then, or may
// have by other rules, is asked once more, with the revision that was heard.
func (c *Client) ask(ctx context.Context, questions []Question, places []int, out []Decision) error {
	asked, began := c.heard.now(), c.clock.Now()
	least := int64(0)
	for _, i := range places {
		_, _, revision := c.keyOf(&questions[i])
		least = max(least, revision, questions[i].MinRevision)
		out[i] = Decision{Reason: Unavailable}
	}
	for again := true; ; again = false {
		got, err := c.decisions(ctx, questions, places, least)
		if err != nil {
			return err
		}
		newest := least
		for j := range got {
			newest = max(newest, c.newest(&got[j]))
		}
		rules := c.heard.everybody.place.Load() > asked // they change at no revision of their own
		if again && (rules || slices.ContainsFunc(got, func(d Decision) bool { return d.Revision < newest })) {
			least, asked, began = newest, c.heard.now(), c.clock.Now()
			continue
		}
		for j, i := range places {
			out[i] = got[j]
			c.keep(&questions[i], got[j], asked, began)
		}
		return nil
	}
}

// newest is the revision of the newest change that was heard of whom an answer is about.
func (c *Client) newest(d *Decision) int64 {
	everybody := c.heard.everybody.revision.Load()
	if d.Subject == "" {
		return everybody
	}
	return max(everybody, c.heard.slot(c.subject(d.Subject)).revision.Load())
}

func (c *Client) subject(id string) uint64 { return maphash.String(c.seeds[0], id) }

// keep remembers an answer. One that may change without our hearing of it is good for as long as we may be behind: about
// nobody known, or by several identities, of which one may become somebody else's.
func (c *Client) keep(q *Question, d Decision, asked uint64, began time.Time) {
	if d.Reason == notLogged || c.cfg.Answers < 0 {
		return
	}
	k, _, _ := c.keyOf(q)
	a := &answer{key: k, decision: d, asked: asked, until: began.Add(longest)}
	if d.Subject == "" || len(q.Subject) > 1 {
		a.until = began.Add(stale)
	}
	if d.Subject != "" {
		a.subject = c.subject(d.Subject)
	}
	c.cache.put(a)
}

// wireQuestion is a question as the server reads it.
type wireQuestion struct {
	Subject     Subject      `json:"subject"`
	Purpose     string       `json:"purpose"`
	Category    string       `json:"category"`
	Signals     *wireSignals `json:"signals,omitempty"`
	MinRevision int64        `json:"min_revision,omitempty"`
}

type wireSignals struct {
	GPC bool `json:"gpc"`
}

func wired(q *Question, least int64) wireQuestion {
	w := wireQuestion{Subject: q.Subject, Purpose: q.Purpose, Category: q.Category, MinRevision: least}
	if q.GPC {
		w.Signals = &wireSignals{true}
	}
	return w
}

// decisions asks the server once.
func (c *Client) decisions(ctx context.Context, questions []Question, places []int, least int64) (got []Decision, err error) {
	if len(places) == 1 {
		got = make([]Decision, 1)
		err = c.read(ctx, http.MethodPost, "/v1/decisions", wired(&questions[places[0]], least), &got[0])
	} else {
		in := struct {
			Decisions   []wireQuestion `json:"decisions"`
			MinRevision int64          `json:"min_revision,omitempty"`
		}{MinRevision: least}
		for _, i := range places {
			in.Decisions = append(in.Decisions, wired(&questions[i], 0))
		}
		answers := struct{ Decisions []Decision }{}
		err = c.read(ctx, http.MethodPost, "/v1/decisions/batch", in, &answers)
		got = answers.Decisions
	}
	if err != nil {
		return nil, err
	}
	bad := func(d Decision) bool { return d.Reason == "" || d.Revision <= 0 || d.Revision < least }
	if len(got) != len(places) || slices.ContainsFunc(got, bad) {
		return nil, errors.New("client: what answers is not Ombud")
	}
	return got, nil
}

// hashes are those of a person's identities.
func (c *Client) hashes(s Subject) (out []uint64) {
	for kind, value := range s {
		out = append(out, c.identity(kind, value)[0])
	}
	return out
}
