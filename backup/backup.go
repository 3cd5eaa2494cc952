// Package backup copies the own store into one encrypted file, and back.
//
// A backup is what one snapshot of the store holds, in a form that both engines take, encrypted to age recipients. Behind
// it stands, in clear and signed, what it is: version, moment, the ledger's head and checkpoint, and the hash of what is
// encrypted. It never holds the keys of the data directory nor the suppression ledger: whoever steals it and the identity it
// is encrypted to still lacks the root key, and whoever restores it needs, from elsewhere, what was erased since.
//
//	age file | trailer, JSON | length of the trailer, 8 bytes | "ombud-backup/v1\n"
package backup

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"filippo.io/age"

	"github.com/ombudhq/ombud/internal/db"
	"github.com/ombudhq/ombud/internal/fault"
	"github.com/ombudhq/ombud/internal/file"
	"github.com/ombudhq/ombud/ledger"
	"github.com/ombudhq/ombud/vault"
)

const (
	format     = "ombud-backup/v1\n"
	maxTrailer = 1 << 20
	// Extension is how the names of backups end.
	Extension = ".ombud-backup"
)

// Manifest says what a backup is. It names nobody.
type Manifest struct {
	Version    string           `json:"version"` // of the program that made it
	Created    time.Time        `json:"created"`
	Head       int64            `json:"head"` // revision of the newest entry of the ledger
	Size       int64            `json:"size"` // entries
	Root       string           `json:"root"`
	Checkpoint string           `json:"checkpoint"`
	Acts       int64            `json:"acts"` // that the suppression ledger held; a restore needs all of them and the later ones
	Rows       map[string]int64 `json:"rows"`
	Bytes      int64            `json:"bytes"` // encrypted
	SHA256     string           `json:"sha256"`
}

// trailer is the signed manifest.
type trailer struct {
	Manifest  json.RawMessage `json:"manifest"`
	Signature []byte          `json:"signature"`
}

// Source is what a backup is made of.
type Source struct {
	DB         *db.DB
	Ledger     *ledger.Ledger
	Vault      *vault.Vault
	Version    string
	Now        time.Time
	Recipients string // as age takes them: one a line, age1…
}

// Create writes a backup as a whole, mode 0600, beside whatever is written to the store meanwhile.
func Create(ctx context.Context, s Source, path string) (Manifest, error) {
	m := Manifest{Version: s.Version, Created: s.Now.UTC().Truncate(time.Second)}
	err := save(path, s.Recipients, func(w io.Writer, to []age.Recipient) error { return m.write(ctx, s, to, w) })
	return m, err
}

// save writes a file as a whole, for recipients that are judged first.
func save(path, recipients string, write func(io.Writer, []age.Recipient) error) error {
	to, err := age.ParseRecipients(strings.NewReader(recipients))
	if err != nil {
		return fault.New(fault.Invalid, "this is no age recipient").Then("age-keygen -o KEYFILE makes an identity and prints its recipient, age1….")
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return fault.Wrap(fault.Unavailable, err, "the folder %s cannot be made", filepath.Dir(path))
	}
	err = file.Save(path, func(w io.Writer) error { return write(w, to) })
	if err != nil && fault.KindOf(err) == fault.Internal {
		err = fault.Wrap(fault.Unavailable, err, "the backup cannot be written")
	}
	return err
}

func (m *Manifest) write(ctx context.Context, s Source, to []age.Recipient, out io.Writer) error {
	sum := &counted{w: out, sum: sha256.New()}
	enc, err := age.Encrypt(sum, to...)
	if err != nil {
		return fmt.Errorf("encrypting a backup: %w", err)
	}
	acts := s.Ledger.Acts() // before the snapshot: not more than it knows
	err = s.DB.Read(ctx, func(tx *db.Tx) error {
		at, err := s.Ledger.At(ctx, tx)
		if err != nil {
			return err
		}
		m.Head, m.Size, m.Root, m.Checkpoint, m.Acts = at.Head, at.Size, at.Root, at.Note, acts
		m.Rows, err = db.Dump(ctx, tx, enc)
		return err
	})
	if err := errors.Join(err, enc.Close()); err != nil {
		return err
	}
	m.Bytes, m.SHA256 = sum.n, hex.EncodeToString(sum.sum.Sum(nil))
	return endFile(out, s.Vault, format, m)
}

// endFile writes the signed manifest behind what was encrypted.
func endFile(out io.Writer, v *vault.Vault, format string, manifest any) error {
	raw, err := json.Marshal(manifest)
	if err != nil {
		return fmt.Errorf("encoding a manifest: %w", err)
	}
	b, err := json.Marshal(trailer{raw, v.Sign(append([]byte(format), raw...))})
	if err != nil {
		return fmt.Errorf("encoding a manifest: %w", err)
	}
	b = append(binary.BigEndian.AppendUint64(b, uint64(len(b))), format...)
	_, err = out.Write(b)
	return err
}

