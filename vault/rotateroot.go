package vault

import (
	"context"
	"os"
	"path/filepath"
	"time"

	"github.com/ombudhq/ombud/internal/fault"
)

// RotateRoot makes a new root key and seals under it from then on, while everything is in use. again must seal again (Reseal)
// everything that was sealed under a label before, and give how much it was; only then it has ended. Keys of labels that
// last are taken along, and so are former sealing keys, for backups and the suppression ledger, until RetireRoots. Cut off
// anywhere, everything opens, and the next call goes on; what was only begun is told by Ages.
func (v *Vault) RotateRoot(ctx context.Context, now time.Time, again func(context.Context) (int, error)) (Turn, error) {
	s, err := v.turning(ctx)
	if err != nil {
		return Turn{}, err
	}
	defer s.rotating.Unlock()
	a, err := v.Ages(ctx, now)
	if err != nil {
		return Turn{}, err
	}
	resumed := a.Root.Running != nil
	if !resumed {
		a.Root.Running = &RunningRoot{Began: now.UTC(), To: a.Root.Generation + 1}
		if err := s.noteRoot(ctx, a.Root); err != nil {
			return Turn{}, err
		}
	}
	if a.Root.Generation < a.Root.Running.To {
		if err := v.in().replaceRoot(); err != nil {
			return Turn{}, err
		}
	}
	n, err := again(ctx)
	if err != nil {
		return Turn{}, err
	}
	s.c.hook("root.again")
	to := a.Root.Running.To
	turn := Turn{Began: a.Root.Running.Began, Root: true, From: decimal(uint64(to - 1)), To: decimal(uint64(to)), Again: n, Resumed: resumed}
	a.Root.Rotated, a.Root.Running = turn.Began, nil
	return turn, s.noteRoot(ctx, a.Root, turn)
}

// noteRoot takes down how far a rotation of the root key is, and what ended.
func (s *slots) noteRoot(ctx context.Context, r RootAge, ended ...Turn) error {
	s.change.Lock()
	defer s.change.Unlock()
	a, err := s.ages(ctx, r.Rotated)
	if err != nil {
		return err
	}
	a.Root, a.Untold = r, append(a.Untold, ended...)
	return s.saveAges(a)
}

// replaceRoot is the rotation itself: on the disk, then in memory.
func (k *keys) replaceRoot() error {
	root := newRootKey()
	defer clear(root[:])
	next := k.now().next(root)
	if err := k.config.replaceRoot(next, k.seal.Load()); err != nil {
		return err
	}
	k.ring.Store(next)
	return nil
}

// Reseal seals again what was sealed under a label and a former root key; nil for what needs none: it is sealed under the
// present one, or under the key of a slot.
func (v *Vault) Reseal(label string, aad, sealed []byte) ([]byte, error) {
	if g, _ := generationOf(sealed); g == v.in().now().generation || SlotOf(sealed) != 0 {
		return nil, nil
	}
	plain, err := v.Open(label, aad, sealed)
	if err != nil {
		return nil, err
	}
	defer clear(plain)
	return v.Seal(label, aad, plain), nil
}

// RetireRoots destroys the sealing keys of former root keys, and gives how many. again is called first, as by RotateRoot: what
// was sealed while that rotation began may have escaped it. Whatever else was sealed under them can never be opened: backups
// from before the last rotation, and the acts of the suppression ledger until then, which only such backups need.
func (v *Vault) RetireRoots(ctx context.Context, now time.Time, again func(context.Context) (int, error)) (int, error) {
	s, err := v.turning(ctx)
	if err != nil {
		return 0, err
	}
	defer s.rotating.Unlock()
	a, err := v.Ages(ctx, now)
	switch {
	case err != nil:
		return 0, err
	case a.Root.Running != nil:
		return 0, fault.New(fault.Conflict, "a rotation of the root key has not ended").Then("ombud vault rotate --root goes on with it.")
	case a.Root.Former == 0:
		return 0, nil
	}
	if _, err := again(ctx); err != nil {
		return 0, err
	}
	k := v.in()
	next := k.now().retired()
	path := filepath.Join(s.c.Dir, ringFile)
	old, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err != nil {
		return 0, fault.Wrap(fault.Unavailable, err, "the file %s of the keys cannot be written", ringFile)
	}
	defer old.Close()
	if err := writeRing(path, next); err != nil {
		return 0, err
	}
	s.c.hook("root.retired")
	k.ring.Store(next)
	if err := blank(old); err != nil {
		return 0, fault.Wrap(fault.Unavailable, err, "the former keys cannot be overwritten")
	}
	return a.Root.Former, nil
}
