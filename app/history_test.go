package app

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"filippo.io/age"

	"github.com/ombudhq/ombud/cli"
	"github.com/ombudhq/ombud/consent"
	"github.com/ombudhq/ombud/internal/clock"
	"github.com/ombudhq/ombud/internal/db"
	"github.com/ombudhq/ombud/internal/fault"
	"github.com/ombudhq/ombud/ledger"
	"github.com/ombudhq/ombud/subject"
)

const historyConfig = `purposes:
  - {id: letters, basis: consent, categories: [contact, usage], notices: [{id: n, version: "1", text: "Letters"}]}
  - {id: offers, basis: consent, categories: [contact], notices: [{id: n, version: "1", text: "Offers"}]}
  - {id: orders, basis: contract, categories: [contact]}
`

var historyPurposes = map[string][]string{"letters": {"contact", "usage"}, "offers": {"contact"}}

// somebody is what the model knows of a person. Times count acts; an act counts from its acknowledgement.
type somebody struct {
	ids    []subject.Identity
	linked bool           // an act that named both told the store that they are one
	no     map[string]int // by identity, purpose and category: the last acknowledged no
	yes    map[string]int // by purpose and category: the last yes that was tried
	erased int
	facts  map[string]limit // restrictions that stand for sure
	holds  map[string]bool
}

// limit is a restriction: consent given later goes before it (Art. 18(2)).
type limit struct {
	ids []subject.Identity
	at  int
}

// meant are the identities that an act naming some of them is about for sure.
func (p *somebody) meant(ids []subject.Identity) []subject.Identity {
	if p.linked {
		return p.ids
	}
	return ids
}

func (p *somebody) deny(now int, ids []subject.Identity, purpose string, categories []string) {
	for _, i := range p.meant(ids) {
		for _, c := range categories {
			p.no[i.Kind+"/"+purpose+"/"+c] = now
		}
	}
}

// history is one random life of a store: acts, crashes, backups, restores of any of them, and what everybody was told.
type history struct {
	t       *testing.T
	r       *rand.Rand
	dir     string
	place   int // of the data directory: a restore makes a new one
	clock   *clock.Fake
	id      *age.X25519Identity
	a       *App
	now     int
	people  []*somebody
	backups []string
	seen    []int64 // revisions that were answered
	ids     map[string]*somebody
	script  []string
}

func newHistory(t *testing.T, seed uint64) *history {
	h := bareHistory(t, seed, t.TempDir())
	var err error
	if h.id, err = age.GenerateX25519Identity(); err != nil {
		t.Fatal(err)
	}
	h.must(os.WriteFile(filepath.Join(h.dir, "ombud.yaml"), []byte(historyConfig+"heads: ./heads\n"), 0o600))
	h.open()
	return h
}

// bareHistory knows four people that nobody has said anything of.
func bareHistory(t *testing.T, seed uint64, dir string) *history {
	h := &history{t: t, r: rand.New(rand.NewPCG(seed, 7)), dir: dir, ids: map[string]*somebody{},
		clock: clock.NewFake(time.Date(2026, 11, 21, 8, 0, 0, 0, time.UTC))}
	for i := range 4 {
		p := &somebody{no: map[string]int{}, yes: map[string]int{}, facts: map[string]limit{}, holds: map[string]bool{}}
		for _, kind := range []string{"email", "customer"} {
			p.ids = append(p.ids, subject.Identity{Kind: kind, Value: fmt.Sprintf("%s-%d@example.com", kind, i)})
		}
		h.people = append(h.people, p)
	}
	return h
}

func (h *history) must(err error) {
	h.t.Helper()
	if err != nil {
		h.t.Fatalf("%v\n%v", err, h.script)
	}
}

func (h *history) config() Config {
	return Config{DataDir: filepath.Join(h.dir, fmt.Sprint("data", h.place)), ConfigPath: filepath.Join(h.dir, "ombud.yaml"), Clock: h.clock}
}

func (h *history) open() {
	h.t.Helper()
	var err error
	h.a, err = Open(h.t.Context(), h.config())
	h.must(err)
}

func (h *history) close() { h.must(h.a.Close()) }

func (h *history) did(format string, args ...any) {
	h.script = append(h.script, fmt.Sprintf(format, args...))
}

// who picks a person and some of their identities.
func (h *history) who() (*somebody, []subject.Identity) {
	p := h.people[h.r.IntN(len(h.people))]
	switch h.r.IntN(4) {
	case 0:
		return p, p.ids
	case 1:
		return p, p.ids[1:]
	}
	return p, p.ids[:1]
}

