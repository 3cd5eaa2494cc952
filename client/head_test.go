package client

import (
	"encoding/base64"
	"testing"
)

// TestNewestHeadIsKept: answers may overtake each other, and what is no head is none.
func TestNewestHeadIsKept(t *testing.T) {
	c := &Client{}
	if c.Checkpoint() != nil {
		t.Error("a head before any answer")
	}
	note := func(size string) string { return "ombud/0\n" + size + "\nroot\n\n— ombud/0 sig\n\n" }
	for _, size := range []string{"9", "x", "10", "5", ""} {
		c.head.keep(base64.StdEncoding.EncodeToString([]byte(note(size))))
	}
	c.head.keep("")
	c.head.keep("%")
	if got := string(c.Checkpoint()); got != note("10") {
		t.Errorf("%q", got)
	}
}
