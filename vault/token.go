package vault

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/sha256"
	"encoding/binary"
	"sync"
)

// Tokens makes the tokens of one label, the same that MAC gives, for those who need many: it allocates nothing. It is safe
// for concurrent use.
type Tokens struct {
	in    hidden[[32]byte]
	rooms sync.Pool
}

// Tokens prepares the tokens of a label.
func (v *Vault) Tokens(label string) *Tokens {
	return &Tokens{hide(v.in().lasting(macLabel + label)), sync.Pool{New: func() any { return new([]byte) }}}
}

// Of is the token of two parts, such as a kind and a value.
func (t *Tokens) Of(a string, b []byte) [sha256.Size]byte {
	room := t.rooms.Get().(*[]byte)
	in := append((*room)[:0], make([]byte, padSize)...)
	in = binary.BigEndian.AppendUint64(in, uint64(len(a)))
	in = append(in, a...)
	in = appendPart(in, b)
	sum := hmacOf(t.in(), in)
	*room = in
	t.rooms.Put(room)
	return sum
}

const padSize = sha256.BlockSize

// hmacOf is HMAC-SHA256 of what stands in a buffer behind padSize free bytes. The standard library's keeps states that come of
// the key where nobody can overwrite them; this one leaves the buffer empty, and nothing on the heap.
func hmacOf(key *[32]byte, in []byte) [sha256.Size]byte {
	var outer [padSize + sha256.Size]byte
	for i := range padSize {
		in[i], outer[i] = 0x36, 0x5c
	}
	for i, c := range key {
		in[i] ^= c
		outer[i] ^= c
	}
	inner := sha256.Sum256(in)
	clear(in)
	copy(outer[padSize:], inner[:])
	sum := sha256.Sum256(outer[:])
	clear(outer[:])
	return sum
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
	v.in().blocks.add(block)
	return &Numbers{hide(&block)}
}

// blocks are the ciphers that were handed out, to be overwritten when the vault is closed.
type blocks struct {
	mu   sync.Mutex
	list []cipher.Block
}

func (b *blocks) add(one cipher.Block) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.list = append(b.list, one)
}

func (b *blocks) forget() {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, one := range b.list {
		overwriteAt(one, sizeOf(one))
	}
	b.list = nil
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
