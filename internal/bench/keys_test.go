package bench

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/ombudhq/ombud/vault"
)

// expertKeys is what an expert writes who keeps every wrapped key in memory, and nothing else in mind: AES-256-GCM with a
// random nonce before the ciphertext.
type expertKeys struct {
	over    cipher.AEAD // wraps
	wrapped [][]byte
	warm    cipher.AEAD // an opened one
	file    *os.File    // the wrapped ones again, 64 bytes each
}

func gcmOf(key []byte) cipher.AEAD {
	block, err := aes.NewCipher(key)
	if err != nil {
		panic(err)
	}
	aead, err := cipher.NewGCM(block)
	if err != nil {
		panic(err)
	}
	return aead
}

func rawSeal(a cipher.AEAD, plain, aad []byte) []byte {
	out := make([]byte, 12, 12+len(plain)+16)
	rand.Read(out)
	return a.Seal(out, out, plain, aad)
}

func rawOpen(a cipher.AEAD, sealed, aad []byte) []byte {
	plain, err := a.Open(nil, sealed[:12], sealed[12:], aad)
	if err != nil {
		panic(err)
	}
	return plain
}

func newExpertKeys(t *testing.T, n int) *expertKeys {
	e := &expertKeys{over: gcmOf(make([]byte, 32))}
	var all []byte
	for range n {
		key := make([]byte, 32)
		rand.Read(key)
		e.wrapped = append(e.wrapped, rawSeal(e.over, key, nil))
		e.warm = gcmOf(key)
		all = append(append(all, e.wrapped[len(e.wrapped)-1]...), 0, 0, 0, 0)
	}
	path := filepath.Join(t.TempDir(), "keys")
	err := os.WriteFile(path, all, 0o600)
	if err == nil {
		e.file, err = os.Open(path)
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { e.file.Close() })
	return e
}

// read is cold of a key that is read first.
func (e *expertKeys) read(i int) cipher.AEAD {
	in := make([]byte, 64)
	if _, err := e.file.ReadAt(in, int64(i)*64); err != nil {
		panic(err)
	}
	return gcmOf(rawOpen(e.over, in[:60], nil))
}

func (e *expertKeys) cold(i int) cipher.AEAD { return gcmOf(rawOpen(e.over, e.wrapped[i], nil)) }

// threadTime is the processor's time that this thread has had: what others do on the machine does not count.
func threadTime() time.Duration {
	var at unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_THREAD_CPUTIME_ID, &at); err != nil {
		panic(err)
	}
	return time.Duration(at.Nano())
}

// measureKeys seals and opens one field of people, with a key that was just used and with one that was not for long.
func measureKeys(t *testing.T, r *report, z size) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	const people, n = 50_000, 10_000
	dir := t.TempDir()
	v, err := vault.Open(vault.Config{Dir: dir})
	if err == nil {
		err = v.KeepFree(people + 1)
	}
	if err != nil {
		t.Fatal(err)
	}
	e, row := newExpertKeys(t, people), []byte("sixteen bytes id")
	for _, size := range []int{64, 300} {
		plain := make([]byte, size)
		ours, theirs := make([][]byte, people), make([][]byte, people)
		for i := range people {
			if ours[i], err = v.SealFor(vault.Slot(i+1), "people.field", row, plain); err != nil {
				t.Fatal(err)
			}
			theirs[i] = rawSeal(e.cold(i), plain, row)
		}
		warm, rawWarm := ours[0], rawSeal(e.warm, plain, row)
		open := func(sealed []byte) {
			if _, err := v.Open("people.field", row, sealed); err != nil {
				panic(err)
			}
		}
		timed := func(name string, fn func(i int)) lap {
			return func(round int) map[string]time.Duration {
				begun := threadTime()
				for i := range n {
					fn((round*n + i) % people)
				}
				return map[string]time.Duration{name: (threadTime() - begun) / n}
			}
		}
		got := takeTurns(max(z.rounds, 25),
			timed("seal", func(int) {
				if _, err := v.SealFor(1, "people.field", row, plain); err != nil {
					panic(err)
				}
			}), timed("raw seal", func(int) { rawSeal(e.warm, plain, row) }),
			timed("open", func(int) { open(warm) }), timed("raw open", func(int) { rawOpen(e.warm, rawWarm, row) }),
			timed("cold", func(i int) { open(ours[i]) }), timed("raw cold", func(i int) { rawOpen(e.cold(i), theirs[i], row) }),
			timed("raw read", func(i int) { rawOpen(e.read(i), theirs[i], row) }))
		r.ratio(fmt.Sprintf("seal a field of %d bytes, key in use, against a bare AEAD", size), "", got["seal"], got["raw seal"], 1.3)
		r.ratio(fmt.Sprintf("open a field of %d bytes, key in use, against a bare AEAD", size), "", got["open"], got["raw open"], 1.3)
		r.ratio(fmt.Sprintf("open a field of %d bytes, key at rest, against unwrap and open", size), "", got["cold"], got["raw cold"], 1.3)
		r.ratio("the same, against reading it from a file, unwrap and open", "", got["cold"], got["raw read"], 1.3)
	}
	measureKeySize(t, r, v, dir)
}

func measureKeySize(t *testing.T, r *report, v *vault.Vault, dir string) {
	if err := v.KeepFree(1_000_001); err != nil {
		t.Fatal(err)
	}
	var bytes int64
	names, err := os.ReadDir(dir)
	for _, name := range names {
		info, e := os.Stat(filepath.Join(dir, name.Name()))
		if err = e; err != nil {
			break
		}
		bytes += info.Size()
	}
	if err != nil {
		t.Fatal(err)
	}
	r.add("a million keys of people on the disk", "", fmt.Sprintf("%.1f MB", float64(bytes)/1e6), "", "", "", "70.0 MB", verdict(70e6, float64(bytes)))
}
