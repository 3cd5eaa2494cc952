package client

import (
	"errors"
	"fmt"
	"hash/maphash"
	"strings"
	"testing"
	"time"

	"github.com/ombudhq/ombud/internal/clock"
)

// remembering is a client with a memory and no line, that heard the server just now.
func remembering(answers int) (*Client, *clock.Fake) {
	now := clock.NewFake(time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC))
	c := &Client{clock: now, seeds: [2]maphash.Seed{maphash.MakeSeed(), maphash.MakeSeed()}, heard: newMarks(answers), cache: newCache(answers)}
	c.hears()
	return c, now
}

func (c *Client) hears() { c.beat.Store(&beat{c.clock.Now(), c.clock.Now()}) }

func TestHowLongAnswersCount(t *testing.T) {
	for name, test := range map[string]struct {
		subject string
		then    func(c *Client, now *clock.Fake)
		want    bool
	}{
		"at once":                       {"sub_1", func(*Client, *clock.Fake) {}, true},
		"within a minute":               {"sub_1", func(c *Client, now *clock.Fake) { now.Advance(time.Minute - 1); c.hears() }, true},
		"after a minute":                {"sub_1", func(c *Client, now *clock.Fake) { now.Advance(time.Minute); c.hears() }, false},
		"about nobody":                  {"", func(c *Client, now *clock.Fake) { now.Advance(stale - 1); c.hears() }, true},
		"about nobody, after 2 s":       {"", func(c *Client, now *clock.Fake) { now.Advance(stale); c.hears() }, false},
		"unheard for 2 s":               {"sub_1", func(_ *Client, now *clock.Fake) { now.Advance(stale) }, true},
		"unheard for longer":            {"sub_1", func(_ *Client, now *clock.Fake) { now.Advance(stale + 1) }, false},
		"never heard":                   {"sub_1", func(c *Client, _ *clock.Fake) { c.beat.Store(nil) }, false},
		"a change of the person":        {"sub_1", func(c *Client, _ *clock.Fake) { c.heard.note(8, c.subject("sub_1")) }, false},
		"a change of everybody":         {"sub_1", func(c *Client, _ *clock.Fake) { c.heard.note(8) }, false},
		"several identities, after 2 s": {"sub_1", func(c *Client, now *clock.Fake) { now.Advance(stale); c.hears() }, false},
		"of everybody, about nobody":    {"", func(c *Client, _ *clock.Fake) { c.heard.note(8) }, false},
		"a write by identity":           {"", func(c *Client, _ *clock.Fake) { c.heard.note(8, c.hashes(Subject{"email": "ida"})...) }, false},
		"the server's clock is ahead":   {"sub_1", func(c *Client, now *clock.Fake) { c.beat.Store(&beat{now.Now(), now.Now().Add(30 * time.Second)}) }, false},
		"the server's clock is behind":  {"sub_1", func(c *Client, now *clock.Fake) { c.beat.Store(&beat{now.Now(), now.Now().Add(-time.Hour)}) }, true},
	} {
		t.Run(name, func(t *testing.T) {
			c, now := remembering(16)
			q := &Question{Subject: Subject{"email": "ida"}, Purpose: "letters", Category: "contact"}
			if strings.HasPrefix(name, "several") {
				q.Subject["phone"] = "7"
			}
			d := Decision{Allowed: true, Reason: "consent", Revision: 7, Subject: test.subject, ValidUntil: now.Now().Add(25 * time.Second)}
			if name == "within a minute" {
				d.ValidUntil = time.Time{}
			}
			c.keep(q, d, c.heard.now(), now.Now())
			test.then(c, now)
			if got, ok := c.remembered(q); ok != test.want || ok && got != d {
				t.Errorf("%v %+v", ok, got)
			}
			q.MinRevision = 9
			if _, ok := c.remembered(q); ok {
				t.Error("from before the revision that was seen")
			}
		})
	}
}

