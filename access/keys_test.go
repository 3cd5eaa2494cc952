package access_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/ombudhq/ombud/access"
	"github.com/ombudhq/ombud/internal/clock"
	"github.com/ombudhq/ombud/internal/db"
	"github.com/ombudhq/ombud/internal/fault"
	"github.com/ombudhq/ombud/ledger"
	"github.com/ombudhq/ombud/vault"
)

// place is a data directory with keys in it.
type place struct {
	*access.Keys
	dir    string
	clock  *clock.Fake
	db     *db.DB
	ledger *ledger.Ledger
	close  func()
}

// open opens dir; close stands for the end of the process.
func open(t testing.TB, dir string, c *clock.Fake) *place {
	t.Helper()
	v, err := vault.Open(vault.Config{Dir: filepath.Join(dir, "keys")})
	must(t, err)
	d, err := db.Open(t.Context(), db.Config{Path: filepath.Join(dir, "ombud.db"), Clock: c})
	must(t, err)
	l, err := ledger.Open(t.Context(), ledger.Config{DB: d, Vault: v, Clock: c, Heads: []string{filepath.Join(dir, "heads")}})
	must(t, err)
	k, err := access.OpenKeys(t.Context(), d, l, c)
	must(t, err)
	p := &place{Keys: k, dir: dir, clock: c, db: d, ledger: l, close: func() { must(t, d.Close()) }}
	t.Cleanup(p.close)
	return p
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

var start = time.Date(2026, 11, 21, 8, 0, 0, 0, time.UTC)

func (p *place) make(t testing.TB, valid time.Duration) (access.Key, string) {
	t.Helper()
	k, secret, err := p.Create(t.Context(), access.KeyInput{Name: "checkout", Role: access.Service, For: valid, Actor: "local:ida"})
	must(t, err)
	return k, secret
}

func TestKeyFromCreationToRevocation(t *testing.T) {
	dir := t.TempDir()
	p := open(t, dir, clock.NewFake(start))
	k, secret := p.make(t, 0)
	if !strings.HasPrefix(secret, "omb_") || len(secret) != 47 || !strings.HasPrefix(secret, k.Prefix) || len(k.Prefix) != 10 || !strings.HasPrefix(k.ID, "key_") {
		t.Fatalf("%+v, %d characters", k, len(secret))
	}
	want := access.Caller{Actor: "service:" + k.ID, Role: access.Service, Key: k.ID}
	if c, ok := p.Caller(secret); !ok || c != want || !p.Stands(c) {
		t.Errorf("%+v, %v", c, ok)
	}
	p.close()

	p = open(t, dir, p.clock) // a new process knows it
	if name, ok := p.NameOf(want.Actor); !ok || name != "checkout" {
		t.Errorf("%s is called %q", want.Actor, name)
	}
	if name, ok := p.NameOf("local:ida"); ok {
		t.Errorf("somebody at the machine is called %q", name)
	}
	if c, ok := p.Caller(secret); !ok || c != want {
		t.Errorf("after a start: %+v, %v", c, ok)
	}
	for _, id := range []string{"", "key_nobody", secret} {
		if _, err := p.Revoke(t.Context(), id, "local:jon"); fault.KindOf(err) != fault.NotFound || strings.Contains(err.Error(), "omb_") {
			t.Errorf("revoking what is not there: %v", err)
		}
	}
	ended, err := p.Revoke(t.Context(), k.ID, "local:jon")
	must(t, err)
	if _, ok := p.Caller(secret); ok || ended.Revoked == nil || p.Stands(want) {
		t.Errorf("revoked, and still in force: %+v", ended)
	}
	if _, err := p.Revoke(t.Context(), k.ID, "local:jon"); fault.KindOf(err) != fault.Conflict {
		t.Errorf("revoking twice: %v", err)
	}
	p.close()
	p = open(t, dir, p.clock)
	if _, ok := p.Caller(secret); ok {
		t.Error("a revoked key came back with a start")
	}
	p.entries(t, k)
	p.close()
	canary(t, dir, secret)
}

// entries: one for each act, by whoever did it, and none for what was refused.
func (p *place) entries(t *testing.T, k access.Key) {
	t.Helper()
	rows, err := p.ledger.Tail(t.Context(), 10, ledger.TailOptions{})
	must(t, err)
	var got []string
	for _, r := range rows {
		var c struct{ Key, Name, Role, Prefix string }
		must(t, json.Unmarshal(r.Content, &c))
		got = append(got, strings.Join([]string{r.Kind, r.Actor, c.Key, c.Name, c.Role, c.Prefix}, " "))
	}
	tail := strings.Join([]string{k.ID, "checkout", "service", k.Prefix}, " ")
	want := []string{"key.created local:ida " + tail, "key.revoked local:jon " + tail}
	if len(got) == 2 && strings.HasPrefix(got[0], "key.revoked") {
		got[0], got[1] = got[1], got[0]
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

// walkFor finds a secret in files, whole or as the bytes behind its mark.
func walkFor(secret string) fs.WalkDirFunc {
	return func(path string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		b, err := os.ReadFile(path)
		if err == nil && (bytes.Contains(b, []byte(secret)) || bytes.Contains(b, []byte(secret[10:]))) {
			err = fmt.Errorf("%s holds an API key", filepath.Base(path))
		}
		return err
	}
}

func TestKeyExpires(t *testing.T) {
	p := open(t, t.TempDir(), clock.NewFake(start))
	k, secret := p.make(t, time.Hour)
	c, ok := p.Caller(secret)
	p.clock.Advance(time.Hour - time.Second)
	if _, still := p.Caller(secret); !ok || !still || !p.Stands(c) {
		t.Error("it does not last an hour")
	}
	p.clock.Advance(time.Second)
	if _, ok := p.Caller(secret); ok || p.Stands(c) {
		t.Error("it outlives its hour")
	}
	if k.Expires == nil || !k.Expires.Equal(start.Add(time.Hour)) {
		t.Errorf("it says %v", k.Expires)
	}
}

// TestKeyLastUse is written once a minute and at the end, never by the request itself.
func TestKeyLastUse(t *testing.T) {
	dir := t.TempDir()
	p := open(t, dir, clock.NewFake(start))
	_, secret := p.make(t, 0)
	last := func() string {
		all, err := p.List(t.Context())
		must(t, err)
		if all[0].LastUsed == nil {
			return "never"
		}
		return all[0].LastUsed.Sub(start).String()
	}
	if last() != "never" {
		t.Errorf("before its use: %s", last())
	}
	p.clock.Advance(30 * time.Second)
	p.Caller(secret)
	if last() != "30s" {
		t.Errorf("used: %s", last())
	}
	p.close() // killed: nothing was written
	p = open(t, dir, p.clock)
	if last() != "never" {
		t.Errorf("after a kill: %s", last())
	}
	p.clock.Advance(30 * time.Second)
	p.Caller(secret)
	must(t, p.Flush(t.Context()))
	must(t, p.Flush(t.Context()))
	size := p.ledger.Size()
	p.close()
	p = open(t, dir, p.clock)
	if last() != "1m0s" || size != 1 {
		t.Errorf("after an end: %s, %d entries", last(), size)
	}
	p.clock.Advance(time.Minute)
	k, _ := p.Caller(secret)
	ended, err := p.Revoke(t.Context(), k.Key, "local:ida")
	must(t, err)
	if last() != "2m0s" || ended.LastUsed == nil {
		t.Errorf("the use before its revocation: %s", last())
	}
}

// TestKeyRun writes each minute, by the clock it was given.
func TestKeyRun(t *testing.T) {
	p := open(t, t.TempDir(), clock.NewFake(start))
	k, secret := p.make(t, 0)
	p.Caller(secret)
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() { p.Run(ctx, func(err error) { t.Error(err) }); close(ended) }()
	for stored := int64(0); stored == 0; {
		p.clock.Advance(time.Minute)
		must(t, p.db.Read(t.Context(), func(tx *db.Tx) error {
			return tx.QueryRow(t.Context(), `select coalesce(last_used, 0) from api_keys where id = $1`, k.ID).Scan(&stored)
		}))
	}
	stop()
	<-ended
}

func TestKeyInputNamesEveryFault(t *testing.T) {
	p := open(t, t.TempDir(), clock.NewFake(start))
	_, _, err := p.Create(t.Context(), access.KeyInput{Name: " ", Role: "data_protection_officer", For: -1})
	if fault.KindOf(err) != fault.Invalid || strings.Count(err.Error(), "\n") != 3 {
		t.Errorf("%v", err)
	}
	for _, in := range []access.KeyInput{
		{Name: "x", Role: ""}, {Name: "x", Role: access.Local}, {Name: "x", Role: access.Admin}, {Name: "x", Role: access.Support},
		{Name: "omb_pasted", Role: access.Service}, {Name: "a\nb", Role: access.Service}, {Name: strings.Repeat("ä", 101), Role: access.Service},
	} {
		if _, _, err := p.Create(t.Context(), in); fault.KindOf(err) != fault.Invalid {
			t.Errorf("%q, %s: %v", in.Name, in.Role, err)
		}
	}
	if all, err := p.List(t.Context()); err != nil || len(all) != 0 || p.ledger.Size() != 0 {
		t.Errorf("%d keys, %d entries, %v", len(all), p.ledger.Size(), err)
	}
}

// TestAdmitted: a bearer of this process lets in, stands in no list, and leaves nothing behind.
func TestAdmitted(t *testing.T) {
	dir := t.TempDir()
	p := open(t, dir, clock.NewFake(start))
	want := access.Caller{Actor: "local:ida", Role: access.Local}
	p.Admit("token-of-this-start-0123456789", want)
	if c, ok := p.Caller("token-of-this-start-0123456789"); !ok || c != want {
		t.Errorf("%+v, %v", c, ok)
	}
	must(t, p.Flush(t.Context()))
	if all, err := p.List(t.Context()); err != nil || len(all) != 0 {
		t.Errorf("%v, %v", all, err)
	}
	p.close()
	p = open(t, dir, p.clock)
	if _, ok := p.Caller("token-of-this-start-0123456789"); ok {
		t.Error("it outlived its process")
	}
	canary(t, dir, "token-of-this-start-0123456789")
}

// TestGuesses: neither what is near a key nor what is far from it lets in.
func TestGuesses(t *testing.T) {
	p := open(t, t.TempDir(), clock.NewFake(start))
	k, secret := p.make(t, 0)
	for _, guess := range []string{"", "omb_", k.Prefix, k.ID, secret[:46], secret + "A", secret + "\x00", " " + secret, strings.ToLower(secret),
		strings.ToUpper(secret), secret[4:], strings.Repeat(secret, 3), strings.Repeat("A", 1<<16)} {
		if c, ok := p.Caller(guess); ok {
			t.Errorf("%d characters let in as %+v", len(guess), c)
		}
	}
	for i := range secret { // every character counts
		b := []byte(secret)
		b[i] ^= 1
		if _, ok := p.Caller(string(b)); ok {
			t.Errorf("a key with another character %d lets in", i)
		}
	}
}

// TestKeysAtOnce: lookups go on while keys come and go, and a revocation that was answered holds.
func TestKeysAtOnce(t *testing.T) {
	p := open(t, t.TempDir(), clock.NewFake(start))
	_, stays := p.make(t, 0)
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for range 8 {
				k, secret := p.make(t, 0)
				if _, ok := p.Caller(secret); !ok {
					t.Error("made, and not let in")
				}
				if _, err := p.Revoke(t.Context(), k.ID, "local:ida"); err != nil {
					t.Error(err)
				}
				if _, ok := p.Caller(secret); ok {
					t.Error("revoked, and let in")
				}
				if _, ok := p.Caller(stays); !ok {
					t.Error("another key was lost")
				}
			}
		})
	}
	wg.Wait()
}

