package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/alecthomas/kong"

	"github.com/ombudhq/ombud/access"
	"github.com/ombudhq/ombud/internal/clock"
	"github.com/ombudhq/ombud/internal/fault"
	"github.com/ombudhq/ombud/ledger"
	"github.com/ombudhq/ombud/pii"
)

// grammar is what can be typed.
type grammar struct {
	Data   string `help:"Data directory: keys, ledger, requests. Default ./ombud-data." placeholder:"DIR"`
	Config string `short:"c" help:"What you say about your systems." default:"./ombud.yaml" placeholder:"FILE"`
	Store  string `help:"Own store: a file, or postgres://…; $${NAME} from the environment. Default DIR/ombud.db." placeholder:"DSN"`
	JSON   bool   `name:"json" help:"Print one JSON object."`

	Demo    demoCmd    `cmd:"" help:"Make Fjordly, a demo company, and answer one person from end to end."`
	Init    initCmd    `cmd:"" help:"Write a first ombud.yaml and make the keys."`
	Serve   serveCmd   `cmd:"" help:"Serve the console and the API."`
	Doctor  doctorCmd  `cmd:"" help:"Check configuration, keys, disk, ledger and every system."`
	Version versionCmd `cmd:"" help:"Print the version, or the public key."`
	Scan    scanCmd    `cmd:"" help:"Read the systems, propose what is personal, and take your answers."`
	Dsr     dsrCmd     `cmd:"" help:"Answer people: plan, run, look again."`
	Verify  verifyCmd  `cmd:"" help:"Prove an erasure, a receipt or a package again."`
	Audit   auditCmd   `cmd:"" help:"Verify and read the ledger."`
	Hold    holdCmd    `cmd:"" help:"Keep a person's rows from erasure."`
	Consent consentCmd `cmd:"" help:"Record and withdraw consents, and ask what may be processed."`
	Mirror  mirrorCmd  `cmd:"" help:"The copy in Redis that services look decisions up in."`
	Key     keyCmd     `cmd:"" help:"Make and revoke the API keys of programs."`
	Vault   vaultCmd   `cmd:"" help:"Encryption keys: how old they are, new ones, and copies of them."`
	Backup  backupCmd  `cmd:"" help:"Copy the own store, encrypted, and bring it back."`
	Replay  replayCmd  `cmd:"" name:"replay-erasures" help:"Erase again, in a database that was restored, whom it should not know any more."`
	Access  accessCmd  `cmd:"" help:"Who may do what, and which policy says so."`
	Admin   adminCmd   `cmd:"" help:"Make the first account, and let somebody in again who is locked out."`

	Pseudonym pseudonymCmd `cmd:"" help:"Stand-ins for people, one for each context; and who one is, for those who may know."`
}

// command runs with the data directory open; plain commands run without one.
type (
	command interface {
		run(context.Context, *session) error
	}
	plain interface {
		runPlain(context.Context, *session) error
	}
	// writer marks a command that may write to the ledger: it leaves a checkpoint.
	writer interface{ writes() }
	// reader names the files its arguments hold, to be read before anything else.
	reader interface{ inputs() []string }
	// asker names the secrets that standard input holds, a line each: a terminal is asked for them, unseen.
	asker interface{ asks() []string }
	// inspector marks a command that works on a damaged ledger.
	inspector interface{ damagedToo() }
)

// Run does what was typed and answers the exit code.
func Run(ctx context.Context, env Env, p Program) int {
	if p.Clock == nil {
		p.Clock = clock.System{}
	}
	s := &session{ctx: ctx, env: &env, program: p}
	if slices.ContainsFunc(env.Args, pii.HoldsCard) {
		return s.fail(errCard("the command line"))
	}
	cmd, code, err := s.parse()
	if err != nil {
		return s.fail(err)
	}
	if cmd == nil {
		return code
	}
	if err := s.dispatch(ctx, cmd); err != nil {
		var done Exit
		if errors.As(err, &done) {
			return int(done)
		}
		if ctx.Err() != nil && fault.KindOf(err) == fault.Internal {
			err = fault.Wrap(fault.Unavailable, err, "interrupted; what was answered before holds")
		}
		return s.fail(err)
	}
	return 0
}

