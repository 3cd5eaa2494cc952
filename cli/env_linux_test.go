package cli

import (
	"context"
	"fmt"
	"os"
	"runtime"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/ombudhq/ombud/internal/fault"
)

// terminal is a pseudo-terminal: what a person types into hand arrives at the program's stdin.
func terminal(t *testing.T) (hand, stdin *os.File) {
	t.Helper()
	hand, err := os.OpenFile("/dev/ptmx", os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Skipf("this machine gives no terminals: %v", err)
	}
	t.Cleanup(func() { _ = hand.Close() })
	if err := unix.IoctlSetPointerInt(int(hand.Fd()), unix.TIOCSPTLCK, 0); err != nil {
		t.Fatal(err)
	}
	n, err := unix.IoctlGetInt(int(hand.Fd()), unix.TIOCGPTN)
	if err != nil {
		t.Fatal(err)
	}
	stdin, err = os.OpenFile(fmt.Sprintf("/dev/pts/%d", n), os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = stdin.Close() })
	return hand, stdin
}

func echoes(t *testing.T, f *os.File) bool {
	t.Helper()
	state, err := unix.IoctlGetTermios(int(f.Fd()), unix.TCGETS)
	if err != nil {
		t.Fatal(err)
	}
	return state.Lflag&unix.ECHO != 0
}

// TestSecretsAreNotShown: a terminal is asked by name and shows nothing of what is typed.
func TestSecretsAreNotShown(t *testing.T) {
	hand, stdin := terminal(t)
	var asked strings.Builder
	e := Env{Stdin: stdin, Stderr: &asked}
	got := make(chan string, 1)
	go func() {
		b, err := e.secrets(t.Context(), "-", []string{"Password", "Code"})
		got <- fmt.Sprint(string(b), err)
	}()
	for echoes(t, stdin) {
		runtime.Gosched()
	}
	if _, err := hand.WriteString("hunter2\n123456\n"); err != nil {
		t.Fatal(err)
	}
	if got := <-got; got != "hunter2\n123456\n<nil>" {
		t.Errorf("read %q", got)
	}
	if asked.String() != "Password: \nCode: \n" {
		t.Errorf("asked %q", asked.String())
	}
	if _, err := stdin.WriteString("end"); err != nil {
		t.Fatal(err)
	}
	shown := make([]byte, 64)
	if n, err := hand.Read(shown); err != nil || string(shown[:n]) != "end" {
		t.Errorf("the terminal shows %q, %v", shown[:n], err)
	}
	if !echoes(t, stdin) {
		t.Error("the terminal shows nothing that is typed afterwards")
	}
}

// TestWhoGivesUpSeesWhatTheyType: an interrupt leaves the terminal as it was.
func TestWhoGivesUpSeesWhatTheyType(t *testing.T) {
	_, stdin := terminal(t)
	ctx, cancel := context.WithCancel(t.Context())
	e := Env{Stdin: stdin, Stderr: &strings.Builder{}}
	got := make(chan error, 1)
	go func() {
		_, err := e.secrets(ctx, "-", []string{"Password"})
		got <- err
	}()
	for echoes(t, stdin) {
		runtime.Gosched()
	}
	cancel()
	if err := <-got; fault.KindOf(err) != fault.Unavailable || !echoes(t, stdin) {
		t.Errorf("%v, and the terminal shows what is typed: %v", err, echoes(t, stdin))
	}
}
