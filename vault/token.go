package vault

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"hash"
	"sync"
)

// Tokens makes the tokens of one label, the same that MAC gives, for those who need many: it reuses its state and
// allocates nothing. It is safe for concurrent use.
type Tokens struct{ states sync.Pool }

type tokenState struct {
	h   hash.Hash
	in  []byte
	sum [sha256.Size]byte
}

// Tokens prepares the tokens of a label.
func (v *Vault) Tokens(label string) *Tokens {
	key := v.macKey(label)
	return &Tokens{sync.Pool{New: func() any { return &tokenState{h: hmac.New(sha256.New, key[:])} }}}
}

// Of is the token of two parts, such as a kind and a value.
func (t *Tokens) Of(a string, b []byte) [sha256.Size]byte {
	s := t.states.Get().(*tokenState)
	s.in = binary.BigEndian.AppendUint64(s.in[:0], uint64(len(a)))
	s.in = append(s.in, a...)
	s.in = binary.BigEndian.AppendUint64(s.in, uint64(len(b)))
	s.in = append(s.in, b...)
	s.h.Reset()
	s.h.Write(s.in)
	s.h.Sum(s.sum[:0])
	sum := s.sum
	clear(s.in)
	t.states.Put(s)
	return sum
}

// Numbers turns small numbers into opaque 128-bit ids of one label and back. An id says nothing about its number, and one
// that was not made here is recognised. It is safe for concurrent use.
type Numbers struct{ in hidden[cipher.Block] }

// Numbers prepares the ids of a label.
func (v *Vault) Numbers(label string) *Numbers {
	block, err := aes.NewCipher(v.in().derive("numbers/" + label)[:])
	if err != nil {
		panic("vault: AES takes 32 bytes: " + err.Error())
	}
	return &Numbers{hide(&block)}
}

// ID is the id of a number.
func (n *Numbers) ID(number uint64) (id [16]byte) {
	binary.BigEndian.PutUint64(id[8:], number)
	(*n.in()).Encrypt(id[:], id[:])
	return id
}

// Number is the number of an id; false when the id is none of ours.
func (n *Numbers) Number(id [16]byte) (uint64, bool) {
	(*n.in()).Decrypt(id[:], id[:])
	return binary.BigEndian.Uint64(id[8:]), binary.BigEndian.Uint64(id[:8]) == 0
}
