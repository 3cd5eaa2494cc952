package client

import (
	"bytes"
	"encoding/base64"
	"strconv"
	"sync"
)

// head is the newest signed head of the ledger that came with an answer.
type head struct {
	mu   sync.Mutex
	size int64 // entries that it covers
	note []byte
}

// Checkpoint is the newest signed head of the ledger that came with the answer to a write, as a file that `ombud audit verify
// --checkpoint FILE` reads; nil before the first. Keep it where nobody who runs the server can change it, in the place of the one
// before: by it an auditor finds what was changed or taken out since, even if everything on the server was.
func (c *Client) Checkpoint() []byte {
	c.head.mu.Lock()
	defer c.head.mu.Unlock()
	return bytes.Clone(c.head.note)
}

// keep takes a head that is newer than the one before. Its second line is how many entries it covers.
func (h *head) keep(header string) {
	note, err := base64.StdEncoding.DecodeString(header)
	lines := bytes.SplitN(note, []byte("\n"), 3)
	if err != nil || len(lines) < 3 {
		return
	}
	size, err := strconv.ParseInt(string(lines[1]), 10, 64)
	h.mu.Lock()
	defer h.mu.Unlock()
	if err == nil && size > h.size {
		h.size, h.note = size, note
	}
}
