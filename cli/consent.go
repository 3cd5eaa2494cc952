package cli

import (
	"context"
	"strings"
	"time"

	"github.com/ombudhq/ombud/consent"
	"github.com/ombudhq/ombud/internal/fault"
	"github.com/ombudhq/ombud/request"
	"github.com/ombudhq/ombud/subject"
)

// consentCmd is what people say yes and no to, and what follows from it.
type consentCmd struct {
	Record   consentRecordCmd   `cmd:"" help:"Record a yes."`
	Withdraw consentWithdrawCmd `cmd:"" help:"Record a no: to a purpose, to categories, or to all."`
	Confirm  consentConfirmCmd  `cmd:"" help:"Record the second yes of a double opt-in, by the token that was sent."`
	Check    consentCheckCmd    `cmd:"" help:"May this be processed now? Exit 0 for yes, 3 for no."`
	History  consentHistoryCmd  `cmd:"" help:"Everything a person said, what they were shown, and what held at a moment."`
	Proof    consentProofCmd    `cmd:"" help:"Write the signed receipt of a consent."`
	Import   consentImportCmd   `cmd:"" help:"Record the lines of a file. Exit 1 when some are refused."`
	Export   consentExportCmd   `cmd:"" help:"Write every act as a line that import reads. It holds identities."`
	Restrict consentRestrictCmd `cmd:"" help:"Restrict processing of a person's data (Art. 18)."`
	Object   consentObjectCmd   `cmd:"" help:"Record an objection (Art. 21) or an opt-out."`
	Lift     consentLiftCmd     `cmd:"" help:"End a restriction or an objection."`
}

// one gives the identities of the one person a command is about; a file of several is refused.
func (s *subjects) one(ses *session) ([]subject.Identity, error) {
	people, err := s.people(ses, false)
	if err != nil {
		return nil, err
	}
	if len(people) != 1 {
		return nil, fault.New(fault.Invalid, "this is about one person, and the file names %d", len(people))
	}
	return people[0].Identities, nil
}

// handle finds the one person; id=sub_… names them by the id that answers carry.
func (s *subjects) handle(ses *session) (consent.Handle, error) {
	ids, err := s.one(ses)
	if err != nil {
		return consent.Handle{}, err
	}
	if len(ids) == 1 && ids[0].Kind == "id" {
		h, _ := ses.Consents.FindID(ids[0].Value)
		return h, nil
	}
	return ses.Consents.Find(ids...), nil
}

type consentRecordCmd struct {
	Purpose      string   `required:"" help:"To which purpose they say yes." placeholder:"P"`
	Categories   []string `help:"To which categories of it; default all." placeholder:"C,…"`
	Method       string   `required:"" help:"explicit, explicit_opt_in, opt_in, web_form or api." placeholder:"METHOD"`
	Notice       string   `required:"" help:"What they were shown: ID@VERSION, or ID@VERSION/LANGUAGE." placeholder:"NOTICE"`
	SeenRevision *int64   `help:"Revision of an answer that was had before the notice was shown; needed once they have withdrawn." placeholder:"N"`
	Status       string   `help:"given, or pending until they confirm." enum:"given,pending" default:"given" placeholder:"STATUS"`
	subjects
}

func (*consentRecordCmd) writes() {}

func (c *consentRecordCmd) run(ctx context.Context, s *session) error {
	ids, err := c.one(s)
	if err != nil {
		return err
	}
	notice, err := c.notice()
	if err != nil {
		return err
	}
	made, err := s.Consents.Record(ctx, consent.RecordInput{Subject: ids, Purpose: c.Purpose, Categories: c.Categories, Method: c.Method,
		Status: consent.Status(c.Status), Notice: notice, Actor: s.actor()})
	if err != nil {
		return err
	}
	return s.answer(made, func() {
		s.heading("Recorded: %s, %s.", made.Purpose, made.Status)
		s.printf("  consent      %s\n  person       %s\n  categories   %s\n  valid until  %s\n  revision     %d\n",
			made.ID, made.Subject, strings.Join(made.Categories, ", "), instant(made.ValidUntil, "it is withdrawn"), made.Revision)
		if made.Token != "" {
			s.printf("  confirm with %s\n", made.Token)
		}
	})
}

// consentConfirmCmd takes the token from a file or standard input: in arguments, every user of the machine could read it.
type consentConfirmCmd struct {
	Token string `required:"" help:"File that holds the token, or - for standard input." placeholder:"FILE"`
}

func (*consentConfirmCmd) writes() {}

func (c *consentConfirmCmd) inputs() []string { return []string{c.Token} }

func (c *consentConfirmCmd) run(ctx context.Context, s *session) error {
	token, err := s.env.read(c.Token)
	if err != nil {
		return err
	}
	made, err := s.Consents.Confirm(ctx, strings.TrimSpace(string(token)), s.actor())
	if err != nil {
		return err
	}
	return s.answer(made, func() {
		s.heading("Confirmed: %s.", made.Purpose)
		s.printf("  consent      %s\n  person       %s\n  valid until  %s\n  revision     %d\n", made.ID, made.Subject, instant(made.ValidUntil, "it is withdrawn"), made.Revision)
	})
}

