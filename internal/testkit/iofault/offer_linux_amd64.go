package iofault

import (
	"fmt"
	"os"
	"runtime"
	"slices"
	"unsafe"

	"golang.org/x/sys/unix"
)

// Offer lets whoever started this process with Run break its disk from now on. It ends the process where that cannot be.
func Offer() {
	fd, err := install()
	if err != nil {
		fmt.Println("no " + offered + err.Error())
		os.Exit(0)
	}
	fmt.Println(offered + fmt.Sprint(fd))
}

func install() (int, error) {
	runtime.LockOSThread() // what is set first counts for this thread; the filter then reaches all
	defer runtime.UnlockOSThread()
	if err := unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); err != nil {
		return 0, err
	}
	program := filter()
	list := unix.SockFprog{Len: uint16(len(program)), Filter: &program[0]}
	const flags = unix.SECCOMP_FILTER_FLAG_TSYNC | unix.SECCOMP_FILTER_FLAG_TSYNC_ESRCH | unix.SECCOMP_FILTER_FLAG_NEW_LISTENER |
		unix.SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV
	fd, _, errno := unix.Syscall(unix.SYS_SECCOMP, unix.SECCOMP_SET_MODE_FILTER, flags, uintptr(unsafe.Pointer(&list)))
	if errno != 0 {
		return 0, errno
	}
	return int(fd), nil
}

// Offsets in what a filter sees of a call.
const (
	offsetNumber   = 0
	offsetArch     = 4
	offsetFirstArg = 16
)

// filter asks about the watched calls, but not about what is written to the standard streams.
func filter() []unix.SockFilter {
	load := func(k uint32) unix.SockFilter {
		return unix.SockFilter{Code: unix.BPF_LD | unix.BPF_W | unix.BPF_ABS, K: k}
	}
	jump := func(op uint16, k uint32, yes, no int) unix.SockFilter {
		return unix.SockFilter{Code: unix.BPF_JMP | op | unix.BPF_K, K: k, Jt: uint8(yes), Jf: uint8(no)}
	}
	answer := func(k uint32) unix.SockFilter { return unix.SockFilter{Code: unix.BPF_RET | unix.BPF_K, K: k} }
	var numbers []int32
	for nr := range watched {
		if nr != unix.SYS_WRITE {
			numbers = append(numbers, nr)
		}
	}
	slices.Sort(numbers)
	n := len(numbers)
	program := []unix.SockFilter{load(offsetArch), jump(unix.BPF_JEQ, unix.AUDIT_ARCH_X86_64, 0, n+2), load(offsetNumber), jump(unix.BPF_JEQ, unix.SYS_WRITE, n+1, 0)}
	for i, nr := range numbers {
		program = append(program, jump(unix.BPF_JEQ, uint32(nr), n-i+3, 0))
	}
	return append(program, answer(unix.SECCOMP_RET_ALLOW), load(offsetFirstArg), jump(unix.BPF_JGT, 2, 1, 0), answer(unix.SECCOMP_RET_ALLOW), answer(unix.SECCOMP_RET_USER_NOTIF))
}
