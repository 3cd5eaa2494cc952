package vault

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"errors"
)

const (
	xaesNonce    = 24
	xaesOverhead = xaesNonce + 16
)

var errOpen = errors.New("message authentication failed")

// ErrRetired is in what opening gives where the key of the generation is not here that the sealed text names.
var ErrRetired = errors.New("the root key it was sealed under was retired")

// xaes is XAES-256-GCM (c2sp.org/XAES-256-GCM) under one key: the first half of the nonce and the key give, by CMAC in
// counter mode, the key of one AES-256-GCM message; the second half is its nonce.
type xaes struct {
	wiper
	block cipher.Block
	k1    [aes.BlockSize]byte
}

func newXAES(key *[32]byte) *xaes {
	block, err := aes.NewCipher(key[:])
	if err != nil {
		panic("vault: 32 bytes are an AES key: " + err.Error())
	}
	x := &xaes{wiper: newWiper(), block: block}
	block.Encrypt(x.k1[:], x.k1[:])
	carry := x.k1[0] >> 7
	for i := range x.k1[:15] {
		x.k1[i] = x.k1[i]<<1 | x.k1[i+1]>>7
	}
	x.k1[15] = x.k1[15]<<1 ^ carry*0x87
	return x
}

// forget overwrites the key.
func (x *xaes) forget() {
	clear(x.k1[:])
	overwriteAt(x.block, x.wiper.block)
}

// message gives the AEAD of one message, for the last 12 bytes of its nonce. Who is done with it wipes it.
func (x *xaes) message(nonce []byte) cipher.AEAD {
	key := x.derive(nonce)
	defer clear(key[:])
	return x.wiper.open(key[:])
}

// derive gives the key of one message.
func (x *xaes) derive(nonce []byte) (key [32]byte) {
	for half := range 2 {
		b := key[16*half : 16*half+16]
		b[1], b[2] = byte(half+1), 'X'
		copy(b[4:], nonce[:12])
		for i := range b {
			b[i] ^= x.k1[i]
		}
		x.block.Encrypt(b, b)
	}
	return key
}

// seal gives version, nonce and ciphertext.
func (x *xaes) seal(aad, plaintext []byte) []byte {
	return x.sealAs([]byte{firstVersion}, aad, plaintext)
}

// sealAs gives header, nonce and ciphertext.
func (x *xaes) sealAs(header, aad, plaintext []byte) []byte {
	at := len(header)
	out := make([]byte, at+xaesNonce, at+xaesOverhead+len(plaintext))
	copy(out, header)
	nonce := out[at:]
	rand.Read(nonce) // never fails: it ends the process instead
	one := x.message(nonce)
	defer x.wipe(one)
	return one.Seal(out, nonce[12:], plaintext, aad)
}

func (x *xaes) open(aad, sealed []byte) ([]byte, error) {
	if len(sealed) == 0 || sealed[0] != firstVersion {
		return nil, errOpen
	}
	return x.openBehind(nil, aad, sealed[1:])
}

// openBehind decrypts what follows the header that sealAs was given, into room.
func (x *xaes) openBehind(room, aad, sealed []byte) ([]byte, error) {
	if len(sealed) < xaesOverhead {
		return nil, errOpen
	}
	nonce := sealed[:xaesNonce]
	one := x.message(nonce)
	defer x.wipe(one)
	return one.Open(room, nonce[12:], sealed[xaesNonce:], aad)
}
