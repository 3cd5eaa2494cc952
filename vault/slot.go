package vault

import (
	"context"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"path/filepath"

	"github.com/ombudhq/ombud/internal/fault"
)

// Slot is the number of a key of its own: that of a person, or of a request. It is no secret, never given twice, and says
// nothing of whose it is. 0 is none.
type Slot uint32

// ErrForgotten is what opening gives when the key was shredded: what was sealed under it cannot be read by anybody.
var ErrForgotten = errors.New("this was forgotten: its key is destroyed")

// ErrDamaged is in what is told of a key that is neither whole nor overwritten: overwriting it was cut short, or somebody
// changed it.
var ErrDamaged = errors.New("the key is neither whole nor overwritten")

// A value sealed under the key of a slot:
//
//	2 | slot, 4 bytes | nonce, 12 bytes | AES-256-GCM ciphertext and tag
//
// Nonces are random: no key seals anywhere near the 2^32 values from which on that would be unsafe.
const (
	slotVersion  = 2
	slotHeader   = 1 + 4
	gcmNonce     = 12
	gcmTag       = 16
	slotOverhead = slotHeader + gcmNonce + gcmTag
)

// SlotOf is the slot under whose key something was sealed; 0 when it was sealed under a label.
func SlotOf(sealed []byte) Slot {
	if len(sealed) < slotHeader || sealed[0] != slotVersion {
		return 0
	}
	return Slot(binary.BigEndian.Uint32(sealed[1:]))
}

// NewSlot gives a slot that nobody ever had; its key is on the disk already. It is no loss if nothing is sealed under it.
func (v *Vault) NewSlot() (Slot, error) {
	s, err := v.slots()
	if err != nil {
		return 0, err
	}
	return s.assign()
}

// KeepFree never gives out slots below one: those that a store knows of, which may be newer than the keys. The keys of
// people who were numbered before there were keys are made here.
func (v *Vault) KeepFree(below Slot) error {
	s, err := v.slots()
	if err != nil {
		return err
	}
	return s.skip(below)
}

// SealFor encrypts plaintext under the key of a slot, for Open with the same label and aad: the label names table and
// column, aad the row and, where it may change, its version. What is sealed dies with the key: ErrForgotten afterwards.
func (v *Vault) SealFor(slot Slot, label string, aad, plaintext []byte) ([]byte, error) {
	return v.AppendFor(nil, slot, label, aad, plaintext)
}

