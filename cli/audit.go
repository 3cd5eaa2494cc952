package cli

import (
	"context"

	"github.com/ombudhq/ombud/internal/fault"
	"github.com/ombudhq/ombud/ledger"
	"github.com/ombudhq/ombud/vault"
)

// auditCmd is the ledger: every act, in a tree that tells when somebody changed it.
type auditCmd struct {
	Verify auditVerifyCmd `cmd:"" help:"Read the whole ledger and compare it with the checkpoints kept outside."`
	Tail   auditTailCmd   `cmd:"" help:"Print the newest entries."`
	Search auditSearchCmd `cmd:"" help:"Print the entries about a person, by somebody, of a kind or a time. That you read them is an entry too."`
	Prove  auditProveCmd  `cmd:"" help:"Print the proof that an entry is in the signed tree, or that the tree goes on from a checkpoint."`
	Export auditExportCmd `cmd:"" help:"Write the ledger for other programs to read and verify."`
}

type auditVerifyCmd struct {
	Checkpoint string `help:"File of checkpoints that was kept safer than those beside the data; used instead of them." placeholder:"FILE"`
	Export     string `help:"Verify this export of tiles instead, on any machine." placeholder:"DIR"`
	Key        string `help:"Public key to check an export with. Default keys/ombud.pub in the data directory." placeholder:"FILE"`
}

// damagedToo lets it open what every other command refuses.
func (*auditVerifyCmd) damagedToo() {}

// runPlain verifies an export without any data directory, and the ledger where it lies.
func (c *auditVerifyCmd) runPlain(ctx context.Context, s *session) error {
	switch {
	case c.Export != "":
		return c.export(ctx, s)
	case c.Key != "":
		return fault.New(fault.Invalid, "--key is for --export: the ledger is checked with its own key")
	}
	return s.withServices(ctx, c)
}

func (c *auditVerifyCmd) export(ctx context.Context, s *session) error {
	pub, err := vault.LoadPublicKey(s.publicKey(c.Key))
	if err != nil {
		return err
	}
	start := s.program.Clock.Now()
	r, err := ledger.VerifyTiles(ctx, s.env.Abs(c.Export), pub, ledger.VerifyOptions{Checkpoint: s.env.Abs(c.Checkpoint)})
	r.TookMS = s.program.Clock.Now().Sub(start).Milliseconds()
	return s.report(r, err)
}

func (c *auditVerifyCmd) run(ctx context.Context, s *session) error {
	r, err := s.VerifyLedger(ctx, ledger.VerifyOptions{Checkpoint: s.env.Abs(c.Checkpoint)})
	return s.report(r, err)
}

// report answers with what a verification found, and exits accordingly.
func (s *session) report(r ledger.Report, err error) error {
	if err != nil && !r.OK && r.Problem == "" {
		return err
	}
	if perr := s.answer(r, func() { s.showReport(r) }); perr != nil {
		return perr
	}
	if !r.OK {
		return Exit(fault.ExitCode(fault.New(fault.Integrity, "")))
	}
	return nil
}

func (s *session) showReport(r ledger.Report) {
	if r.OK {
		s.heading("The ledger is as it was written: %s, nothing changed.", entries(r.Entries))
	} else {
		s.verdict(red, "The ledger is not what was written.", "")
		s.printf("  %s\n", r.Problem)
		switch {
		case r.FirstBad > 0:
			s.printf("  first bad entry  %s\n", number(r.FirstBad))
		case r.To > 0:
			s.printf("  somewhere in     %s to %s\n", number(r.From), number(r.To))
		}
	}
	s.printf("  checkpoint       covers %s\n", entries(r.CheckpointSize))
	for _, w := range r.Witnesses {
		s.printf("  witness          %s cosigned %s\n", w.Name, entries(w.Size))
	}
	if r.Uncovered > 0 {
		s.printf("  not vouched for  the newest %s: no checkpoint outside covers them\n", entries(r.Uncovered))
	}
	if s.Services != nil {
		for _, w := range s.Warnings {
			s.printf("  weaker           %s\n", w)
		}
	}
	if r.Erased > 0 {
		s.printf("  forgotten        %s can be proven and no longer read", entries(r.Erased))
		if r.Expired > 0 {
			s.printf("; of these, %s had their time", number(r.Expired))
		}
		s.printf("\n")
	}
	s.printf("  took             %s\n", wait(r.TookMS))
}

func entries(n int64) string {
	if n == 1 {
		return "1 entry"
	}
	return number(n) + " entries"
}

type auditProveCmd struct {
	Entry       int64  `arg:"" optional:"" help:"Number of the entry."`
	Consistency string `help:"Prove instead that nothing this checkpoint covers was changed since." placeholder:"FILE"`
}

func (*auditProveCmd) writes() {}

func (c *auditProveCmd) inputs() []string {
	if c.Consistency == "" {
		return nil
	}
	return []string{c.Consistency}
}

func (c *auditProveCmd) run(ctx context.Context, s *session) error {
	if (c.Entry == 0) == (c.Consistency == "") {
		return fault.New(fault.Invalid, "give the number of an entry, or --consistency FILE")
	}
	if c.Entry != 0 { // the other proof holds no entry
		if err := s.mayReadLog(); err != nil {
			return err
		}
	}
	p, err := c.proof(ctx, s)
	if err != nil {
		return err
	}
	return writeJSON(s.env.Stdout, p) // a proof is for a program, in either form of output
}

func (c *auditProveCmd) proof(ctx context.Context, s *session) (any, error) {
	if c.Consistency == "" {
		return s.Ledger.Prove(ctx, c.Entry)
	}
	older, err := s.env.read(c.Consistency)
	if err != nil {
		return nil, err
	}
	return s.Ledger.ProveConsistency(ctx, older)
}
