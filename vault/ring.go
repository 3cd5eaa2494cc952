package vault

import (
	"encoding/binary"
	"fmt"
	"maps"
	"slices"
	"strconv"
)

// Labels of MAC that are part of the public contract.
const (
	Suppression = "suppression" // tokens of the erased, which must be recognised when they come back
	BlindIndex  = "blind-index" // tokens to find a person by without storing the identity
)

const (
	signingLabel = "signing"
	macLabel     = "mac/"
	numbersLabel = "numbers/"
	sealingLabel = "sealing"
	bindingLabel = "buckets"
)

// lasting are the labels whose keys a rotation of the root key takes along instead of making them anew: what they made is
// compared with what is made later, and lies where nobody can write it again: in signatures that others hold, in the
// suppression ledger, in ids that programs keep. A token can be made again only from what it was made of, which is not kept.
func lasting() []string {
	list := []string{signingLabel, bindingLabel, numbersLabel + "sub"}
	for _, label := range []string{
		Suppression, BlindIndex, "account-name", "account-vouched", "consent-event", "farewell", "form", "http-reply", "ip", "ledger/address",
		"ledger/place", "mirror", "passkey-challenge", "plan/identities", "plan/rows", "pseudonym/email", "pseudonym/holder", "pseudonym/ip",
		"receipt/salt", "recovery-code", "session-origin", "substitute-name", "tries",
	} {
		list = append(list, macLabel+label)
	}
	return list
}

// ring are the keys that came of the root key and of those before it. It is not changed once it is in use: another takes
// its place.
type ring struct {
	root       [32]byte
	generation uint32               // counts the root keys, from 1
	lasting    map[string]*[32]byte // by label
	former     map[uint32]*[32]byte // sealing keys of generations before, until they are retired
	seals      map[uint32]*series   // by generation
}

// newRing is what comes of a root key and what was taken along from those before it.
func newRing(root [32]byte, generation uint32, taken map[string]*[32]byte, former map[uint32]*[32]byte) *ring {
	r := &ring{root: root, generation: generation, lasting: map[string]*[32]byte{}, former: former, seals: map[uint32]*series{}}
	for _, label := range lasting() {
		if r.lasting[label] = taken[label]; r.lasting[label] == nil {
			r.lasting[label] = derive(&root, label)
		}
	}
	for g, key := range former {
		r.seals[g] = newSeries(key)
	}
	key := derive(&root, sealingLabel)
	r.seals[generation] = newSeries(key)
	clear(key[:])
	return r
}

// next is the ring after a rotation to a new root key.
func (r *ring) next(root [32]byte) *ring {
	former := maps.Clone(r.former)
	if former == nil {
		former = map[uint32]*[32]byte{}
	}
	former[r.generation] = derive(&r.root, sealingLabel)
	return newRing(root, r.generation+1, r.lasting, former)
}

// retired is the ring without the sealing keys of former generations.
func (r *ring) retired() *ring { return newRing(r.root, r.generation, r.lasting, nil) }

// forget overwrites every key.
func (r *ring) forget() {
	clear(r.root[:])
	for _, key := range r.lasting {
		clear(key[:])
	}
	for _, key := range r.former {
		clear(key[:])
	}
	for _, x := range r.seals {
		x.forget()
	}
}

// encode writes what was taken along: name, NUL, key, again and again.
func (r *ring) encode() []byte {
	var b []byte
	for _, label := range slices.Sorted(maps.Keys(r.lasting)) {
		b = append(append(append(b, label...), 0), r.lasting[label][:]...)
	}
	for _, g := range slices.Sorted(maps.Keys(r.former)) {
		b = append(append(append(b, sealingLabel+"/"+decimal(uint64(g))...), 0), r.former[g][:]...)
	}
	return b
}

// decodeRing reads what encode wrote.
func decodeRing(b []byte) (taken map[string]*[32]byte, former map[uint32]*[32]byte, err error) {
	taken, former = map[string]*[32]byte{}, map[uint32]*[32]byte{}
	for len(b) > 0 {
		n := slices.Index(b, 0)
		if n < 0 || len(b) < n+1+32 {
			return nil, nil, fmt.Errorf("the list of keys ends early")
		}
		name, key := string(b[:n]), [32]byte(b[n+1:])
		b = b[n+1+32:]
		if len(name) <= len(sealingLabel) || name[:len(sealingLabel)+1] != sealingLabel+"/" {
			taken[name] = &key
			continue
		}
		g, err := strconv.ParseUint(name[len(sealingLabel)+1:], 10, 32)
		if err != nil {
			return nil, nil, fmt.Errorf("a generation is no number")
		}
		former[uint32(g)] = &key
	}
	return taken, former, nil
}

// Everything sealed under a label names the root key it came of by the first byte, and by the number of its generation where
// that is not the first:
//
//	1 | nonce, 24 bytes | ciphertext and tag
//	3 | generation, 4 bytes | nonce, 24 bytes | ciphertext and tag
const (
	firstVersion = 1
	laterVersion = 3
	laterHeader  = 1 + 4
)

func (r *ring) seal(aad, plaintext []byte) []byte {
	header := []byte{firstVersion}
	if r.generation > 1 {
		header = binary.BigEndian.AppendUint32([]byte{laterVersion}, r.generation)
	}
	return r.seals[r.generation].sealAs(header, aad, plaintext)
}

// open decrypts into room; ErrRetired where the key of the generation is not here.
func (r *ring) open(room, aad, sealed []byte) ([]byte, error) {
	g, n := generationOf(sealed)
	if g == 0 {
		return nil, errOpen
	}
	x := r.seals[g]
	if x == nil {
		return nil, ErrRetired
	}
	return x.openBehind(room, aad, sealed[n:])
}

// generationOf is the root key something was sealed under, and the length of what says so; 0 for what was not.
func generationOf(sealed []byte) (generation uint32, header int) {
	switch {
	case len(sealed) > 0 && sealed[0] == firstVersion:
		return 1, 1
	case len(sealed) >= laterHeader && sealed[0] == laterVersion:
		return binary.BigEndian.Uint32(sealed[1:]), laterHeader
	}
	return 0, 0
}