// AppendFor is SealFor behind what b holds.
func (v *Vault) AppendFor(b []byte, slot Slot, label string, aad, plaintext []byte) ([]byte, error) {
	s, err := v.slots()
	if err != nil {
		return nil, err
	}
	end := len(b) + slotOverhead + len(plaintext)
	out := b
	if n := end + 4 + len(label) + len(aad); cap(b) < n {
		out = append(make([]byte, 0, n), b...)
	}
	bound := appendBound(out[end:end], label, aad)
	out = binary.BigEndian.AppendUint32(append(out, slotVersion), uint32(slot))
	nonce := out[len(out) : len(out)+gcmNonce]
	rand.Read(nonce) // never fails: it ends the process instead
	out = out[:len(out)+gcmNonce]
	set := s.cache.set(slot)
	set.mu.RLock()
	if aead := set.find(slot); aead != nil {
		out = aead.Seal(out, nonce, plaintext, bound)
		set.mu.RUnlock()
		return out, nil
	}
	set.mu.RUnlock()
	err = s.cold(slot, func(use opener) error {
		out = use.Seal(out, nonce, plaintext, bound)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

// openFor decrypts what SealFor gave.
func (v *Vault) openFor(room []byte, label string, aad, sealed []byte) (plaintext []byte, err error) {
	slot := SlotOf(sealed)
	if slot == 0 || len(sealed) < slotOverhead {
		return nil, errSealed(errOpen)
	}
	s, err := v.slots()
	if err != nil {
		return nil, err
	}
	room, bound := besideIn(room, len(sealed)-slotOverhead, label, aad)
	nonce, text := sealed[slotHeader:slotHeader+gcmNonce], sealed[slotHeader+gcmNonce:]
	set := s.cache.set(slot)
	set.mu.RLock()
	aead := set.find(slot)
	if aead != nil {
		plaintext, err = aead.Open(room, nonce, text, bound)
	}
	set.mu.RUnlock()
	if aead != nil {
		return plainOf(plaintext, err)
	}
	err = s.cold(slot, func(use opener) (err error) {
		plaintext, err = plainOf(use.Open(room, nonce, text, bound))
		return err
	})
	return plaintext, err
}

// plainOf tells of what does not open in the words of Open.
func plainOf(plaintext []byte, err error) ([]byte, error) {
	if err != nil {
		return nil, errSealed(err)
	}
	return plaintext, nil
}

// Forgotten tells whether the key of a slot was shredded.
func (v *Vault) Forgotten(slot Slot) (bool, error) {
	s, err := v.slots()
	if err != nil {
		return false, err
	}
	err = s.cold(slot, func(opener) error { return nil })
	if errors.Is(err, ErrForgotten) {
		return true, nil
	}
	return false, err
}

// Shred overwrites the keys of slots where they lie and drops them from memory, and answers when that is on the disk: this
// process cannot open anything of theirs any more, and no later one. Copies of the files, and what the disk may have put
// elsewhere, still can until CloseSlots. Repeating it is harmless.
func (v *Vault) Shred(slots ...Slot) error {
	s, err := v.slots()
	if err != nil || len(slots) == 0 {
		return err
	}
	return s.shred(slots)
}

// CloseSlots ends the shredding of slots for good: all other keys that lay beside theirs are wrapped anew under another key,
// and the one before is destroyed. Afterwards no copy of the key files that was made before opens anything of theirs,
// whatever key files are there now. Killed in the middle, it is done or undone by the next start.
func (v *Vault) CloseSlots(ctx context.Context, slots ...Slot) error {
	s, err := v.slots()
	if err != nil || len(slots) == 0 {
		return err
	}
	return s.close(ctx, slots)
}

// Load reads the keys of slots, which every use does where it was not done: it makes them at first use, asks the provider
// once, and finishes what a killed process began.
func (v *Vault) Load(ctx context.Context) error { return v.in().load(ctx) }

// Close notes where slots go on, and overwrites every key where it lies in memory. The vault must not be used afterwards,
// but for its public key; what it would seal or sign panics.
func (v *Vault) Close() error {
	err := v.in().unload()
	v.in().forget()
	return err
}

func (v *Vault) slots() (*slots, error) {
	k := v.in()
	if s := k.slots.Load(); s != nil {
		return s, nil
	}
	if err := k.load(context.Background()); err != nil {
		return nil, err
	}
	return k.slots.Load(), nil
}

func (k *keys) load(ctx context.Context) error {
	k.loading.Lock()
	defer k.loading.Unlock()
	if k.slots.Load() != nil {
		return nil
	}
	if k.config.Dir == "" {
		return fault.New(fault.Unavailable, "this vault has no place for keys of people")
	}
	if k.config.Provider == nil {
		p, err := OpenKeyFile(filepath.Join(k.config.Dir, keyFile))
		if err != nil {
			return err
		}
		k.config.Provider = p
	}
	s, err := openSlots(ctx, k.config, func() *[32]byte { return k.lasting(bindingLabel) })
	if err == nil {
		s.ringAge = func() (uint32, int) { r := k.now(); return r.generation, len(r.former) }
		k.slots.Store(s)
	}
	return err
}

func (k *keys) unload() error {
	k.loading.Lock()
	defer k.loading.Unlock()
	s := k.slots.Swap(nil)
	if s == nil {
		return nil
	}
	return s.end()
}
