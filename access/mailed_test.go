package access_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/ombudhq/ombud/access"
	"github.com/ombudhq/ombud/internal/fault"
)

// post is where codes go.
type post struct {
	mu    sync.Mutex
	codes []string
	fail  error
}

func (p *post) send(_ context.Context, to, code string, _ time.Time) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if to != "ola@example.com" {
		return fmt.Errorf("to %s", to)
	}
	p.codes = append(p.codes, code)
	return p.fail
}

func (p *post) last() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.codes[len(p.codes)-1]
}

// mailHouse has an account of a role whose codes go to an address.
func mailHouse(t *testing.T, role access.Role, also ...access.Role) (*house, *post, access.Caller) {
	t.Helper()
	h, p := newHouse(t), &post{}
	h.admin()
	admin, _, _, _ := h.enrol("kari")
	h.SetMailer(p.send)
	_, _, err := h.Create(t.Context(), access.NewAccount{Name: "ola", Role: role, Also: also, Email: "ola@example.com", Password: password, By: admin})
	must(t, err)
	return h, p, admin
}

// chosen takes codes by e-mail for the second factor of ola.
func (h *house) chosen(p *post) access.Entry {
	h.t.Helper()
	e, _ := h.chosenWith(p)
	return e
}

// chosenWith is chosen, with the recovery codes that it gives.
func (h *house) chosenWith(p *post) (access.Entry, []string) {
	h.t.Helper()
	c, _ := h.half("ola")
	must(h.t, h.SendCode(h.t.Context(), c))
	e, codes, err := h.ChooseMail(h.t.Context(), c, p.last())
	must(h.t, err)
	return e, codes
}

func (h *house) stage(c access.Caller) access.ByMail {
	h.t.Helper()
	m, err := h.ByMail(h.t.Context(), c)
	must(h.t, err)
	return m
}

// TestCodeByMail: who has no other factor chooses codes by e-mail and signs in by them; each is good once, for ten minutes, and
// an earlier one not at all. Another factor ends it.
func TestCodeByMail(t *testing.T) {
	h, p, _ := mailHouse(t, access.Support)
	c, _ := h.half("ola")
	if m := h.stage(c); !m.Offered || m.Chosen || m.Sent || m.To != "o…@example.com" {
		t.Errorf("%+v", m)
	}
	h.chosen(p)
	c, e := h.half("ola")
	if m := h.stage(c); e.Stage != access.AskCode || !m.Chosen || !m.Offered {
		t.Fatalf("%v, %+v", e.Stage, m)
	}
	_, err := h.Code(t.Context(), c, p.last())
	h.wantKind("the code of another session", err, fault.Denied)
	must(t, h.SendCode(t.Context(), c))
	first := p.last()
	must(t, h.SendCode(t.Context(), c))
	_, err = h.Code(t.Context(), c, first)
	h.wantKind("an earlier code", err, fault.Denied)
	if len(p.last()) != 8 || !h.stage(c).Sent {
		t.Errorf("%q", p.last())
	}
	e, err = h.Code(t.Context(), c, p.last()[:4]+" "+p.last()[4:])
	must(t, err)
	if in := h.visit(e.Token); in.Role != access.Support || access.Allowed(in, access.RequestRead) != nil {
		t.Errorf("%+v", in)
	}
	h.place.clock.Advance(15 * time.Minute) // of how many are sent
	c, _ = h.half("ola")
	must(t, h.SendCode(t.Context(), c))
	used := p.last()
	e, err = h.Code(t.Context(), c, used)
	must(t, err)
	c2, _ := h.half("ola")
	_, err = h.Code(t.Context(), c2, used)
	h.wantKind("a second time", err, fault.Denied)
	in := h.visit(e.Token)
	must(t, h.BeginFactor(t.Context(), in, password))
	en, _ := h.Enrolment(t.Context(), in)
	_, _, err = h.ConfirmFactor(t.Context(), in, h.codeOf(en.Secret))
	must(t, err)
	c, _ = h.half("ola")
	if m := h.stage(c); m.Offered || m.Chosen {
		t.Errorf("with an app: %+v", m)
	}
	h.wantKind("with an app", h.SendCode(t.Context(), c), fault.Denied)
	if !slices.Contains(h.kinds(), "session.code-sent") {
		t.Error("no entry says that a code was sent")
	}
	canary(t, h.place.dir, "ola@example.com")
}

// TestMailedCodesEnd after ten minutes.
func TestMailedCodesEnd(t *testing.T) {
	h, p, _ := mailHouse(t, access.Developer)
	c, _ := h.half("ola")
	h.place.clock.Advance(time.Minute)
	must(t, h.SendCode(t.Context(), c))
	h.place.clock.Advance(8 * time.Minute)
	if !h.stage(c).Sent {
		t.Error("it ended early")
	}
	h.place.clock.Advance(time.Minute)
	if _, _, err := h.ChooseMail(t.Context(), c, p.last()); err == nil { // the half way is over by then too
		t.Error("it is good for longer")
	}
}

