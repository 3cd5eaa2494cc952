package cli

import (
	"context"
	"fmt"
)

type vaultRotateCmd struct {
	Root bool `help:"Make a new root key instead, and seal again under it what was sealed under the former."`
}

func (*vaultRotateCmd) writes() {}

// counting shows how far something is, on one line of a terminal, and gives what takes the line away.
func (s *session) counting(what string) (each func(done, of int), end func()) {
	return func(done, of int) {
			if s.env.Progress {
				fmt.Fprintf(s.env.Stderr, "\r\x1b[K%s  %s of %s", what, number(done), number(of))
			}
		}, func() {
			if s.env.Progress {
				fmt.Fprint(s.env.Stderr, "\r\x1b[K")
			}
		}
}

func (c *vaultRotateCmd) run(ctx context.Context, s *session) error {
	if c.Root {
		return c.root(ctx, s)
	}
	each, end := s.counting("bucket keys")
	out, err := s.RotateKeys(ctx, s.actor(), each)
	end()
	if err != nil {
		return err
	}
	return s.answer(out, func() {
		s.heading("The keys are new: version %s of %s, and %s.", out.Version, out.Provider, count(out.Moved, "bucket key"))
		if out.Resumed {
			s.printf("  went on with a rotation that was cut off\n")
		}
		if out.Kept {
			s.printf("  note      %s keeps former versions until you delete the whole key there\n", out.Provider)
		} else {
			s.printf("  former    version %s is destroyed\n", out.From)
		}
		s.printf("\nBackups of the keys from before are of no use any more: make one now, with ombud vault backup.\n")
	})
}

func (c *vaultRotateCmd) root(ctx context.Context, s *session) error {
	each, end := s.counting("entries")
	out, err := s.RotateRoot(ctx, s.actor(), each)
	end()
	if err != nil {
		return err
	}
	return s.answer(out, func() {
		s.heading("The root key is new: generation %s.", out.To)
		if out.Resumed {
			s.printf("  went on with a rotation that was cut off\n")
		}
		s.printf("  sealed    %s again, under it\n", count(out.Again, "value"))
		s.printf("  the same  signatures, tokens and ids, so that what others hold goes on verifying\n")
		s.printf("  former    is overwritten; what it sealed in backups and in the suppression ledger still opens, until ombud vault retire\n")
		s.printf("\nBackups of the keys from before do not open what is sealed from now on: make one now, with ombud vault backup.\n")
	})
}

type vaultRetireCmd struct{}

func (*vaultRetireCmd) writes() {}

// retired is what vault retire answers.
type retired struct {
	Retired int `json:"retired"`
}

func (*vaultRetireCmd) run(ctx context.Context, s *session) error {
	n, err := s.RetireRoots(ctx, s.actor())
	if err != nil {
		return err
	}
	return s.answer(retired{n}, func() {
		if n == 0 {
			s.heading("There are no former root keys.")
			return
		}
		s.heading("%s destroyed.", count(n, "former root key"))
		s.printf("\nBackups of data from before the last rotation of the root key can no longer be restored: delete them, and make a backup now.\n")
	})
}
