package client_test

import (
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/ombudhq/ombud/client"
	"github.com/ombudhq/ombud/internal/clock"
	"github.com/ombudhq/ombud/internal/testkit/wait"
)

// TestAnswersAreRemembered, and forgotten by what this client writes, at once.
func TestAnswersAreRemembered(t *testing.T) {
	c, l := serve(t, yaml).client(client.Config{})
	if d := may(t, c, ida); d.Allowed || d.Reason != "unknown-person" {
		t.Errorf("%+v", d)
	}
	given := record(t, c, yes(ida))
	d := may(t, c, ida)
	if !d.Allowed || d.ConsentID != given.ID || d.Revision < given.Revision || d.Subject != given.Subject || d.ValidUntil.IsZero() {
		t.Errorf("%+v after %+v", d, given)
	}
	wait.Until(t, "the own change was heard, and answers stay", func() bool {
		may(t, c, ida)
		var again client.Decision
		return l.unasked(func() { again = may(t, c, ida) }) && again == d
	})
	if got := withdraw(t, c, client.Subject{"email": "Ida@Example.com"}); got.Ended != 1 || got.Subject != d.Subject {
		t.Errorf("%+v", got)
	}
	if d := may(t, c, ida); d.Allowed || d.Reason != "withdrawn" {
		t.Errorf("%+v", d)
	}
	if l.unasked(func() {
		if d, err := c.Allowed(t.Context(), ida, "letters", "contact", client.Options{MinRevision: 1<<53 - 1}); err == nil || d.Allowed || d.Reason != client.Unavailable {
			t.Errorf("a revision that is not here: %+v, %v", d, err)
		}
	}) {
		t.Error("MinRevision was answered from memory")
	}
}

// TestSignalAsksAnotherQuestion: an answer without the signal is none for the question with it.
func TestSignalAsksAnotherQuestion(t *testing.T) {
	config := strings.Replace(yaml, "jurisdictions: [eu]", "jurisdictions: [us-ca]", 1) +
		"  - {id: ads, basis: contract, categories: [usage], uses: [targeted_advertising]}\n"
	c, _ := serve(t, config).client(client.Config{})
	record(t, c, yes(ida))
	for i := range 2 {
		soon := func(d client.Decision) bool { return i > 0 && d.Reason == "objection" } // what the signal becomes for whoever is known
		plain, err := c.Allowed(t.Context(), ida, "ads", "usage", client.Options{})
		if err != nil || !plain.Allowed && !soon(plain) {
			t.Errorf("%+v, %v", plain, err)
		}
		gpc, err := c.Allowed(t.Context(), ida, "ads", "usage", client.Options{GPC: true})
		if err != nil || gpc.Allowed || gpc.Reason != "opt-out-signal" && !soon(gpc) {
			t.Errorf("%+v, %v", gpc, err)
		}
	}
}

// promised is how long a no may go unheard.
const promised = 2 * time.Second

// TestWithdrawalElsewhere is seen by whoever asks two seconds later, also under another identity and another spelling, and
// however slow the machine is.
func TestWithdrawalElsewhere(t *testing.T) {
	s := serve(t, yaml)
	here, _ := s.client(client.Config{})
	there, _ := s.client(client.Config{})
	both := client.Subject{"email": "ida@example.com", "customer": "7"}
	record(t, there, yes(both))
	names := []client.Subject{ida, both, {"customer": "7"}, {"email": "IDA@example.com"}, {"id": may(t, here, ida).Subject}}
	for _, name := range names {
		if !may(t, here, name).Allowed {
			t.Errorf("%v", name)
		}
	}
	withdraw(t, there, ida)
	said := time.Now()
	for _, name := range names {
		wait.Until(t, "the withdrawal is seen", func() bool {
			asked := time.Since(said)
			d := may(t, here, name)
			if d.Allowed && asked > promised {
				t.Errorf("%v: yes to who asked %v after the no", name, asked)
			}
			return !d.Allowed
		})
	}
}