// TestKeyNotKept: what was not committed does not let in.
func TestKeyNotKept(t *testing.T) {
	p := open(t, t.TempDir(), clock.NewFake(start))
	k, secret := p.make(t, 0)
	p.close()
	if _, _, err := p.Create(t.Context(), access.KeyInput{Name: "late", Role: access.Service, Actor: "local:ida"}); fault.KindOf(err) != fault.Unavailable {
		t.Errorf("a key on a closed store: %v", err)
	}
	if _, err := p.Revoke(t.Context(), k.ID, "local:ida"); fault.KindOf(err) != fault.Unavailable {
		t.Errorf("a revocation on a closed store: %v", err)
	}
	if _, ok := p.Caller(secret); !ok {
		t.Error("a revocation that failed took hold")
	}
}

func TestLookupAllocatesNothing(t *testing.T) {
	p := open(t, t.TempDir(), clock.NewFake(start))
	_, secret := p.make(t, 0)
	for _, bearer := range []string{secret, secret[:20], strings.Repeat("x", 4000)} {
		if n := testing.AllocsPerRun(100, func() { p.Caller(bearer) }); n > 0 {
			t.Errorf("a lookup of %d characters allocates %v times", len(bearer), n)
		}
	}
	c := access.Caller{Role: access.Service}
	if n := testing.AllocsPerRun(100, func() { _ = access.Allowed(c, access.DecisionAsk) }); n > 0 {
		t.Errorf("the gate allocates %v times", n)
	}
}

func BenchmarkCaller(b *testing.B) {
	p := open(b, b.TempDir(), clock.NewFake(start))
	_, secret := p.make(b, 0)
	k, err := access.OpenKeys(b.Context(), p.db, p.ledger, clock.System{})
	must(b, err)
	b.ReportAllocs()
	for b.Loop() {
		if _, ok := k.Caller(secret); !ok {
			b.Fatal("not let in")
		}
	}
}

func BenchmarkAllowed(b *testing.B) {
	c := access.Caller{Role: access.Service}
	for b.Loop() {
		_ = access.Allowed(c, access.DecisionAsk)
	}
}
