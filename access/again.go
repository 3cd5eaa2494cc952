package access

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/ombudhq/ombud/internal/db"
	"github.com/ombudhq/ombud/internal/fault"
	"github.com/ombudhq/ombud/ledger"
)

// Kinds of the acts that are kept outside the store: what was taken from a key or an account stays taken, whatever backup
// comes back.
const (
	KeyRevoked     = "key.revoked"
	AccountChanged = "account.changed"
)

// again is the reason in the entries of what was done again.
const again = "done again after a restore"

// keyAct is what is kept of a key that was revoked.
type keyAct struct {
	Key string `json:"key"`
	At  int64  `json:"at"`
}

// accountAct is what is kept of a change: how the account stood then. What lets in is never in it.
type accountAct struct {
	Account string `json:"account"`
	Change  string `json:"change"`
	Role    Role   `json:"role"`
	Also    []Role `json:"also,omitempty"`
	Enabled bool   `json:"enabled"`
}

// Changes of accounts, as their entries name them.
const (
	changePassword       = "password"
	changeFactor         = "second factor"
	changePasskey        = "passkey"
	changePasskeyRemoved = "passkey removed"
	changeCodes          = "recovery codes"
	changeSpent          = "recovery code used"
	changeReset          = "reset"
	changeRole           = "role"
	changeLink           = "setup link"
	// changeFirstFactor is that of whoever opened a setup link; it has no other before it.
	changeFirstFactor = "first second factor"

	changeAttributes = "attributes"
	changeMail       = "codes by e-mail"
	changeEmail      = "e-mail address"
)

// void takes from an account all that lets somebody in.
func (r *record) void() {
	r.Password, r.Factor, r.Step, r.Codes, r.Passkeys, r.ByMail = "", nil, 0, nil, nil, false
}

// keep lets a change survive the loss of the store. It belongs before the change's entry.
func (a *Accounts) keep(tx *db.Tx, r *record, what string) error {
	return a.ledger.Keep(tx, AccountChanged, accountAct{r.ID, what, r.Role, r.Also, r.Enabled})
}

// Restart ends what an older store still takes for open: every session and every setup link.
func (a *Accounts) Restart(ctx context.Context, tx *db.Tx) error {
	if _, err := tx.Exec(ctx, `delete from sessions`); err != nil {
		return fmt.Errorf("ending the sessions: %w", err)
	}
	tx.OnCommit(func() { a.drop(func(*session) bool { return true }) })
	var linked []*record
	if err := a.read(ctx, tx, "where setup is not null", nil, func(r *record) { linked = append(linked, r) }); err != nil {
		return err
	}
	for _, r := range linked {
		r.Setup, r.SetupUntil = nil, 0
		if err := a.write(ctx, tx, r); err != nil {
			return err
		}
	}
	return nil
}

// Again takes from an account what was taken after this store was copied. What replaced it is not known any more: where
// password or factor was changed, the account has none until it is reset.
func (a *Accounts) Again(ctx context.Context, tx *db.Tx, act ledger.Act) error {
	var one accountAct
	if err := json.Unmarshal(act.Body, &one); err != nil {
		return fmt.Errorf("reading an act: %w", err)
	}
	r, err := a.find(ctx, tx, one.Account)
	if fault.KindOf(err) == fault.NotFound {
		return nil // it was made later, so nothing of it stands
	}
	if err != nil {
		return err
	}
	r.Role, r.Also, r.Enabled = one.Role, one.Also, one.Enabled
	switch one.Change {
	case changePassword, changeFactor, changeFirstFactor, changePasskey, changePasskeyRemoved, changeReset, changeMail, changeEmail: // half of what lets in would be weaker than none
		r.void()
	case changeCodes, changeSpent:
		r.Codes = nil
	}
	r.Epoch++
	if err := a.write(ctx, tx, r); err != nil {
		return err
	}
	return a.note(tx, AccountChanged, "done", "ombud", map[string]any{"account": r.ID, "change": one.Change, "because": again})
}

// lockedOut tells that nothing opens an account any more, until it is reset.
func (r *record) lockedOut(now int64) bool {
	return r.Enabled && r.Vouched == nil && r.Password == "" && len(r.Passkeys) == 0 && (r.Setup == nil || now >= r.SetupUntil)
}

// LockedOut are the names of the accounts that nothing opens any more: their password was changed after the backup that came
// back was made, or their setup link ended. Reset gives each a new link.
func (a *Accounts) LockedOut(ctx context.Context) (names []string, err error) {
	now := a.clock.Now().Unix()
	err = a.db.Read(ctx, func(tx *db.Tx) error {
		names = nil
		return a.readAll(ctx, tx, func(r *record) {
			if r.lockedOut(now) {
				names = append(names, r.Name)
			}
		})
	})
	slices.Sort(names)
	return names, err
}

// Again revokes a key that was revoked after this store was copied.
func (k *Keys) Again(ctx context.Context, tx *db.Tx, act ledger.Act) error {
	var one keyAct
	if err := json.Unmarshal(act.Body, &one); err != nil {
		return fmt.Errorf("reading an act: %w", err)
	}
	if _, err := tx.Exec(ctx, `update api_keys set revoked = $2 where id = $1 and revoked is null`, one.Key, one.At); err != nil {
		return fmt.Errorf("revoking a key again: %w", err)
	}
	tx.OnCommit(func() {
		k.replace(func(t map[digest]*admitted) {
			for sum, a := range t {
				if a.caller.Key == one.Key {
					delete(t, sum)
				}
			}
		})
	})
	_, err := k.ledger.Append(tx, ledger.Entry{Kind: KeyRevoked, Result: "done", Actor: "ombud",
		Content: map[string]any{"key": one.Key, "since": time.Unix(one.At, 0).UTC(), "because": again}})
	return err
}
