package vault

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/binary"
	"os"
	"path/filepath"
	"unicode/utf8"

	"golang.org/x/crypto/argon2"

	"github.com/ombudhq/ombud/internal/fault"
)

// A root key may lie sealed by a passphrase. The file root then holds
//
//	"ombud-sealed-root/v1\n" | passes, 4 bytes | memory in KiB, 4 bytes | lanes, 1 byte | salt, 16 bytes | sealed root key
//
// Argon2id makes of passphrase and salt the key it is sealed under. What the folder holds beside it opens nothing without the
// root key: the list of bucket keys is sealed under a key that comes of it too.
const (
	sealedMagic  = "ombud-sealed-root/v1\n"
	sealedHeader = len(sealedMagic) + 4 + 4 + 1 + 16

	// The second choice of RFC 9106, for where memory is not without end.
	passes, memoryKiB, lanes = 3, 64 << 10, 4

	mostPasses, mostMemory = 64, 2 << 20 // of a file: one that was changed must not cost more

	// ShortestPassphrase is how many characters one has at least: who has the file can try without end.
	ShortestPassphrase = 16
	longestPassphrase  = 1024
)

// rootSeal is what a passphrase came to: the key that root keys are sealed under, and how it is found again.
type rootSeal struct {
	header []byte
	key    [32]byte
}

func newRootSeal(passphrase []byte) *rootSeal {
	h := binary.BigEndian.AppendUint32([]byte(sealedMagic), passes)
	h = append(binary.BigEndian.AppendUint32(h, memoryKiB), lanes)
	h = append(h, make([]byte, 16)...)
	rand.Read(h[len(h)-16:]) // never fails: it ends the process instead
	return sealOf(h, passphrase)
}

// sealOf makes the key that a header tells of; nil for one that asks for more than it may.
func sealOf(header, passphrase []byte) *rootSeal {
	cost := header[len(sealedMagic):]
	n, memory := binary.BigEndian.Uint32(cost), binary.BigEndian.Uint32(cost[4:])
	if n == 0 || n > mostPasses || memory > mostMemory || cost[8] == 0 {
		return nil
	}
	key := argon2.IDKey(passphrase, cost[9:], n, memory, cost[8], 32)
	defer clear(key)
	return &rootSeal{bytes.Clone(header), [32]byte(key)}
}

// text is the file of a root key, sealed where there is a seal.
func (s *rootSeal) text(root *[32]byte) []byte {
	open := rootText(root)
	if s == nil {
		return open
	}
	defer clear(open)
	x := newXAES(&s.key)
	defer x.forget()
	return append(bytes.Clone(s.header), x.seal(s.header, open)...)
}

// forget overwrites the key.
func (s *rootSeal) forget() {
	if s != nil {
		clear(s.key[:])
	}
}

// isSealed tells a sealed root key by how its file begins.
func isSealed(b []byte) bool { return bytes.HasPrefix(b, []byte(sealedMagic)) }

// Sealed tells whether the root key lies sealed by a passphrase, without opening it.
func Sealed(c Config) (bool, error) {
	b, err := os.ReadFile(c.rootPath())
	if os.IsNotExist(err) {
		return false, nil
	}
	if err != nil {
		return false, fault.Wrap(fault.Unavailable, err, "the root key cannot be read")
	}
	defer clear(b)
	return isSealed(b), nil
}

// unseal asks for the passphrase, and gives the text of the root key and what it is sealed with.
func (c *Config) unseal(b []byte) ([]byte, *rootSeal, error) {
	if c.Passphrase == nil {
		return nil, nil, ErrSealed()
	}
	passphrase, err := c.Passphrase()
	if err != nil {
		return nil, nil, err
	}
	defer clear(passphrase)
	if len(b) <= sealedHeader {
		return nil, nil, errRootFile()
	}
	seal := sealOf(b[:sealedHeader], passphrase)
	if seal == nil {
		return nil, nil, errRootFile()
	}
	x := newXAES(&seal.key)
	defer x.forget()
	open, err := x.open(b[:sealedHeader], b[sealedHeader:])
	if err != nil {
		seal.forget()
		return nil, nil, fault.New(fault.Denied, "this passphrase does not open the root key").Then("Check it: its letters count, large and small, and every blank.")
	}
	return open, seal, nil
}

// ErrSealed says that the root key is sealed by a passphrase, and that nobody gave it.
func ErrSealed() error {
	return fault.New(fault.Waiting, "the root key is sealed by a passphrase, and nobody gave it").
		Then("A terminal is asked for it; without one, OMBUD_PASSPHRASE_FILE names a file that holds it, - for standard input.")
}

func errRootFile() error { return fault.New(fault.Invalid, "the root key is damaged") }

// SealRoot seals the root key by a passphrase, or by another one; an empty one leaves it open again. Nothing else changes, and
// nothing is interrupted. fault.Invalid for a passphrase that is too short. What lay open before was overwritten where it lay;
// copies of it that somebody made open as before, until the keys are rotated.
func (v *Vault) SealRoot(ctx context.Context, passphrase []byte) error {
	if n := utf8.RuneCount(passphrase); n != 0 && n < ShortestPassphrase || len(passphrase) > longestPassphrase {
		return fault.New(fault.Invalid, "this passphrase cannot be taken").With(fault.Detail{Where: "passphrase",
			Message: "a passphrase has 16 to 1024 characters: who has the file can try without end"})
	}
	s, err := v.turning(ctx)
	if err != nil {
		return err
	}
	defer s.rotating.Unlock()
	if err := s.bindList(); err != nil {
		return err
	}
	k := v.in()
	var next *rootSeal
	if len(passphrase) > 0 {
		next = newRootSeal(passphrase)
	}
	if err := k.config.putRoot(next.text(&k.now().root), nil); err != nil {
		return err
	}
	k.seal.Swap(next).forget()
	return nil
}

// RootSealed tells whether the root key lies sealed by a passphrase.
func (v *Vault) RootSealed() bool { return v.in().seal.Load() != nil }

// bindList seals the list of bucket keys under the root key too, where it is from before that was so; under a new anchor, so
// that older copies of the list open nothing.
func (s *slots) bindList() error {
	s.change.Lock()
	defer s.change.Unlock()
	if s.root.bound {
		return nil
	}
	return s.move(nil, func(*root) error { return nil })
}

// rootPath is where the root key lies.
func (c *Config) rootPath() string {
	if c.RootPath != "" {
		return c.RootPath
	}
	return filepath.Join(c.Dir, rootKeyFile)
}
