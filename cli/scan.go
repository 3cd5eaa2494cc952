package cli

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"

	"github.com/ombudhq/ombud/catalog"
	"github.com/ombudhq/ombud/internal/fault"
)

type scanCmd struct {
	Systems []string `arg:"" optional:"" name:"id=dsn" help:"Systems to read beside those in ombud.yaml: shop=shop.db, billing='$${BILLING_DSN}'."`
	Write   bool     `help:"Write what was found into ombud.yaml, every guess marked. What stands there stays."`
	Accept  []string `help:"Say yes to a guess; all says yes to every open one." placeholder:"ID"`
	Reject  []string `help:"Say no to a guess; it is not proposed again." placeholder:"ID"`
}

func (c *scanCmd) Help() string {
	return "Declared keys are facts. A guess carries its confidence and reason, is planned with, and stays a gap in every plan until it is accepted or rejected. " +
		"Nothing is written without --write, --accept or --reject, and no value is ever stored or shown."
}

func (c *scanCmd) run(ctx context.Context, s *session) error {
	if len(c.Accept)+len(c.Reject) > 0 {
		if len(c.Systems) > 0 {
			return fault.New(fault.Invalid, "read systems first, then answer what was found")
		}
		return c.answer(ctx, s)
	}
	cfg, err := catalog.WithStores(s.Catalog.Config(), s.env.Dir, c.Systems)
	if err != nil {
		return err
	}
	if len(cfg.Systems) == 0 {
		return fault.New(fault.Invalid, "there is nothing to scan").Then("ombud scan ID=DSN reads a system, for example: ombud scan shop=shop.db")
	}
	found, err := c.read(ctx, s, cfg)
	if err != nil {
		return err
	}
	if c.Write {
		if err := draft(s.Place.Config, found); err != nil {
			return err
		}
	}
	return s.answerScan(found, c.Write)
}

// read scans with connections of its own: the configuration may name systems that the file does not.
func (c *scanCmd) read(ctx context.Context, s *session, cfg *catalog.Config) (*catalog.Findings, error) {
	cat := s.program.Catalog(ctx, cfg)
	found, err := catalog.Scan(ctx, cat, catalog.ScanOptions{})
	return found, errors.Join(err, cat.Close())
}

func draft(path string, found *catalog.Findings) error {
	before, err := existing(path)
	if err != nil {
		return err
	}
	after, err := catalog.Draft(before, found)
	if err != nil {
		return err
	}
	return catalog.Save(path, after)
}

func existing(path string) ([]byte, error) {
	b, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fault.Wrap(fault.Invalid, err, "%s cannot be read", path)
	}
	return b, nil
}

// answer writes yes and no into the file.
func (c *scanCmd) answer(_ context.Context, s *session) error {
	before, err := existing(s.Place.Config)
	if err != nil {
		return err
	}
	after, answered, err := catalog.Answer(before, c.Accept, c.Reject)
	if err != nil {
		return err
	}
	if err := catalog.Save(s.Place.Config, after); err != nil {
		return err
	}
	if answered == nil {
		answered = []string{}
	}
	return s.answer(map[string]any{"answered": answered, "config": s.Place.Config}, func() {
		s.heading("%s answered.", count(len(answered), "guess"))
		for _, id := range answered {
			s.printf("  ✓ %s\n", id)
		}
	})
}

// scanned is what scan prints.
type scanned struct {
	*catalog.Findings
	Written bool `json:"written"`
}

// answerScan exits with findings when a system could not be read.
func (s *session) answerScan(f *catalog.Findings, written bool) error {
	err := s.answer(scanned{f, written}, func() { s.showScan(f, written) })
	for _, sys := range f.Systems {
		if err == nil && sys.Problem != "" {
			return Exit(1)
		}
	}
	return err
}

func (s *session) showScan(f *catalog.Findings, written bool) {
	datasets := 0
	for _, sys := range f.Systems {
		datasets += sys.Datasets
	}
	s.heading("%s in %s; %s to answer.", count(datasets, "dataset"), count(len(f.Systems), "system"), count(len(f.Proposals), "guess"))
	for _, sys := range f.Systems {
		if sys.Problem != "" {
			s.printf("  ? %s: %s\n", sys.ID, sys.Problem)
		}
	}
	s.showSurprises("Not read: what they hold is not known, and what hangs on them is not found", unread(f))
	s.showSurprises("To know", f.Surprises)
	s.showSurprises("Not mapped: text or identities that hang on no person", f.Unmapped)
	s.showProposals(f.Proposals)
	switch {
	case !written:
		s.section("Nothing was written. --write drafts %s.", s.Place.Config)
	case len(f.Proposals) > 0:
		s.section("Drafted %s. Answer with ombud scan --accept ID,… or all, --reject ID,…", s.Place.Config)
	default:
		s.section("Drafted %s.", s.Place.Config)
	}
}

// unread are the datasets that the role may not read, or could not.
func unread(f *catalog.Findings) []catalog.Surprise {
	var out []catalog.Surprise
	for _, d := range f.Datasets {
		if d.Problem != "" && !d.Ignored {
			out = append(out, catalog.Surprise{System: d.System, Dataset: d.Name, Text: d.Problem})
		}
	}
	return out
}

func (s *session) showSurprises(title string, all []catalog.Surprise) {
	if len(all) == 0 {
		return
	}
	s.section("%s", title)
	t := newTable("", "")
	for _, x := range all {
		t.row(strings.Trim(x.System+"."+x.Dataset, "."), x.Text)
	}
	t.print(s)
}

func (s *session) showProposals(all []catalog.Proposal) {
	if len(all) == 0 {
		return
	}
	s.section("Guessed")
	t := newTable("", "", "sure", "because").numbers(2)
	for _, p := range all {
		t.row("?", p.ID, fmt.Sprintf("%.0f%%", p.Confidence*100), p.Reason)
	}
	t.print(s)
}