// notice reads ID@VERSION/LANGUAGE.
func (c *consentRecordCmd) notice() (n consent.NoticeInput, err error) {
	id, rest, found := strings.Cut(c.Notice, "@")
	if n.ID, n.Version = id, rest; !found || id == "" || rest == "" {
		return n, fault.New(fault.Invalid, "--notice is written ID@VERSION or ID@VERSION/LANGUAGE").Then("For example letters@3/en.")
	}
	if i := strings.LastIndexByte(rest, '/'); i >= 0 {
		n.Version, n.Language = rest[:i], rest[i+1:]
	}
	n.SeenRevision = c.SeenRevision
	return n, nil
}

func instant(t time.Time, none string) string {
	if t.IsZero() {
		return none
	}
	return t.UTC().Format("2006-01-02 15:04")
}

type consentWithdrawCmd struct {
	Purpose    string   `help:"This purpose." placeholder:"P"`
	Categories []string `help:"These categories, in every purpose." placeholder:"C,…"`
	All        bool     `help:"Everything they ever said yes to."`
	Because    string   `help:"What they said; kept with the withdrawal." placeholder:"TEXT"`
	subjects
}

func (*consentWithdrawCmd) writes() {}

func (c *consentWithdrawCmd) run(ctx context.Context, s *session) error {
	ids, err := c.one(s)
	if err != nil {
		return err
	}
	out, err := s.Consents.Withdraw(ctx, consent.WithdrawInput{Subject: ids, Purpose: c.Purpose, Categories: c.Categories, All: c.All,
		Reason: c.Because, Actor: s.actor()})
	if err != nil {
		return err
	}
	next := s.follow(ctx, out)
	return s.answer(withdrawn{out, next}, func() {
		s.heading("Withdrawn: %s ended. Every decision from now on says no.", count(out.Ended, "consent"))
		s.printf("  person       %s\n  no more      %s\n", out.Subject, listing(out.Purposes, "nothing as a whole"))
		if len(out.Narrowed) > 0 {
			s.printf("  goes on      %s, for its other categories\n", strings.Join(out.Narrowed, ", "))
		}
		s.printf("  revision     %d\n", out.Revision)
		if next != nil {
			s.section("%s erases what nothing else carries. It waits for approval: ombud dsr show %s", next.Ref, next.Ref)
		}
	})
}

// withdrawn is the answer: the withdrawal, and the request that follows from it.
type withdrawn struct {
	consent.Withdrawal
	Erasure *following `json:"erasure,omitempty"`
}

type following struct {
	Request string        `json:"request"`
	Ref     string        `json:"ref"`
	Hash    string        `json:"hash"`
	Status  request.State `json:"status"`
}

// follow opens the erasure that a withdrawal asks for; nil where there is none. The withdrawal holds, whatever becomes of that.
func (s *session) follow(ctx context.Context, w consent.Withdrawal) *following {
	if w.Ended == 0 {
		return nil
	}
	r, err := s.FollowWithdrawal(ctx, w.Revision)
	if err != nil {
		s.warn("the withdrawal holds; what it asks to erase could not be planned, and ombud serve tries again: %v", err)
	}
	if r == nil {
		return nil
	}
	return &following{r.ID, r.Ref, r.Hash, r.State}
}

func listing(words []string, none string) string {
	if len(words) == 0 {
		return none
	}
	return strings.Join(words, ", ")
}

type consentCheckCmd struct {
	Purpose  string `required:"" help:"For which purpose." placeholder:"P"`
	Category string `required:"" help:"Which category of data." placeholder:"C"`
	GPC      bool   `name:"gpc" help:"Their browser sends Global Privacy Control."`
	subjects
}

func (c *consentCheckCmd) run(ctx context.Context, s *session) error {
	h, err := c.handle(s)
	if err != nil {
		return err
	}
	v, err := c.ask(ctx, s, h)
	if err != nil {
		return err
	}
	a := s.Consents.Answer(v)
	if err := s.answer(a, func() { s.showAnswer(a) }); err != nil {
		return err
	}
	if !a.Allowed {
		return Exit(fault.ExitCode(fault.New(fault.Denied, "")))
	}
	return nil
}

// ask decides, and leaves a checkpoint where that left entries.
func (c *consentCheckCmd) ask(ctx context.Context, s *session, h consent.Handle) (consent.Verdict, error) {
	size := s.Ledger.Size()
	asker := s.Consents.Asker(s.actor())
	v := asker.Ask(h, c.Purpose, c.Category, c.GPC)
	if err := asker.Done(ctx); err != nil {
		return v, err
	}
	s.Consents.Drain(ctx)
	if s.Ledger.Size() == size {
		return v, nil
	}
	return v, s.Checkpoint(context.WithoutCancel(ctx))
}

func (s *session) showAnswer(a consent.Answer) {
	code, word := red, "No"
	if a.Allowed {
		code, word = green, "Yes"
	}
	s.verdict(code, word, ": %s.", a.Reason.Sentence())
	if a.ConsentID != nil {
		s.printf("  consent      %s\n", *a.ConsentID)
	}
	if a.Allowed && a.ValidUntil != nil {
		s.printf("  valid until  %s\n", instant(*a.ValidUntil, ""))
	}
	if a.Subject != "" {
		s.printf("  person       %s\n", a.Subject)
	}
	s.printf("  reason       %s\n  revision     %d\n", a.Reason, a.Revision)
}
