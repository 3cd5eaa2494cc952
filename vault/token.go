package vault

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/sha256"
	"encoding"
	"encoding/binary"
	"hash"
	"slices"
	"sync"
)

// Tokens makes the tokens of one label, the same that MAC gives, for those who need many: it allocates nothing. It is safe
// for concurrent use.
type Tokens struct {
	states hidden[states]
	rooms  sync.Pool
}

// states are those of the two hashes of HMAC-SHA256 behind what comes of the key. The standard library's HMAC keeps them where
// nobody can overwrite them; these are overwritten when the vault is closed.
type states struct{ inner, outer [stateSize]byte }

// How crypto/sha256 encodes a state: a mark, the hash so far, what is left of a block, the length.
const (
	magicSize = 4
	stateSize = magicSize + sha256.Size + sha256.BlockSize + 8
)

// Tokens prepares the tokens of a label.
func (v *Vault) Tokens(label string) *Tokens {
	s := statesOf(v.in().lasting(macLabel + label))
	v.in().handed.add(s)
	return &Tokens{hide(s), sync.Pool{New: func() any { return newRoom() }}}
}

func statesOf(key *[32]byte) *states {
	s, r := new(states), newRoom()
	for _, side := range []struct {
		state *[stateSize]byte
		pad   byte
	}{{&s.inner, 0x36}, {&s.outer, 0x5c}} {
		var block [sha256.BlockSize]byte
		copy(block[:], key[:])
		for i := range block {
			block[i] ^= side.pad
		}
		r.hash.Write(block[:])
		clear(block[:])
		if b, err := r.hash.AppendBinary(side.state[:0]); err != nil || len(b) != stateSize {
			panic("vault: crypto/sha256 encodes its state otherwise")
		}
		r.hash.Reset()
	}
	return s
}

// Of is the token of two parts, such as a kind and a value.
func (t *Tokens) Of(a string, b []byte) [sha256.Size]byte {
	r := t.rooms.Get().(*room)
	r.in = slices.Grow(r.in[:0], 8+len(a)+8+len(b)+padSize) // what grows later leaves a copy behind
	r.in = binary.BigEndian.AppendUint64(r.in, uint64(len(a)))
	r.in = append(r.in, a...)
	r.in = appendPart(r.in, b)
	sum := t.states().hmac(r)
	t.rooms.Put(r)
	return sum
}

// room is where a token is made. Nothing of the key or of what the token is of stays in it.
type room struct {
	hash interface {
		hash.Hash
		encoding.BinaryAppender
		encoding.BinaryUnmarshaler
	}
	in    []byte
	inner [sha256.BlockSize]byte // the first hash, padded: what the second is of
	out   [stateSize]byte
}

func newRoom() *room {
	r := new(room)
	r.hash = sha256.New().(interface {
		hash.Hash
		encoding.BinaryAppender
		encoding.BinaryUnmarshaler
	})
	pad(r.inner[:sha256.Size])
	return r
}

// hmac is HMAC-SHA256 of r.in. What is hashed is padded here, so that the hash is given whole blocks and keeps nothing of them.
func (s *states) hmac(r *room) [sha256.Size]byte {
	r.in = pad(r.in)
	copy(r.inner[:], r.from(&s.inner, r.in))
	clear(r.in)
	sum := [sha256.Size]byte(r.from(&s.outer, r.inner[:]))
	clear(r.inner[:sha256.Size])
	r.hash.Reset()
	return sum
}

// padSize is the most that pad adds.
const padSize = 1 + sha256.BlockSize - 1 + 8

// pad ends a text behind a first block as SHA-256 does.
func pad(text []byte) []byte {
	bits := uint64(sha256.BlockSize+len(text)) * 8
	text = append(text, 0x80)
	text = append(text, zeros[:(2*sha256.BlockSize-8-len(text)%sha256.BlockSize)%sha256.BlockSize]...)
	return binary.BigEndian.AppendUint64(text, bits)
}

var zeros [sha256.BlockSize]byte

// from goes on from a state, with whole blocks, and gives the hash then.
func (r *room) from(state *[stateSize]byte, blocks []byte) []byte {
	if err := r.hash.UnmarshalBinary(state[:]); err != nil {
		panic("vault: the state of a token was overwritten: " + err.Error())
	}
	r.hash.Write(blocks)
	_, _ = r.hash.AppendBinary(r.out[:0]) // never fails
	return r.out[magicSize:][:sha256.Size]
}

// appendPart appends a part behind its length.
func appendPart(to, part []byte) []byte {
	return append(binary.BigEndian.AppendUint64(to, uint64(len(part))), part...)
}

// Numbers turns small numbers into opaque 128-bit ids of one label and back. An id says nothing about its number, and one
// that was not made here is recognised. It is safe for concurrent use.
type Numbers struct{ in hidden[cipher.Block] }

// Numbers prepares the ids of a label.
func (v *Vault) Numbers(label string) *Numbers {
	block, err := aes.NewCipher(v.in().lasting(numbersLabel + label)[:])
	if err != nil {
		panic("vault: AES takes 32 bytes: " + err.Error())
	}
	v.in().handed.add(block)
	return &Numbers{hide(&block)}
}

// handed is what comes of keys and was handed out, pointers all, to be overwritten when the vault is closed.
type handed struct {
	mu   sync.Mutex
	list []any
}

func (h *handed) add(one any) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.list = append(h.list, one)
}

func (h *handed) forget() {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, one := range h.list {
		overwriteAt(one, sizeOf(one))
	}
	h.list = nil
}

// ID is the id of a number.
func (n *Numbers) ID(number uint64) (id [16]byte) {
	binary.BigEndian.PutUint64(id[8:], number)
	(*n.in()).Encrypt(id[:], id[:])
	return id
}

// Append is ID behind what b holds; it allocates nothing where there is room.
func (n *Numbers) Append(b []byte, number uint64) []byte {
	b = binary.BigEndian.AppendUint64(binary.BigEndian.AppendUint64(b, 0), number)
	id := b[len(b)-16:]
	(*n.in()).Encrypt(id, id)
	return b
}

// Number is the number of an id; false when the id is none of ours.
func (n *Numbers) Number(id [16]byte) (uint64, bool) {
	(*n.in()).Decrypt(id[:], id[:])
	return binary.BigEndian.Uint64(id[8:]), binary.BigEndian.Uint64(id[:8]) == 0
}