// TestStreamStalls: what is in memory is not used when nothing was heard for two seconds, and without an answer of the
// server the answer is no. What arrives late, when the line goes on, makes nothing good again.
func TestStreamStalls(t *testing.T) {
	s := serve(t, yaml)
	now := clock.NewFake(time.Now())
	here, l := s.client(client.Config{Clock: now, Timeout: time.Second})
	there, _ := s.client(client.Config{})
	record(t, there, yes(ida))
	wait.Until(t, "it is in memory", func() bool {
		var d client.Decision
		return l.unasked(func() { d, _ = here.Allowed(t.Context(), ida, "letters", "contact", client.Options{}) }) && d.Allowed
	})
	goOn := l.stall()
	withdraw(t, there, ida)
	now.Advance(2*time.Second + time.Millisecond)
	if d, err := here.Allowed(t.Context(), ida, "letters", "contact", client.Options{}); err == nil || d.Allowed || d.Reason != client.Unavailable {
		t.Errorf("%+v, %v", d, err)
	}
	if here.Err() == nil {
		t.Error("Err knows of nothing")
	}
	goOn()
	wait.Until(t, "the no", func() bool {
		d, _ := here.Allowed(t.Context(), ida, "letters", "contact", client.Options{})
		if d.Allowed {
			t.Errorf("%+v", d)
		}
		return d.Reason == "withdrawn"
	})
}

// TestLineIsCut: the same in the machine's own time, and a server that comes back is heard again.
func TestLineIsCut(t *testing.T) {
	s := serve(t, yaml)
	here, l := s.client(client.Config{})
	record(t, here, yes(ida))
	wait.Until(t, "yes", func() bool { return may(t, here, ida).Allowed })
	l.cut()
	cut := time.Now()
	var d client.Decision
	var err error
	wait.Until(t, "no", func() bool {
		asked := time.Since(cut)
		d, err = here.Allowed(t.Context(), ida, "letters", "contact", client.Options{})
		if d.Allowed && asked > promised {
			t.Errorf("yes to who asked after %v of silence", asked)
		}
		return !d.Allowed
	})
	if err == nil || d.Reason != client.Unavailable {
		t.Errorf("%+v, %v", d, err)
	}
	l.mend()
	wait.Until(t, "yes again", func() bool { return here.Fresh() && may(t, here, ida).Allowed && here.Err() == nil })
}

// TestServerRestarts: what changed meanwhile is seen, and the client goes on by itself.
func TestServerRestarts(t *testing.T) {
	s := serve(t, yaml)
	c, l := s.client(client.Config{})
	record(t, c, yes(ida))
	wait.Until(t, "yes", func() bool { return may(t, c, ida).Allowed })
	s.stop()
	s.configure(strings.Replace(yaml, "categories: [contact, usage]", "categories: [usage]", 1))
	s.start()
	wait.Until(t, "the new rules", func() bool {
		d, _ := c.Allowed(t.Context(), ida, "letters", "contact", client.Options{})
		return d.Reason == "category-not-of-purpose"
	})
	wait.Until(t, "it is in memory again", func() bool {
		var d client.Decision
		return c.Fresh() && l.unasked(func() { d = may(t, c, ida) }) && d.Reason == "category-not-of-purpose"
	})
}

// TestRulesChange for everybody while the server runs.
func TestRulesChange(t *testing.T) {
	s := serve(t, yaml)
	c, _ := s.client(client.Config{})
	record(t, c, yes(ida))
	wait.Until(t, "yes", func() bool { return may(t, c, ida).Allowed })
	s.configure(strings.Replace(yaml, "categories: [contact, usage]", "categories: [usage]", 1))
	wait.Until(t, "no", func() bool {
		// Somebody else's question makes the server read its file.
		_, _ = c.Allowed(t.Context(), client.Subject{"email": "jon@example.com"}, "letters", "usage", client.Options{})
		return may(t, c, ida).Reason == "category-not-of-purpose"
	})
}

