package iofault

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// watched calls by number: their name, and which argument is the path; -1 where the first is an open file.
var watched = map[int32]struct {
	name string
	path int
}{
	unix.SYS_OPEN: {"open", 0}, unix.SYS_OPENAT: {"open", 1}, unix.SYS_MKDIRAT: {"mkdir", 1}, unix.SYS_MKDIR: {"mkdir", 0},
	unix.SYS_RENAME: {"rename", 1}, unix.SYS_RENAMEAT: {"rename", 3}, unix.SYS_RENAMEAT2: {"rename", 3},
	unix.SYS_WRITE: {"write", -1}, unix.SYS_PWRITE64: {"write", -1}, unix.SYS_FSYNC: {"sync", -1}, unix.SYS_FDATASYNC: {"sync", -1},
	unix.SYS_SYNC_FILE_RANGE: {"sync", -1}, unix.SYS_FTRUNCATE: {"truncate", -1}, unix.SYS_TRUNCATE: {"truncate", 0},
}

// notification and response are those of seccomp(2).
type notification struct {
	id    uint64
	pid   uint32
	flags uint32
	nr    int32
	arch  uint32
	ip    uint64
	args  [6]uint64
}

type response struct {
	id    uint64
	value int64
	errno int32
	flags uint32
}

const offered = "iofault "

// Run starts a test that calls Offer first, breaks its disk as planned, and waits until it ended, however it did. The lines
// it wrote to its standard output are given back.
func Run(cmd *exec.Cmd, p Plan) (Broken, error) {
	out, err := cmd.StdoutPipe()
	if err = errors.Join(err, cmd.Start()); err != nil {
		return Broken{}, err
	}
	in := bufio.NewReader(out)
	b := &breaker{plan: p, pid: cmd.Process.Pid}
	if err := b.attach(in); err != nil {
		return Broken{}, errors.Join(err, cmd.Process.Kill(), quietly(cmd.Wait()))
	}
	done := make(chan error, 1)
	go func() { done <- b.answerAll() }()
	text, err := io.ReadAll(in)
	_ = cmd.Wait() // it is told by its lines
	err = errors.Join(err, <-done, unix.Close(b.listener), unix.Close(b.process))
	return Broken{Calls: b.calls, Lines: strings.Split(strings.TrimSuffix(string(text), "\n"), "\n")}, err
}

func quietly(error) error { return nil }

// breaker answers the kernel.
type breaker struct {
	plan              Plan
	pid               int
	process, listener int
	calls             []Call
	failing           bool
}

// attach takes the listener that the process offers.
func (b *breaker) attach(in *bufio.Reader) error {
	line, err := in.ReadString('\n')
	if err != nil {
		return err
	}
	var fd int
	if _, err := fmt.Sscanf(line, offered+"%d\n", &fd); err != nil {
		return ErrNotHere
	}
	if b.process, err = unix.PidfdOpen(b.pid, 0); err != nil {
		return ErrNotHere
	}
	if b.listener, err = unix.PidfdGetfd(b.process, fd, 0); err != nil {
		return errors.Join(ErrNotHere, unix.Close(b.process))
	}
	return nil
}

// answerAll answers until nobody is left who could ask.
func (b *breaker) answerAll() error {
	for {
		wait := []unix.PollFd{{Fd: int32(b.listener), Events: unix.POLLIN}}
		if _, err := unix.Poll(wait, -1); err != nil && !errors.Is(err, unix.EINTR) {
			return err
		}
		if wait[0].Revents&unix.POLLIN != 0 {
			b.answer()
		} else if wait[0].Revents != 0 {
			return nil
		}
	}
}

func (b *breaker) answer() {
	var n notification
	if b.ioctl(unix.SECCOMP_IOCTL_NOTIF_RECV, unsafe.Pointer(&n)) != 0 {
		return // who asked was killed
	}
	r := response{id: n.id, flags: unix.SECCOMP_USER_NOTIF_FLAG_CONTINUE}
	if c, ok := b.counts(&n); ok {
		b.calls = append(b.calls, c)
		b.judge(&n, &r)
	}
	b.ioctl(unix.SECCOMP_IOCTL_NOTIF_SEND, unsafe.Pointer(&r))
}

func (b *breaker) ioctl(request uint, to unsafe.Pointer) syscall.Errno {
	_, _, errno := unix.Syscall(unix.SYS_IOCTL, uintptr(b.listener), uintptr(request), uintptr(to))
	return errno
}

// counts tells whether a call is about a file below the folder.
func (b *breaker) counts(n *notification) (Call, bool) {
	w := watched[n.nr]
	path := ""
	if w.path < 0 {
		path, _ = os.Readlink(fmt.Sprintf("/proc/%d/fd/%d", n.pid, int32(n.args[0]))) // none is not below
	} else {
		path = b.text(n.pid, n.args[w.path])
	}
	below, ok := strings.CutPrefix(path, b.plan.Below+"/")
	return Call{w.name, below}, ok
}

// text is a path in the memory of the process.
func (b *breaker) text(pid uint32, at uint64) string {
	buf := b.memory(pid, at, int(4096-at%4096))
	s, _, ended := bytes.Cut(buf, []byte{0})
	if !ended {
		rest, _, _ := bytes.Cut(b.memory(pid, at+uint64(len(buf)), 4096), []byte{0})
		return string(s) + string(rest)
	}
	return string(s)
}

func (b *breaker) memory(pid uint32, at uint64, n int) []byte {
	f, err := os.Open(fmt.Sprintf("/proc/%d/mem", pid))
	if err != nil {
		return nil
	}
	defer f.Close()
	buf := make([]byte, n)
	got, _ := f.ReadAt(buf, int64(at)) // what cannot be read is not below
	return buf[:got]
}

// judge lets the call through, or breaks it.
func (b *breaker) judge(n *notification, r *response) {
	switch at := len(b.calls) == b.plan.At; {
	case at && b.plan.Short && watched[n.nr].name == "write":
		b.failing = true
		if done, ok := b.half(n); ok {
			r.flags, r.value = 0, int64(done)
			return
		}
	case !at && !b.failing:
		return
	}
	b.failing = b.plan.Stays
	r.flags, r.errno = 0, -int32(b.plan.With)
}

// half does the first half of a write.
func (b *breaker) half(n *notification) (int, bool) {
	data := b.memory(n.pid, n.args[1], int(n.args[2]/2))
	fd, err := unix.PidfdGetfd(b.process, int(int32(n.args[0])), 0)
	if err != nil || len(data) == 0 {
		return 0, false
	}
	defer func() { _ = unix.Close(fd) }() // a copy of theirs
	if n.nr == unix.SYS_PWRITE64 {
		_, err = unix.Pwrite(fd, data, int64(n.args[3]))
	} else {
		_, err = unix.Write(fd, data)
	}
	return len(data), err == nil
}