// errCard refuses what brings the number of a payment card, before anything of it is stored, sent on or printed.
func errCard(where string) error {
	return fault.New(fault.Invalid, "%s holds the number of a payment card; nothing of it was stored", where).
		Then("Ombud takes no card numbers. Name the person by another identity, and leave the number out of texts.")
}

// Exit ends a command that has printed all there is to say, with this code.
type Exit int

func (e Exit) Error() string { return fmt.Sprintf("exit %d", int(e)) }

// stopped is how kong asks to end: after it printed help.
type stopped int

// parse reads the command line. Without a command, the code says how to end: help was asked for.
func (s *session) parse() (cmd any, code int, err error) {
	parser, err := kong.New(&s.grammar, kong.Name("ombud"),
		kong.Description("Ombud answers people about their data: what you hold, why, and its erasure, planned, approved and proven."),
		kong.Writers(s.env.Stdout, s.env.Stderr),
		kong.Exit(func(code int) { panic(stopped(code)) }),
		kong.ConfigureHelp(kong.HelpOptions{Compact: true, WrapUpperBound: 100, NoExpandSubcommands: true}))
	if err != nil {
		return nil, 0, fmt.Errorf("building the grammar: %w", err)
	}
	defer func() {
		if r := recover(); r != nil {
			c, ok := r.(stopped)
			if !ok {
				panic(r)
			}
			cmd, code, err = nil, int(c), nil
		}
	}()
	args := s.env.Args
	if len(args) == 0 {
		args = []string{"--help"}
	}
	selected, err := parser.Parse(args)
	if err != nil {
		return nil, 0, usage(err)
	}
	s.name = selected.Command()
	return selected.Selected().Target.Addr().Interface(), 0, nil
}

// usage is what was typed wrong, with the place to read on.
func usage(err error) error {
	path := "ombud"
	var p *kong.ParseError
	if errors.As(err, &p) && p.Context != nil && p.Context.Selected() != nil {
		path = p.Context.Selected().FullPath()
	}
	return fault.New(fault.Invalid, "%s", err.Error()).Then("%s --help tells what can be typed.", strings.TrimSpace(path))
}

func (s *session) dispatch(ctx context.Context, cmd any) error {
	s.json = s.grammar.JSON
	if r, ok := cmd.(reader); ok {
		if err := s.readInputs(ctx, r.inputs(), promptsOf(cmd)); err != nil {
			return err
		}
		if _, writes := cmd.(writer); writes {
			for name, b := range s.env.Inputs {
				if pii.HoldsCard(string(b)) {
					return errCard(name)
				}
			}
		}
	}
	if c, ok := cmd.(plain); ok {
		return c.runPlain(ctx, s)
	}
	c, ok := cmd.(command)
	if !ok {
		return fmt.Errorf("nothing runs %s", s.name)
	}
	return s.withServices(ctx, c)
}

// takeover is how long a process waits for an owner that starts or ends before it gives up.
const takeover = 20 * time.Second

// withServices runs the command here when the data directory is free, else where its owner is.
func (s *session) withServices(ctx context.Context, c command) error {
	limit := s.program.Clock.Now().Add(takeover)
	place := s.place()
	_, place.Damaged = c.(inspector)
	_, missing := os.Stat(place.Data)
	for {
		open, err := s.program.Open(ctx, place)
		var owned *Owned
		switch {
		case err == nil:
			s.Services = open
			if _, begins := c.(*initCmd); missing != nil && !begins {
				s.warn("%s was not there: it is a new, empty data directory now, with keys of its own", place.Data)
			}
			for _, m := range open.Mended {
				s.warn("%s", m)
			}
			return s.runHere(ctx, c)
		case !errors.As(err, &owned):
			return err
		}
		code, err := s.program.Forward(ctx, place.Data, s.call(), s.env.Stdout, s.env.Stderr)
		if err == nil {
			return Exit(code)
		}
		if !errors.Is(err, ErrNoOwner) {
			return err
		}
		if s.program.Clock.Now().After(limit) {
			return fault.New(fault.Unavailable, "%s, and does not answer", owned.Error())
		}
		select {
		case <-s.program.Clock.After(20 * time.Millisecond):
		case <-ctx.Done():
			return fault.Wrap(fault.Unavailable, ctx.Err(), "interrupted")
		}
	}
}

