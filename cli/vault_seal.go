package cli

import (
	"bytes"
	"context"
	"errors"

	"github.com/ombudhq/ombud/internal/fault"
)

type vaultSealCmd struct {
	Remove bool `help:"Leave the root key open again: whoever can read the file can use it."`
}

func (*vaultSealCmd) writes() {}

func (c *vaultSealCmd) inputs() []string {
	if c.Remove {
		return nil
	}
	return []string{"-"}
}

func (c *vaultSealCmd) asks() []string {
	if c.Remove {
		return nil
	}
	return []string{newPassphrase, "The same again"}
}

func (c *vaultSealCmd) run(ctx context.Context, s *session) error {
	var passphrase []byte
	if !c.Remove {
		b, err := s.env.read("-")
		if err == nil {
			passphrase, err = twice(b)
		}
		if err != nil {
			return err
		}
		defer clear(passphrase)
	}
	if err := s.SealRoot(ctx, passphrase, s.actor()); err != nil {
		return err
	}
	return s.answer(map[string]any{"sealed": !c.Remove}, func() {
		if c.Remove {
			s.heading("The root key lies open again: whoever can read the file can use it.")
			return
		}
		s.heading("The root key is sealed: from now on each start asks for the passphrase.")
		s.printf("\nWithout it nothing opens, and nobody can give you another: keep it apart from this machine. Who copied the open key before\nstill has it: ombud vault rotate --root, then ombud vault backup, leaves them an old one.\n")
	})
}

// twice is a passphrase that was given once, or the same in two lines.
func twice(b []byte) ([]byte, error) {
	first, second, two := bytes.Cut(bytes.TrimRight(b, "\r\n"), []byte("\n"))
	first = bytes.TrimRight(first, "\r")
	if two && !bytes.Equal(first, second) {
		return nil, fault.New(fault.Invalid, "the two passphrases are not the same")
	}
	return lineOf(bytes.Clone(first))
}

type vaultUnsealCmd struct{}

func (*vaultUnsealCmd) inputs() []string { return []string{"-"} }
func (*vaultUnsealCmd) asks() []string   { return []string{passphraseAsk} }

// runPlain hands the passphrase to the process that waits for it, and runs there when it was handed over.
func (*vaultUnsealCmd) runPlain(ctx context.Context, s *session) error {
	if s.program.Unseal == nil {
		code, err := s.program.Forward(ctx, s.place().Data, s.call(), s.env.Stdout, s.env.Stderr)
		if errors.Is(err, ErrNoOwner) {
			return fault.New(fault.Conflict, "no ombud serve waits for a passphrase in this data directory").Then("Other commands ask for it themselves.")
		}
		if err != nil {
			return err
		}
		return Exit(code)
	}
	b, err := s.env.read("-")
	if err != nil {
		return err
	}
	passphrase, err := lineOf(b)
	if err != nil {
		return err
	}
	if err := s.program.Unseal(ctx, passphrase, s.actor()); err != nil {
		return err
	}
	return s.answer(map[string]any{"sealed": false}, func() { s.heading("The passphrase is right: ombud serve opens.") })
}
