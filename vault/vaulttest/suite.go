// Package vaulttest is what every provider of the key-encryption key must do, as one suite of tests.
package vaulttest

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"strings"
	"sync"
	"testing"

	"github.com/ombudhq/ombud/internal/fault"
	"github.com/ombudhq/ombud/vault"
)

// Setup is one key of a provider, and what the suite needs beside it.
type Setup struct {
	Provider vault.Provider
	// Again opens the same key anew, as after a restart.
	Again func() vault.Provider
	// Other has another key of the same kind.
	Other vault.Provider
	// Keeps says that the service cannot destroy single versions: Destroy then is ErrFixed, and changes nothing.
	Keeps bool
}

// Run runs the suite; make gives a fresh key for each part of it.
func Run(t *testing.T, make func(*testing.T) Setup) {
	for _, topic := range []struct {
		name string
		run  func(*testing.T, Setup)
	}{
		{"what was wrapped opens, also after a restart", opens},
		{"a wrapped key is bound to its data", bound},
		{"what was changed does not open", changed},
		{"another key does not open it", other},
		{"rotation keeps what was wrapped before", rotation},
		{"destroyed versions open nothing", destroyed},
		{"it can be used by many at once", together},
		{"an interruption is no damage", interrupted},
		{"it does not tell what it holds", silent},
	} {
		t.Run(topic.name, func(t *testing.T) { topic.run(t, make(t)) })
	}
}

var (
	key = bytes.Repeat([]byte{0x5a, 0xa5, 0x17, 0x71}, 8)
	aad = []byte("ombud/root/v1")
)

func wrap(t *testing.T, p vault.Provider) []byte {
	t.Helper()
	w, err := p.Wrap(t.Context(), key, aad)
	if err != nil {
		t.Fatal(err)
	}
	return w
}

func wantKey(t *testing.T, p vault.Provider, wrapped []byte) {
	t.Helper()
	got, err := p.Unwrap(t.Context(), wrapped, aad)
	if err != nil || !bytes.Equal(got, key) {
		t.Errorf("a wrapped key does not open: %v", err)
	}
}

func wantRefused(t *testing.T, p vault.Provider, wrapped, aad []byte, why string) {
	t.Helper()
	got, err := p.Unwrap(t.Context(), wrapped, aad)
	if err == nil {
		t.Errorf("%s: it opened, to %d bytes", why, len(got))
	} else if fault.KindOf(err) != fault.Integrity {
		t.Errorf("%s: the fault is of the kind %v: %v", why, fault.KindOf(err), err)
	}
	quiet(t, err)
}

// quiet checks that an error tells nothing of the key.
func quiet(t *testing.T, err error) {
	t.Helper()
	if err == nil {
		return
	}
	for _, form := range []string{string(key[:8]), hex.EncodeToString(key[:8]), base64.StdEncoding.EncodeToString(key)[:8]} {
		if strings.Contains(err.Error(), form) {
			t.Error("an error tells the key")
		}
	}
}

func opens(t *testing.T, s Setup) {
	a, b := wrap(t, s.Provider), wrap(t, s.Provider)
	if bytes.Equal(a, b) {
		t.Error("the same key wrapped twice is the same: nothing random is in it")
	}
	if bytes.Contains(a, key[:8]) {
		t.Error("the key stands in what wraps it")
	}
	wantKey(t, s.Provider, a)
	wantKey(t, s.Again(), b)
}

func bound(t *testing.T, s Setup) {
	w := wrap(t, s.Provider)
	for _, other := range [][]byte{nil, {}, []byte("ombud/root/v2"), aad[:len(aad)-1], append(bytes.Clone(aad), 0)} {
		wantRefused(t, s.Provider, w, other, "other data "+string(other))
	}
	bare, err := s.Provider.Wrap(t.Context(), key, nil)
	if err != nil {
		t.Fatal(err)
	}
	wantRefused(t, s.Provider, bare, aad, "data that it was not bound to")
}

func changed(t *testing.T, s Setup) {
	w := wrap(t, s.Provider)
	for _, i := range []int{0, len(w) / 3, len(w) / 2, len(w) - 5} {
		c := bytes.Clone(w)
		c[i] ^= 1
		wantRefused(t, s.Provider, c, aad, "one bit changed")
	}
	for _, c := range [][]byte{nil, {}, w[:1], w[:len(w)/2], append(bytes.Clone(w), w...), bytes.Repeat([]byte{0xff}, len(w))} {
		wantRefused(t, s.Provider, c, aad, "not what was wrapped")
	}
	wantKey(t, s.Provider, w)
}

func other(t *testing.T, s Setup) {
	wantRefused(t, s.Other, wrap(t, s.Provider), aad, "another key")
}

func rotation(t *testing.T, s Setup) {
	old := wrap(t, s.Provider)
	was := version(t, s.Provider)
	now := rotate(t, s.Provider)
	if now == was || version(t, s.Again()) != now {
		t.Errorf("version %s was rotated to %s, and is %s after a restart", was, now, version(t, s.Again()))
	}
	next := wrap(t, s.Provider)
	for _, p := range []vault.Provider{s.Provider, s.Again()} {
		wantKey(t, p, old)
		wantKey(t, p, next)
	}
}

func version(t *testing.T, p vault.Provider) string {
	t.Helper()
	v, err := p.Version(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func destroyed(t *testing.T, s Setup) {
	first := wrap(t, s.Provider)
	was := version(t, s.Provider)
	now := rotate(t, s.Provider)
	second := wrap(t, s.Provider)
	if s.Keeps {
		if err := s.Provider.Destroy(t.Context(), now); !errors.Is(err, vault.ErrFixed) {
			t.Errorf("a service that keeps every version says %v", err)
		}
		wantKey(t, s.Provider, first)
		return
	}
	if err := s.Provider.Destroy(t.Context(), was); err == nil {
		t.Error("the newest version was destroyed")
	}
	wantKey(t, s.Provider, second)
	for range 2 { // repeating is harmless
		if err := s.Provider.Destroy(t.Context(), now); err != nil {
			t.Fatal(err)
		}
	}
	for _, p := range []vault.Provider{s.Provider, s.Again()} {
		wantRefused(t, p, first, aad, "a destroyed version")
		wantKey(t, p, second)
	}
	if got := version(t, s.Again()); got != now {
		t.Errorf("the version is %s after destroying, not %s", got, now)
	}
	if next := rotate(t, s.Provider); next == was || next == now {
		t.Errorf("version %s repeats", next)
	}
	wantKey(t, s.Again(), second)
}

func rotate(t *testing.T, p vault.Provider) string {
	t.Helper()
	v, err := p.Rotate(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func together(t *testing.T, s Setup) {
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			w, err := s.Provider.Wrap(context.WithoutCancel(t.Context()), key, aad)
			if err != nil {
				t.Error(err)
				return
			}
			wantKey(t, s.Provider, w)
		})
	}
	all.Wait()
}

func interrupted(t *testing.T, s Setup) {
	w := wrap(t, s.Provider)
	over, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := s.Provider.Wrap(over, key, aad); err != nil && fault.KindOf(err) != fault.Unavailable {
		t.Errorf("wrapping, interrupted: %v", err)
	}
	if _, err := s.Provider.Unwrap(over, w, aad); err != nil && fault.KindOf(err) != fault.Unavailable { // not damage
		t.Errorf("opening, interrupted: %v", err)
	}
}

func silent(t *testing.T, s Setup) {
	if s.Provider.Name() == "" {
		t.Error("it has no name")
	}
	_, err := s.Provider.Unwrap(t.Context(), key, key)
	quiet(t, err)
}
