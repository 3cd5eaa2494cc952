package cli

import (
	"context"

	"github.com/ombudhq/ombud/internal/fault"
)

type auditExportCmd struct {
	Format string `required:"" help:"tiles: the signed tree as C2SP tlog-tiles, public metadata and commitments only." enum:"tiles" placeholder:"FORMAT"`
	Out    string `required:"" help:"Folder of tiles; one that holds an export is continued." placeholder:"PATH"`
}

func (*auditExportCmd) writes() {}

func (c *auditExportCmd) run(ctx context.Context, s *session) error {
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
