package vault

import (
	"crypto/cipher"
	"reflect"
	"unsafe"
)

// wipe overwrites what an AEAD keeps of its key. The standard library has no way to ask for that, so it is done where the
// value lies, as far as it holds no pointers; a test tells when that is no longer all of it.
func wipe(aead cipher.AEAD) { wipeValue(reflect.ValueOf(aead)) }

func wipeValue(v reflect.Value) {
	if v.Kind() != reflect.Pointer || v.IsNil() || !plain(v.Type().Elem()) {
		return
	}
	clear(unsafe.Slice((*byte)(v.UnsafePointer()), v.Type().Elem().Size()))
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

// wipeBlock overwrites a cipher of which an AEAD has made its own copy.
func wipeBlock(b cipher.Block) { wipeValue(reflect.ValueOf(b)) }
