package vault

import (
	"bufio"
	"encoding/hex"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"
	"time"
)

// diesAt panics at the n-th step that changes files, as a killed process stops there.
func diesAt(n int) func(string) {
	return func(point string) {
		if n--; n == 0 {
			panic(point)
		}
	}
}

// TestDiesAtEveryStep: wherever making keys, shredding or closing is cut off, the next start opens everything that was not
// shredded, nothing that was acknowledged to be, and gives no slot twice.
func TestDiesAtEveryStep(t *testing.T) {
	dir := t.TempDir()
	first := again(t, dir)
	stays := newSlots(t, first, 40)
	sealed := map[Slot][]byte{}
	for _, s := range stays {
		sealed[s] = sealFor(t, first, s)
	}
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}
	given := map[Slot]bool{}
	points := map[string]bool{}
	for n, done := 1, false; !done && n < 100; n++ {
		v, err := Open(Config{Dir: dir, Hook: diesAt(n)})
		if err != nil {
			t.Fatal(err)
		}
		gone := stays[n]
		shredded := false
		func() {
			defer func() {
				if p := recover(); p != nil {
					points[fmt.Sprint(p)] = true
				}
			}()
			for range 3 {
				s := newSlots(t, v, 1)[0]
				if given[s] {
					t.Fatalf("slot %d was given twice", s)
				}
				given[s] = true
			}
			if err := v.Shred(gone); err != nil {
				t.Error(err)
			}
			shredded = true
			if err := v.CloseSlots(t.Context(), gone); err != nil {
				t.Error(err)
			}
			done = true
		}()
		next := again(t, dir)
		for s, b := range sealed {
			err := opensAs(next, b)
			if s == gone && shredded && !errors.Is(err, ErrForgotten) || s != gone && err != nil {
				t.Fatalf("killed at step %d, slot %d: %v", n, s, err)
			}
		}
		delete(sealed, gone)
		if err := errors.Join(next.Shred(gone), next.CloseSlots(t.Context(), gone), next.Close()); err != nil {
			t.Fatalf("killed at step %d: %v", n, err)
		}
	}
	for _, p := range []string{"vault.zero", "vault.shred", "vault.anchor", "vault.region", "vault.root", "vault.moved", "vault.dropped", "vault.blanked"} {
		if !points[p] {
			t.Errorf("it never died at %s", p)
		}
	}
}

// TestFirstUseDies: making the first keys can be cut off anywhere.
func TestFirstUseDies(t *testing.T) {
	for n := 1; n < 6; n++ {
		dir := t.TempDir()
		v, err := Open(Config{Dir: dir, Hook: diesAt(n)})
		if err != nil {
			t.Fatal(err)
		}
		func() {
			defer func() { _ = recover() }()
			newSlots(t, v, 1)
		}()
		v = again(t, dir)
		if err := opensAs(v, sealFor(t, v, newSlots(t, v, 1)[0])); err != nil {
			t.Errorf("killed at step %d: %v", n, err)
		}
	}
}

const victimDir = "OMBUD_VAULT_VICTIM"

// TestVictim is the process that TestKilledWhileItShreds kills: it makes keys, shreds and closes, and tells of what it was
// answered.
func TestVictim(t *testing.T) {
	dir := os.Getenv(victimDir)
	if dir == "" {
		t.Skip("only as a process of its own")
	}
	v := again(t, dir)
	for out := bufio.NewWriter(os.Stdout); ; {
		list := newSlots(t, v, 3)
		for i, s := range list {
			fmt.Fprintf(out, "%s %d %x .\n", []string{"stays", "goes", "stays"}[i], s, sealFor(t, v, s))
		}
		out.Flush()
		if err := v.Shred(list[1]); err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(out, "shredded %d .\n", list[1])
		out.Flush()
		if err := v.CloseSlots(t.Context(), list[1]); err != nil {
			t.Fatal(err)
		}
	}
}

// TestKilledWhileItShreds: 50 real kills, 1,000 in make soak. Every other comes after so many words of the victim's, so that
// some of it is done also where a process takes long to begin.
func TestKilledWhileItShreds(t *testing.T) {
	kills := 50
	if os.Getenv("OMBUD_SOAK") != "" {
		kills = 1000
	}
	dir := t.TempDir()
	sealed, told := map[Slot][]byte{}, map[Slot]string{}
	for k := range kills {
		cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run", "^TestVictim$")
		cmd.Env = append(os.Environ(), victimDir+"="+dir)
		out, err := cmd.StdoutPipe()
		if err = errors.Join(err, cmd.Start()); err != nil {
			t.Fatal(err)
		}
		kill, words := func() { _ = cmd.Process.Kill() }, 1+rand.IntN(12)
		if k%2 == 0 {
			words = -1
			time.AfterFunc(time.Duration(20+rand.IntN(60))*time.Millisecond, kill)
		}
		for in := bufio.NewScanner(out); in.Scan(); {
			if words--; words == 0 {
				kill()
			}
			f := strings.Fields(in.Text())
			if len(f) < 3 || f[len(f)-1] != "." {
				continue // cut off, or the test's own word
			}
			n, err := strconv.Atoi(f[1])
			if err != nil {
				t.Fatal(err)
			}
			if slot := Slot(n); f[0] == "shredded" {
				told[slot] = f[0]
			} else if told[slot] != "" {
				t.Fatalf("kill %d: slot %d was given twice", k, n)
			} else {
				told[slot] = f[0]
				sealed[slot], err = hex.DecodeString(f[2])
			}
			if err != nil {
				t.Fatal(err)
			}
		}
		_ = cmd.Wait() // it was killed
	}
	v := again(t, dir)
	shredded := 0
	for s, b := range sealed {
		err := opensAs(v, b)
		if told[s] == "shredded" {
			shredded++
		}
		if told[s] == "stays" && err != nil || told[s] == "shredded" && !errors.Is(err, ErrForgotten) || err != nil && !errors.Is(err, ErrForgotten) {
			t.Errorf("slot %d, %s: %v", s, told[s], err)
		}
	}
	if t.Logf("%d sealed, %d shredded", len(sealed), shredded); shredded == 0 {
		t.Error("nothing was shredded")
	}
}