// counted counts and hashes what goes through.
type counted struct {
	w   io.Writer
	n   int64
	sum hash.Hash
}

func (c *counted) Write(b []byte) (int, error) {
	n, err := c.w.Write(b)
	c.n += int64(n)
	c.sum.Write(b[:n])
	return n, err
}

// File is a backup that was opened and is what its key signed, as far as it was read.
type File struct {
	Manifest
	f *os.File
}

// Open reads what a backup says of itself; fault.Integrity when that was not signed with this key.
func Open(path string, pub ed25519.PublicKey) (*File, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fault.Wrap(fault.Invalid, err, "%s cannot be read", path)
	}
	b := &File{f: f}
	if err := b.readTrailer(pub); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return b, nil
}

func errFile(why string) error {
	return fault.New(fault.Integrity, "this is not a backup as it was made: %s", why)
}

func (b *File) readTrailer(pub ed25519.PublicKey) error {
	t, encrypted, err := readEnd(b.f, format)
	if err != nil {
		return err
	}
	if !t.signedBy(pub, format) {
		return errFile("it is not signed by this key")
	}
	if json.Unmarshal(t.Manifest, &b.Manifest) != nil || b.Bytes != encrypted {
		return errFile("its length is another")
	}
	return nil
}

func (t trailer) signedBy(pub ed25519.PublicKey, format string) bool {
	return ed25519.Verify(pub, append([]byte(format), t.Manifest...), t.Signature)
}

// readEnd reads what endFile wrote, and how long what is encrypted before it is. Who signed it is not judged.
func readEnd(f *os.File, format string) (t trailer, encrypted int64, err error) {
	size, err := f.Seek(0, io.SeekEnd)
	if err != nil {
		return t, 0, err
	}
	end := int64(8 + len(format))
	tail := make([]byte, end)
	if size < end || readAt(f, tail, size-end) != nil || string(tail[8:]) != format {
		return t, 0, errFile("its end is missing")
	}
	n := int64(binary.BigEndian.Uint64(tail))
	if n <= 0 || n > maxTrailer || n > size-end {
		return t, 0, errFile("its end is damaged")
	}
	text := make([]byte, n)
	if err := readAt(f, text, size-end-n); err != nil {
		return t, 0, err
	}
	if json.Unmarshal(text, &t) != nil {
		return t, 0, errFile("its end is damaged")
	}
	return t, size - end - n, nil
}

func readAt(f *os.File, b []byte, at int64) error {
	_, err := f.ReadAt(b, at)
	return err
}

// Check reads all of it and compares with what was signed.
func (b *File) Check() error { return unchanged(b.f, b.Bytes, b.SHA256) }

// unchanged compares what is encrypted with its hash.
func unchanged(f *os.File, encrypted int64, want string) error {
	sum := sha256.New()
	if _, err := io.Copy(sum, io.NewSectionReader(f, 0, encrypted)); err != nil {
		return fault.Wrap(fault.Unavailable, err, "the backup cannot be read")
	}
	if hex.EncodeToString(sum.Sum(nil)) != want {
		return errFile("its content was changed")
	}
	return nil
}

// Decrypt gives the store in it, for db.Fill. identities are as age-keygen writes them.
func (b *File) Decrypt(identities []byte) (io.Reader, error) {
	return decrypt(b.f, b.Bytes, identities)
}

func decrypt(f *os.File, encrypted int64, identities []byte) (io.Reader, error) {
	ids, err := age.ParseIdentities(bytes.NewReader(identities))
	if err != nil {
		return nil, fault.New(fault.Invalid, "the identity file holds no age identity")
	}
	r, err := age.Decrypt(io.NewSectionReader(f, 0, encrypted), ids...)
	if err != nil {
		return nil, fault.Wrap(fault.Denied, err, "the backup is not encrypted to this identity")
	}
	return r, nil
}

// Close ends the reading.
func (b *File) Close() error { return b.f.Close() }

// Listed is a backup in a folder, or what looks like one.
type Listed struct {
	File string `json:"file"`
	Manifest
	Checked *Checked `json:"checked,omitempty"` // nil when nobody looked since it was made
	Problem string   `json:"problem,omitempty"`
}

// List gives the backups of a folder, oldest first. One that cannot be trusted says why.
func List(dir string, pub ed25519.PublicKey) ([]Listed, error) {
	names, err := file.Named(dir, "", Extension)
	if err != nil {
		return nil, fmt.Errorf("listing backups: %w", err)
	}
	out := []Listed{}
	for _, name := range names {
		one := Listed{File: filepath.Base(name)}
		if b, err := Open(name, pub); err != nil {
			one.Problem = err.Error()
		} else {
			one.Manifest = b.Manifest
			if c := checkedOf(name, b.SHA256); c.SHA256 != "" {
				one.Checked = &c
			}
			_ = b.Close() // only read
		}
		out = append(out, one)
	}
	return out, nil
}
