package app

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"time"

	"github.com/ombudhq/ombud/catalog"
	"github.com/ombudhq/ombud/internal/db"
	"github.com/ombudhq/ombud/internal/fault"
	"github.com/ombudhq/ombud/ledger"
	"github.com/ombudhq/ombud/vault"
)

// turnsSchema names the rotations that an entry was written about, so that each is told of once.
const turnsSchema = `create table vault_turns (
	began bigint not null,
	root bigint not null,
	primary key (began, root)
)`

// rotateKeys makes new keys. An entry stands before it begins, and one after it ended.
func (a *App) rotateKeys(ctx context.Context, actor string, each func(done, of int)) (vault.Rotated, error) {
	return a.rotatedBy(ctx, actor, a.Vault.Rotate, each)
}

func (a *App) rotatedBy(ctx context.Context, actor string, rotate func(context.Context, time.Time, func(done, of int)) (vault.Rotated, error), each func(done, of int)) (vault.Rotated, error) {
	if err := a.tell(ctx, "vault.rotating", actor, map[string]any{"keys": "of people"}); err != nil {
		return vault.Rotated{}, err
	}
	out, err := rotate(ctx, a.cfg.Clock.Now(), each)
	if err != nil {
		return out, err
	}
	return out, a.tellTurns(ctx, actor)
}

// rotateRoot makes a new root key, and seals again what was sealed before.
func (a *App) rotateRoot(ctx context.Context, actor string, each func(done, of int)) (vault.Turn, error) {
	if err := a.tell(ctx, "vault.rotating", actor, map[string]any{"keys": "root"}); err != nil {
		return vault.Turn{}, err
	}
	out, err := a.Vault.RotateRoot(ctx, a.cfg.Clock.Now(), func(ctx context.Context) (int, error) { return a.reseal(ctx, each) })
	if err != nil {
		return out, err
	}
	return out, a.tellTurns(ctx, actor)
}

// retireRoots destroys the former root keys.
func (a *App) retireRoots(ctx context.Context, actor string) (int, error) {
	if err := a.tell(ctx, "vault.retiring", actor, map[string]any{"keys": "root"}); err != nil {
		return 0, err
	}
	n, err := a.Vault.RetireRoots(ctx, a.cfg.Clock.Now(), func(ctx context.Context) (int, error) { return a.reseal(ctx, func(int, int) {}) })
	if err != nil {
		return 0, err
	}
	return n, a.tell(ctx, "vault.retired", actor, map[string]any{"keys": "root", "generations": n})
}

// noteTurns tells, at a start, of rotations that a killed process could not tell of.
func (a *App) noteTurns(ctx context.Context) error {
	if err := a.DB.Migrate(ctx, "vault-turns", turnsSchema); err != nil {
		return err
	}
	return a.tellTurns(ctx, "ombud")
}

// sealRoot seals the root key by a passphrase, or leaves it open again, with an entry that says so.
func (a *App) sealRoot(ctx context.Context, passphrase []byte, actor string) error {
	if err := a.Vault.SealRoot(ctx, passphrase); err != nil {
		return err
	}
	return a.tell(ctx, "vault.sealed", actor, map[string]any{"sealed": len(passphrase) > 0})
}

// tellTurns writes the entries about rotations that ended and were not told of: one may have been killed just before.
func (a *App) tellTurns(ctx context.Context, actor string) error {
	ages, err := a.Vault.Ages(ctx, a.cfg.Clock.Now())
	if err != nil {
		return err
	}
	for _, t := range ages.Untold {
		if err := a.tellTurn(ctx, actor, t); err != nil {
			return err
		}
		if err := a.Vault.Told(ctx, t); err != nil {
			return err
		}
	}
	return nil
}

func (a *App) tellTurn(ctx context.Context, actor string, t vault.Turn) error {
	root, content := 0, map[string]any{"provider": t.Provider, "from": t.From, "to": t.To, "buckets": t.Buckets, "resumed": t.Resumed, "kept": t.Kept}
	if t.Root {
		root, content = 1, map[string]any{"keys": "root", "from": t.From, "to": t.To, "sealed_again": t.Again, "resumed": t.Resumed}
	}
	return a.DB.Write(ctx, func(tx *db.Tx) error {
		n, err := tx.Exec(ctx, "insert into vault_turns (began, root) values ($1, $2) on conflict (began, root) do nothing", t.Began.UnixMicro(), root)
		if err != nil || n == 0 {
			return err
		}
		_, err = a.Ledger.Append(tx, ledger.Entry{Kind: "vault.rotated", Result: "done", Actor: actor, Content: content})
		return err
	})
}

