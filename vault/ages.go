package vault

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/ombudhq/ombud/internal/fault"
	"github.com/ombudhq/ombud/internal/file"
)

const agesFile = "ages"

// Ages says how old the keys are. It is no secret and names nobody.
type Ages struct {
	Provider string    `json:"provider"` // who keeps the key-encryption key
	Version  string    `json:"version"`  // of it
	Rotated  time.Time `json:"rotated"`  // when key-encryption key and bucket keys were all new; at first, when they were first looked at
	Running  *Running  `json:"running,omitempty"`
	Root     RootAge   `json:"root"`
	Copied   *Copied   `json:"copied,omitempty"`
	Spared   bool      `json:"spared,omitempty"` // the version before is left, for the copy of before, until the next one
	Untold   []Turn    `json:"untold,omitempty"` // rotations that ended, and were not taken down with Told yet

	Buckets int `json:"-"` // bucket keys there are
	Keys    int `json:"-"` // keys that were given out
}

// Running is a rotation that was begun and did not end.
type Running struct {
	Began   time.Time `json:"began"`
	Spares  bool      `json:"spares,omitempty"`  // it leaves the version before
	Version string    `json:"version,omitempty"` // the new one, once the provider has made it
	Wrapped bool      `json:"wrapped,omitempty"` // under it
	Done    uint32    `json:"done"`              // buckets before this one have new keys
}

// RootAge says how old the root key is.
type RootAge struct {
	Generation uint32       `json:"generation"`        // counts the root keys, from 1
	Former     int          `json:"former"`            // generations whose sealing keys are kept, for what was sealed under them
	Rotated    time.Time    `json:"rotated,omitzero"`  // when the present one was made; zero for the first
	Running    *RunningRoot `json:"running,omitempty"` // a rotation that was begun and did not end
}

// RunningRoot is a rotation of the root key under way.
type RunningRoot struct {
	Began time.Time `json:"began"`
	To    uint32    `json:"to"` // the generation it makes
}

// Turn is a rotation that ended.
type Turn struct {
	Began    time.Time `json:"began"` // also its name: no two begin at once
	Root     bool      `json:"root,omitempty"`
	Provider string    `json:"provider,omitempty"` // of the key-encryption key
	From     string    `json:"from"`               // version of the key-encryption key, or generation of the root key
	To       string    `json:"to"`
	Buckets  int       `json:"buckets,omitempty"`
	Again    int       `json:"again,omitempty"` // values that were sealed again
	Resumed  bool      `json:"resumed,omitempty"`
	Kept     bool      `json:"kept,omitempty"`
}

// Copied is the newest copy of the keys that was made for safety.
type Copied struct {
	At      time.Time `json:"at"`
	SHA256  string    `json:"sha256"`
	Buckets int       `json:"buckets"`           // that it holds
	Version string    `json:"version,omitempty"` // of the key-encryption key that wraps them
}

// Fresh tells whether the newest copy holds every key there is, and the provider still opens it.
func (a Ages) Fresh() bool {
	return a.Copied != nil && a.Copied.Buckets >= a.Buckets && !a.Copied.At.Before(a.Rotated) && !a.Copied.At.Before(a.Root.Rotated)
}

// Ages reads how old the keys are. now is taken down where nobody looked before.
func (v *Vault) Ages(ctx context.Context, now time.Time) (Ages, error) {
	if err := v.Load(ctx); err != nil {
		return Ages{}, err
	}
	s, err := v.slots()
	if err != nil {
		return Ages{}, err
	}
	s.change.Lock()
	defer s.change.Unlock()
	return s.ages(ctx, now)
}

// ages is Ages; who calls it holds change.
func (s *slots) ages(ctx context.Context, now time.Time) (a Ages, err error) {
	b, err := os.ReadFile(filepath.Join(s.c.Dir, agesFile))
	switch {
	case errors.Is(err, os.ErrNotExist):
		a = Ages{Provider: s.c.Provider.Name(), Rotated: now.UTC()}
		if a.Version, err = s.c.Provider.Version(ctx); err == nil {
			err = s.saveAges(a)
		}
	case err == nil:
		err = json.Unmarshal(b, &a)
	}
	if err != nil && fault.KindOf(err) == fault.Internal {
		err = fault.Wrap(fault.Unavailable, err, "the file %s of the keys cannot be read", agesFile)
	}
	a.Buckets, a.Keys = len(s.root.list), int(s.next.next.Load()-1)
	a.Root.Generation, a.Root.Former = s.ringAge()
	return a, err
}

func (s *slots) saveAges(a Ages) error {
	if s.c.ReadOnly {
		return nil
	}
	err := file.Save(filepath.Join(s.c.Dir, agesFile), func(w io.Writer) error { return json.NewEncoder(w).Encode(a) })
	if err != nil {
		return fault.Wrap(fault.Unavailable, err, "the file %s of the keys cannot be written", agesFile)
	}
	s.c.hook("vault.ages")
	return nil
}

// Told takes down that a rotation was told of.
func (v *Vault) Told(ctx context.Context, t Turn) error {
	s, err := v.slots()
	if err != nil {
		return err
	}
	s.change.Lock()
	defer s.change.Unlock()
	a, err := s.ages(ctx, t.Began)
	if err != nil {
		return err
	}
	a.Untold = slices.DeleteFunc(a.Untold, func(o Turn) bool { return o.Began.Equal(t.Began) && o.Root == t.Root })
	return s.saveAges(a)
}
