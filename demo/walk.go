package demo

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/ombudhq/ombud/internal/clock"
	"github.com/ombudhq/ombud/internal/fault"
)

// Options of a walk-through.
type Options struct {
	Dir   string // made when missing; a demo made before is thrown away and made anew
	Clock clock.Clock
	Out   io.Writer
	// Command runs one ombud command line inside Dir and gives its exit code.
	Command func(ctx context.Context, stdout, stderr io.Writer, args ...string) int
}

// configuration is what a person would write before the first scan: who they are and where the
// stores are. Everything else, scan finds.
const configuration = `# Fjordly's data map. Scan drafts it, people answer, git remembers.
organization: {name: Fjordly AS, jurisdictions: [eu, "no"], contact: privacy@fjordly.example}
purposes:
  - id: orders
    name: Selling and delivering
    basis: contract
    categories: [contact, account, financial]
    systems: [shop, billing]
    retention: while you are a customer; invoices for 5 years, by bookkeeping law
    recipients: [Nordpost (carrier), Payhaven (card payments)]
  - id: support
    name: Answering questions
    basis: contract
    categories: [contact, communication]
    systems: [support]
    retention: 2 years after the last letter
  - id: newsletter
    name: Letters about trips and offers
    basis: consent
    categories: [contact]
    uses: [direct_marketing]
    systems: [newsletter]
    retention: until you take your consent back
    fields:
      - {name: email, because: letters go there, required: true}
      - {name: first_name, because: letters begin with it}
    notices:
      - {id: letters, version: "2", language: en, text: "Send me trips and offers, twice a month", superseded: true}
      - {id: letters, version: "3", language: en, text: "Send me trips and offers, twice a month at most. I can stop at any time."}
      - {id: letters, version: "3", language: "no", text: "Send meg turer og tilbud, høyst to ganger i måneden. Jeg kan stoppe når som helst."}
  - id: measuring
    name: Measuring the shop
    basis: consent
    categories: [usage]
    systems: [shop]
    retention: 90 days
    notices:
      - {id: measuring, version: "1", language: en, text: "Count my visits, so that the shop becomes better"}
  - id: advice
    name: Advice from past orders
    basis: legitimate_interests
    because: who bought a tent wants to know what fits it, and can switch this off
    lia: {assessed: ASSESSED, outcome: proceed_with_safeguards, review: REVIEW, by: Kari Lunde}
    categories: [contact, account]
    systems: [shop]
    retention: while you are a customer
    notices:
      - {id: advice, version: "1", language: en, text: "We suggest what goes with what you bought."}
systems:
  - id: shop
    connector: sqlite
    dsn: stores/shop.db
    location: EU
    owner: Jonas Vik
  - id: billing
    connector: sqlite
    dsn: stores/billing.db
    location: EU
    owner: Kari Lunde
  - id: support
    connector: sqlite
    dsn: stores/support.db
    location: EU
    owner: Jonas Vik
  - id: newsletter
    connector: sqlite
    dsn: stores/newsletter.db
    location: EU
    owner: Ola Brekke
`

// marker says that a folder is a demo's, so that making it anew destroys nothing else.
const marker = ".fjordly"

// Prepare makes Fjordly in dir: ombud.yaml and stores/. What an earlier demo left there is replaced;
// a folder that is something else is refused.
func Prepare(ctx context.Context, dir string, now time.Time) error {
	if err := clear(dir); err != nil {
		return err
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return fault.Wrap(fault.Unavailable, err, "the demo's folder cannot be made")
	}
	if err := os.Mkdir(filepath.Join(dir, "ombud-data"), 0o700); err != nil { // expected here, so nobody need be told that it is new
		return fault.Wrap(fault.Unavailable, err, "the demo's data directory cannot be made")
	}
	dates := strings.NewReplacer("ASSESSED", now.AddDate(0, -3, 0).Format(time.DateOnly), "REVIEW", now.AddDate(0, 9, 0).Format(time.DateOnly))
	for name, text := range map[string]string{marker: "", "ombud.yaml": dates.Replace(configuration)} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			return fault.Wrap(fault.Unavailable, err, "the demo's folder cannot be written")
		}
	}
	return Make(ctx, filepath.Join(dir, "stores"), now)
}

func clear(dir string) error {
	entries, err := os.ReadDir(dir)
	if os.IsNotExist(err) || err == nil && len(entries) == 0 {
		return nil
	}
	if _, err := os.Stat(filepath.Join(dir, marker)); err != nil {
		return fault.New(fault.Conflict, "%s is there and is not a demo", filepath.Base(dir)).Then("name another folder with --data")
	}
	for _, name := range []string{"ombud.yaml", "stores", "ombud-data", "ombud-data.heads", "answer.zip"} {
		if err := os.RemoveAll(filepath.Join(dir, name)); err != nil {
			return fault.Wrap(fault.Unavailable, err, "the demo made before cannot be removed")
		}
	}
	return nil
}

