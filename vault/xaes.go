package vault

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"errors"
)

const (
	xaesNonce    = 24
	sealVersion  = 1 // first byte of everything sealed
	sealOverhead = 1 + xaesNonce + 16
)

var errOpen = errors.New("message authentication failed")

// xaes is XAES-256-GCM (c2sp.org/XAES-256-GCM) under one key: the first half of the nonce and the key give, by CMAC in
// counter mode, the key of one AES-256-GCM message; the second half is its nonce.
type xaes struct {
	block cipher.Block
	k1    [aes.BlockSize]byte
}

func newXAES(key *[32]byte) *xaes {
	block, err := aes.NewCipher(key[:])
	if err != nil {
		panic("vault: 32 bytes are an AES key: " + err.Error())
	}
	x := &xaes{block: block}
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
	overwriteAt(x.block, sizeOf(x.block))
}

// message gives the AEAD of one message, for the last 12 bytes of its nonce.
func (x *xaes) message(nonce []byte) cipher.AEAD { return newGCM(x.derive(nonce)) }

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

func newGCM(key [32]byte) cipher.AEAD {
	block, err := aes.NewCipher(key[:])
	if err != nil {
		panic("vault: 32 bytes are an AES key: " + err.Error())
	}
	aead, err := cipher.NewGCM(block)
	if err != nil {
		panic("vault: AES is a GCM cipher: " + err.Error())
	}
	return aead
}

// seal gives version, nonce and ciphertext.
func (x *xaes) seal(aad, plaintext []byte) []byte {
	out := make([]byte, 1+xaesNonce, sealOverhead+len(plaintext))
	out[0] = sealVersion
	nonce := out[1:]
	rand.Read(nonce) // never fails: it ends the process instead
	return x.message(nonce).Seal(out, nonce[12:], plaintext, aad)
}

func (x *xaes) open(aad, sealed []byte) ([]byte, error) {
	if len(sealed) < sealOverhead || sealed[0] != sealVersion {
		return nil, errOpen
	}
	nonce := sealed[1 : 1+xaesNonce]
	return x.message(nonce).Open(nil, nonce[12:], sealed[1+xaesNonce:], aad)
}
