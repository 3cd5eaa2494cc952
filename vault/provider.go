package vault

import (
	"context"
	"encoding/binary"
	"errors"
	"path/filepath"
	"strconv"

	"github.com/ombudhq/ombud/internal/fault"
)

// Provider keeps the key-encryption key: a file, a server for keys, a cloud, a piece of hardware. It is asked once at a
// start and at each rotation, never on the way of a request, and so may be far away. It is safe for concurrent use.
//
// Errors: fault.Unavailable when it cannot be reached, which may be tried again; fault.Denied when it refuses us;
// fault.Integrity when what is to be unwrapped was changed, is of another provider, bound to something else, or of a
// version that was destroyed. None holds a key, a token or an address with a password.
type Provider interface {
	// Name says which it is, for people: "file kek". It holds no secret.
	Name() string
	// Version is the version that Wrap uses now. Versions of a provider never repeat.
	Version(ctx context.Context) (string, error)
	// Wrap encrypts a key of 32 bytes under the newest version. What it gives holds all that Unwrap needs, also of which
	// version it is, in at most 4 KiB.
	Wrap(ctx context.Context, key, aad []byte) (wrapped []byte, err error)
	// Unwrap gives back what Wrap got, under the same aad, for every version that was not destroyed.
	Unwrap(ctx context.Context, wrapped, aad []byte) (key []byte, err error)
	// Rotate makes a new version and gives it; it is durable then. Older ones go on unwrapping. ErrFixed where the provider
	// has one version for ever.
	Rotate(ctx context.Context) (version string, err error)
	// Destroy destroys every version but keep, which must be the newest: what was wrapped under them can never be unwrapped
	// again. ErrFixed where the provider cannot; nothing happened then. Repeating it is harmless.
	Destroy(ctx context.Context, keep string) error
}

// ErrFixed is what a provider says that cannot make or destroy versions.
var ErrFixed = errors.New("this key provider makes and destroys no versions")

// keyFile is the default one's, in the directory of the keys.
const keyFile = "kek"

// KeyFile is the provider of those who have no other: a file of its own beside the root key, mode 0600, made at first use.
// A version that is destroyed is overwritten where it lies. That is provable on a file system that writes in place, and
// not on one that copies, nor on a disk that remaps.
type KeyFile struct {
	in   hidden[pair]
	name string
}

// OpenKeyFile reads the file, or makes it. One that others may read is refused (fault.Invalid).
func OpenKeyFile(path string) (*KeyFile, error) {
	p, err := openPair(path)
	if err != nil {
		return nil, err
	}
	return &KeyFile{in: hide(p), name: "file " + filepath.Base(path)}, nil
}

// Name is the name of the file.
func (k *KeyFile) Name() string { return k.name }

func (k *KeyFile) forget() { k.in().forget() }

// Version counts the rotations, from 1.
func (k *KeyFile) Version(context.Context) (string, error) { return decimal(k.in().newest()), nil }

// Wrap encrypts under the newest version.
func (k *KeyFile) Wrap(_ context.Context, key, aad []byte) ([]byte, error) {
	version, secret := k.in().newestKey()
	defer clear(secret[:])
	header := binary.BigEndian.AppendUint64(nil, version)
	return append(header, newXAES(&secret).seal(wrapAAD(header, aad), key)...), nil
}

// Unwrap decrypts under the version that wrapped names.
func (k *KeyFile) Unwrap(_ context.Context, wrapped, aad []byte) ([]byte, error) {
	if len(wrapped) < 8 {
		return nil, errWrapped(nil)
	}
	secret, ok := k.in().key(binary.BigEndian.Uint64(wrapped))
	defer clear(secret[:])
	if !ok {
		return nil, errWrapped(nil)
	}
	key, err := newXAES(&secret).open(wrapAAD(wrapped[:8], aad), wrapped[8:])
	if err != nil {
		return nil, errWrapped(err)
	}
	return key, nil
}

func wrapAAD(header, aad []byte) []byte { return append([]byte("kek\x00"+string(header)), aad...) }

func errWrapped(cause error) error {
	return fault.Wrap(fault.Integrity, cause, "a wrapped key cannot be unwrapped: it was changed, or its key-encryption key is not here any more")
}

// Rotate makes a new version. There is room for two: older ones than the newest must have been destroyed before.
func (k *KeyFile) Rotate(context.Context) (string, error) {
	version, err := k.in().add()
	return decimal(version), err
}

// Destroy overwrites every version but one, and answers when that is on the disk.
func (k *KeyFile) Destroy(_ context.Context, keep string) error {
	version, err := strconv.ParseUint(keep, 10, 64)
	if err != nil || version != k.in().newest() {
		return fault.New(fault.Conflict, "version %.20q is not the newest of the key file", keep)
	}
	return k.in().keepOnly(version)
}

func decimal(n uint64) string { return strconv.FormatUint(n, 10) }