// act does one thing; when cut, the place outside is gone: it is committed and not acknowledged, until a start makes up
// for it.
func (h *history) act(cut bool) {
	h.now++
	h.clock.Advance(time.Minute)
	p, ids := h.who()
	heads := filepath.Join(h.dir, "heads")
	if cut {
		h.must(os.MkdirAll(heads, 0o700))
		h.must(os.Rename(heads, heads+".away"))
		h.must(os.WriteFile(heads, nil, 0o600))
	}
	told, err := h.one(p, ids)
	unknown := cut && fault.KindOf(err) == fault.Unavailable
	if cut {
		h.must(os.Remove(heads))
		h.must(os.Rename(heads+".away", heads))
	}
	switch {
	case err == nil:
		told()
	case unknown && (len(h.backups) == 0 || h.r.IntN(2) == 0): // the next start makes up for it, and people see that it counts
		_ = h.a.Close() // broken
		h.open()
		told()
	case unknown: // the disk dies with it
	case fault.KindOf(err) == fault.Conflict || fault.KindOf(err) == fault.Invalid || fault.KindOf(err) == fault.NotFound:
	default:
		h.must(err)
	}
	if cut && len(h.backups) > 0 && (unknown || err == nil && h.r.IntN(2) == 0) {
		h.restore()
	}
	h.seen = append(h.seen, h.a.Consents.Revision())
}

// one does something to a person, and gives what the model learns when it is acknowledged.
func (h *history) one(p *somebody, ids []subject.Identity) (told func(), err error) {
	ctx, now := h.t.Context(), h.now
	link := p.linked || len(ids) > 1
	names := []string{"letters", "offers"}
	name := names[h.r.IntN(2)]
	h.did("%d", now)
	switch h.r.IntN(10) {
	case 0, 1, 2:
		return h.say(p, ids, name, h.a.Consents.Revision())
	case 3:
		return h.sayLate(p, ids, name)
	case 4:
		h.did("withdraw %s of %v", name, ids)
		_, err := h.a.Consents.Withdraw(ctx, consent.WithdrawInput{Subject: ids, Purpose: name, Actor: "test"})
		return func() { p.linked = link; p.deny(now, ids, name, historyPurposes[name]) }, err
	case 5:
		h.did("withdraw usage of %v", ids)
		_, err := h.a.Consents.Withdraw(ctx, consent.WithdrawInput{Subject: ids, Categories: []string{"usage"}, Actor: "test"})
		return func() { p.linked = link; p.deny(now, ids, "letters", []string{"usage"}) }, err
	case 6:
		h.did("withdraw all of %v", ids)
		_, err := h.a.Consents.Withdraw(ctx, consent.WithdrawInput{Subject: ids, All: true, Actor: "test"})
		return func() {
			p.deny(now, ids, "letters", historyPurposes["letters"])
			p.deny(now, ids, "offers", []string{"contact"})
		}, err
	case 7:
		return h.restrict(p, ids)
	case 8:
		return h.hold(p, ids)
	}
	return h.erase(p)
}

func (h *history) say(p *somebody, ids []subject.Identity, name string, seen int64) (func(), error) {
	h.did("yes to %s of %v", name, ids)
	for _, c := range historyPurposes[name] {
		p.yes[name+"/"+c] = h.now
	}
	out, err := h.a.Consents.Record(h.t.Context(), consent.RecordInput{Subject: ids, Purpose: name, Method: "web_form", Actor: "test",
		Notice: consent.NoticeInput{ID: "n", Version: "1", SeenRevision: &seen}})
	return func() {
		p.linked = p.linked || len(ids) > 1
		if out.Subject != "" {
			h.ids[out.Subject] = p
		}
	}, err
}

// sayLate is a yes that was on its way: to what was shown before the last no. It must not count, whatever was restored.
func (h *history) sayLate(p *somebody, ids []subject.Identity, name string) (func(), error) {
	i := ids[0]
	last := max(p.no[i.Kind+"/"+name+"/contact"], p.erased)
	if last < 2 {
		return func() {}, nil
	}
	seen := h.seen[h.r.IntN(last-1)]
	h.did("late yes to %s of %v", name, i)
	_, err := h.a.Consents.Record(h.t.Context(), consent.RecordInput{Subject: ids[:1], Purpose: name, Method: "web_form", Actor: "test",
		Notice: consent.NoticeInput{ID: "n", Version: "1", SeenRevision: &seen}})
	if err == nil {
		h.t.Errorf("a late yes was taken\n%v", h.script)
	}
	return func() {}, err
}

func (h *history) restrict(p *somebody, ids []subject.Identity) (func(), error) {
	for id := range p.facts {
		if h.r.IntN(2) == 0 {
			h.did("end restriction %s", id)
			delete(p.facts, id)
			_, err := h.a.Consents.EndFact(h.t.Context(), id, "test")
			return func() {}, err
		}
	}
	now := h.now
	h.did("restrict %v", ids)
	_, f, err := h.a.Consents.AddFact(h.t.Context(), ids, subject.FactInput{Kind: subject.Restriction, Type: "accuracy_dispute", Actor: "test"})
	return func() {
		p.linked = p.linked || len(ids) > 1
		if f.ID != "" {
			p.facts[f.ID] = limit{p.meant(ids), now}
		}
	}, err
}

