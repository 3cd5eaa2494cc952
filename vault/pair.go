package vault

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"os"
	"path/filepath"
	"sync"

	"github.com/ombudhq/ombud/internal/fault"
)

const (
	pairBlock = 4096 // so far apart that writing one touches no sector of the other
	pairMagic = "ombud-k1"
	pairSize  = len(pairMagic) + 8 + 32 + 16
)

// pair is a file that holds one secret or, while one follows another, two: each in a block of its own, which is overwritten
// in place when the secret goes. It is safe for concurrent use.
type pair struct {
	path string
	mu   sync.Mutex
	have [2]versioned
}

// versioned is one secret; the zero version is none.
type versioned struct {
	version uint64
	secret  [32]byte
}

// openPair reads the file, or makes it with version 1.
func openPair(path string) (*pair, error) {
	p := &pair{path: path}
	if err := p.read(); !errors.Is(err, os.ErrNotExist) {
		return p, err
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return nil, fault.Wrap(fault.Unavailable, err, "the directory of the keys cannot be made")
	}
	first := newVersioned(1)
	defer clear(first.secret[:])
	b := append(first.block(), make([]byte, pairBlock)...)
	defer clear(b)
	if err := createOnce(path, b, 0o600); err != nil {
		return nil, fault.Wrap(fault.Unavailable, err, "the key file %s cannot be made", filepath.Base(path))
	}
	return p, p.read()
}

func newVersioned(version uint64) (v versioned) {
	v.version = version
	rand.Read(v.secret[:]) // never fails: it ends the process instead
	return v
}

// block is how a secret lies in the file; nothing but zeros for none.
func (v *versioned) block() []byte {
	b := make([]byte, pairBlock)
	if v.version == 0 {
		return b
	}
	n := copy(b, pairMagic)
	binary.BigEndian.PutUint64(b[n:], v.version)
	n += 8
	n += copy(b[n:], v.secret[:])
	sum := sha256.Sum256(b[:n])
	copy(b[n:], sum[:16])
	return b
}

// parseBlock gives none for a block that a crash left half written.
func parseBlock(b []byte) (v versioned) {
	n := len(pairMagic)
	sum := sha256.Sum256(b[:pairSize-16])
	if string(b[:n]) != pairMagic || string(sum[:16]) != string(b[pairSize-16:pairSize]) {
		return v
	}
	v.version = binary.BigEndian.Uint64(b[n:])
	copy(v.secret[:], b[n+8:])
	return v
}

// read takes the file in; os.ErrNotExist comes back as it is.
func (p *pair) read() error {
	name := filepath.Base(p.path)
	info, err := os.Stat(p.path)
	if errors.Is(err, os.ErrNotExist) {
		return err
	}
	if err != nil {
		return fault.Wrap(fault.Unavailable, err, "the key file %s cannot be read", name)
	}
	if mode := info.Mode().Perm(); mode&0o077 != 0 {
		return fault.New(fault.Invalid, "the key file %s may be read by others (mode %04o)", name, mode).
			Then("Run chmod 600 on it, and rotate the keys if somebody else may have read it.")
	}
	b, err := os.ReadFile(p.path)
	if err != nil {
		return fault.Wrap(fault.Unavailable, err, "the key file %s cannot be read", name)
	}
	defer clear(b)
	if len(b) == 2*pairBlock {
		p.have = [2]versioned{parseBlock(b), parseBlock(b[pairBlock:])}
	}
	if p.have[0].version == p.have[1].version { // none, or twice the same, which never was
		return fault.New(fault.Integrity, "the key file %s is damaged", name).Then("Put back the file that was used before.")
	}
	return nil
}

// forget overwrites the secrets in memory; the file stays.
func (p *pair) forget() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for i := range p.have {
		clear(p.have[i].secret[:])
		p.have[i] = versioned{}
	}
}

// newest is the version that was added last.
func (p *pair) newest() uint64 {
	p.mu.Lock()
	defer p.mu.Unlock()
	return max(p.have[0].version, p.have[1].version)
}

// key is the secret of a version; false when it is not here.
func (p *pair) key(version uint64) (secret [32]byte, ok bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for i := range p.have {
		if v := &p.have[i]; v.version == version && version > 0 {
			return v.secret, true
		}
	}
	return secret, false
}

func (p *pair) newestKey() (uint64, [32]byte) {
	version := p.newest()
	secret, _ := p.key(version)
	return version, secret
}

// add makes a version, and answers when it is on the disk.
func (p *pair) add() (uint64, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for i := range p.have {
		if p.have[i].version != 0 {
			continue
		}
		next := newVersioned(p.have[1-i].version + 1)
		defer clear(next.secret[:])
		if err := p.write(i, &next); err != nil {
			return 0, err
		}
		p.have[i] = next
		return next.version, nil
	}
	return 0, fault.New(fault.Conflict, "the key file %s holds two versions already", filepath.Base(p.path)).Then("Destroy the older one first.")
}

// keepOnly overwrites what is not this version, also what a crash left half written, and answers when that is on the disk.
func (p *pair) keepOnly(version uint64) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	var none versioned
	for i := range p.have {
		if p.have[i].version == version || p.have[1-i].version != version {
			continue
		}
		if err := p.write(i, &none); err != nil {
			return err
		}
		clear(p.have[i].secret[:])
		p.have[i] = none
	}
	return nil
}

func (p *pair) write(i int, v *versioned) error {
	b := v.block()
	defer clear(b)
	if err := overwrite(p.path, b, int64(i)*pairBlock); err != nil {
		return fault.Wrap(fault.Unavailable, err, "the key file %s cannot be written", filepath.Base(p.path))
	}
	return nil
}

// overwrite replaces bytes of a file where they lie, and answers when that is on the disk.
func overwrite(path string, b []byte, at int64) error {
	f, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	_, err = f.WriteAt(b, at)
	return errors.Join(err, f.Sync(), f.Close())
}
