package id

import (
	"strings"
	"testing"
	"time"
)

func TestNewSortsByTimeAndNeverRepeats(t *testing.T) {
	at := time.Date(2026, 11, 21, 4, 0, 0, 0, time.UTC)
	seen := map[string]bool{}
	for range 1000 {
		s := New("dsr_", at)
		if len(s) != 30 || !strings.HasPrefix(s, "dsr_") || seen[s] {
			t.Fatalf("bad id %q", s)
		}
		seen[s] = true
		if later := New("dsr_", at.Add(time.Millisecond)); later <= s {
			t.Fatalf("%s is not after %s", later, s)
		}
	}
}

func TestEncodeKeepsEveryBit(t *testing.T) {
	if got, want := encode([16]byte{15: 1}), strings.Repeat("0", 25)+"1"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	full := [16]byte{}
	for i := range full {
		full[i] = 0xff
	}
	if got, want := encode(full), "7"+strings.Repeat("z", 25); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestDecodeGivesBackWhatWasEncoded(t *testing.T) {
	for _, b := range [][16]byte{{}, {15: 1}, {0: 0xff, 7: 0x81, 8: 0x7e, 15: 0xff}} {
		if got, ok := Decode("sub_", Encode("sub_", b)); !ok || got != b {
			t.Errorf("%x came back as %x", b, got)
		}
	}
	for _, s := range []string{"", "sub_", "con_" + strings.Repeat("0", 26), "sub_" + strings.Repeat("0", 25), "sub_8" + strings.Repeat("0", 25), "sub_" + strings.Repeat("u", 26)} {
		if _, ok := Decode("sub_", s); ok {
			t.Errorf("%q was taken", s)
		}
	}
}
