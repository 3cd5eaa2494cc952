package file

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
)

// Carries tells whether SyncData of log also makes durable what WriteOut wrote of f: both lie on one ext4, which empties the
// cache of its disk with every fdatasync, also where nothing but data was written over. It is false wherever that is not known.
func Carries(log, f *os.File) bool {
	one, err := deviceOf(log)
	other, err2 := deviceOf(f)
	if err != nil || err2 != nil || one != other {
		return false
	}
	mounts, err := os.Open("/proc/self/mountinfo")
	if err != nil {
		return false
	}
	defer mounts.Close()
	return flushes(mounts, one) && !throughJournal(log) && !throughJournal(f)
}

func deviceOf(f *os.File) (uint64, error) {
	info, err := f.Stat()
	if err != nil {
		return 0, err
	}
	return info.Sys().(*syscall.Stat_t).Dev, nil
}

// flushes looks a device up in the list of what is mounted: proc(5). An ext4 that writes data through its journal is none for us,
// for there a page that was written out is not where it will be looked for.
func flushes(mounts io.Reader, device uint64) bool {
	name := fmt.Sprintf("%d:%d", unix.Major(device), unix.Minor(device))
	for lines := bufio.NewScanner(mounts); lines.Scan(); {
		mount, system, _ := strings.Cut(lines.Text(), " - ")
		if at := strings.Fields(mount); len(at) > 2 && at[2] == name {
			return strings.HasPrefix(system, "ext4 ") && !strings.Contains(system, "data=journal") && !strings.Contains(system, "nobarrier")
		}
	}
	return false
}

// throughJournal tells whether the data of a file go through the journal (chattr +j), and also where that cannot be told.
func throughJournal(f *os.File) bool {
	const journalData = 0x4000 // FS_JOURNAL_DATA_FL
	flags, err := unix.IoctlGetInt(int(f.Fd()), unix.FS_IOC_GETFLAGS)
	return err != nil || flags&journalData != 0
}

// WriteOut writes out what was written over in a part of a file, and answers when the disk has it, if only in its cache: it is
// durable after the next SyncData of one that Carries it. The part must be of blocks that the file was forced to the disk with before.
func WriteOut(f *os.File, offset int64, n int) error {
	const all = unix.SYNC_FILE_RANGE_WAIT_BEFORE | unix.SYNC_FILE_RANGE_WRITE | unix.SYNC_FILE_RANGE_WAIT_AFTER
	return os.NewSyscallError("sync_file_range", unix.SyncFileRange(int(f.Fd()), offset, int64(n), all))
}

// BeginWriteOut begins to write out what was written, so that less is left for SyncData, which tells whether that went well.
func BeginWriteOut(f *os.File) { _ = unix.SyncFileRange(int(f.Fd()), 0, 0, unix.SYNC_FILE_RANGE_WRITE) }
