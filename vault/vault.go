package vault

import (
	"crypto/ed25519"
	"crypto/hkdf"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"path/filepath"
	"sync"
	"sync/atomic"

	"github.com/ombudhq/ombud/internal/fault"
)

// Config says where the keys are.
type Config struct {
	Dir      string // holds root and ombud.pub; made with mode 0700 when missing
	RootPath string // of the root key, when it is kept elsewhere; default Dir/root
	// Provider keeps the key-encryption key; nil is the file Dir/kek.
	Provider Provider
	// Passphrase gives what the root key is sealed by. It is asked where one is, once, and what it gives is overwritten.
	Passphrase func() ([]byte, error)
	// ReadOnly changes no file once they are made: new keys and shredded ones are so in memory only. For rehearsals.
	ReadOnly bool
	// Hook is called between the steps that change the files, by their names, for crash tests.
	Hook func(point string)
}

// Vault seals, signs and makes tokens. It is safe for concurrent use.
type Vault struct{ in hidden[keys] }

// hidden holds a secret where fmt cannot follow: in a closure. A pointer would not do, for a verb that does not fit
// makes fmt print what it points at, even in an unexported field.
type hidden[T any] func() *T

func hide[T any](secret *T) hidden[T] { return func() *T { return secret } }

type keys struct {
	ring    atomic.Pointer[ring]     // another after a rotation of the root key
	seal    atomic.Pointer[rootSeal] // of the root key; nil where it lies open
	signing ed25519.PrivateKey
	handed  handed

	forgotten atomic.Bool

	config  Config
	loading sync.Mutex
	slots   atomic.Pointer[slots] // nil until they are needed
}

func (c *Config) hook(point string) {
	if c.Hook != nil {
		c.Hook(point)
	}
}

// Open reads the root key, or makes it at first use. A root key others may read is refused (fault.Invalid); one that does
// not belong to ombud.pub, or is missing while ombud.pub is there, is too (fault.Integrity), for a new key could open
// nothing of what was sealed. Where it is sealed by a passphrase, a wrong one is fault.Denied, and none is fault.Waiting.
func Open(c Config) (*Vault, error) {
	c.RootPath = c.rootPath()
	r, seal, err := loadRing(c)
	if err != nil {
		return nil, err
	}
	v := fromRing(r)
	v.in().config = c
	v.in().seal.Store(seal)
	if err := v.publish(filepath.Join(c.Dir, publicFile)); err != nil {
		return nil, err
	}
	return v, nil
}

func fromRoot(root [32]byte) *Vault { return fromRing(newRing(root, 1, nil, nil)) }

func fromRing(r *ring) *Vault {
	k := &keys{signing: ed25519.NewKeyFromSeed(r.lasting[signingLabel][:])}
	k.ring.Store(r)
	return &Vault{hide(k)}
}

// now is the ring in use.
func (k *keys) now() *ring {
	if k.forgotten.Load() {
		panic("vault: used after Close")
	}
	return k.ring.Load()
}

// forget overwrites what came from the root key, and the root key.
func (k *keys) forget() {
	if k.forgotten.Swap(true) {
		return
	}
	clear(k.signing[:ed25519.SeedSize])
	k.ring.Load().forget()
	k.seal.Load().forget()
	k.handed.forget()
}

func derive(secret *[32]byte, label string) *[32]byte {
	b, err := hkdf.Key(sha256.New, secret[:], nil, "ombud/v1/"+label, 32)
	if err != nil {
		panic("vault: HKDF gives 32 bytes: " + err.Error())
	}
	return (*[32]byte)(b)
}

// Seal encrypts plaintext for whoever opens it with the same label and aad.
func (v *Vault) Seal(label string, aad, plaintext []byte) []byte {
	return v.in().now().seal(bind(label, aad), plaintext)
}

// Open decrypts what Seal or SealFor gave; fault.Integrity when it was changed, or label, aad or key are others, and
// ErrForgotten when the key of its slot was shredded.
func (v *Vault) Open(label string, aad, sealed []byte) ([]byte, error) {
	return v.OpenIn(nil, label, aad, sealed)
}