// origin is the call as entries tell of it: which command somebody at this machine gave.
func (s *session) origin() ledger.Origin {
	role := access.Local
	if s.Accounts != nil && s.Accounts.Any() {
		role = access.Machine
	}
	words := slices.DeleteFunc(strings.Fields(s.name), func(w string) bool { return strings.HasPrefix(w, "<") }) // arguments
	return ledger.Origin{Role: string(role), Operation: strings.Join(words, ".")}
}

func (s *session) runHere(ctx context.Context, c command) error {
	err := c.run(ledger.WithOrigin(ctx, s.origin()), s)
	if _, ok := c.(writer); ok {
		// What was written is durable; only its outside witness is missing. A command cut short leaves one too.
		if cerr := s.Checkpoint(context.WithoutCancel(ctx)); cerr != nil {
			s.warn("no checkpoint could be left: %v", cerr)
		}
	}
	return errors.Join(err, s.Close())
}

func promptsOf(cmd any) []string {
	if c, ok := cmd.(asker); ok {
		return c.asks()
	}
	return nil
}

func (s *session) readInputs(ctx context.Context, names, prompts []string) error {
	if s.env.Inputs != nil {
		return nil
	}
	read := map[string][]byte{}
	for _, n := range names {
		ask := s.env.read
		if len(prompts) > 0 {
			ask = func(n string) ([]byte, error) { return s.env.secrets(ctx, n, prompts) }
		}
		b, err := ask(n)
		if err != nil {
			return err
		}
		read[n] = b
	}
	s.env.Inputs = read
	return nil
}

func (s *session) call() *Call {
	e := s.env
	return &Call{Args: e.Args, Dir: e.Dir, Inputs: e.Inputs, Terminal: e.Terminal, Progress: e.Progress, Color: e.Color, Width: e.Width}
}

// fail prints an error and answers its exit code.
func (s *session) fail(err error) int {
	code := fault.ExitCode(err)
	var owned *Owned
	if errors.As(err, &owned) {
		err = fault.New(fault.Unavailable, "%s", owned.Error()).Then("Stop it first, or run the command: it is passed on to the owner.")
	}
	if s.wantsJSON() {
		_ = writeJSON(s.env.Stdout, map[string]any{"error": problemOf(err)})
	}
	text := err.Error()
	if p := problemOf(err); p.Reason != "" {
		text = strings.Replace(text, p.Message, p.Message+": "+p.Reason, 1)
	}
	fmt.Fprintf(s.env.Stderr, "ombud: %s\n", clean(text))
	return code
}

// wantsJSON also holds when the line could not be parsed.
func (s *session) wantsJSON() bool {
	for _, a := range s.env.Args {
		if a == "--json" {
			return true
		}
	}
	return s.json
}

type problem struct {
	Kind    string         `json:"kind"`
	Message string         `json:"message"`
	Details []fault.Detail `json:"details,omitempty"`
	Next    string         `json:"next,omitempty"`
	Reason  string         `json:"reason,omitempty"` // what the operating system says, such as no space left on device
}

func problemOf(err error) problem {
	var f *fault.Error
	if errors.As(err, &f) {
		p := problem{Kind: f.Kind.String(), Message: f.Message, Details: f.Details, Next: f.Next}
		if why := syscall.Errno(0); errors.As(err, &why) && !strings.Contains(f.Message, why.Error()) {
			p.Reason = why.Error()
		}
		return p
	}
	return problem{Kind: fault.Internal.String(), Message: err.Error()}
}

func writeJSON(w io.Writer, v any) error {
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	if err := e.Encode(v); err != nil {
		return fmt.Errorf("printing JSON: %w", err)
	}
	return nil
}
