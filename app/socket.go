package app

import (
	"context"
	"errors"
	"io"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"sync"

	"github.com/ombudhq/ombud/cli"
	"github.com/ombudhq/ombud/internal/fault"
)

const socketName = "ombud.sock"

// longestPath is what fits into a socket address on every system we know.
const longestPath = 100

// socket runs the commands of other processes for them.
type socket struct {
	ctx      context.Context // ends every call
	listener *net.UnixListener
	run      func(ctx context.Context, call *cli.Call, user string, out, errs io.Writer) int
	calls    sync.WaitGroup
	done     chan struct{}
}

// listen opens DIR/ombud.sock, readable by its owner alone. The lock must be held: a socket that lies there is dead.
func listen(ctx context.Context, dir string, run func(context.Context, *cli.Call, string, io.Writer, io.Writer) int) (*socket, error) {
	path := filepath.Join(dir, socketName)
	if err := os.Remove(path); err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, fault.Wrap(fault.Unavailable, err, "an old %s cannot be removed", socketName)
	}
	var l *net.UnixListener
	err := withShortPath(dir, func(short string) (err error) {
		l, err = net.ListenUnix("unix", &net.UnixAddr{Name: short, Net: "unix"})
		return err
	})
	if err != nil {
		return nil, fault.Wrap(fault.Unavailable, err, "%s cannot be opened", socketName)
	}
	l.SetUnlinkOnClose(false) // its name may have been a detour; stop removes it
	if err := os.Chmod(path, 0o600); err != nil {
		l.Close()
		return nil, fault.Wrap(fault.Unavailable, err, "%s cannot be closed to others", socketName)
	}
	s := &socket{ctx: ctx, listener: l, run: run, done: make(chan struct{})}
	go s.accept()
	return s, nil
}

// withShortPath calls fn with a path to the socket that fits into an address.
func withShortPath(dir string, fn func(path string) error) error {
	path := filepath.Join(dir, socketName)
	if len(path) <= longestPath {
		return fn(path)
	}
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	defer d.Close()
	return fn(filepath.Join("/proc/self/fd", strconv.Itoa(int(d.Fd())), socketName))
}

func (s *socket) accept() {
	defer close(s.done)
	for {
		c, err := s.listener.AcceptUnix()
		if err != nil {
			return
		}
		s.calls.Go(func() { s.serve(c) })
	}
}

// stop takes no more calls, and waits for those under way.
func (s *socket) stop(dir string) {
	_ = os.Remove(filepath.Join(dir, socketName))
	s.listener.Close()
	<-s.done
	s.calls.Wait()
}

func (s *socket) serve(c *net.UnixConn) {
	defer c.Close()
	out := &replies{w: c}
	user, err := peer(c)
	var first order
	if err == nil {
		err = readFrame(c, &first)
	}
	if err != nil || first.Call == nil {
		if errors.Is(err, io.EOF) {
			return
		}
		code := fault.ExitCode(err)
		out.send(reply{Err: []byte("ombud: the owner of the data directory refused the call\n"), Exit: &code})
		return
	}
	out.send(reply{}) // taken: from here on the client must not ask another owner
	ctx, cancel := context.WithCancel(s.ctx)
	defer cancel()
	go func() {
		var o order
		_ = readFrame(c, &o) // a cancel or the end of the connection: both mean stop
		cancel()
	}()
	code := s.run(ctx, first.Call, user, outWriter{out}, errWriter{out})
	out.send(reply{Exit: &code})
}

// errNobody says that no owner listens: it is just starting or ending.
var errNobody = errors.New("nobody listens")

// call hands a command to the owner of dir and copies what it answers. errNobody when there is none to ask.
func call(ctx context.Context, dir string, c *cli.Call, stdout, stderr io.Writer) (int, error) {
	var conn net.Conn
	err := withShortPath(dir, func(path string) (err error) {
		conn, err = net.Dial("unix", path)
		return err
	})
	if err != nil {
		return 0, errNobody
	}
	defer conn.Close()
	if err := writeFrame(conn, order{Call: c}); err != nil {
		return 0, errNobody
	}
	stopped := context.AfterFunc(ctx, func() { _ = writeFrame(conn, order{Cancel: true}) })
	defer stopped()
	return copyReplies(conn, stdout, stderr)
}

func copyReplies(conn io.Reader, stdout, stderr io.Writer) (int, error) {
	heard := false
	for {
		var r reply
		if err := readFrame(conn, &r); err != nil {
			if !heard {
				return 0, errNobody // not taken: nothing has happened
			}
			return 0, fault.Wrap(fault.Unavailable, err, "the process that owns the data directory ended before it answered").
				Then("Run the command again; what it had begun goes on where it stopped.")
		}
		heard = true
		if _, err := stdout.Write(r.Out); err != nil {
			return 0, err
		}
		if _, err := stderr.Write(r.Err); err != nil {
			return 0, err
		}
		if r.Exit != nil {
			return *r.Exit, nil
		}
	}
}
