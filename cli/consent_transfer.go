package cli

import (
	"bytes"
	"context"
	"io"
	"path/filepath"

	"github.com/ombudhq/ombud/consent"
	"github.com/ombudhq/ombud/internal/fault"
	"github.com/ombudhq/ombud/internal/file"
)

type consentImportCmd struct {
	File  string `arg:"" help:"NDJSON, one act a line; - for standard input. At most 48 MiB."`
	Erase bool   `help:"Open an erasure for what each withdrawal of the file leaves without a ground. Without it none is opened: a file tells of years."`
}

func (*consentImportCmd) writes() {}

func (c *consentImportCmd) inputs() []string { return []string{c.File} }

func (c *consentImportCmd) run(ctx context.Context, s *session) error {
	b, err := s.env.read(c.File)
	if err != nil {
		return err
	}
	source := "standard input"
	if c.File != "-" {
		source = filepath.Base(c.File)
	}
	out, err := s.Consents.Import(ctx, bytes.NewReader(b), consent.ImportInput{Source: source, Actor: s.actor(), Erase: c.Erase})
	if err != nil {
		return err
	}
	if out.Refused == nil {
		out.Refused = []consent.LineFaults{}
	}
	if err := s.answer(out, func() { s.showImport(out, c.Erase) }); err != nil {
		return err
	}
	if len(out.Refused) > 0 {
		return Exit(1)
	}
	return nil
}

func (s *session) showImport(out consent.Import, erase bool) {
	s.heading("%s recorded, %s refused.", count(out.Recorded, "act"), number(len(out.Refused)))
	t := newTable("line", "", "", "").numbers(0)
	for _, r := range out.Refused {
		if len(r.Faults) == 0 {
			t.row(r.Line, r.Message, "", "")
		}
		for _, f := range r.Faults {
			t.row(r.Line, r.Message, f.Where, f.Message)
		}
	}
	t.print(s)
	if out.Ended > 0 && !erase {
		s.printf("\n%s ended in it. No erasure was opened for the data that rested on them; --erase opens one each.\n", count(out.Ended, "consent"))
	}
}

type consentExportCmd struct {
	Out string `help:"Where the lines go. Default standard output." placeholder:"FILE"`
}

func (c *consentExportCmd) run(ctx context.Context, s *session) error {
	if err := s.Accounts.TakeAway(ctx, s.caller()); err != nil {
		return err
	}
	if c.Out == "" {
		if s.json {
			return fault.New(fault.Invalid, "--json needs --out: the lines themselves are JSON")
		}
		_, err := s.Consents.Export(ctx, s.env.Stdout)
		return err
	}
	path, lines := s.env.Abs(c.Out), 0
	err := saveAs(path, func(w io.Writer) (err error) {
		lines, err = s.Consents.Export(ctx, w)
		return err
	})
	if err != nil {
		return err
	}
	return s.answer(map[string]any{"file": path, "lines": lines}, func() {
		s.heading("%s in %s. It holds identities.", count(lines, "act"), path)
	})
}

// save replaces a file as a whole, readable by its owner only.
func save(path string, b []byte) error {
	return saveAs(path, func(w io.Writer) error {
		_, err := w.Write(b)
		return err
	})
}

func saveAs(path string, write func(io.Writer) error) error {
	err := file.Save(path, write)
	if err != nil && fault.KindOf(err) == fault.Internal {
		return fault.Wrap(fault.Unavailable, err, "%s cannot be written", path)
	}
	return err
}
