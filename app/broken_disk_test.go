package app

import (
	"database/sql"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"filippo.io/age"

	"github.com/ombudhq/ombud/cli"
	"github.com/ombudhq/ombud/consent"
	"github.com/ombudhq/ombud/internal/fault"
	"github.com/ombudhq/ombud/internal/testkit/iofault"
	"github.com/ombudhq/ombud/plan"
	"github.com/ombudhq/ombud/request"
	"github.com/ombudhq/ombud/subject"
)

// brokenDir tells the test binary that it is the program whose disk breaks.
const brokenDir = "OMBUD_APP_BROKEN_DIR"

// step is one act of the program whose disk breaks. What it gives is told after it was answered.
type step struct {
	name string
	do   func(*history) (string, error)
}

// brokenShop is a connected store beside them, with Ida and Bo in it.
const (
	brokenShop = `organization: {name: Fjordly AS}
systems:
  - {id: shop, connector: sqlite, dsn: shop.db, people: [{table: customers, by: {email: email}}]}
`
	brokenShopRows = `create table customers (id integer primary key, email text not null);
create table orders (id integer primary key, customer_id integer not null references customers(id), amount integer);
create index orders_customer on orders (customer_id);
insert into customers values (1, 'ida@example.com'), (2, 'bo@example.com');
insert into orders values (10, 1, 5), (11, 1, 6), (12, 2, 7);`
)

// steps of a life: consents, their withdrawal, restriction, hold, erasure with its keys and in a connected store, and every
// file there is outside the store. A person says one thing only once, so that what was told says what must hold.
func steps() []step {
	return []step{
		{"yes 1", func(h *history) (string, error) {
			return h.tells(h.say(h.people[1], h.people[1].ids, "letters", h.a.Consents.Revision()))
		}},
		{"no 0", func(h *history) (string, error) {
			_, err := h.a.Consents.Withdraw(h.t.Context(), consent.WithdrawInput{Subject: h.people[0].ids, All: true, Actor: "test"})
			return "", err
		}},
		{"restricted 1", func(h *history) (string, error) {
			_, _, err := h.a.Consents.AddFact(h.t.Context(), h.people[1].ids, subject.FactInput{Kind: subject.Restriction, Type: "accuracy_dispute", Actor: "test"})
			return "", err
		}},
		{"held 2", func(h *history) (string, error) {
			_, err := h.a.Holds.Add(h.t.Context(), subject.HoldInput{Subjects: h.people[2].ids[:1], Because: "x", Actor: "test"})
			return "", err
		}},
		{"erased 3", func(h *history) (string, error) { return h.tells(h.erase(h.people[3])) }},
		{"erased in the shop", func(h *history) (string, error) { return h.eraseInShop() }},
		{"closed", func(h *history) (string, error) {
			_, err := h.a.shreds.Close(h.t.Context())
			return "", errors.Join(err, h.a.Consents.SaveSnapshot(h.t.Context()))
		}},
		{"checkpoint", func(h *history) (string, error) { return "", h.a.Checkpoint(h.t.Context()) }},
		{"data backup", func(h *history) (string, error) {
			out, err := h.a.backUp(h.t.Context(), cli.BackupOptions{To: filepath.Join(h.dir, "backups"), Recipients: h.id.Recipient().String(), Actor: "test"})
			return out.File, err
		}},
		{"keys backup", func(h *history) (string, error) {
			out, err := h.a.backUpKeys(h.t.Context(), cli.KeyBackupOptions{To: filepath.Join(h.dir, "backups"), Recipients: h.id.Recipient().String(), Actor: "test"})
			return out.File, err
		}},
		{"rotated", func(h *history) (string, error) {
			_, err := h.a.rotateKeys(h.t.Context(), "test", quietly)
			return "", err
		}},
		{"yes 2", func(h *history) (string, error) {
			return h.tells(h.say(h.people[2], h.people[2].ids, "offers", h.a.Consents.Revision()))
		}},
	}
}