// TestLateHeads: a stream whose heads are under way for longer and longer is as good as lost.
func TestLateHeads(t *testing.T) {
	c, now := remembering(16)
	first := beat{now.Now(), now.Now().Add(-time.Hour)} // the clocks need not agree
	now.Advance(3 * time.Second)
	if err := c.alive(first, first.sent.Add(2*time.Second)); err != nil {
		t.Error(err)
	}
	now.Advance(2 * time.Second)
	if err := c.alive(first, first.sent.Add(2900*time.Millisecond)); !errors.Is(err, errLate) || c.beat.Load().fresh(now.Now()) {
		t.Errorf("got %v", err)
	}
	if err := c.alive(first, first.sent.Add(time.Hour)); err != nil || c.beat.Load().heard != now.Now() {
		t.Errorf("a server's clock that jumps ahead: %v, %v", err, c.beat.Load())
	}
	if err := c.alive(first, time.Time{}); err != nil {
		t.Errorf("a server that tells no time: %v", err)
	}
}

// TestMemoryIsBounded, and what is used stays.
func TestMemoryIsBounded(t *testing.T) {
	c, now := remembering(1000)
	question := func(i int) *Question {
		return &Question{Subject: Subject{"email": fmt.Sprint(i)}, Purpose: "letters", Category: "contact"}
	}
	known := func() (n int) {
		for i := range 10_000 {
			if _, ok := c.remembered(question(i)); ok {
				n++
			}
		}
		return n
	}
	for i := range 10_000 {
		c.keep(question(i), Decision{Reason: "consent", Revision: 7, Subject: "sub_1"}, 0, now.Now())
		c.remembered(question(0))
	}
	if _, ok := c.remembered(question(0)); !ok {
		t.Error("what is used again and again was forgotten")
	}
	if n := known(); n < 900 || n > 1024 {
		t.Errorf("%d are kept", n)
	}
}

// TestQuestionsDiffer: what is not the same question has not the same key; the order of identities does not matter.
func TestQuestionsDiffer(t *testing.T) {
	c, _ := remembering(16)
	keys := map[key]string{}
	for _, q := range []Question{
		{Subject: Subject{"email": "a"}, Purpose: "p", Category: "c"},
		{Subject: Subject{"a": "email"}, Purpose: "p", Category: "c"},
		{Subject: Subject{"email": "a"}, Purpose: "c", Category: "p"},
		{Subject: Subject{"email": "a"}, Purpose: "pc"},
		{Subject: Subject{"email": "a"}, Purpose: "p", Category: "c", Options: Options{GPC: true}},
		{Subject: Subject{"email": "a", "phone": "b"}, Purpose: "p", Category: "c"},
		{Subject: Subject{"email": "b", "phone": "a"}, Purpose: "p", Category: "c"},
		{Subject: Subject{"email": "a", "phone": "a"}, Purpose: "p", Category: "c"},
	} {
		k, _, _ := c.keyOf(&q)
		if other, ok := keys[k]; ok {
			t.Errorf("%+v has the key of %s", q, other)
		}
		keys[k] = fmt.Sprintf("%+v", q)
		for range 20 {
			if again, _, _ := c.keyOf(&q); again != k {
				t.Fatalf("%+v has two keys", q)
			}
		}
	}
}

// TestWhatIsNotKept: a no of one moment, and everything where the server logs each decision.
func TestWhatIsNotKept(t *testing.T) {
	q := &Question{Subject: Subject{"email": "ida"}, Purpose: "letters", Category: "contact"}
	c, now := remembering(16)
	c.keep(q, Decision{Reason: "not-logged", Revision: 7, Subject: "sub_1"}, 0, now.Now())
	if _, ok := c.remembered(q); ok {
		t.Error("what could not be logged is answered again from memory")
	}
	c, now = remembering(-1)
	c.cfg.Answers = -1
	c.keep(q, Decision{Reason: "consent", Revision: 7, Subject: "sub_1"}, 0, now.Now())
	if _, ok := c.remembered(q); ok {
		t.Error("it is kept though nothing should be")
	}
}
