package vault

import (
	"bytes"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/ombudhq/ombud/internal/fault"
)

const rootKeyFile = "root"

// loadRoot reads the root key, making it only where no key was ever made. seal is what it is sealed with, nil for nothing.
func loadRoot(c Config) (root [32]byte, seal *rootSeal, err error) {
	if err := os.MkdirAll(c.Dir, 0o700); err != nil {
		return root, nil, fault.Wrap(fault.Unavailable, err, "the directory of the keys cannot be made")
	}
	b, err := readKeyFile(c.RootPath)
	if errors.Is(err, fs.ErrNotExist) {
		b, err = makeRoot(c)
	}
	if err == nil && isSealed(b) {
		b, seal, err = c.unseal(b)
	}
	if err != nil {
		return root, nil, err
	}
	defer clear(b)
	if n, err := hex.Decode(root[:], bytes.TrimSpace(b)); err != nil || n != len(root) {
		return root, nil, fault.New(fault.Invalid, "the root key is not 32 bytes in hexadecimal")
	}
	return root, seal, nil
}

func readKeyFile(path string) ([]byte, error) {
	info, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	if err != nil {
		return nil, fault.Wrap(fault.Unavailable, err, "the root key cannot be read")
	}
	if mode := info.Mode().Perm(); mode&0o077 != 0 {
		return nil, fault.New(fault.Invalid, "the root key may be read by others (mode %04o)", mode).
			Then("Run chmod 600 on %s, and make a new one if somebody else may have read it.", filepath.Base(path))
	}
	b, err := os.ReadFile(path)
	if err != nil {
		return nil, fault.Wrap(fault.Unavailable, err, "the root key cannot be read")
	}
	if !isSealed(b) && len(bytes.TrimSpace(b)) != 64 {
		return nil, fault.New(fault.Invalid, "the root key is not 32 bytes in hexadecimal")
	}
	return b, nil
}

// makeRoot makes the root key. Whoever loses a race reads the winner's, which was there before its ombud.pub.
func makeRoot(c Config) ([]byte, error) {
	if _, err := os.Stat(filepath.Join(c.Dir, publicFile)); err == nil {
		b, err := readKeyFile(c.RootPath)
		if !errors.Is(err, fs.ErrNotExist) {
			return b, err
		}
		return nil, fault.New(fault.Integrity, "the root key is missing, and %s says there was one", publicFile).
			Then("Put the root key back; without it nothing that was sealed can be opened.")
	}
	raw := newRootKey()
	defer clear(raw[:])
	if err := createOnce(c.RootPath, rootText(&raw), 0o600); err != nil {
		return nil, fault.Wrap(fault.Unavailable, err, "the root key cannot be made")
	}
	return readKeyFile(c.RootPath)
}

func newRootKey() (raw [32]byte) {
	rand.Read(raw[:]) // never fails: it ends the process instead
	return raw
}

// rootText is how the file holds a root key.
func rootText(root *[32]byte) []byte { return append(hex.AppendEncode(nil, root[:]), '\n') }
