package app

import (
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"sync"

	"github.com/ombudhq/ombud/cli"
)

// The protocol of DIR/ombud.sock: frames of JSON, each after its length in four bytes, big endian. The client
// sends one order and then at most {"cancel":true}; the owner answers with pieces of output and, last, the exit code.
// A client that hangs up cancels too.

// callLimit bounds a frame: a file of subjects travels in one.
const callLimit = 64 << 20

// order is what a client sends.
type order struct {
	Call   *cli.Call `json:"call,omitempty"`
	Cancel bool      `json:"cancel,omitempty"`
}

// reply is what the owner sends.
type reply struct {
	Out  []byte `json:"out,omitempty"`
	Err  []byte `json:"err,omitempty"`
	Exit *int   `json:"exit,omitempty"`
}

func writeFrame(w io.Writer, v any) error {
	b, err := json.Marshal(v)
	if err != nil {
		return fmt.Errorf("encoding a frame: %w", err)
	}
	frame := binary.BigEndian.AppendUint32(make([]byte, 0, 4+len(b)), uint32(len(b)))
	_, err = w.Write(append(frame, b...))
	return err
}

func readFrame(r io.Reader, v any) error {
	var head [4]byte
	if _, err := io.ReadFull(r, head[:]); err != nil {
		return err
	}
	n := binary.BigEndian.Uint32(head[:])
	if n > callLimit {
		return fmt.Errorf("a frame of %d bytes is longer than allowed", n)
	}
	b := make([]byte, n)
	if _, err := io.ReadFull(r, b); err != nil {
		return err
	}
	return json.Unmarshal(b, v)
}

// replies makes writers out of a connection. Output that cannot be delivered is dropped: the command goes on or
// is cancelled by whoever notices that the client left.
type replies struct {
	mu sync.Mutex
	w  io.Writer
}

func (r *replies) send(v reply) {
	r.mu.Lock()
	defer r.mu.Unlock()
	_ = writeFrame(r.w, v)
}

type outWriter struct{ *replies }

func (o outWriter) Write(p []byte) (int, error) {
	o.send(reply{Out: p})
	return len(p), nil
}

type errWriter struct{ *replies }

func (e errWriter) Write(p []byte) (int, error) {
	e.send(reply{Err: p})
	return len(p), nil
}