// resumeRotation goes on with rotations of the keys that were cut off.
func (a *App) resumeRotation(ctx context.Context) {
	ages, err := a.Vault.Ages(ctx, a.cfg.Clock.Now())
	if err == nil && ages.Running != nil {
		_, err = a.rotateKeys(ctx, "ombud", func(done, of int) { a.cfg.Log.Info("the rotation of the keys goes on", "buckets", done, "of", of) })
	}
	if err == nil && ages.Root.Running != nil {
		_, err = a.rotateRoot(ctx, "ombud", func(done, of int) { a.cfg.Log.Info("the rotation of the root key goes on", "entries", done, "of", of) })
	}
	if err != nil && ctx.Err() == nil && fault.KindOf(err) != fault.Conflict { // somebody else may go on with it
		a.cfg.Log.Error("a rotation of the keys that was cut off could not go on", "error", err)
	}
}

// rotateDue makes new keys where those there are as old as ombud.yaml lets them become. Nobody watches: the copy of the keys there
// is goes on to open them until the next one, and until there is that one no further rotation begins by itself. What fails is
// tried again the next day.
func (a *App) rotateDue(ctx context.Context, said catalog.Keys) error {
	now := a.cfg.Clock.Now()
	ages, err := a.Vault.Ages(ctx, now)
	due, ever := said.Due(ages.Rotated)
	if err != nil || !ever || now.Before(due) || ages.Spared || ages.Running != nil || now.Before(a.keysTried.Add(24*time.Hour)) {
		return err
	}
	a.keysTried = now
	_, err = a.rotatedBy(ctx, "ombud", a.Vault.RotateSparing, func(done, of int) { a.cfg.Log.Info("new keys are made, as they are due", "buckets", done, "of", of) })
	return err
}

// reseal seals again everything of ours that was sealed under a label and a former root key, and gives how much it was. What
// lies outside, in backups and in the suppression ledger, stays as it is.
func (a *App) reseal(ctx context.Context, each func(done, of int)) (n int, err error) {
	p, release, err := a.Acquire(ctx)
	if err != nil {
		return 0, err
	}
	defer release()
	for _, seal := range []func(context.Context) (int, error){
		a.Accounts.Reseal, p.Holds.Reseal, p.Requests.Reseal, a.resealReplies, a.resealCertificates,
		func(ctx context.Context) (int, error) {
			return a.Ledger.Reseal(ctx, func(done, of int64) { each(int(done), int(of)) })
		},
		func(ctx context.Context) (int, error) { return 0, a.Consents.SaveSnapshot(ctx) },
	} {
		more, err := seal(ctx)
		if n += more; err != nil {
			return n, err
		}
		a.cfg.Hook("root.sealed")
	}
	return n, nil
}

func (a *App) resealReplies(ctx context.Context) (int, error) {
	if err := a.DB.Migrate(ctx, "http-replies", replaySchema); err != nil {
		return 0, err
	}
	return db.Rewrite(ctx, a.DB, db.Bytes{Table: "http_replies", Key: "key", Name: "reply"}, func(key string, _, sealed []byte) ([]byte, error) {
		return a.Vault.Reseal(replayLabel, []byte(key), sealed)
	})
}

// resealCertificates seals again those of ACME, and their keys.
func (a *App) resealCertificates(context.Context) (n int, err error) {
	s := sealedFiles{a.cfg.DataDir, a.Vault}
	names, err := os.ReadDir(filepath.Join(s.dir, "acme"))
	if errors.Is(err, os.ErrNotExist) {
		return 0, nil
	}
	for _, f := range names {
		name, ok := s.nameOf(f.Name())
		if !ok {
			continue
		}
		data, err := s.load(name)
		if err == nil {
			err = s.save(name, data)
		}
		if err != nil {
			return n, fault.Wrap(fault.Unavailable, err, "a certificate cannot be sealed again")
		}
		n++
	}
	return n, err
}
