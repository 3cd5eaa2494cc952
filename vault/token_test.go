package vault

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"testing"
)

// TestTokensOfAllLengths: a token is HMAC-SHA256 whatever the length of its text, and nothing of either stays behind.
func TestTokensOfAllLengths(t *testing.T) {
	key := [32]byte{7}
	r, fresh := newRoom(), newRoom()
	empty, _ := fresh.hash.AppendBinary(nil)
	for n := range 300 {
		text := bytes.Repeat([]byte{'x'}, n)
		r.in = append(r.in[:0], text...)
		h := hmac.New(sha256.New, key[:])
		h.Write(text)
		if got := statesOf(&key).hmac(r); !hmac.Equal(got[:], h.Sum(nil)) {
			t.Errorf("%d bytes: another token", n)
		}
		left, _ := r.hash.AppendBinary(nil)
		if bytes.ContainsFunc(r.in[:cap(r.in)], func(c rune) bool { return c != 0 }) || !bytes.Equal(left, empty) || r.inner != fresh.inner {
			t.Fatalf("%d bytes: something stays", n)
		}
	}
}

func TestTokensAreThoseOfMAC(t *testing.T) {
	v := fromRoot([32]byte{1})
	tokens := v.Tokens(BlindIndex)
	for _, value := range []string{"", "a", "name@example.com"} {
		if got, want := tokens.Of("email", []byte(value)), v.MAC(BlindIndex, []byte("email"), []byte(value)); got != want {
			t.Errorf("the tokens of %q differ", value)
		}
	}
	if n := testing.AllocsPerRun(100, func() { tokens.Of("email", []byte("name@example.com")) }); n > 0 {
		t.Errorf("%v allocations", n)
	}
}

func TestNumbersComeBackAndForgeriesDoNot(t *testing.T) {
	ids := fromRoot([32]byte{1}).Numbers("sub")
	seen := map[[16]byte]bool{}
	for n := range uint64(1000) {
		id := ids.ID(n)
		if back, ok := ids.Number(id); !ok || back != n || seen[id] {
			t.Fatalf("%d came back as %d", n, back)
		}
		if got := ids.Append([]byte("id "), n); string(got) != "id "+string(id[:]) {
			t.Fatalf("%d is appended as %x, want %x", n, got, id)
		}
		seen[id] = true
		id[3] ^= 1
		if _, ok := ids.Number(id); ok {
			t.Fatal("a forged id was taken")
		}
	}
	room := make([]byte, 0, 16)
	if n := testing.AllocsPerRun(100, func() { ids.Append(room, 7) }); n > 0 {
		t.Errorf("%v allocations", n)
	}
	if _, ok := fromRoot([32]byte{2}).Numbers("sub").Number(ids.ID(7)); ok {
		t.Error("an id of another key was taken")
	}
}