// OpenIn is Open for those who open one after the other: what it gives lies in room, where that is large enough.
func (v *Vault) OpenIn(room []byte, label string, aad, sealed []byte) ([]byte, error) {
	if SlotOf(sealed) != 0 {
		return v.openFor(room, label, aad, sealed)
	}
	room, bound := besideIn(room, len(sealed), label, aad)
	plaintext, err := v.in().now().open(room, bound, sealed)
	if err != nil {
		return nil, errSealed(err)
	}
	return plaintext, nil
}

func errSealed(cause error) error {
	if errors.Is(cause, ErrRetired) {
		return fault.Wrap(fault.Integrity, cause, "sealed data cannot be opened: the root key it was sealed under was retired, or is newer than these keys")
	}
	return fault.Wrap(fault.Integrity, cause, "sealed data cannot be opened: it was changed, or sealed under another key")
}

// bind puts the label into the authenticated data, so that no two of them can be confused.
func bind(label string, aad []byte) []byte {
	_, bound := beside(0, label, aad)
	return bound
}

// beside is bind, and room for so many bytes in the same allocation.
func beside(size int, label string, aad []byte) (room, bound []byte) {
	return besideIn(nil, size, label, aad)
}

// besideIn is beside in what is there already, where that is large enough.
func besideIn(b []byte, size int, label string, aad []byte) (room, bound []byte) {
	if n := size + 4 + len(label) + len(aad); cap(b) < n {
		b = make([]byte, 0, n)
	}
	b = b[:size]
	return b[:0:size], appendBound(b, label, aad)[size:]
}

func appendBound(b []byte, label string, aad []byte) []byte {
	b = binary.BigEndian.AppendUint32(b, uint32(len(label)))
	return append(append(b, label...), aad...)
}

// MAC is HMAC-SHA256 over the parts, each with its length, under the key of the label: the same for as long as there is this
// vault, whatever is rotated. A label that is not among those that last is a mistake of the program, and panics.
func (v *Vault) MAC(label string, parts ...[]byte) [32]byte {
	return mac(v.in().lasting(macLabel+label), parts)
}

// lasting is the key of a label that lasts.
func (k *keys) lasting(label string) *[32]byte {
	key := k.now().lasting[label]
	if key == nil {
		panic("vault: the label " + label + " is not declared as one that lasts")
	}
	return key
}

func mac(key *[32]byte, parts [][]byte) [32]byte {
	r, size := newRoom(), padSize
	for _, p := range parts {
		size += 8 + len(p)
	}
	r.in = make([]byte, 0, size) // what grows leaves a copy behind
	for _, p := range parts {
		r.in = appendPart(r.in, p)
	}
	s := statesOf(key)
	defer overwriteAt(s, sizeOf(s))
	return s.hmac(r)
}

// Sign signs with the key that ombud.pub belongs to.
func (v *Vault) Sign(msg []byte) []byte {
	if v.in().forgotten.Load() {
		panic("vault: used after Close")
	}
	return ed25519.Sign(v.in().signing, msg)
}

// PublicKey is what Sign is verified with.
func (v *Vault) PublicKey() ed25519.PublicKey { return v.in().signing.Public().(ed25519.PublicKey) }

const redacted = "redacted"

// String never shows a key.
func (v Vault) String() string { return redacted }

// GoString never shows a key.
func (v Vault) GoString() string { return redacted }

// Format never shows a key, whatever the verb.
func (v Vault) Format(s fmt.State, _ rune) { fmt.Fprint(s, redacted) }

// MarshalJSON never shows a key.
func (v Vault) MarshalJSON() ([]byte, error) { return []byte(`"` + redacted + `"`), nil }

// PublicText is the public key as ombud.pub holds it.
func (v *Vault) PublicText() string {
	text, err := formatPublic(v.PublicKey())
	if err != nil {
		panic("vault: our own key can be written: " + err.Error())
	}
	return text
}
