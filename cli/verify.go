package cli

import (
	"context"
	"crypto/ed25519"

	"github.com/ombudhq/ombud/consent"
	"github.com/ombudhq/ombud/internal/fault"
	"github.com/ombudhq/ombud/plan"
	"github.com/ombudhq/ombud/request"
	"github.com/ombudhq/ombud/subject"
	"github.com/ombudhq/ombud/vault"
)

// verifyCmd proves again what was proven once.
type verifyCmd struct {
	Erasure verifyErasureCmd `cmd:"" help:"Read every system again for what an erasure removed. Exit 4 when something is there, or when it was not complete."`
	Receipt verifyReceiptCmd `cmd:"" help:"Check a receipt with the public key alone, on any machine. Exit 5 when it is not what was signed."`
	Package verifyPackageCmd `cmd:"" help:"Check an access package with the public key alone, on any machine. Exit 5 when it is not what was signed."`
	Proof   verifyProofCmd   `cmd:"" help:"Check what audit prove printed with the public key alone, on any machine. Exit 5 when it does not hold."`
}

type verifyErasureCmd struct {
	Request string `arg:"" help:"Request, by id or reference."`
	subjects
}

func (c *verifyErasureCmd) Help() string {
	return "A closed request no longer knows whom it was about: without --subject the systems are searched by keyed tokens of the identities; " +
		"with --subject the person's values are searched in text too."
}

func (*verifyErasureCmd) writes() {}

func (c *verifyErasureCmd) run(ctx context.Context, s *session) error {
	var people []plan.Person
	if len(c.Subject) > 0 {
		var err error
		if people, err = c.people(s, false); err != nil {
			return err
		}
	}
	out, err := s.Requests.VerifyErasure(ctx, c.Request, people, s.actor())
	if err != nil {
		return err
	}
	if err := s.answer(verified{c.Request, out}, func() { s.showVerified(c.Request, out, len(people) > 0) }); err != nil {
		return err
	}
	if out.Status != plan.Complete {
		return Exit(fault.ExitCode(fault.New(fault.Waiting, "")))
	}
	return nil
}

type verified struct {
	Request string `json:"request"`
	*plan.Outcome
}

// showVerified says what was read: the identity columns by token, or, where the person was named, everything.
func (s *session) showVerified(ref string, out *plan.Outcome, named bool) {
	switch {
	case len(out.Remaining) > 0:
		s.heading("%s does not hold.", ref)
	case out.Status != plan.Complete:
		s.heading("%s holds as far as it went: what it removed is not there again. It was not complete.", ref)
	case named:
		s.heading("%s holds: every system was read again, and nothing is there.", ref)
	default:
		s.heading("%s holds: no identity that was erased stands in an identity column again. With --subject, text is searched too.", ref)
	}
	s.showRemaining("Remains", out.Remaining)
	s.showRemaining("Not reached or not known", out.Gaps)
	for _, p := range out.Proof {
		s.printf("  %s: %s read again, %s leading to the person; %s\n", p.System, count(p.Keys, "planned row"), count(p.Closure, "row"), p.Coverage)
	}
}

type verifyReceiptCmd struct {
	File    string `arg:"" help:"The receipt; - for standard input."`
	Key     string `help:"Public key to check it with. Default keys/ombud.pub in the data directory." placeholder:"FILE"`
	Opening string `help:"The opening that came with it: shows, with --subject, that the receipt is about exactly this person." placeholder:"FILE"`
	subjects
}

func (c *verifyReceiptCmd) inputs() []string {
	files := append(c.subjects.inputs(), c.File)
	if c.Opening != "" {
		files = append(files, c.Opening)
	}
	return files
}

func (c *verifyReceiptCmd) runPlain(_ context.Context, s *session) error {
	pub, err := vault.LoadPublicKey(s.publicKey(c.Key))
	if err != nil {
		return err
	}
	b, err := s.env.read(c.File)
	if err != nil {
		return err
	}
	if consent.IsReceipt(b) {
		return c.consent(s, b, pub)
	}
	opening, ids, err := c.opening(s)
	if err != nil {
		return err
	}
	r, err := request.VerifyReceipt(b, pub, opening, ids)
	if err != nil {
		return err
	}
	out := map[string]any{"valid": true, "opened": opening != nil, "receipt": r}
	if r.Forgotten != nil {
		out["forgotten"] = r.Forgotten
	}
	return s.answer(out, func() {
		s.heading("The receipt is genuine and unchanged.")
		if opening != nil {
			s.printf("  about      exactly the person given\n")
		}
		s.printf("  request    %s, %s, %s\n  finished   %s\n  signed by  %s\n", r.Ref, r.Kind, r.Status, r.Finished, vault.KeyName(pub))
		switch {
		case r.Forgotten != nil:
			s.printf("  keys       of the person in Ombud: destroyed, and no older copy of them opens anything since %s\n", r.Forgotten.At)
		case r.Keys != "":
			s.printf("  keys       of the person in Ombud: overwritten; older copies of the key files are not useless yet\n")
		}
	})
}

// consent checks the receipt of a consent. It names the person by id only, so there is nothing to open.
func (c *verifyReceiptCmd) consent(s *session, b []byte, pub ed25519.PublicKey) error {
	if c.Opening != "" || len(c.Subject) > 0 {
		return fault.New(fault.Invalid, "a consent receipt has no opening: it names the person by id only")
	}
	r, err := consent.VerifyReceipt(b, pub)
	if err != nil {
		return err
	}
	return s.answer(map[string]any{"valid": true, "receipt": r}, func() {
		s.heading("The receipt is genuine and unchanged.")
		for i := range r.Events {
			s.printf("  consent    %s, by %s, at %s\n", r.RecordID, r.Principal, instant(r.Events[i].Time, ""))
			if from := heardFrom(r.Events[i].Source, r.Events[i].Said); from != "" {
				s.printf("  source     %s\n", from)
			}
		}
		for _, p := range r.Processing {
			s.printf("  purpose    %s\n", p.Purpose)
		}
		s.printf("  notice     %s\n  signed by  %s\n", r.Notice, vault.KeyName(pub))
	})
}

func (c *verifyReceiptCmd) opening(s *session) (*request.Opening, []subject.Identity, error) {
	if (c.Opening == "") != (len(c.Subject) == 0) {
		return nil, nil, fault.New(fault.Invalid, "an opening and a subject are given together")
	}
	if c.Opening == "" {
		return nil, nil, nil
	}
	b, err := s.env.read(c.Opening)
	if err != nil {
		return nil, nil, err
	}
	o, err := request.ParseOpening(b)
	if err != nil {
		return nil, nil, err
	}
	ids, err := c.identities(s)
	return o, ids, err
}