// eraseInShop is a request from its plan to what was proven.
func (h *history) eraseInShop() (string, error) {
	r, err := h.a.Requests.Plan(h.t.Context(), request.PlanInput{Kind: plan.Erasure, Actor: "local:ida",
		People: []plan.Person{{Identities: []subject.Identity{{Kind: "email", Value: "ida@example.com"}}}}})
	if err == nil {
		r, err = h.a.Requests.Run(h.t.Context(), request.RunInput{Ref: r.ID, Approve: r.Hash, Actor: "local:ida"})
	}
	if err == nil && r.State != request.Complete {
		err = fault.New(fault.Waiting, "it is %s", r.State)
	}
	return "", err
}

func (h *history) tells(_ func(), err error) (string, error) { return "", err }

// TestDiskToBreak is the program whose disk breaks. It says what it was answered, and ends as one that is killed.
func TestDiskToBreak(t *testing.T) {
	dir := os.Getenv(brokenDir)
	if dir == "" {
		t.Skip("run by TestEveryCallFails")
	}
	h := historyIn(t, dir)
	iofault.Offer()
	defer func() { _ = syscall.Kill(os.Getpid(), syscall.SIGKILL) }() // of ourselves: it cannot fail
	var err error
	if h.a, err = Open(t.Context(), h.config()); err != nil {
		fmt.Printf("refused open: %s: %v\n", fault.KindOf(err), err)
		return
	}
	for _, s := range steps() {
		h.now++
		told, err := s.do(h)
		if err != nil {
			fmt.Printf("refused %s: %s: %v\n", s.name, fault.KindOf(err), err)
			continue
		}
		fmt.Printf("did %s|%s|%d\n", s.name, told, h.a.Ledger.Size())
	}
}

// TestEveryCallFails breaks every call of a life that opens, writes, forces or renames a file of the data directory, of the
// heads, keys and backups, one life each: once, for good, and half done. Whatever fails, the next start needs no hand,
// nothing that was answered is lost, nothing counts by half, and no error names anybody. (Every twentieth without
// OMBUD_SOAK.)
func TestEveryCallFails(t *testing.T) {
	born := bornToBreak(t)
	whole := breakDisk(t, born, iofault.Plan{})
	if n := len(steps()); len(whole.told) != n {
		t.Fatalf("on a whole disk %d of %d steps were done: %v", len(whole.told), n, whole.Lines)
	}
	every := 20
	if os.Getenv("OMBUD_SOAK") != "" {
		every = 1
	}
	ways := []iofault.Plan{{With: syscall.EIO}, {With: syscall.ENOSPC, Stays: true}, {With: syscall.ENOSPC, Short: true, Stays: true}, {With: syscall.EIO, Stays: true}}
	refused := breakEach(t, born, len(whole.Calls), every, ways)
	if t.Logf("%d calls; %d steps were refused", len(whole.Calls), refused); refused == 0 {
		t.Error("nothing was refused")
	}
}

// TestHeadsThatMayNotBeTouched: the folder of checkpoints and suppression ledger may be read and written no more, from any
// call on. What must be kept there is refused, and the same holds: the next start needs no hand, nothing answered is lost.
// (Every tenth call without OMBUD_SOAK.)
func TestHeadsThatMayNotBeTouched(t *testing.T) {
	born := bornToBreak(t)
	heads := iofault.Plan{Below: "heads", With: syscall.EACCES, Stays: true}
	whole := breakDisk(t, born, iofault.Plan{Below: "heads"})
	every := 10
	if os.Getenv("OMBUD_SOAK") != "" {
		every = 1
	}
	refused := breakEach(t, born, len(whole.Calls), every, []iofault.Plan{heads})
	if t.Logf("%d calls; %d steps were refused", len(whole.Calls), refused); refused == 0 || len(whole.Calls) < 10 {
		t.Error("nothing was refused")
	}
}

