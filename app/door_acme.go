package app

import (
	"encoding/base32"
	"errors"
	"os"
	"path/filepath"

	"golang.org/x/crypto/acme"

	"github.com/ombudhq/ombud/catalog"
	"github.com/ombudhq/ombud/internal/dial"
	"github.com/ombudhq/ombud/internal/file"
	"github.com/ombudhq/ombud/internal/transport"
	"github.com/ombudhq/ombud/vault"
)

// authority is who gives us certificates.
func (a *App) authority(cfg *catalog.Config) (*transport.Authority, error) {
	c := cfg.Serve.TLS.ACME
	client, err := dial.Client(dial.Way{Private: c.Allow == "private", Peer: dial.Peer{CA: cfg.File(c.CA)}})
	if err != nil {
		return nil, err
	}
	if c.Directory == "" {
		c.Directory = acme.LetsEncryptURL
	}
	kept := sealedFiles{a.cfg.DataDir, a.Vault}
	return &transport.Authority{Host: transport.Host(cfg.Serve.URL), Directory: c.Directory, Email: c.Email, Client: client,
		Load: kept.load, Save: kept.save, Clock: a.cfg.Clock, Log: a.cfg.Log}, nil
}

// certificate tells how it stands with the one an authority gives; nil where none is asked.
func (a *App) certificate(cfg *catalog.Config) (*transport.Standing, error) {
	if !cfg.Serve.TLS.ACME.On() {
		return nil, nil
	}
	from, err := a.authority(cfg)
	if err != nil {
		return nil, err
	}
	s, err := from.Standing()
	return &s, err
}

// sealedFiles keep certificates, and the keys they are for, in DIR/acme, sealed each under its name. That the vault's keys
// are needed to read them makes a copy of the folder worth nothing.
type sealedFiles struct {
	dir   string
	vault *vault.Vault
}

const acmeLabel = "acme"

// path is a file of its own for each name, whatever is in the name.
func (s sealedFiles) path(name string) string {
	return filepath.Join("acme", base32.HexEncoding.WithPadding(base32.NoPadding).EncodeToString([]byte(name)))
}

// nameOf is the name that a file is for; false for what is none of ours.
func (s sealedFiles) nameOf(file string) (string, bool) {
	b, err := base32.HexEncoding.WithPadding(base32.NoPadding).DecodeString(file)
	return string(b), err == nil
}

// load opens what is kept under a name.
func (s sealedFiles) load(name string) ([]byte, error) {
	b, err := os.ReadFile(filepath.Join(s.dir, s.path(name)))
	if err != nil {
		return nil, err
	}
	return s.vault.Open(acmeLabel, []byte(name), b)
}

// save keeps it, durably.
func (s sealedFiles) save(name string, data []byte) error {
	b := &file.Batch{Dir: s.dir}
	_, err := b.Put(s.path(name), s.vault.Seal(acmeLabel, []byte(name), data))
	return errors.Join(err, b.Sync())
}
