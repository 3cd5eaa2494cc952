package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"slices"
	"strings"

	"github.com/ombudhq/ombud/internal/fault"
	"github.com/ombudhq/ombud/internal/file"
)

// gapAbout says what a gap is about.
type gapAbout struct {
	File     string `arg:"" help:"The file of the gap."`
	Backup   string `help:"The backup to be restored. Default: the store in --data as it stands." placeholder:"FILE"`
	Identity string `help:"Identity the backup is encrypted to." placeholder:"KEYFILE"`
}

type backupGapCmd struct {
	gapAbout
	Because string `required:"" help:"Why what is missing may be missing." placeholder:"TEXT"`
}

func (c *backupGapCmd) runPlain(ctx context.Context, s *session) error {
	if strings.TrimSpace(c.Because) == "" {
		return fault.New(fault.Invalid, "--because says why")
	}
	if s.program.NewGap == nil {
		return fault.New(fault.Unavailable, "this program cannot restore")
	}
	g, err := s.program.NewGap(ctx, s.place(), GapOptions{Backup: s.env.Abs(c.Backup), Because: c.Because})
	if err == nil {
		err = s.writeGap(c.File, g)
	}
	if err != nil {
		return err
	}
	return s.answer(g, func() {
		s.heading("%s says what is accepted, and why. Nobody has signed it.", c.File)
		s.printf("\nTwo people sign it, each with their own account, within a day: ombud backup sign %s --name N\n", c.File)
	})
}

type backupSignCmd struct {
	gapAbout
	Name string `required:"" help:"Name the account signs in with." placeholder:"N"`
}

func (*backupSignCmd) inputs() []string { return []string{"-"} }

func (*backupSignCmd) asks() []string { return credentials }

func (c *backupSignCmd) runPlain(ctx context.Context, s *session) error {
	g, err := s.readGap(c.File)
	if err != nil {
		return err
	}
	o := GapOptions{Backup: s.env.Abs(c.Backup), Name: c.Name}
	if c.Identity != "" {
		if o.Identities, err = s.env.read(c.Identity); err != nil {
			return err
		}
	}
	if c.Backup != "" && c.Identity == "" {
		return fault.New(fault.Invalid, "the accounts of a backup are read with --identity")
	}
	given, err := s.env.read("-")
	if err != nil {
		return err
	}
	lines := strings.Split(strings.TrimRight(string(given), "\r\n"), "\n")
	if len(lines) != 2 {
		return fault.New(fault.Invalid, "standard input holds two lines: the password, and the code of the second factor")
	}
	o.Password, o.Code = strings.TrimRight(lines[0], "\r"), strings.TrimRight(lines[1], "\r")
	if s.program.SignGap == nil {
		return fault.New(fault.Unavailable, "this program cannot restore")
	}
	out, err := s.program.SignGap(ctx, s.place(), *g, o)
	if err == nil {
		err = s.writeGap(c.File, out)
	}
	if err != nil {
		return err
	}
	return s.answer(out, func() { s.heading("Signed. %s now.", count(len(out.Signed), "signature")) })
}

func (s *session) writeGap(name string, g Gap) error {
	b, err := json.MarshalIndent(g, "", "  ")
	if err != nil {
		return err
	}
	err = file.Save(s.env.Abs(name), func(w io.Writer) error {
		_, err := w.Write(append(b, '\n'))
		return err
	})
	if err != nil {
		return fault.Wrap(fault.Unavailable, err, "%s cannot be written", name)
	}
	return nil
}

// readGap reads who accepts a gap; nil without a file. Whether the signatures are good is judged where it is used.
func (s *session) readGap(name string) (*Gap, error) {
	if name == "" {
		return nil, nil
	}
	b, err := s.env.read(name)
	if err != nil {
		return nil, err
	}
	g := &Gap{}
	d := json.NewDecoder(bytes.NewReader(b))
	d.DisallowUnknownFields()
	if err := d.Decode(g); err != nil || strings.TrimSpace(g.Because) == "" || g.Of == nil && len(Distinct(g.Accepted)) < 2 {
		return nil, fault.New(fault.Invalid, "%s does not say who accepts the gap and why", name).
			Then(`ombud backup accept-gap makes it. Where there are no accounts it reads {"because": "…", "accepted": ["name", "another name"]}.`)
	}
	return g, nil
}

// Distinct are the names that differ in more than blanks and letter case.
func Distinct(names []string) []string {
	var out []string
	for _, n := range names {
		if n = strings.ToLower(strings.TrimSpace(n)); n != "" && !slices.Contains(out, n) {
			out = append(out, n)
		}
	}
	return out
}
