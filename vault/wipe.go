package vault

import (
	"crypto/aes"
	"crypto/cipher"
	"fmt"
	"reflect"
	"unsafe"
)

// wiper overwrites what ciphers keep of their keys. The standard library has no way to ask for that, so it is done where the
// values lie, as far as they hold no pointers; a test tells when that is no longer all of it.
type wiper struct{ aead, block uintptr } // sizes

func newWiper() wiper {
	block, aead := ciphers(make([]byte, 32))
	return wiper{aead: sizeOf(aead), block: sizeOf(block)}
}

func ciphers(key []byte) (cipher.Block, cipher.AEAD) {
	block, err := aes.NewCipher(key)
	if err != nil {
		panic(fmt.Sprintf("vault: a key has %d bytes", len(key)))
	}
	aead, err := cipher.NewGCM(block)
	if err != nil {
		panic("vault: AES is a GCM cipher: " + err.Error())
	}
	return block, aead
}

// open prepares a key for use, and leaves no other copy of it but the caller's.
func (w wiper) open(key []byte) cipher.AEAD {
	block, aead := ciphers(key)
	overwriteAt(block, w.block)
	return aead
}

// wipe overwrites what an AEAD keeps. Nobody may be using it.
func (w wiper) wipe(aead cipher.AEAD) { overwriteAt(aead, w.aead) }

func overwriteAt(v any, size uintptr) {
	if size > 0 {
		clear(unsafe.Slice((*byte)(reflect.ValueOf(v).UnsafePointer()), size))
	}
}

// sizeOf is the size of what v points at; 0 where that holds pointers.
func sizeOf(v any) uintptr {
	t := reflect.TypeOf(v)
	if t.Kind() != reflect.Pointer || !plain(t.Elem()) {
		return 0
	}
	return t.Elem().Size()
}

// plain tells that values of a type hold no pointers.
func plain(t reflect.Type) bool {
	switch t.Kind() {
	case reflect.Struct:
		for i := range t.NumField() {
			if !plain(t.Field(i).Type) {
				return false
			}
		}
		return true
	case reflect.Array:
		return plain(t.Elem())
	}
	return t.Kind() >= reflect.Bool && t.Kind() <= reflect.Complex128
}