// walk is a walk-through under way.
type walk struct {
	Options
	n int
}

// Walk makes Fjordly and shows one customer's rights being kept, command by command, with timings.
// It fails with the exit code of the first command that does not do what the text says.
func Walk(ctx context.Context, o Options) error {
	w := &walk{Options: o}
	start := o.Clock.Now()
	fmt.Fprintf(w.Out, "Fjordly AS sells tents. %s customers, four SQLite files, no foreign key between them.\n", thousands(Customers))
	if err := Prepare(ctx, o.Dir, start); err != nil {
		return err
	}
	fmt.Fprintf(w.Out, "Made in %s/ in %s.\n", filepath.Base(o.Dir), took(o.Clock, start))
	if err := w.discover(ctx); err != nil {
		return err
	}
	if err := w.say(ctx, "The shop hands over what people said yes and no to. From now on one question answers: may we?", "consent", "import", "stores/"+consentsFile); err != nil {
		return err
	}
	if err := w.answer(ctx); err != nil {
		return err
	}
	if err := w.erase(ctx); err != nil {
		return err
	}
	if err := w.say(ctx, "The ledger is checked from its first entry, against the checkpoints outside it.", "audit", "verify"); err != nil {
		return err
	}
	fmt.Fprintf(w.Out, "\nAll of it took %s. Go on: cd %s, then any command works without flags.\n", took(o.Clock, start), filepath.Base(o.Dir))
	return nil
}

func (w *walk) discover(ctx context.Context) error {
	if err := w.say(ctx, "Scan reads the stores: declared keys are facts, the rest is guessed, marked, and written down.", "scan", "--write"); err != nil {
		return err
	}
	return w.say(ctx, "A person says yes. Until then every guess would stand as a gap in every plan.", "scan", "--accept", "all")
}

func (w *walk) answer(ctx context.Context) error {
	return w.say(ctx, "Ida Nordmann asks what Fjordly holds about her. Two accounts match; somebody looked: both are hers.",
		"dsr", "run", "--kind", "access", "--subject", "email="+IdaEmail, "--same-person", "--out", "answer.zip")
}

// erase plans, approves what was planned, runs it, and looks again.
func (w *walk) erase(ctx context.Context) error {
	var p struct{ Request, Hash string }
	plan := []string{"dsr", "plan", "--kind", "erasure", "--subject", "email=" + IdaEmail, "--same-person"}
	w.head("Then she asks to be erased. A plan touches nothing; it says what would happen to which rows, and why.", plan)
	start := w.Clock.Now()
	var out bytes.Buffer
	if code := w.Command(ctx, &out, w.Out, append(plan, "--json")...); code != 0 {
		return exit(code)
	}
	if err := json.Unmarshal(out.Bytes(), &p); err != nil {
		return fmt.Errorf("reading the plan: %w", err)
	}
	if code := w.Command(ctx, w.Out, w.Out, "dsr", "show", p.Request); code != 0 {
		return exit(code)
	}
	w.foot(start)
	if err := w.say(ctx, "A person approves that plan by its hash. Exactly it runs, then other code reads every store again.", "dsr", "run", p.Request, "--approve", p.Hash); err != nil {
		return err
	}
	return w.say(ctx, "Weeks later, without knowing who she was: is she back anywhere?", "verify", "erasure", p.Request)
}

// say explains a command, runs it, and times it.
func (w *walk) say(ctx context.Context, text string, args ...string) error {
	w.head(text, args)
	start := w.Clock.Now()
	if code := w.Command(ctx, w.Out, w.Out, args...); code != 0 {
		return exit(code)
	}
	w.foot(start)
	return nil
}

func (w *walk) head(text string, args []string) {
	w.n++
	fmt.Fprintf(w.Out, "\n%d  %s\n\n   $ ombud", w.n, text)
	for _, a := range args {
		fmt.Fprint(w.Out, " ", a)
	}
	fmt.Fprint(w.Out, "\n\n")
}

func (w *walk) foot(start time.Time) { fmt.Fprintf(w.Out, "\n   %s\n", took(w.Clock, start)) }

func took(c clock.Clock, start time.Time) string {
	return c.Now().Sub(start).Round(time.Millisecond).String()
}

// exit turns a command's exit code into an error of the same code.
func exit(code int) error {
	kinds := map[int]fault.Kind{2: fault.Invalid, 3: fault.Denied, 4: fault.Waiting, 5: fault.Integrity, 6: fault.Unavailable}
	kind, ok := kinds[code]
	if !ok {
		kind = fault.Waiting
	}
	return fault.New(kind, "the walk-through stopped: the command above ended with %d", code)
}

func thousands(n int) string { return fmt.Sprintf("%d,%03d", n/1000, n%1000) }
