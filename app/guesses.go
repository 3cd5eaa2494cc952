package app

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"os"
	"path/filepath"
	"time"

	"github.com/ombudhq/ombud/internal/fault"
	"github.com/ombudhq/ombud/internal/file"
)

// guessFile holds the guesses of the passphrase that were wrong, until the log has them: while the root key is sealed, so is
// the log.
const guessFile = "passphrase.tries"

// Of any number of guesses at once, no more than these are looked at. They bound who may ask a server over its socket; who
// has the file of the root key guesses elsewhere, and is bounded by what a guess costs.
const (
	mostGuesses = 5
	guessWindow = 15 * time.Minute
)

// guess is one, as it is kept.
type guess struct {
	At time.Time `json:"at"`
	By string    `json:"by"` // who asked: local:kari, or the command
}

func (c Config) guessPath() string { return filepath.Join(c.DataDir, guessFile) }

// guesses reads those that are kept, oldest first.
func (c Config) guesses() (out []guess, err error) {
	b, err := os.ReadFile(c.guessPath())
	if errors.Is(err, os.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fault.Wrap(fault.Unavailable, err, "%s cannot be read", guessFile)
	}
	for d := json.NewDecoder(bytes.NewReader(b)); ; {
		var g guess
		if err := d.Decode(&g); errors.Is(err, io.EOF) {
			return out, nil
		} else if err != nil {
			return nil, fault.Wrap(fault.Integrity, err, "%s is damaged", guessFile).Then("Remove it when you know why.")
		}
		out = append(out, g)
	}
}

func (c Config) keepGuesses(all []guess) error {
	err := file.Save(c.guessPath(), func(w io.Writer) error {
		for e, i := json.NewEncoder(w), 0; i < len(all); i++ {
			if err := e.Encode(all[i]); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return fault.Wrap(fault.Unavailable, err, "%s cannot be written", guessFile)
	}
	return nil
}

// guessed counts a guess, on the disk before it is looked at; fault.Busy when there were too many. Who owns the data
// directory asks.
func (c Config) guessed(by string) error {
	all, err := c.guesses()
	if err != nil {
		return err
	}
	now, recent := c.Clock.Now().UTC(), 0
	for _, g := range all {
		if now.Sub(g.At) < guessWindow {
			recent++
		}
	}
	if recent >= mostGuesses {
		wait := all[len(all)-mostGuesses].At.Add(guessWindow).Sub(now)
		e := fault.New(fault.Busy, "too many passphrases were wrong").Then("None is looked at for the next %d minutes, right or wrong.", int(wait/time.Minute)+1)
		e.Retry = wait
		return e
	}
	return c.keepGuesses(append(all, guess{now, by}))
}

// countedPassphrase asks for the passphrase, and counts it before it is looked at.
func (c Config) countedPassphrase() ([]byte, error) {
	given, err := c.Passphrase()
	if err == nil && !c.counted {
		err = c.guessed(c.Command)
	}
	return given, err
}

// right takes back the last guess, which was none.
func (c Config) right() error {
	all, err := c.guesses()
	if err != nil || len(all) == 0 {
		return err
	}
	if all = all[:len(all)-1]; len(all) > 0 {
		return c.keepGuesses(all)
	}
	return os.Remove(c.guessPath())
}

// noteGuesses puts the guesses that were wrong into the log, and of a server also who opened it.
func (a *App) noteGuesses(ctx context.Context, opened string) error {
	all, err := a.cfg.guesses()
	if err != nil || len(all) == 0 && opened == "" {
		return err
	}
	content := map[string]any{"wrong": len(all)}
	if len(all) > 0 {
		content["guesses"] = all
	}
	kind, by := "vault.guessed", "ombud"
	if opened != "" {
		kind, by = "vault.unsealed", opened
	}
	if err := a.tell(ctx, kind, by, content); err != nil || len(all) == 0 {
		return err
	}
	return os.Remove(a.cfg.guessPath())
}