// bornToBreak is a life that goes on with a disk that breaks.
func bornToBreak(t *testing.T) *history {
	t.Helper()
	born := bareHistory(t, 5, t.TempDir())
	var err error
	born.id, err = age.GenerateX25519Identity()
	born.must(err)
	born.must(os.WriteFile(filepath.Join(born.dir, "ombud.yaml"), []byte(brokenShop+historyConfig+"heads: ./heads\n"), 0o600))
	store := born.shop()
	_, err = store.Exec(brokenShopRows)
	born.must(errors.Join(err, store.Close()))
	born.open()
	for _, p := range []*somebody{born.people[0], born.people[3]} {
		_, err := born.say(p, p.ids, "letters", born.a.Consents.Revision())
		born.must(err)
	}
	born.must(os.WriteFile(filepath.Join(born.dir, "identity"), []byte(born.id.String()), 0o600))
	born.close()
	return born
}

// shop is the connected store.
func (h *history) shop() *sql.DB {
	h.t.Helper()
	store, err := sql.Open("sqlite", "file:"+filepath.Join(h.dir, "shop.db"))
	h.must(err)
	return store
}

// breakEach breaks one call of each so many, in turn in each of the ways, or in all of them where none is left out, and
// counts the steps that were refused.
func breakEach(t *testing.T, born *history, calls, every int, ways []iofault.Plan) (refused int) {
	t.Helper()
	for at := 1; at <= calls; at += every {
		for i, p := range ways {
			if every > 1 && i != at/every%len(ways) {
				continue
			}
			p.At = at
			t.Run(fmt.Sprintf("%d of %d, way %d", at, calls, i), func(t *testing.T) {
				b := breakDisk(t, born, p)
				refused += len(b.refused)
				defer func() {
					if t.Failed() {
						t.Logf("%v: %s", b.call(at), strings.Join(b.Lines, "\n"))
					}
				}()
				b.check()
			})
		}
	}
	return refused
}

// brokenLife is what came of one life.
type brokenLife struct {
	iofault.Broken
	h       *history
	told    map[string]string // by step
	refused []string
	size    int64 // of the ledger, as it was answered last
}

// breakDisk lets a copy of a life go on with a disk that breaks.
func breakDisk(t *testing.T, born *history, p iofault.Plan) brokenLife {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "life")
	born.must(exec.Command("cp", "-a", born.dir, dir).Run())
	b := brokenLife{h: historyIn(t, dir), told: map[string]string{}}
	cmd := exec.Command(os.Args[0], "-test.run", "^TestDiskToBreak$")
	cmd.Env = append(os.Environ(), brokenDir+"="+b.h.dir, "TMPDIR="+t.TempDir())
	cmd.Stderr = os.Stderr
	p.Below = filepath.Join(b.h.dir, p.Below)
	var err error
	if b.Broken, err = iofault.Run(cmd, p); errors.Is(err, iofault.ErrNotHere) {
		t.Skip(err)
	}
	b.h.must(err)
	for _, line := range b.Lines {
		if s, ok := strings.CutPrefix(line, "did "); ok {
			f := strings.Split(s, "|")
			b.told[f[0]] = f[1]
			_, err := fmt.Sscan(f[2], &b.size)
			b.h.must(err)
		} else {
			b.refused = append(b.refused, line)
		}
	}
	return b
}

func (b *brokenLife) call(n int) any {
	if n > len(b.Calls) {
		return "never came"
	}
	return b.Calls[n-1]
}

// historyIn is a history in a folder that holds one already.
func historyIn(t *testing.T, dir string) *history {
	t.Helper()
	h := bareHistory(t, 5, dir)
	text, err := os.ReadFile(filepath.Join(dir, "identity"))
	h.must(err)
	h.id, err = age.ParseX25519Identity(string(text))
	h.must(err)
	return h
}