// TestKeyIsRevoked: the stream ends, and nothing in memory is used any more, though two seconds have not passed.
func TestKeyIsRevoked(t *testing.T) {
	s := serve(t, yaml)
	id, key := s.key()
	start := time.Now()
	now := clock.NewFake(start)
	c, _ := s.client(client.Config{Key: key, Clock: now})
	record(t, c, yes(ida))
	wait.Until(t, "yes", func() bool { return may(t, c, ida).Allowed })
	s.command("key", "revoke", id)
	var err error
	wait.Until(t, "no", func() bool {
		now.Advance(100 * time.Microsecond) // the stream waits a little before it is tried again
		var d client.Decision
		d, err = c.Allowed(t.Context(), ida, "letters", "contact", client.Options{})
		return !d.Allowed && c.Err() != nil // the no may be one of the server, while the stream goes on still
	})
	var p *client.Problem
	if passed := now.Now().Sub(start); passed > time.Second || !errors.As(err, &p) || p.Status != http.StatusUnauthorized || p.Code != "unauthenticated" {
		t.Errorf("after %v: %v", passed, err)
	}
	if strings.Contains(err.Error()+c.Err().Error(), key) {
		t.Error("an error shows the key")
	}
}

// TestExpiry is obeyed here, by the later of the two clocks.
func TestExpiry(t *testing.T) {
	s := serve(t, yaml)
	there, _ := s.client(client.Config{})
	record(t, there, yes(ida))
	end := may(t, there, ida).ValidUntil
	now := clock.NewFake(end.Add(-2 * time.Second))
	here, l := s.client(client.Config{Clock: now})
	inMemory := func() bool {
		var d client.Decision
		return l.unasked(func() { d = may(t, here, ida) }) && d.Allowed
	}
	wait.Until(t, "it is in memory", inMemory)
	now.Set(end.Add(-time.Millisecond))
	if !inMemory() {
		t.Error("it is not used to its end")
	}
	now.Set(end)
	if inMemory() || !here.Fresh() {
		t.Error("an expired yes was given from memory")
	}
}

// TestBatch asks the server for what is not in memory, and keeps the order.
func TestBatch(t *testing.T) {
	c, l := serve(t, yaml).client(client.Config{})
	record(t, c, yes(ida))
	wait.Until(t, "yes", func() bool { return may(t, c, ida).Allowed })
	jon := client.Subject{"email": "jon@example.com"}
	var questions []client.Question
	for range 600 {
		questions = append(questions, client.Question{Subject: ida, Purpose: "letters", Category: "contact"},
			client.Question{Subject: jon, Purpose: "letters", Category: "contact"}, client.Question{Subject: jon, Purpose: "orders", Category: "contact"})
	}
	before := l.asked.Load()
	got, err := c.Batch(t.Context(), questions)
	if err != nil || len(got) != len(questions) || l.asked.Load() > before+4 { // two, and each once more where a stream began anew meanwhile
		t.Fatalf("%d answers, %v, %d requests", len(got), err, l.asked.Load()-before)
	}
	for i, d := range got {
		if d.Allowed != (i%3 != 1) || (i%3 == 1) != (d.Reason == "unknown-person") {
			t.Fatalf("%d: %+v", i, d)
		}
	}
	wait.Until(t, "what is in memory is answered beside faults", func() bool {
		may(t, c, ida)
		got, err = c.Batch(t.Context(), []client.Question{questions[0], {Subject: ida, Category: "contact"}, {Subject: jon}})
		var p *client.Problem
		if !errors.As(err, &p) || p.Status != 422 || p.Code != "invalid" || len(p.Faults) != 3 || got[1].Allowed || got[1].Reason != client.Unavailable {
			t.Errorf("%+v, %v", got, err)
		}
		return got[0].Allowed
	})
}
