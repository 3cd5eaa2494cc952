package transport_test

import (
	"errors"
	"io"
	"net"
	"os"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ombudhq/ombud/internal/transport"
)

// one is a listener to which one connection comes.
type one struct {
	net.Listener
	conn net.Conn
}

func (o one) Accept() (net.Conn, error) { return o.conn, nil }

const (
	soon = 200 * time.Millisecond
	far  = time.Hour
)

// TestDeadlinesHold: who waits longer than the deadline that is wanted at the time is told so, not sooner and not later;
// however often another was wanted before, and also when it is wanted while they wait.
func TestDeadlinesHold(t *testing.T) { synctest.Test(t, deadlinesHold) }

func deadlinesHold(t *testing.T) {
	inner, theirs := net.Pipe()
	ours, err := transport.Sparing(one{conn: inner}).Accept()
	if err != nil {
		t.Fatal(err)
	}
	in := func(d time.Duration) time.Time { return time.Now().Add(d) }
	read := func(what string, after time.Duration, want error) {
		t.Helper()
		began := time.Now()
		_, err := ours.Read(make([]byte, 8))
		if took := time.Since(began); !errors.Is(err, want) || took != after {
			t.Errorf("%s: %v after %v", what, err, took)
		}
	}
	set := func(list ...time.Time) {
		t.Helper()
		for _, d := range list {
			if err := ours.SetReadDeadline(d); err != nil {
				t.Fatal(err)
			}
		}
	}
	past := time.Unix(1, 0)
	set(in(soon))
	read("the first", soon, os.ErrDeadlineExceeded)
	read("the same again", 0, os.ErrDeadlineExceeded)
	set(in(far), in(soon), time.Time{}, in(2*soon))
	read("a later one after one that passed", 2*soon, os.ErrDeadlineExceeded)
	set(in(far))
	time.AfterFunc(soon, func() { set(past) })
	read("one that is wanted while somebody waits", soon, os.ErrDeadlineExceeded)
	set(time.Time{}, in(soon))
	time.AfterFunc(soon/2, func() { set(in(2 * soon)) })
	read("a later one that is wanted while somebody waits", soon/2+2*soon, os.ErrDeadlineExceeded)
	set(in(soon))
	time.AfterFunc(soon/2, func() { set(time.Time{}) })
	time.AfterFunc(3*soon, func() { _, _ = theirs.Write([]byte("here")) })
	read("none any more while somebody waits", 3*soon, nil)
	if err := ours.SetDeadline(past); err != nil {
		t.Fatal(err)
	}
	read("both", 0, os.ErrDeadlineExceeded)
	if _, err := ours.Write([]byte("x")); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("writing: %v", err)
	}
}

// pair is a connection that a sparing listener took, and its other end.
func pair(t *testing.T) (ours, theirs net.Conn) {
	t.Helper()
	inner, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l := transport.Sparing(inner)
	defer l.Close()
	if theirs, err = (&net.Dialer{}).DialContext(t.Context(), "tcp", l.Addr().String()); err != nil {
		t.Fatal(err)
	}
	if ours, err = l.Accept(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { ours.Close(); theirs.Close() })
	return ours, theirs
}

// TestAWriteGoesOn: what is written while the former deadline passes arrives whole and once.
func TestAWriteGoesOn(t *testing.T) {
	ours, theirs := pair(t)
	for written := 0; written == 0; { // a busy machine may let the deadline pass before
		if err := ours.SetWriteDeadline(time.Now().Add(soon)); err != nil {
			t.Fatal(err)
		}
		var err error
		if written, err = ours.Write([]byte("0")); err != nil && !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Fatal(err)
		}
	}
	if err := ours.SetWriteDeadline(time.Now().Add(far)); err != nil {
		t.Fatal(err)
	}
	text := make([]byte, 16<<20) // more than lies between the two
	for i := range text {
		text[i] = byte(i * i >> 8)
	}
	got := make(chan []byte, 1)
	time.AfterFunc(3*soon, func() {
		b, _ := io.ReadAll(theirs)
		got <- b
	})
	n, err := ours.Write(text)
	if err != nil || n != len(text) || ours.(interface{ CloseWrite() error }).CloseWrite() != nil {
		t.Fatalf("%d of %d, %v", n, len(text), err)
	}
	if b := <-got; len(b) != 1+len(text) || string(b[1:]) != string(text) {
		t.Errorf("%d bytes arrived of %d", len(b), 1+len(text))
	}
}
