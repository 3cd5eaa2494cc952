package request

import (
	"crypto/sha256"
	"errors"
	"hash"
	"io"
	"os"
	"path/filepath"

	"github.com/ombudhq/ombud/internal/fault"
)

// packageFile is a package on its way to its place: a file in the same folder, mode 0600, that has no
// name until it is whole, where the system can do that. So a killed run leaves nothing of it.
type packageFile struct {
	path string
	tmp  *os.File
	name string // of tmp; "" while it has none
	hash hash.Hash
}

func newPackageFile(path string) (*packageFile, error) {
	dir := filepath.Dir(path)
	if tmp, err := nameless(dir); err == nil {
		return &packageFile{path: path, tmp: tmp, hash: sha256.New()}, nil
	}
	tmp, err := os.CreateTemp(dir, temporaryPackage+"*") // mode 0600
	if err != nil {
		return nil, fault.Wrap(fault.Unavailable, err, "no file can be made in the folder of the package").
			Then("--out names a file in a folder that is there and may be written.")
	}
	return &packageFile{path, tmp, tmp.Name(), sha256.New()}, nil
}

const temporaryPackage = ".ombud-package-"

func (f *packageFile) size() int64 {
	n, err := f.tmp.Seek(0, io.SeekCurrent)
	if err != nil {
		return 0
	}
	return n
}

// place puts the finished package where it belongs, replacing what was there, and answers after fsync.
func (f *packageFile) place() error {
	err := errors.Join(f.tmp.Chmod(0o600), f.tmp.Sync())
	if err == nil && f.name == "" {
		f.name, err = giveName(f.tmp, filepath.Dir(f.path))
	}
	if err = errors.Join(err, f.tmp.Close()); err == nil {
		err = os.Rename(f.name, f.path)
	}
	if err != nil {
		return errors.Join(packError(err), f.drop())
	}
	return packError(syncDir(filepath.Dir(f.path)))
}

// drop removes an unfinished package; it may be called again.
func (f *packageFile) drop() error {
	if err := f.tmp.Close(); err != nil && !errors.Is(err, os.ErrClosed) {
		return packError(err)
	}
	if f.name == "" {
		return nil
	}
	if err := os.Remove(f.name); err != nil && !errors.Is(err, os.ErrNotExist) {
		return packError(err)
	}
	return nil
}

func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}
