package vault

import (
	"bytes"
	"reflect"
	"testing"
	"unsafe"
)

// TestCloseLeavesNoKey: what a closed vault held is overwritten where it lay, and nothing is sealed or signed with what is
// left.
func TestCloseLeavesNoKey(t *testing.T) {
	v := again(t, t.TempDir())
	newSlots(t, v, 3)
	ids, tokens := v.Numbers("sub"), v.Tokens(Suppression)
	k := v.in()
	s, pub := k.slots.Load(), v.PublicKey()
	file := s.c.Provider.(*KeyFile).in()
	for range 2 {
		if _, err := v.Open("l", nil, v.Seal("l", nil, nil)); err != nil {
			t.Fatal(err)
		}
	}
	seals := k.now().seals[1]
	secrets := [][]byte{bytesAt(seals.sealing.aead, seals.wiper.aead), bytesAt(seals.opened.aead, seals.wiper.aead)}
	secrets = append(secrets, k.now().root[:], k.signing[:32], seals.k1[:], bytesAt(*ids.in(), sizeOf(*ids.in())), bytesAt(seals.block, seals.wiper.block), tokens.states().inner[:], tokens.states().outer[:], s.root.outer[:], s.root.list[0].key[:], s.buckets[0].key[:])
	for i := range 2 {
		secrets = append(secrets, s.anchor.have[i].secret[:], file.have[i].secret[:])
	}
	for _, key := range k.now().lasting {
		secrets = append(secrets, key[:])
	}
	zero := 0
	for _, b := range secrets {
		if bytes.Equal(b, make([]byte, len(b))) {
			zero++
		}
	}
	if zero != 2 || len(secrets) != 16+len(lasting()) { // of each pair one
		t.Fatalf("%d of %d were zeros before", zero, len(secrets))
	}
	if err := v.Close(); err != nil {
		t.Fatal(err)
	}
	for i, b := range secrets {
		if !bytes.Equal(b, make([]byte, len(b))) {
			t.Errorf("secret %d is still there", i)
		}
	}
	if !bytes.Equal(v.PublicKey(), pub) {
		t.Error("the public key is gone")
	}
	for name, use := range map[string]func(){"seal": func() { v.Seal("l", nil, nil) }, "sign": func() { v.Sign(nil) }, "mac": func() { v.MAC(Suppression) }, "numbers": func() { v.Numbers("sub") }} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%s goes on after Close", name)
				}
			}()
			use()
		}()
	}
}

// bytesAt are the bytes that something points at.
func bytesAt(v any, size uintptr) []byte {
	return unsafe.Slice((*byte)(reflect.ValueOf(v).UnsafePointer()), size)
}
