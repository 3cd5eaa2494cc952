package vault

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"time"

	"github.com/ombudhq/ombud/internal/fault"
)

// KeyFiles are the names of the files that Copy gives: the key file of the provider only where there is one, the ring only
// where the root key was rotated.
func KeyFiles() []string {
	return []string{rootKeyFile, ringFile, publicFile, keyFile, anchorFile, rootFile, slotsFile, markFile, agesFile}
}

// Copy reads every file of the keys as they are at one moment; nothing is shredded or made meanwhile, and what was given out
// is covered. each is called once for each file. A provider that is not a file keeps what is its own.
func (v *Vault) Copy(ctx context.Context, now time.Time, each func(name string, size int64, content io.Reader) error) (Ages, error) {
	if err := v.Load(ctx); err != nil {
		return Ages{}, err
	}
	s, err := v.slots()
	if err != nil {
		return Ages{}, err
	}
	if !s.rotating.TryLock() {
		return Ages{}, fault.New(fault.Conflict, "the keys are rotated or copied already")
	}
	defer s.rotating.Unlock()
	s.change.Lock()
	defer s.change.Unlock()
	a, err := s.ages(ctx, now)
	switch {
	case err != nil:
		return a, err
	case s.broken != nil:
		return a, s.broken
	case a.Running != nil || a.Root.Running != nil:
		return a, fault.New(fault.Conflict, "a rotation of the keys was cut off").Then("ombud vault rotate goes on with it; copy the keys then.")
	}
	for _, name := range KeyFiles() {
		if err := s.copyFile(name, each); err != nil {
			return a, err
		}
	}
	return a, nil
}

// copyFile gives one file. The number of the next slot is given as all that may have been given out, which is on the disk.
func (s *slots) copyFile(name string, each func(string, int64, io.Reader) error) error {
	path := filepath.Join(s.c.Dir, name)
	if name == rootKeyFile {
		path = s.c.RootPath
	}
	if name == markFile {
		b := encodeMark(Slot(s.next.reserved.Load()))
		return each(name, int64(len(b)), bytes.NewReader(b))
	}
	f, err := os.Open(path)
	if errors.Is(err, os.ErrNotExist) && (name == keyFile || name == ringFile) {
		return nil
	}
	if err != nil {
		return fault.Wrap(fault.Unavailable, err, "the file %s of the keys cannot be read", name)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return fault.Wrap(fault.Unavailable, err, "the file %s of the keys cannot be read", name)
	}
	return each(name, info.Size(), io.LimitReader(f, info.Size()))
}

// NoteCopy takes down that a copy was made and lies somewhere safe. Then the version is destroyed that was spared for the copy
// before.
func (v *Vault) NoteCopy(ctx context.Context, c Copied) error {
	s, err := v.slots()
	if err != nil {
		return err
	}
	s.change.Lock()
	defer s.change.Unlock()
	a, err := s.ages(ctx, c.At)
	if err != nil {
		return err
	}
	a.Copied = &c
	if a.Spared && c.Version == a.Version {
		if err := s.c.Provider.Destroy(ctx, a.Version); err != nil && !errors.Is(err, ErrFixed) {
			return errors.Join(s.saveAges(a), err)
		}
		a.Spared = false
	}
	return s.saveAges(a)
}
