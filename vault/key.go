package vault

import (
	"crypto/rand"
	"errors"
	"fmt"
	"sync"
)

// keyLabel seals the keys of requests.
const keyLabel = "key"

var errDestroyed = errors.New("the key was destroyed")

// Key is a random 256-bit key of one request: what is sealed under it dies with it. Keep what NewKey sealed, and open it
// again when it is needed. A copy of a Key is the same key. It is safe for concurrent use.
type Key struct{ in hidden[oneKey] }

type oneKey struct {
	mu   sync.RWMutex
	dead bool
	seal [32]byte
	mac  [32]byte
}

// NewKey makes a key, and its sealed form to store.
func (v *Vault) NewKey() (Key, []byte) {
	var raw [32]byte
	rand.Read(raw[:]) // never fails: it ends the process instead
	sealed := v.Seal(keyLabel, nil, raw[:])
	return newKey(&raw), sealed
}

// OpenKey gives back a key from its sealed form; fault.Integrity when that is not one of this vault's.
func (v *Vault) OpenKey(sealed []byte) (Key, error) {
	b, err := v.Open(keyLabel, nil, sealed)
	if err != nil {
		return Key{}, err
	}
	if len(b) != 32 {
		return Key{}, errSealed(errOpen)
	}
	return newKey((*[32]byte)(b)), nil
}

// newKey takes the raw key over and clears it.
func newKey(raw *[32]byte) Key {
	k := &oneKey{seal: *derive(raw, "request/seal"), mac: *derive(raw, "request/mac")}
	clear(raw[:])
	return Key{hide(k)}
}

// with runs fn while the key lives.
func (k Key) with(fn func(*oneKey) error) error {
	if k.in == nil {
		return errDestroyed
	}
	o := k.in()
	o.mu.RLock()
	defer o.mu.RUnlock()
	if o.dead {
		return errDestroyed
	}
	return fn(o)
}

// Seal encrypts plaintext for whoever opens it with the same key and aad; an error when the key was destroyed.
func (k Key) Seal(aad, plaintext []byte) (sealed []byte, err error) {
	err = k.with(func(o *oneKey) error {
		sealed = newXAES(&o.seal).seal(aad, plaintext)
		return nil
	})
	return sealed, err
}

// Open decrypts what Seal gave; fault.Integrity when it was changed, an error when the key was destroyed.
func (k Key) Open(aad, sealed []byte) (plaintext []byte, err error) {
	err = k.with(func(o *oneKey) error {
		p, err := newXAES(&o.seal).open(aad, sealed)
		if err != nil {
			return errSealed(err)
		}
		plaintext = p
		return nil
	})
	return plaintext, err
}

// MAC is HMAC-SHA256 over the parts, each with its length; an error when the key was destroyed.
func (k Key) MAC(parts ...[]byte) (sum [32]byte, err error) {
	err = k.with(func(o *oneKey) error {
		sum = mac(&o.mac, parts)
		return nil
	})
	return sum, err
}

// Destroy clears the key in memory; every later use of it or a copy is an error. Its sealed form must be deleted too,
// or the key can be opened again.
func (k Key) Destroy() {
	if k.in == nil {
		return
	}
	o := k.in()
	o.mu.Lock()
	defer o.mu.Unlock()
	o.dead = true
	clear(o.seal[:])
	clear(o.mac[:])
}

// String never shows the key.
func (k Key) String() string { return redacted }

// GoString never shows the key.
func (k Key) GoString() string { return redacted }

// Format never shows the key, whatever the verb.
func (k Key) Format(s fmt.State, _ rune) { fmt.Fprint(s, redacted) }

// MarshalJSON never shows the key.
func (k Key) MarshalJSON() ([]byte, error) { return []byte(`"` + redacted + `"`), nil }
