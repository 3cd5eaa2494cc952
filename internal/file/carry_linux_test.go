package file

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// TestOnlyExt4Carries: what is not known to empty the disk's cache with every fdatasync, or writes data elsewhere first, carries nothing.
func TestOnlyExt4Carries(t *testing.T) {
	const line = "27 1 254:0 / /data\\040a rw,relatime shared:1 - "
	for mounts, want := range map[string]bool{
		line + "ext4 /dev/vda rw,discard":                                                true,
		"26 1 254:1 / /b rw - xfs /dev/vdb rw\n" + line + "ext4 /dev/vda rw":             true,
		line + "ext4 /dev/vda rw,data=journal":                                           false,
		line + "ext4 /dev/vda rw,nobarrier":                                              false,
		line + "ext3 /dev/vda rw":                                                        false,
		line + "overlay overlay rw,lowerdir=/ext4 ":                                      false,
		"27 1 254:10 / /data rw - ext4 /dev/vda rw":                                      false,
		"27 1 254:0 / /data rw - xfs /dev/vda rw\n28 1 254:0 / /c rw - ext4 /dev/vda rw": false,
		"254:0": false,
		"":      false,
	} {
		if got := flushes(strings.NewReader(mounts), unix.Mkdev(254, 0)); got != want {
			t.Errorf("%v where %q is mounted", got, mounts)
		}
	}
}

// TestCarriesWithinOneDisk: files of two devices do not carry each other, whatever these are.
func TestCarriesWithinOneDisk(t *testing.T) {
	made := func(dir string) *os.File {
		f, err := os.CreateTemp(dir, "file")
		if err != nil {
			t.Skip(err)
		}
		t.Cleanup(func() { f.Close(); os.Remove(f.Name()) })
		return f
	}
	here, beside, memory := made(t.TempDir()), made(t.TempDir()), made("/dev/shm")
	there, err := deviceOf(here)
	shm, err2 := deviceOf(memory)
	if err != nil || err2 != nil {
		t.Fatal(err, err2)
	}
	if got := Carries(here, memory); got && there != shm {
		t.Error("a disk carries what lies in memory")
	}
	if Carries(memory, memory) {
		t.Error("memory has a disk")
	}
	mounts, err := os.ReadFile("/proc/self/mountinfo")
	if want := err == nil && flushes(strings.NewReader(string(mounts)), there); Carries(here, beside) != want {
		t.Errorf("two files of one folder: %v", !want)
	}
}

// TestWriteOut: what is written out is what was written, and nothing else changes.
func TestWriteOut(t *testing.T) {
	path := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(path, make([]byte, 20_000), 0o600); err != nil {
		t.Fatal(err)
	}
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if _, err := f.WriteAt([]byte("words"), 9_000); err != nil {
		t.Fatal(err)
	}
	if err := WriteOut(f, 9_000, 5); err != nil {
		t.Error(err)
	}
	if err := WriteOut(f, -1, 5); err == nil {
		t.Error("it wrote out what is before the file")
	}
	if got, err := os.ReadFile(path); err != nil || len(got) != 20_000 || string(got[9_000:9_005]) != "words" {
		t.Errorf("%d bytes, %v", len(got), err)
	}
}
