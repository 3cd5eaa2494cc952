package vault

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/ombudhq/ombud/internal/fault"
	"github.com/ombudhq/ombud/internal/file"
)

// The file ring is what a rotation of the root key took along, sealed under the root key that came after:
//
//	"ombud-ring/v1\n" | generation, 4 bytes | sealed list
//
// There is none before the first rotation. A rotation writes root.next, then ring.next, and then gives the first the name
// root: that is the moment it happened. What went before is undone by the next start, what follows is done by it.
const (
	ringFile  = "ring"
	ringMagic = "ombud-ring/v1\n"
	nextFile  = ".next" // behind the names of those that will take their place
	oldFile   = ".old"  // behind that of a root key that was left, until it is overwritten
)

// loadRing reads the root key and what was taken along to it, and settles a rotation that was cut off. It gives also what the
// root key is sealed with.
func loadRing(c Config) (*ring, *rootSeal, error) {
	if !c.ReadOnly {
		if err := undoRoot(c); err != nil {
			return nil, nil, err
		}
	}
	root, seal, err := loadRoot(c)
	if err != nil {
		return nil, nil, err
	}
	defer clear(root[:])
	r, err := ringOf(c, &root)
	if err != nil {
		seal.forget()
	}
	return r, seal, err
}

// ringOf reads what was taken along to a root key.
func ringOf(c Config, root *[32]byte) (*ring, error) {
	path := filepath.Join(c.Dir, ringFile)
	r, err := readRing(path+nextFile, root)
	if err == nil && r != nil && !c.ReadOnly {
		err = c.adoptRing()
	}
	if err != nil || r != nil {
		return r, err
	}
	if r, err = readRing(path, root); err != nil || r != nil {
		return r, err
	}
	if _, err := os.Stat(path); err == nil {
		return nil, fault.New(fault.Integrity, "the root key and the file %s do not belong together", ringFile).
			Then("Put back the root key that was used before, or the newest copy of the whole folder keys.")
	}
	return newRing(*root, 1, nil, nil), nil
}

// readRing reads a ring; nil where there is none, or it is of another root key.
func readRing(path string, root *[32]byte) (*ring, error) {
	b, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fault.Wrap(fault.Unavailable, err, "the file %s of the keys cannot be read", ringFile)
	}
	n := len(ringMagic) + 4
	if len(b) < n || string(b[:len(ringMagic)]) != ringMagic {
		return nil, nil
	}
	key := derive(root, "ring")
	defer clear(key[:])
	plain, err := newXAES(key).open(b[:n], b[n:])
	if err != nil {
		return nil, nil
	}
	defer clear(plain)
	taken, former, err := decodeRing(plain)
	if err != nil {
		return nil, fault.Wrap(fault.Integrity, err, "the file %s of the keys is damaged", ringFile)
	}
	return newRing(*root, binary.BigEndian.Uint32(b[len(ringMagic):n]), taken, former), nil
}

// writeRing makes a ring durable under a name.
func writeRing(path string, r *ring) error {
	key := derive(&r.root, "ring")
	defer clear(key[:])
	header := binary.BigEndian.AppendUint32([]byte(ringMagic), r.generation)
	plain := r.encode()
	defer clear(plain)
	sealed := newXAES(key).seal(header, plain)
	err := file.Save(path, func(w io.Writer) error {
		_, err := w.Write(append(bytes.Clone(header), sealed...))
		return err
	})
	if err != nil {
		return fault.Wrap(fault.Unavailable, err, "the file %s of the keys cannot be written", ringFile)
	}
	return nil
}

// replaceRoot puts a ring and its root key in the place of those before. Cut off anywhere, the next start has either the
// one or the other; the former root key is overwritten where it lay.
func (c *Config) replaceRoot(r *ring, seal *rootSeal) error {
	return c.putRoot(seal.text(&r.root), r)
}

// putRoot puts the file of a root key in place, with the ring that belongs to it; nil where that of before does.
func (c *Config) putRoot(text []byte, r *ring) error {
	defer clear(text)
	ring, adopt := func() error { return writeRing(filepath.Join(c.Dir, ringFile+nextFile), r) }, c.adoptRing
	if r == nil {
		ring = func() error { return nil }
		adopt = ring
	}
	for _, step := range []func() error{
		func() error { return undoRoot(*c) }, // an earlier one may have failed
		func() error { return createOnce(c.RootPath+nextFile, text, 0o600) },
		func() error { c.hook("root.key"); return ring() },
		func() error { c.hook("root.ring"); return os.Link(c.RootPath, c.RootPath+oldFile) },
		func() error { c.hook("root.linked"); return os.Rename(c.RootPath+nextFile, c.RootPath) },
		func() error { c.hook("root.replaced"); return syncDir(filepath.Dir(c.RootPath)) },
		adopt,
		func() error { c.hook("root.adopted"); return destroy(c.RootPath + oldFile) },
	} {
		if err := step(); err != nil {
			return fault.Wrap(fault.Unavailable, err, "the new root key cannot be put in place")
		}
	}
	return nil
}

// adoptRing gives the ring of the present root key its name.
func (c *Config) adoptRing() error {
	path := filepath.Join(c.Dir, ringFile)
	if err := os.Rename(path+nextFile, path); err != nil {
		return fault.Wrap(fault.Unavailable, err, "the file %s of the keys cannot be written", ringFile)
	}
	return file.SyncDir(c.Dir)
}

// undoRoot removes a new root key that never took its place, and one that was left.
func undoRoot(c Config) error {
	now, err := os.Stat(c.RootPath)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if old, e := os.Stat(c.RootPath + oldFile); err == nil && e == nil && os.SameFile(now, old) {
		err = os.Remove(c.RootPath + oldFile) // it is the present one
	}
	if _, e := os.Stat(c.RootPath + nextFile); err == nil && e == nil {
		err = errors.Join(destroy(filepath.Join(c.Dir, ringFile+nextFile)), destroy(c.RootPath+nextFile))
	}
	if err = errors.Join(err, destroy(c.RootPath+oldFile)); err != nil {
		return fault.Wrap(fault.Unavailable, err, "a rotation of the root key that was cut off cannot be undone")
	}
	return nil
}

// destroy overwrites a file where it lies, and removes it; nothing where there is none.
func destroy(path string) error {
	f, err := os.OpenFile(path, os.O_WRONLY, 0)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	return errors.Join(blank(f), f.Close(), os.Remove(path))
}
