package vault

import (
	"context"
	"crypto/rand"
	"errors"
	"time"

	"github.com/ombudhq/ombud/internal/fault"
)

// Rotated is what a rotation came to.
type Rotated struct {
	Ages
	From    string `json:"from"`    // version of the key-encryption key before
	Moved   int    `json:"buckets"` // that have a new key
	Resumed bool   `json:"resumed"` // an earlier one was cut off, and this went on with it
	Kept    bool   `json:"kept"`    // former versions are not destroyed: what they wrapped opens for whoever has an old copy and the provider's leave
}

// Rotate makes everything new that wraps the keys of people: a version of the key-encryption key, and the key of every
// bucket; then it destroys what was before. The keys of people stay, and so does what is sealed under them; reading,
// writing and shredding go on meanwhile. It tells each how far it is. Cut off anywhere, what was wrapped opens, and the next
// Rotate goes on where this one stopped.
func (v *Vault) Rotate(ctx context.Context, now time.Time, each func(done, of int)) (Rotated, error) {
	return v.rotate(ctx, now, false, each)
}

// RotateSparing is Rotate when nobody asked for it, and so nobody makes a copy of the keys behind it: where there is a copy, what
// opens it is destroyed only once there is a newer one (NoteCopy).
func (v *Vault) RotateSparing(ctx context.Context, now time.Time, each func(done, of int)) (Rotated, error) {
	return v.rotate(ctx, now, true, each)
}

func (v *Vault) rotate(ctx context.Context, now time.Time, spares bool, each func(done, of int)) (Rotated, error) {
	s, err := v.turning(ctx)
	if err != nil {
		return Rotated{}, err
	}
	defer s.rotating.Unlock()
	r := rotation{slots: s}
	if r.out.Ages, err = v.Ages(ctx, now); err != nil {
		return Rotated{}, err
	}
	r.out.From, r.out.Resumed = r.out.Version, r.out.Running != nil
	for _, step := range []func() error{
		func() error { return r.begin(ctx, now, spares && r.out.Copied != nil) }, func() error { return r.wrap(ctx) },
		func() error { return r.move(ctx, each) }, func() error { return r.finish(ctx) },
	} {
		if err := step(); err != nil {
			return Rotated{}, err
		}
	}
	return r.out, nil
}

// turning gives the slots to whoever rotates something, alone; unlock rotating afterwards.
func (v *Vault) turning(ctx context.Context) (*slots, error) {
	if err := v.Load(ctx); err != nil {
		return nil, err
	}
	s, err := v.slots()
	if err != nil {
		return nil, err
	}
	if s.c.ReadOnly {
		return nil, fault.New(fault.Denied, "these keys are only read")
	}
	if !s.rotating.TryLock() {
		return nil, fault.New(fault.Conflict, "the keys are rotated or copied already")
	}
	return s, nil
}

// rotation is one under way. What it has done stands in out.Running and the file of it.
type rotation struct {
	*slots
	out Rotated
}

// note takes down how far it is, and what ended.
func (r *rotation) note(ended ...Turn) error {
	r.change.Lock()
	defer r.change.Unlock()
	now, err := r.ages(context.Background(), r.out.Rotated)
	if err != nil {
		return err
	}
	r.out.Copied, r.out.Untold = now.Copied, append(now.Untold, ended...) // others may have noted something
	return r.saveAges(r.out.Ages)
}

// begin takes down that it begins, and has the provider make a version. One that a killed process had it make, but did not
// take down, is known by not being the one before. Where there is none to be had, nothing was begun.
func (r *rotation) begin(ctx context.Context, now time.Time, spares bool) error {
	if r.out.Running == nil {
		r.out.Running = &Running{Began: now.UTC(), Spares: spares}
		if err := r.note(); err != nil {
			return err
		}
	}
	if r.out.Running.Version != "" {
		return nil
	}
	version, err := r.version(ctx)
	if err != nil {
		r.out.Running = nil
		return errors.Join(err, r.note())
	}
	r.c.hook("vault.version")
	r.out.Running.Version = version
	return r.note()
}

// version is one that is newer than the one before. What was spared when that was made goes first.
func (r *rotation) version(ctx context.Context) (string, error) {
	now, err := r.c.Provider.Version(ctx)
	if err != nil || now != r.out.Version || r.c.Provider.Name() != r.out.Provider {
		return now, err
	}
	if r.out.Spared {
		if err := r.c.Provider.Destroy(ctx, now); err != nil && !errors.Is(err, ErrFixed) {
			return "", err
		}
		r.out.Spared = false
	}
	return r.made(ctx, now)
}

// made is a new version, or the same where the provider has but one.
func (r *rotation) made(ctx context.Context, now string) (string, error) {
	version, err := r.c.Provider.Rotate(ctx)
	if errors.Is(err, ErrFixed) {
		return now, nil
	}
	return version, err
}

// wrap makes a new outer key and has the provider wrap it. Done twice, it is only newer.
func (r *rotation) wrap(ctx context.Context) error {
	if r.out.Running.Wrapped {
		return nil
	}
	var outer [32]byte
	rand.Read(outer[:]) // never fails: it ends the process instead
	defer clear(outer[:])
	wrapped, err := r.c.Provider.Wrap(ctx, outer[:], []byte(outerAAD))
	if err != nil {
		return err
	}
	if len(wrapped) > maxWrapped {
		return fault.New(fault.Invalid, "what the key provider wrapped is too long")
	}
	r.change.Lock()
	err = r.slots.move(nil, func(next *root) error {
		next.outer, next.wrapped = outer, wrapped
		return nil
	})
	r.change.Unlock()
	if err != nil {
		return err
	}
	r.out.Running.Wrapped = true
	return r.note()
}

// move gives all buckets new keys, a few at a time. Those made meanwhile are new as they are.
func (r *rotation) move(ctx context.Context, each func(done, of int)) error {
	var ids []uint32
	r.change.Lock()
	for i := range r.root.list {
		if id := r.root.list[i].id; id >= r.out.Running.Done {
			ids = append(ids, id)
		}
	}
	r.change.Unlock()
	for n := 0; n < len(ids); n += closedAtOnce {
		if err := ctx.Err(); err != nil {
			return fault.Wrap(fault.Unavailable, err, "interrupted; the next rotation goes on where this one stopped")
		}
		part := ids[n:min(n+closedAtOnce, len(ids))]
		r.change.Lock()
		err := r.closeBuckets(part)
		r.change.Unlock()
		if err != nil {
			return err
		}
		r.out.Running.Done = part[len(part)-1] + 1
		r.out.Moved += len(part)
		if err := r.note(); err != nil {
			return err
		}
		each(r.out.Moved, len(ids))
	}
	return nil
}

// finish destroys the versions that wrap nothing any more, unless they are spared.
func (r *rotation) finish(ctx context.Context) error {
	a := &r.out.Ages
	if a.Spared = a.Running.Spares; !a.Spared {
		err := r.c.Provider.Destroy(ctx, a.Running.Version)
		if r.out.Kept = errors.Is(err, ErrFixed); err != nil && !r.out.Kept {
			return err
		}
		r.c.hook("vault.destroyed")
	}
	r.out.Kept = r.out.Kept || a.Spared
	a.Rotated, a.Version, a.Provider, a.Running = a.Running.Began, a.Running.Version, r.c.Provider.Name(), nil
	return r.note(Turn{Began: a.Rotated, Provider: a.Provider, From: r.out.From, To: a.Version,
		Buckets: r.out.Moved, Resumed: r.out.Resumed, Kept: r.out.Kept})
}
