package api

import (
	"bytes"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

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

// TestBodiesAreNotKept: nothing of a body is left in a buffer that was given back, whatever was answered from it.
func TestBodiesAreNotKept(t *testing.T) {
	for _, length := range []int64{-1, 1000} {
		r := httptest.NewRequest(http.MethodPost, "/", strings.NewReader(strings.Repeat("ida@", 250)))
		r.ContentLength = length
		b, err := body(r, maxQuestion)
		if err != nil || b.Len() != 1000 {
			t.Fatal(b.Len(), err)
		}
		b.Reset()
		whole := append(b.AvailableBuffer(), "answer"...)
		whole = whole[:cap(whole)]
		release(b)
		if i := bytes.Index(whole, []byte("ida@")); i >= 0 {
			t.Errorf("length %d: left at %d", length, i)
		}
	}
}
