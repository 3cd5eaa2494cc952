package sqlite

import (
	"context"
	"fmt"
	"os"

	"github.com/ombudhq/ombud/internal/fault"
)

// Fingerprint joins what tells one catalog from another: the file, SQLite's own count of schema
// changes, and whether we may write. It fails when another file took the place of the one that was
// opened, whose rows nobody sees any more.
func (s *Store) Fingerprint(ctx context.Context) (string, error) {
	now, err := os.Stat(s.at.path)
	if err != nil || !os.SameFile(now, s.file) {
		return "", fault.New(fault.Unavailable, "system %s: the SQLite file was moved or replaced while it was open", s.system)
	}
	version, err := s.number(ctx, s.eye, "PRAGMA main.schema_version")
	if err != nil {
		return "", err
	}
	return fmt.Sprintf("sqlite 1 file %s schema %d write %v", identity(now), version, s.writable()), nil
}

// writable reports whether we may change the file, asked from the system and never tried.
func (s *Store) writable() bool { return !s.at.readOnly && mayWrite(s.at.path) }
