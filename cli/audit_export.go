package cli

import (
	"context"
	"io"

	"github.com/ombudhq/ombud/internal/fault"
	"github.com/ombudhq/ombud/ledger"
)

type auditExportCmd struct {
	Format  string `required:"" help:"tiles: the signed tree as C2SP tlog-tiles, public metadata and commitments only. cloudevents: one CloudEvent a line." enum:"tiles,cloudevents" placeholder:"FORMAT"`
	Out     string `help:"Folder of tiles; one that holds an export is continued. File of events; default standard output." placeholder:"PATH"`
	From    int64  `help:"Events from this entry on." placeholder:"ENTRY"`
	Payload bool   `help:"Events with what was sealed: actor, subject, content."`
}

func (*auditExportCmd) writes() {}

func (c *auditExportCmd) run(ctx context.Context, s *session) error {
	if c.Format == "tiles" {
		return c.tiles(ctx, s)
	}
	if c.From < 0 {
		return fault.New(fault.Invalid, "--from is the number of an entry")
	}
	if err := s.Accounts.TakeAway(ctx, s.caller()); err != nil {
		return err
	}
	return c.events(ctx, s)
}

func (c *auditExportCmd) tiles(ctx context.Context, s *session) error {
	switch {
	case c.From != 0 || c.Payload:
		return fault.New(fault.Invalid, "--from and --payload are for events: tiles hold what is public, and go on by themselves")
	case c.Out == "":
		return fault.New(fault.Invalid, "tiles are files: --out names their folder")
	}
	dir := s.env.Abs(c.Out)
	x, err := s.Ledger.ExportTiles(ctx, dir)
	if err != nil {
		return err
	}
	if x.Size == 0 {
		return fault.New(fault.Invalid, "the ledger is empty: there is nothing to export")
	}
	return s.answer(x, func() {
		s.heading("%s in %s, %s of them new.", entries(x.Size), dir, number(x.Added))
		s.printf("  verify  ombud audit verify --export %s --key ombud.pub\n", dir)
	})
}

func (c *auditExportCmd) events(ctx context.Context, s *session) error {
	if err := s.mayReadLog(); err != nil {
		return err
	}
	o := ledger.EventOptions{From: c.From, Payload: c.Payload}
	if c.Out == "" {
		if s.json {
			return fault.New(fault.Invalid, "--json needs --out: the lines themselves are JSON")
		}
		_, err := s.Ledger.ExportEvents(ctx, s.actor(), o, s.env.Stdout)
		return err
	}
	path := s.env.Abs(c.Out)
	var out ledger.Events
	err := saveAs(path, func(w io.Writer) (err error) {
		out, err = s.Ledger.ExportEvents(ctx, s.actor(), o, w)
		return err
	})
	if err != nil {
		return err
	}
	return s.answer(struct {
		File string `json:"file"`
		ledger.Events
	}{path, out}, func() {
		s.heading("%s in %s.", count(out.Entries, "event"), path)
		s.printf("  next  --from %d\n", out.Last+1)
	})
}
