package app

import (
	"context"
	"encoding/base32"
	"errors"
	"io/fs"
	"os"
	"path/filepath"

	"golang.org/x/crypto/acme/autocert"

	"github.com/ombudhq/ombud/internal/file"
	"github.com/ombudhq/ombud/vault"
)

// sealedFiles keep certificates, and the keys they are for, in DIR/acme, sealed each under its name. That the vault's keys
// are needed to read them makes a copy of the folder worth nothing.
type sealedFiles struct {
	dir   string
	vault *vault.Vault
}

var _ autocert.Cache = sealedFiles{}

const acmeLabel = "acme"

// path is a file of its own for each name, whatever is in the name.
func (s sealedFiles) path(name string) string {
	return filepath.Join(s.dir, "acme", base32.HexEncoding.WithPadding(base32.NoPadding).EncodeToString([]byte(name)))
}

// Get opens what is kept under a name.
func (s sealedFiles) Get(_ context.Context, name string) ([]byte, error) {
	b, err := os.ReadFile(s.path(name))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, autocert.ErrCacheMiss
	}
	if err != nil {
		return nil, err
	}
	return s.vault.Open(acmeLabel, []byte(name), b)
}

// Put keeps it, durably.
func (s sealedFiles) Put(_ context.Context, name string, data []byte) error {
	b := &file.Batch{Dir: s.dir}
	sealed := s.vault.Seal(acmeLabel, []byte(name), data)
	rel, err := filepath.Rel(s.dir, s.path(name))
	if err == nil {
		_, err = b.Put(rel, sealed)
	}
	return errors.Join(err, b.Sync())
}

// Delete forgets it.
func (s sealedFiles) Delete(_ context.Context, name string) error {
	err := os.Remove(s.path(name))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}
