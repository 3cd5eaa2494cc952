package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/user"
	"path/filepath"
	"syscall"

	"golang.org/x/sys/unix"
	"golang.org/x/term"

	"github.com/ombudhq/ombud/internal/fault"
)

// Env is where a command line was typed.
type Env struct {
	Args           []string
	Dir            string // relative paths start here
	Stdin          io.Reader
	Stdout, Stderr io.Writer
	Terminal       bool // a person reads stdout
	Progress       bool // a person watches stderr
	Color          bool
	Width          int
	User           string // of the operating system
	// PassphraseFile holds the passphrase of a sealed root key; "-" is standard input, "" none.
	PassphraseFile string
	// Inputs are the files the command line names, when somebody else has read them already.
	Inputs map[string][]byte
}

// System is the environment of this process.
func System() (Env, error) {
	dir, err := os.Getwd()
	if err != nil {
		return Env{}, fault.Wrap(fault.Unavailable, err, "the working directory is gone")
	}
	e := Env{Args: os.Args[1:], Dir: dir, Stdin: os.Stdin, Stdout: os.Stdout, Stderr: os.Stderr, User: userName(), PassphraseFile: os.Getenv("OMBUD_PASSPHRASE_FILE")}
	e.Width = width(os.Stdout)
	e.Terminal, e.Progress = e.Width > 0, width(os.Stderr) > 0
	e.Color = e.Terminal && os.Getenv("NO_COLOR") == "" && os.Getenv("TERM") != "dumb"
	return e, nil
}

// width of the terminal a file is, 0 when it is none.
func width(f *os.File) int {
	size, err := unix.IoctlGetWinsize(int(f.Fd()), syscall.TIOCGWINSZ)
	if err != nil {
		return 0
	}
	return max(int(size.Col), 40)
}

func userName() string {
	if u, err := user.Current(); err == nil && u.Username != "" {
		return u.Username
	}
	return "unknown"
}

// Abs resolves a path as it was typed; "" stays "".
func (e *Env) Abs(path string) string {
	if path == "" || filepath.IsAbs(path) {
		return path
	}
	return filepath.Join(e.Dir, path)
}

// inputLimit bounds a file that a command line names.
const inputLimit = 48 << 20

// read gives what a named file holds; "-" is stdin.
func (e *Env) read(name string) ([]byte, error) {
	if b, ok := e.Inputs[name]; ok {
		return b, nil
	}
	if name == "-" {
		return readAll(e.Stdin, "standard input")
	}
	f, err := os.Open(e.Abs(name))
	if err != nil {
		return nil, fault.Wrap(fault.Invalid, err, "%s cannot be read", name)
	}
	defer f.Close()
	return readAll(f, name)
}

// secrets is read, but that a terminal behind "-" is asked for a line a prompt, and does not show what is typed.
func (e *Env) secrets(ctx context.Context, name string, prompts []string) ([]byte, error) {
	f, ok := e.Stdin.(*os.File)
	if name != "-" || !ok || !term.IsTerminal(int(f.Fd())) {
		return e.read(name)
	}
	state, err := term.GetState(int(f.Fd()))
	if err != nil {
		return nil, fault.Wrap(fault.Unavailable, err, "the terminal cannot be asked")
	}
	type answer struct {
		lines []byte
		err   error
	}
	typed := make(chan answer, 1)
	go func() {
		lines, err := e.ask(f, prompts)
		typed <- answer{lines, err}
	}()
	select {
	case a := <-typed:
		return a.lines, a.err
	case <-ctx.Done(): // who gives up gets a terminal back that shows what is typed
		return nil, errors.Join(fault.New(fault.Unavailable, "interrupted"), term.Restore(int(f.Fd()), state))
	}
}

func (e *Env) ask(f *os.File, prompts []string) ([]byte, error) {
	var lines []byte
	for _, prompt := range prompts {
		fmt.Fprintf(e.Stderr, "%s: ", prompt)
		line, err := term.ReadPassword(int(f.Fd()))
		fmt.Fprintln(e.Stderr)
		if err != nil {
			return nil, fault.Wrap(fault.Unavailable, err, "the terminal gave no answer")
		}
		lines = append(append(lines, line...), '\n')
	}
	return lines, nil
}

func readAll(r io.Reader, name string) ([]byte, error) {
	b, err := io.ReadAll(io.LimitReader(r, inputLimit+1))
	if err != nil {
		return nil, fault.Wrap(fault.Unavailable, err, "%s cannot be read", name)
	}
	if len(b) > inputLimit {
		return nil, fault.New(fault.Invalid, "%s is larger than %d MiB", name, inputLimit>>20)
	}
	return b, nil
}
