package backup

import (
	"archive/tar"
	"context"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"time"

	"filippo.io/age"

	"github.com/ombudhq/ombud/internal/fault"
	"github.com/ombudhq/ombud/internal/file"
	"github.com/ombudhq/ombud/vault"
)

// Keys have backups of their own, as data and keys together would bring back whom an erasure forgot. One is a tar of the
// folder of the keys, encrypted, with the same end as a backup of data. Keep it elsewhere, and not for long: only the newest
// is needed, and every older one still opens who was shredded since.
const (
	keysFormat = "ombud-keys/v1\n"
	// KeysExtension is how the names of backups of keys end.
	KeysExtension = ".ombud-keys"
)

// KeysManifest says what a backup of keys is. It names nobody.
type KeysManifest struct {
	Version    string    `json:"version"` // of the program that made it
	Created    time.Time `json:"created"`
	Provider   string    `json:"provider"` // who keeps the key-encryption key
	KeyVersion string    `json:"key_version"`
	Keys       int       `json:"keys"`    // of people and requests that were given out
	Buckets    int       `json:"buckets"` // keys that wrap those
	Bytes      int64     `json:"bytes"`   // encrypted
	SHA256     string    `json:"sha256"`
}

// KeySource is what a backup of keys is made of.
type KeySource struct {
	Vault      *vault.Vault
	Version    string
	Now        time.Time
	Recipients string // as age takes them: one a line, age1…
}

// CreateKeys writes a backup of the keys as a whole, mode 0600, as they are at one moment.
func CreateKeys(ctx context.Context, s KeySource, path string) (KeysManifest, error) {
	m := KeysManifest{Version: s.Version, Created: s.Now.UTC().Truncate(time.Second)}
	err := save(path, s.Recipients, func(w io.Writer, to []age.Recipient) error { return m.write(ctx, s, to, w) })
	return m, err
}

func (m *KeysManifest) write(ctx context.Context, s KeySource, to []age.Recipient, out io.Writer) error {
	sum := &counted{w: out, sum: sha256.New()}
	enc, err := age.Encrypt(sum, to...)
	if err != nil {
		return fmt.Errorf("encrypting a backup: %w", err)
	}
	all := tar.NewWriter(enc)
	ages, err := s.Vault.Copy(ctx, s.Now, func(name string, size int64, content io.Reader) error {
		if err := all.WriteHeader(&tar.Header{Name: name, Size: size, Mode: 0o600, Format: tar.FormatPAX}); err != nil {
			return err
		}
		_, err := io.Copy(all, content)
		return err
	})
	if err := errors.Join(err, all.Close(), enc.Close()); err != nil {
		return err
	}
	m.Provider, m.KeyVersion, m.Keys, m.Buckets = ages.Provider, ages.Version, ages.Keys, ages.Buckets
	m.Bytes, m.SHA256 = sum.n, hex.EncodeToString(sum.sum.Sum(nil))
	return endFile(out, s.Vault, keysFormat, m)
}

// KeysFile is a backup of keys that was opened. Who signed it is known once its keys are.
type KeysFile struct {
	KeysManifest
	f   *os.File
	end trailer
}

// OpenKeys reads what a backup of keys says of itself.
func OpenKeys(path string) (*KeysFile, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fault.Wrap(fault.Invalid, err, "%s cannot be read", path)
	}
	b := &KeysFile{f: f}
	var encrypted int64
	if b.end, encrypted, err = readEnd(f, keysFormat); err == nil && (json.Unmarshal(b.end.Manifest, &b.KeysManifest) != nil || b.Bytes != encrypted) {
		err = errFile("its length is another")
	}
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return b, nil
}

// Verify tells whether what it says of itself was signed with this key: fault.Integrity when not.
func (b *KeysFile) Verify(pub ed25519.PublicKey) error {
	if !b.end.signedBy(pub, keysFormat) {
		return errFile("it is not signed by the key in it, or not by yours")
	}
	return nil
}

// Extract writes the files of the keys into a folder that is there and empty, and compares what it read with what was
// signed.
func (b *KeysFile) Extract(dir string, identities []byte) error {
	if err := unchanged(b.f, b.Bytes, b.SHA256); err != nil {
		return err
	}
	r, err := decrypt(b.f, b.Bytes, identities)
	if err != nil {
		return err
	}
	for all := tar.NewReader(r); ; {
		h, err := all.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil || !slices.Contains(vault.KeyFiles(), h.Name) {
			return errFile("it holds something else than keys")
		}
		err = file.Save(filepath.Join(dir, h.Name), func(w io.Writer) error {
			_, err := io.Copy(w, all)
			return err
		})
		if err != nil {
			return fault.Wrap(fault.Unavailable, err, "the keys cannot be written")
		}
	}
}

// Close ends the reading.
func (b *KeysFile) Close() error { return b.f.Close() }
