package client_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/ombudhq/ombud/client"
	"github.com/ombudhq/ombud/internal/clock"
	"github.com/ombudhq/ombud/internal/testkit/wait"
)

// TestAnswerIsOvertaken: a yes that was under way while its withdrawal was heard is neither given nor kept.
func TestAnswerIsOvertaken(t *testing.T) {
	s := serve(t, yaml)
	here, l := s.client(client.Config{})
	there, _ := s.client(client.Config{})
	record(t, there, yes(ida))
	id := may(t, there, ida).Subject
	var once sync.Once
	overtake := func(path string) error {
		if path != "/v1/decisions" {
			return nil
		}
		once.Do(func() {
			ended := withdraw(t, there, ida)
			wait.Until(t, "the withdrawal is heard", func() bool { return here.Heard() >= ended.Revision })
		})
		return nil
	}
	l.after.Store(&overtake)
	for _, name := range []client.Subject{ida, {"id": id}} {
		if d := may(t, here, name); d.Allowed || d.Reason != "withdrawn" {
			t.Errorf("%+v", d)
		}
	}
}

// TestAnswerIsOvertakenByRules: the same with a yes that other rules gave. They change at no revision of their own.
func TestAnswerIsOvertakenByRules(t *testing.T) {
	s := serve(t, yaml)
	here, l := s.client(client.Config{})
	there, _ := s.client(client.Config{})
	given := record(t, there, yes(ida))
	wait.Until(t, "the yes is heard", func() bool { return here.Heard() >= given.Revision })
	var once sync.Once
	overtake := func(path string) error {
		if path != "/v1/decisions" {
			return nil
		}
		once.Do(func() {
			before := here.Rules()
			s.configure(strings.Replace(yaml, "categories: [contact, usage]", "categories: [usage]", 1))
			wait.Until(t, "the rules are heard of", func() bool {
				_, _ = there.Allowed(t.Context(), client.Subject{"email": "jon@example.com"}, "letters", "usage", client.Options{}) // the server reads its file
				return here.Rules() > before
			})
		})
		return nil
	}
	l.after.Store(&overtake)
	if d := may(t, here, ida); d.Allowed || d.Reason != "category-not-of-purpose" {
		t.Errorf("%+v", d)
	}
}

// TestChangeComesSecond: the same, but the answer arrives first.
func TestChangeComesSecond(t *testing.T) {
	s := serve(t, yaml)
	here, l := s.client(client.Config{Timeout: time.Second})
	there, _ := s.client(client.Config{})
	given := record(t, there, yes(ida))
	wait.Until(t, "the yes is heard", func() bool { return here.Heard() >= given.Revision })
	var ended client.Withdrawal
	goOn := func() {}
	overtake := func(path string) error {
		if path == "/v1/decisions" {
			ended = withdraw(t, there, ida)
			goOn = l.stall()
		}
		return nil
	}
	l.after.Store(&overtake)
	_, err := here.Allowed(t.Context(), ida, "letters", "contact", client.Options{}) // whichever of the two
	l.after.Store(nil)
	goOn()
	wait.Until(t, "the withdrawal is heard", func() bool { return here.Heard() >= ended.Revision })
	wait.Until(t, "an answer", func() bool {
		d, failed := here.Allowed(t.Context(), ida, "letters", "contact", client.Options{})
		if d.Allowed {
			t.Errorf("%+v, after %v", d, err)
		}
		return failed == nil
	})
}

// TestRaces: answers take from no time to 30 ms, the stream stalls now and then, people say yes and no elsewhere while many
// ask. Once a no has been heard, nobody is told yes, whatever is still under way.
func TestRaces(t *testing.T) {
	const people, askers, rounds = 4, 6, 12
	s := serve(t, yaml)
	here, l := s.client(client.Config{Answers: 16})
	there, _ := s.client(client.Config{})
	slow := func(path string) error {
		if strings.HasPrefix(path, "/v1/decisions") {
			<-time.After(rand.N(30 * time.Millisecond))
		}
		return nil
	}
	l.after.Store(&slow)
	who := func(i int) client.Subject { return client.Subject{"email": fmt.Sprintf("p%d@example.com", i)} }
	revisions := make([]int64, people)
	for i := range people {
		record(t, there, yes(who(i)))
		revisions[i] = withdraw(t, there, who(i)).Revision
	}
	var saidYes, saidNo, lastNo atomic.Int64
	for round := range rounds {
		lastNo.Store(math.MaxInt64) // not yet said
		hammer(t, askers, here, who, people, &saidYes, &saidNo, func() {
			for i := range people {
				record(t, there, yes(who(i), revisions[i]))
			}
			if round%3 == 0 {
				defer l.stall()()
			}
			for i := range people {
				revisions[i] = withdraw(t, there, who(i)).Revision
			}
			lastNo.Store(revisions[people-1])
		}, func() bool { return t.Failed() || here.Heard() >= lastNo.Load() })
	}
	t.Logf("%d times yes, %d times no", saidYes.Load(), saidNo.Load())
	if saidYes.Load() == 0 {
		t.Error("nobody was ever told yes: nothing was tested")
	}
}

