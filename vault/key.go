package vault

import (
	"encoding/binary"
	"errors"
	"fmt"
	"sync"
)

// keyLabel seals the keys of requests.
const keyLabel = "key"

var errDestroyed = errors.New("the key was destroyed")

// Key is a random 256-bit key of one request: what is sealed under it dies with it. Keep the form NewKey gives, and open
// it again when it is needed. A copy of a Key is the same key. It is safe for concurrent use.
type Key struct{ in hidden[oneKey] }

type oneKey struct {
	mu   sync.RWMutex
	dead bool
	seal [32]byte
	mac  [32]byte
}

// NewKey takes a key that nobody had, and gives a form to store by which OpenKey finds it again. That holds only the key's
// slot (SlotOf): to destroy the key for good, shred that.
func (v *Vault) NewKey() (Key, []byte, error) {
	slot, err := v.NewSlot()
	if err != nil {
		return Key{}, nil, err
	}
	stored := binary.BigEndian.AppendUint32([]byte{slotVersion}, uint32(slot))
	k, err := v.OpenKey(stored)
	return k, stored, err
}

// OpenKey gives back a key from the form it is stored in; fault.Integrity when that is not one of this vault's, and
// ErrForgotten when it was shredded.
func (v *Vault) OpenKey(stored []byte) (k Key, err error) {
	if slot := SlotOf(stored); slot != 0 && len(stored) == slotHeader {
		s, err := v.slots()
		if err != nil {
			return Key{}, err
		}
		err = s.raw(slot, func(key []byte) error {
			raw := [32]byte(key)
			k = newKey(&raw)
			return nil
		})
		return k, err
	}
	return v.openSealedKey(stored)
}

// openSealedKey opens a key of before there were slots, sealed under a label.
func (v *Vault) openSealedKey(sealed []byte) (Key, error) {
	b, err := v.Open(keyLabel, nil, sealed)
	if err != nil {
		return Key{}, err
	}
	if len(b) != 32 {
		return Key{}, errSealed(errOpen)
	}
	return newKey((*[32]byte)(b)), nil
}

// ResealKey is Reseal for the stored form of a key; nil for one that a slot holds, which needs none.
func (v *Vault) ResealKey(stored []byte) ([]byte, error) { return v.Reseal(keyLabel, nil, stored) }

// newKey takes the raw key over and clears it.
func newKey(raw *[32]byte) Key {
	k := &oneKey{}
	for label, to := range map[string]*[32]byte{"request/seal": &k.seal, "request/mac": &k.mac} {
		key := derive(raw, label)
		*to = *key
		clear(key[:])
	}
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
		x := newXAES(&o.seal)
		defer x.forget()
		sealed = x.seal(aad, plaintext)
		return nil
	})
	return sealed, err
}

// Open decrypts what Seal gave; fault.Integrity when it was changed, an error when the key was destroyed.
func (k Key) Open(aad, sealed []byte) (plaintext []byte, err error) {
	err = k.with(func(o *oneKey) error {
		x := newXAES(&o.seal)
		defer x.forget()
		p, err := x.open(aad, sealed)
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

// Destroy clears the key in memory; every later use of it or a copy is an error. Its slot must be shredded too, or the key
// can be opened again.
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
