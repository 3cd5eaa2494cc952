package cli

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"time"

	"github.com/ombudhq/ombud/catalog"
	"github.com/ombudhq/ombud/internal/fault"
	"github.com/ombudhq/ombud/ledger"
)

type doctorCmd struct{}

func (*doctorCmd) damagedToo() {}

// finding is what a check came to. Bad ones make the exit code 1; weak ones only weaken a promise.
type finding struct {
	Check   string `json:"check"`
	State   string `json:"state"` // "good", "weak", "bad"
	Message string `json:"message"`
	Next    string `json:"next,omitempty"`
}

func (*doctorCmd) run(ctx context.Context, s *session) error {
	var all []finding
	for _, check := range []func(context.Context, *session) []finding{checkKeys, checkVault, checkDisk, checkStore, checkLedger, checkAccounts, checkCertificate, checkSystems} {
		all = append(all, check(ctx, s)...)
	}
	bad := 0
	for _, f := range all {
		if f.State == "bad" {
			bad++
		}
	}
	err := s.answer(map[string]any{"findings": all, "healthy": bad == 0}, func() { s.showFindings(all, bad) })
	if err == nil && bad > 0 {
		return Exit(1)
	}
	return err
}

func (s *session) showFindings(all []finding, bad int) {
	if bad == 0 {
		s.heading("Everything that was checked works.")
	} else {
		s.heading("%s to mend.", count(bad, "thing"))
	}
	t := newTable("", "", "", "")
	for _, state := range []string{"bad", "weak", "good"} {
		for _, f := range all {
			if f.State == state {
				t.row(map[string]string{"bad": "×", "weak": "!", "good": "✓"}[state], f.Check, f.Message, f.Next)
			}
		}
	}
	t.print(s)
}

func good(check, format string, args ...any) []finding {
	return []finding{{check, "good", fmt.Sprintf(format, args...), ""}}
}

func bad(check string, err error) []finding {
	p := problemOf(err)
	return []finding{{check, "bad", p.Message, p.Next}}
}

func checkKeys(_ context.Context, s *session) []finding {
	root := filepath.Join(s.Place.Data, "keys", "root")
	st, err := os.Stat(root)
	if err != nil {
		return bad("keys", fault.New(fault.Unavailable, "the root key cannot be read"))
	}
	if runtime.GOOS != "windows" && st.Mode().Perm()&0o077 != 0 {
		return bad("keys", fault.New(fault.Invalid, "others can read the root key").Then("chmod 600 %s", root))
	}
	if s.Vault != nil && s.Vault.RootSealed() {
		return good("keys", "the root key is sealed by a passphrase, and readable by its owner alone")
	}
	return good("keys", "the root key is readable by its owner alone")
}

// slowSync is when a disk makes every answer wait noticeably.
const slowSync = 50 * time.Millisecond

func checkDisk(_ context.Context, s *session) []finding {
	f, err := os.CreateTemp(s.Place.Data, "doctor-*")
	if err != nil {
		return bad("disk", fault.Wrap(fault.Unavailable, err, "the data directory cannot be written"))
	}
	defer os.Remove(f.Name())
	defer f.Close()
	start := s.program.Clock.Now()
	if _, err = f.Write(make([]byte, 4096)); err == nil {
		err = f.Sync()
	}
	if err != nil {
		return bad("disk", fault.Wrap(fault.Unavailable, err, "the disk does not take a write"))
	}
	took := s.program.Clock.Now().Sub(start).Round(time.Microsecond)
	if took > slowSync {
		return []finding{{"disk", "weak", fmt.Sprintf("a durable write takes %s: every answer waits for one", took), "A disk with a faster fsync."}}
	}
	return good("disk", "a durable write takes %s", took)
}

func checkStore(ctx context.Context, s *session) []finding {
	engine, err := s.StoreHealth(ctx)
	if err != nil {
		return bad("store", err)
	}
	return good("store", "%s keeps what was answered", engine)
}

func checkLedger(ctx context.Context, s *session) []finding {
	r, err := s.VerifyLedger(ctx, ledger.VerifyOptions{})
	var out []finding
	switch {
	case err != nil && r.Problem == "":
		out = bad("ledger", err)
	case !r.OK:
		out = bad("ledger", fault.New(fault.Integrity, "%s", r.Problem).Then("ombud audit verify says more."))
	default:
		out = good("ledger", "%s, as they were written; checkpoints cover %s", entries(r.Entries), entries(r.CheckpointSize))
	}
	for _, w := range s.Warnings {
		out = append(out, finding{"checkpoints", "weak", w, ""})
	}
	return out
}

// checkAccounts looks for people who cannot get in.
func checkAccounts(ctx context.Context, s *session) []finding {
	if s.Accounts == nil {
		return nil
	}
	const name = "accounts"
	locked, err := s.Accounts.LockedOut(ctx)
	switch {
	case err != nil:
		return bad(name, err)
	case len(locked) > 0:
		return []finding{{name, "weak", count(len(locked), "account") + " that nothing opens any more, as after a restore: " + strings.Join(locked, ", "),
			"ombud admin reset --name N gives each a setup link."}}
	}
	return nil
}

// checkCertificate looks at the one that an authority gives.
func checkCertificate(_ context.Context, s *session) []finding {
	if s.Certificate == nil {
		return nil
	}
	const name = "certificate"
	c, err := s.Certificate()
	switch {
	case err != nil:
		return bad(name, err)
	case c == nil:
		return nil
	}
	valid := c.Until.After(s.program.Clock.Now())
	next := "serve.tls.acme in ombud.yaml says which authority is asked; port 443 of the host in serve.url must lead here. It is tried again every hour."
	switch {
	case c.Failed.IsZero() && valid:
		return good(name, "it is good until %s", day(c.Until))
	case c.Failed.IsZero():
		return []finding{{name, "bad", "there is none in force", "ombud serve asks for it."}}
	case valid:
		return []finding{{name, "weak", fmt.Sprintf("it is good until %s and could not be renewed: %s", day(c.Until), c.Why), next}}
	}
	return []finding{{name, "bad", "there is none in force: " + c.Why, next}}
}

func checkSystems(ctx context.Context, s *session) []finding {
	if s.Catalog == nil {
		return nil
	}
	if err := s.needSystems(); err != nil {
		return bad("systems", err)
	}
	g, err := s.Catalog.Refresh(ctx)
	if err != nil {
		return bad("systems", err)
	}
	var out []finding
	for _, c := range g.Systems {
		if c.Err != nil {
			out = append(out, bad(c.Config.ID, c.Err)...)
			continue
		}
		out = append(out, good(c.Config.ID, "%s answers, %s", c.Config.Connector, count(datasetsOf(g, c.Config.ID), "dataset"))...)
	}
	for _, q := range g.Questions {
		out = append(out, finding{q.System, "weak", q.Text, acceptHint(q.ID)})
	}
	return out
}

func datasetsOf(g *catalog.Graph, system string) int {
	n := 0
	for _, d := range g.Datasets {
		if d.System == system {
			n++
		}
	}
	return n
}

func acceptHint(id string) string {
	if id == "" {
		return "Answer it in ombud.yaml."
	}
	return "ombud scan --accept " + id + " or --reject " + id
}
