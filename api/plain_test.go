package api

import "testing"

// TestPlain: each byte at each place is judged as by itself; a no may also be said of what stands behind another no.
func TestPlain(t *testing.T) {
	for at := range 8 {
		for c := range 256 {
			b := []byte("e-mail@x")
			b[at] = byte(c)
			want := c >= 0x20 && c < 0x80 && c != '"' && c != '\\'
			if got := plain(string(b)); got != want {
				t.Errorf("%q: %v", b, got)
			}
		}
	}
}