// hammer asks from many sides while something happens, and once it has been heard wants no, 50 times on each side.
func hammer(t *testing.T, askers int, c *client.Client, who func(int) client.Subject, people int, yes, no *atomic.Int64, happens func(), heard func() bool) {
	t.Helper()
	var work sync.WaitGroup
	defer work.Wait()
	for range askers {
		work.Go(func() {
			for wanted := 50; wanted > 0; {
				sure := heard()
				d, err := c.Allowed(t.Context(), who(rand.N(people)), "letters", "contact", client.Options{})
				switch {
				case err != nil:
					t.Error(err)
					return
				case d.Allowed && sure:
					t.Errorf("yes at %d, after the no was heard", d.Revision)
					return
				case d.Allowed:
					yes.Add(1)
				case sure:
					wanted--
					no.Add(1)
				}
			}
		})
	}
	happens()
}

// TestLostAnswers: a write whose answer is lost is sent again and acts once; one that is lost for good leaves nothing in
// memory that may be wrong.
func TestLostAnswers(t *testing.T) {
	s := serve(t, yaml)
	c, l := s.client(client.Config{})
	lost := errors.New("lost")
	var times atomic.Int64
	lose := func(path string) error {
		if path == "/v1/consents" && times.Add(1) <= 2 {
			return lost
		}
		return nil
	}
	l.after.Store(&lose)
	given := record(t, c, yes(ida))
	if l.written.Load() != 3 || given.Renews != "" {
		t.Errorf("%d tries, renews %q", l.written.Load(), given.Renews)
	}
	wait.Until(t, "it is in memory", func() bool {
		var d client.Decision
		return l.unasked(func() { d = may(t, c, ida) }) && d.Allowed && d.ConsentID == given.ID
	})
	if got := withdraw(t, c, ida); got.Ended != 1 || len(got.Consents) != 1 {
		t.Errorf("it was recorded more than once: %+v", got)
	}
}

// TestOwnWrites are known to later questions, though the stream has not told of them; also one of which no answer came.
func TestOwnWrites(t *testing.T) {
	s := serve(t, yaml)
	c, l := s.client(client.Config{Clock: clock.NewFake(time.Now())}) // what was heard is as new as ever
	var body atomic.Pointer[string]
	see := func(r *http.Request) *http.Response {
		if b, err := r.GetBody(); err == nil && r.URL.Path == "/v1/decisions" {
			all, _ := io.ReadAll(b)
			text := string(all)
			body.Store(&text)
		}
		return nil
	}
	l.instead.Store(&see)
	may(t, c, ida) // so that an answer is in memory
	defer l.muteStream()()
	given := record(t, c, yes(ida))
	if d := may(t, c, ida); !d.Allowed || !strings.Contains(*body.Load(), fmt.Sprintf(`"min_revision":%d`, given.Revision)) {
		t.Errorf("%+v to %s", d, *body.Load())
	}
	ended := withdraw(t, c, ida)
	d := may(t, c, ida)
	if d.Allowed || !strings.Contains(*body.Load(), fmt.Sprintf(`"min_revision":%d`, ended.Revision)) {
		t.Errorf("%+v to %s", d, *body.Load())
	}
	record(t, c, yes(ida, d.Revision))
	if !may(t, c, ida).Allowed || !c.Fresh() {
		t.Fatal("no yes to be withdrawn")
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	lost := errors.New("lost")
	lose := func(path string) error {
		if path == "/v1/consents/withdraw" {
			cancel() // whoever asks gives up before it is tried again
			return lost
		}
		return nil
	}
	l.after.Store(&lose)
	if _, err := c.Withdraw(ctx, client.WithdrawInput{Subject: ida, All: true}); !errors.Is(err, lost) {
		t.Errorf("got %v", err)
	}
	if d := may(t, c, ida); d.Allowed {
		t.Errorf("%+v", d)
	}
}

// TestDoubleOptIn: a pending consent is none until it is confirmed.
func TestDoubleOptIn(t *testing.T) {
	c, l := serve(t, yaml).client(client.Config{})
	defer l.muteStream()()
	in := yes(ida)
	in.Status = "pending"
	pending := record(t, c, in)
	if d := may(t, c, ida); d.Allowed || d.Reason != "pending" || pending.Status != "pending" || pending.Token == "" {
		t.Errorf("%+v, %+v", pending.Status, d)
	}
	given, err := c.Confirm(t.Context(), pending.Token)
	if d := may(t, c, ida); err != nil || !d.Allowed || d.ConsentID != given.ID {
		t.Errorf("%v, %+v", err, d)
	}
	var p *client.Problem
	if _, err := c.Confirm(t.Context(), "no token"); !errors.As(err, &p) || p.Status < 400 || p.Code == "" {
		t.Errorf("got %v", err)
	}
	in.Notice.Version, in.PreTicked = "9", true
	if _, err := c.Record(t.Context(), in); !errors.As(err, &p) || p.Status != 422 || len(p.Faults) < 2 || strings.Contains(err.Error(), "ida@") {
		t.Errorf("got %v", err)
	}
}
