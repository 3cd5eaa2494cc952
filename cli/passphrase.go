package cli

import (
	"bytes"
	"context"
	"os"

	"golang.org/x/term"

	"github.com/ombudhq/ombud/internal/fault"
)

const (
	passphraseAsk = "Passphrase of the root key"
	newPassphrase = "New passphrase of the root key"
)

// terminal tells whether a person can be asked.
func (e *Env) terminal() bool {
	f, ok := e.Stdin.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}

// passphrase gives what a sealed root key opens by, each time it is asked, from the file that the environment names or from the
// terminal; nil where neither is there.
func (s *session) passphrase() func() ([]byte, error) {
	if s.env.PassphraseFile == "" && !s.env.terminal() {
		return nil
	}
	var known []byte
	return func() ([]byte, error) {
		if known == nil {
			b, err := s.readPassphrase()
			if err != nil {
				return nil, err
			}
			known = b
		}
		return bytes.Clone(known), nil
	}
}

func (s *session) readPassphrase() ([]byte, error) {
	if s.env.PassphraseFile == "" {
		return s.askPassphrase(s.ctx)
	}
	b, err := s.env.read(s.env.PassphraseFile)
	if err != nil {
		return nil, fault.New(fault.Invalid, "the file that OMBUD_PASSPHRASE_FILE names cannot be read")
	}
	return lineOf(b)
}

func (s *session) askPassphrase(ctx context.Context) ([]byte, error) {
	b, err := s.env.secrets(ctx, "-", []string{passphraseAsk})
	if err != nil {
		return nil, err
	}
	return lineOf(b)
}

// lineOf is the one line that a passphrase is.
func lineOf(b []byte) ([]byte, error) {
	b = bytes.TrimRight(b, "\r\n")
	if len(b) == 0 {
		return nil, fault.New(fault.Invalid, "no passphrase was given").Then("Type it on a terminal, or give it as one line on standard input.")
	}
	if bytes.ContainsAny(b, "\r\n") {
		return nil, fault.New(fault.Invalid, "a passphrase is one line")
	}
	return b, nil
}
