package transport

import (
	"errors"
	"net"
	"os"
	"sync"
	"time"
)

// Sparing gives connections whose deadlines hold as the library promises, and cost what a variable does. A server of HTTP
// sets nine deadlines a request, and hardly ever waits for one of them: the next read is over, or another is wanted, before
// it passes. Here a deadline is noted, and set only where somebody waits and would wait longer than that. One that passes
// although a later one is wanted by then is set to that, and the wait goes on.
//
// Of each connection one reads and one writes at a time.
func Sparing(l net.Listener) net.Listener { return sparing{l} }

type sparing struct{ net.Listener }

func (l sparing) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return &sparingConn{Conn: c, read: deadline{set: c.SetReadDeadline}, write: deadline{set: c.SetWriteDeadline}}, nil
}

type sparingConn struct {
	net.Conn
	read, write deadline
}

func (c *sparingConn) Read(p []byte) (int, error) {
	for err := c.read.enter(); err == nil; {
		n, failed := c.Conn.Read(p)
		if n > 0 || !c.read.goesOn(failed) {
			c.read.leave()
			return n, failed
		}
	}
	return 0, net.ErrClosed
}

func (c *sparingConn) Write(p []byte) (n int, err error) {
	for err = c.write.enter(); err == nil; {
		m, failed := c.Conn.Write(p[n:])
		if n += m; !c.write.goesOn(failed) {
			c.write.leave()
			return n, failed
		}
	}
	return n, net.ErrClosed
}

func (c *sparingConn) SetReadDeadline(t time.Time) error  { return c.read.want(t) }
func (c *sparingConn) SetWriteDeadline(t time.Time) error { return c.write.want(t) }

func (c *sparingConn) SetDeadline(t time.Time) error {
	return errors.Join(c.SetReadDeadline(t), c.SetWriteDeadline(t))
}

// CloseWrite lets whoever is still sending read the answer before the connection ends.
func (c *sparingConn) CloseWrite() error {
	if half, ok := c.Conn.(interface{ CloseWrite() error }); ok {
		return half.CloseWrite()
	}
	return nil
}

// deadline is that of the reads or of the writes of a connection.
type deadline struct {
	set func(time.Time) error

	mu     sync.Mutex
	wanted time.Time // zero is none
	armed  time.Time // the one that is set: never later than wanted while somebody waits
	passed bool      // the one that is set has
	waits  bool
}

func (d *deadline) want(t time.Time) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.wanted = t
	if !d.waits {
		return nil
	}
	return d.arm()
}

// arm sets the deadline that is wanted, where the one that is set may be too late, or would end the wait at once.
func (d *deadline) arm() error {
	if soon := !d.armed.IsZero() && !d.wanted.Before(d.armed); !d.passed && (soon || d.wanted.IsZero()) {
		return nil
	}
	d.armed, d.passed = d.wanted, false
	return d.set(d.wanted)
}

func (d *deadline) enter() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.waits = true
	return d.arm()
}

func (d *deadline) leave() {
	d.mu.Lock()
	d.waits = false
	d.mu.Unlock()
}

// goesOn tells whether what failed did only because a deadline passed that is not wanted any more.
func (d *deadline) goesOn(failed error) bool {
	if failed == nil || !errors.Is(failed, os.ErrDeadlineExceeded) {
		return false
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.passed = d.armed.Equal(d.wanted); d.passed {
		return false
	}
	d.armed = d.wanted
	return d.set(d.wanted) == nil
}