func (h *history) hold(p *somebody, ids []subject.Identity) (func(), error) {
	for id := range p.holds {
		if h.r.IntN(2) == 0 {
			h.did("release %s", id)
			delete(p.holds, id)
			return func() {}, h.a.Holds.ReleaseID(h.t.Context(), id, "test")
		}
	}
	h.did("hold %v", ids)
	made, err := h.a.Holds.Add(h.t.Context(), subject.HoldInput{Subjects: ids[:1], Because: "x", Actor: "test"})
	return func() {
		for _, m := range made {
			p.holds[m.ID] = true
		}
	}, err
}

func (h *history) erase(p *somebody) (func(), error) {
	now, ctx := h.now, h.t.Context()
	h.did("erase %v", p.ids)
	err := h.a.DB.Write(ctx, func(tx *db.Tx) error {
		e := subject.Erasure{Revision: h.a.Ledger.Next(tx).Revision}
		if err := h.a.suppressions.Suppress(ctx, tx, fmt.Sprint("dsr_", now), p.ids, e); err != nil {
			return err
		}
		_, err := h.a.Ledger.Append(tx, ledger.Entry{Kind: "request.completed", Result: "complete", Actor: "test"})
		return err
	})
	return func() { p.erased, p.facts, p.linked = now, map[string]limit{}, false }, err
}

func (p *somebody) restricted(i subject.Identity, yes int) bool {
	for _, l := range p.facts {
		if l.at > yes && slices.Contains(l.ids, i) {
			return true
		}
	}
	return false
}

func (h *history) backUp() {
	h.did("backup %d", len(h.backups))
	out, err := h.a.backUp(h.t.Context(), cli.BackupOptions{To: filepath.Join(h.dir, "backups", fmt.Sprint(len(h.backups), ".ombud-backup")),
		Recipients: h.id.Recipient().String(), Actor: "test"})
	h.must(err)
	h.backups = append(h.backups, out.File)
}

// restore brings any earlier backup back, in a new directory, with the newest suppression ledger.
func (h *history) restore() {
	if len(h.backups) == 0 {
		return
	}
	n := h.r.IntN(len(h.backups))
	h.did("restore %d", n)
	_ = h.a.Close() // it may be broken
	for _, p := range h.people {
		p.linked = false // the store may have forgotten, and nobody was promised otherwise
	}
	keys := h.config().keys()
	h.place++
	c := h.config()
	h.must(os.MkdirAll(c.DataDir, 0o700))
	h.must(os.Rename(keys, c.keys()))
	_, err := c.restore(h.t.Context(), cli.RestoreOptions{File: h.backups[n], Identities: []byte(h.id.String())})
	h.must(err)
	h.open()
}

// check asks whether anybody is back, or anything allowed again.
func (h *history) check() {
	h.t.Helper()
	holds, err := h.a.Holds.List(h.t.Context())
	h.must(err)
	standing := map[string]bool{}
	for _, x := range holds {
		standing[x.ID] = true
	}
	for n, p := range h.people {
		for id := range p.holds {
			if !standing[id] {
				h.t.Errorf("a hold of %d is gone\n%v", n, h.script)
			}
		}
		for _, i := range p.ids {
			h.ask(n, p, i)
		}
	}
	for id, p := range h.ids {
		number, ok := h.a.People.Number(id)
		for n, other := range h.people {
			if ok && other != p && (h.a.Consents.Find(other.ids[0]).Person() == number || h.a.Consents.Find(other.ids[1]).Person() == number) {
				h.t.Errorf("an id leads to %d, somebody else\n%v", n, h.script)
			}
		}
	}
}

func (h *history) ask(n int, p *somebody, i subject.Identity) {
	who := h.a.Consents.Find(i)
	for name, categories := range historyPurposes {
		for _, c := range categories {
			no, yes := max(p.no[i.Kind+"/"+name+"/"+c], p.erased), p.yes[name+"/"+c]
			if v := h.a.Consents.Decide(who, name, c, false); v.Allowed && (no > yes || p.restricted(i, yes)) {
				h.t.Errorf("%s of %s is allowed for %d by %s: no at %d, yes at %d, restricted: %v\n%v", c, name, n, i.Kind, no, yes, p.restricted(i, yes), h.script)
			}
		}
	}
	said := 0
	for _, at := range p.yes {
		said = max(said, at)
	}
	if v := h.a.Consents.Decide(who, "orders", "contact", false); v.Allowed && p.erased > said {
		h.t.Errorf("%d was erased and is back by %s\n%v", n, i.Kind, h.script)
	}
}
