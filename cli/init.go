package cli

import (
	"context"
	"errors"
	"os"

	"github.com/ombudhq/ombud/internal/fault"
)

type initCmd struct{}

// skeleton is a first ombud.yaml: valid, and every part explained where it will stand.
const skeleton = `# What you say about your systems. It belongs in git, next to your code.
# ombud scan ID=DSN --write adds a system and what it finds; ombud doctor checks the file.
organization:
  name: Your organization
  jurisdictions: [eu]

systems: []
  # - id: shop
  #   connector: postgres        # sqlite | postgres | mysql | mariadb
  #   dsn: ${SHOP_DSN}           # environment is expanded, secrets are never echoed
  #   location: EU
  #   people:                    # where a person enters this system
  #     - {table: customers, by: {email: email}}

# Where checkpoints also go, so that nobody can rewrite the ledger and its head together.
# heads: /mnt/other/heads
`

// writes: the purposes of an ombud.yaml that was there are declared by the first command that reads it.
func (*initCmd) writes() {}

func (*initCmd) run(ctx context.Context, s *session) error {
	written, err := writeNew(s.Place.Config, skeleton)
	if err != nil {
		return err
	}
	out := map[string]any{"config": s.Place.Config, "data": s.Place.Data, "written": written, "public_key": s.publicKey("")}
	for _, w := range s.Warnings {
		s.warn("%s", w)
	}
	return s.answer(out, func() {
		s.heading("Ombud is ready.")
		if written {
			s.printf("  wrote  %s\n", s.Place.Config)
		} else {
			s.printf("  found  %s, and left it as it is\n", s.Place.Config)
		}
		s.printf("  keys   %s\n  next   ombud scan ID=DSN --write, for example ombud scan shop=sqlite:shop.db --write\n", s.publicKey(""))
	})
}

// writeNew writes a file that is not there; false when it is.
func writeNew(path, text string) (bool, error) {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if errors.Is(err, os.ErrExist) {
		return false, nil
	}
	if err != nil {
		return false, fault.Wrap(fault.Unavailable, err, "%s cannot be written", path)
	}
	_, err = f.WriteString(text)
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		return false, fault.Wrap(fault.Unavailable, err, "%s cannot be written", path)
	}
	return true, nil
}