// TestMailedGuesses: of 500 guesses at once five are looked at, and then the right one is not; three codes are sent in a quarter
// of an hour; one that could not be sent counts.
func TestMailedGuesses(t *testing.T) {
	h, p, _ := mailHouse(t, access.Support)
	h.chosen(p)
	c, _ := h.half("ola")
	must(t, h.SendCode(t.Context(), c))
	var looked, busy atomic.Int64
	var all sync.WaitGroup
	for i := range 500 {
		all.Go(func() {
			switch _, err := h.Code(t.Context(), c, fmt.Sprintf("x%07d", i)); fault.KindOf(err) {
			case fault.Denied:
				looked.Add(1)
			case fault.Busy:
				busy.Add(1)
			default:
				t.Error(err)
			}
		})
	}
	all.Wait()
	if looked.Load() != 5 || busy.Load() != 495 {
		t.Errorf("%d looked at, %d refused", looked.Load(), busy.Load())
	}
	_, err := h.Code(t.Context(), c, p.last())
	h.wantKind("the right one after that", err, fault.Busy)
	p.fail = fault.New(fault.Unavailable, "no")
	h.wantKind("one that cannot be sent", h.SendCode(t.Context(), c), fault.Unavailable)
	p.fail = nil
	h.wantKind("a fourth", h.SendCode(t.Context(), c), fault.Busy)
}

// TestStrongRolesNeedMore: a code by e-mail is offered to no officer, admin or auditor, whatever else they are; who becomes one
// later shows the code and sets up another factor before they are in.
func TestStrongRolesNeedMore(t *testing.T) {
	for _, roles := range [][]access.Role{{access.Officer}, {access.Admin}, {access.Auditor}, {access.Support, access.Auditor}, {access.Developer, access.Admin}} {
		h, _, _ := mailHouse(t, roles[0], roles[1:]...)
		c, _ := h.half("ola")
		if m := h.stage(c); m.Offered {
			t.Errorf("%v: %+v", roles, m)
		}
		h.wantKind(fmt.Sprint(roles), h.SendCode(t.Context(), c), fault.Denied)
	}
	h, p, admin := mailHouse(t, access.Support)
	h.chosen(p)
	_, err := h.SetRoles(t.Context(), "ola", []access.Role{access.Officer}, admin)
	must(t, err)
	c, _ := h.half("ola")
	must(t, h.SendCode(t.Context(), c))
	e, err := h.Code(t.Context(), c, p.last())
	must(t, err)
	next := h.visit(e.Token)
	if m := h.stage(next); e.Stage != access.AskSetup || next.Role != "" || !m.Weak || m.Offered {
		t.Errorf("%v, %+v, %+v", e.Stage, next, m)
	}
	h.wantKind("codes again", h.SendCode(t.Context(), next), fault.Denied)
	en, ok := h.Enrolment(t.Context(), next)
	if !ok {
		t.Fatal("no factor is set up")
	}
	_, _, err = h.ConfirmFactor(t.Context(), next, h.codeOf(en.Secret))
	must(t, err)
}

// TestMailIsOffUnlessSaid: without a mail server, without an address, and where a policy of the company forbids it, none is sent;
// another address is an alarm, and ends the sessions.
func TestMailIsOffUnlessSaid(t *testing.T) {
	h, p, admin := mailHouse(t, access.Support)
	c, _ := h.half("ola")
	own, err := access.LoadPolicies([]string{folder(t, `forbid (principal, action == Action::"factor.email", resource);`)})
	must(t, err)
	if h.stage(c.Under(own)).Offered {
		t.Error("it is offered where a policy forbids it")
	}
	h.SetMailer(nil)
	if h.stage(c).Offered {
		t.Error("it is offered without a mail server")
	}
	h.wantKind("without a mail server", h.SendCode(t.Context(), c), fault.Denied)
	h.SetMailer(p.send)
	for _, bad := range []string{"ola", "Ola <ola@example.com>", "a@b\r\nBcc: c@d", "ola@example.com "[:3]} {
		_, err := h.SetEmail(t.Context(), "ola", bad, admin)
		h.wantKind(bad, err, fault.Invalid)
	}
	in := h.visit(h.chosen(p).Token)
	before := len(h.openAlarms(t))
	_, err = h.SetEmail(t.Context(), "ola", "", admin)
	must(t, err)
	if len(h.openAlarms(t)) != before+1 || h.StageOf(in) != access.Outside {
		t.Error("another address is no alarm, or ends no session")
	}
	c, _ = h.half("ola")
	if m := h.stage(c); m.Offered || !m.Chosen {
		t.Errorf("without an address: %+v", m)
	}
	h.wantKind("who is signed in", h.SendCode(t.Context(), admin), fault.Denied)
	if got := strings.Join(h.kinds(), " "); strings.Contains(got, "@") {
		t.Error(got)
	}
}

func (h *house) openAlarms(t *testing.T) []access.Alarm {
	t.Helper()
	all, err := h.Alarms(t.Context(), access.Caller{Actor: "account:x", Role: access.Auditor, Session: "ses_1"}, false)
	must(t, err)
	return all
}
