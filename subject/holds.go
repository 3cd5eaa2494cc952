package subject

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/ombudhq/ombud/internal/clock"
	"github.com/ombudhq/ombud/internal/db"
	"github.com/ombudhq/ombud/internal/fault"
	"github.com/ombudhq/ombud/internal/id"
	"github.com/ombudhq/ombud/ledger"
	"github.com/ombudhq/ombud/vault"
)

// Hold keeps a person's rows from erasure while it stands: in one dataset, in one system, or, when
// both are empty, everywhere.
type Hold struct {
	ID      string    `json:"id"`
	System  string    `json:"system,omitempty"`
	Dataset string    `json:"dataset,omitempty"`
	Because string    `json:"because"`
	Token   string    `json:"-"` // Token of the identity it was made for
	Since   time.Time `json:"since"`
}

// Covers reports whether the hold keeps rows of the dataset.
func (h Hold) Covers(system, dataset string) bool {
	return (h.System == "" || h.System == system) && (h.Dataset == "" || h.Dataset == dataset)
}

// Holds is the store of holds. It is safe for concurrent use.
type Holds struct {
	db       *db.DB
	vault    *vault.Vault
	ledger   *ledger.Ledger
	clock    clock.Clock
	shreds   *Shreds
	released []func(context.Context, *db.Tx, []Hold) error
}

const holdsSchema = `
create table holds (
	id text primary key,
	token text not null,
	system text not null,
	dataset text not null,
	because bytea not null,
	since bigint not null,
	released bigint
);
create index holds_standing on holds (token) where released is null`

// holdReason is the label under which reasons are sealed: they may name people. Each lies under a key of its own, which is
// destroyed when the hold ends. Not under the person's: where they are erased while it stands, the law still wants to know why
// their rows are kept.
const holdReason = "hold/because"

// OpenHolds prepares the store of holds.
func OpenHolds(ctx context.Context, d *db.DB, v *vault.Vault, l *ledger.Ledger, c clock.Clock) (*Holds, error) {
	if err := d.Migrate(ctx, "holds", holdsSchema); err != nil {
		return nil, err
	}
	shreds, err := OpenShreds(ctx, d, v, l, c)
	return &Holds{db: d, vault: v, ledger: l, clock: c, shreds: shreds}, err
}

// OnRelease registers what happens, in the same transaction, when holds end. Call it before use.
func (h *Holds) OnRelease(fn func(context.Context, *db.Tx, []Hold) error) {
	h.released = append(h.released, fn)
}

// HoldInput says whom a hold is for and what it covers. Several identities mean one hold for each.
type HoldInput struct {
	Subjects []Identity
	System   string
	Dataset  string
	Because  string
	Actor    string
}

func (in HoldInput) check() error {
	if len(in.Subjects) == 0 {
		return fault.New(fault.Invalid, "a hold needs a subject").Then("--subject kind=value")
	}
	if in.Dataset != "" && in.System == "" {
		return fault.New(fault.Invalid, "a dataset needs its system").Then("--system ID --dataset NAME")
	}
	return nil
}

// Add makes a hold, which every plan obeys from then on; a plan that was approved before asks again.
func (h *Holds) Add(ctx context.Context, in HoldInput) ([]Hold, error) {
	if err := in.check(); err != nil {
		return nil, err
	}
	if in.Because == "" {
		return nil, fault.New(fault.Invalid, "a hold needs a reason").Then("--because TEXT")
	}
	var made []Hold
	for _, token := range Tokens(h.vault, in.Subjects) {
		made = append(made, Hold{
			ID: id.New("hold_", h.clock.Now()), System: in.System, Dataset: in.Dataset,
			Because: in.Because, Token: token, Since: h.clock.Now(),
		})
	}
	err := h.db.Write(ctx, func(tx *db.Tx) error {
		if err := h.insert(ctx, tx, made); err != nil {
			return err
		}
		return h.record(tx, HoldAdded, in.Actor, made)
	})
	if err != nil {
		return nil, err
	}
	return made, nil
}

func (h *Holds) insert(ctx context.Context, tx *db.Tx, holds []Hold) error {
	for _, m := range holds {
		slot, err := h.vault.NewSlot()
		if err != nil {
			return err
		}
		sealed, err := h.vault.SealFor(slot, holdReason, []byte(m.ID), []byte(m.Because))
		if err != nil {
			return err
		}
		_, err = tx.Exec(ctx, `insert into holds (id, token, system, dataset, because, since) values ($1, $2, $3, $4, $5, $6)`,
			m.ID, m.Token, m.System, m.Dataset, sealed, m.Since.UnixMilli())
		if err != nil {
			return err
		}
	}
	return nil
}

// Release ends the standing holds of these people that cover exactly the system and dataset named,
// or every one of theirs when neither is named. What an erasure left because of them is due again.
func (h *Holds) Release(ctx context.Context, in HoldInput) ([]Hold, error) {
	if err := in.check(); err != nil {
		return nil, err
	}
	tokens := Tokens(h.vault, in.Subjects)
	return h.release(ctx, in.Actor, func(m Hold) bool {
		return slices.Contains(tokens, m.Token) && (in.System == "" || m.System == in.System && m.Dataset == in.Dataset)
	})
}

// ReleaseID ends one hold by its id.
func (h *Holds) ReleaseID(ctx context.Context, id, actor string) error {
	_, err := h.release(ctx, actor, func(m Hold) bool { return m.ID == id })
	return err
}

func (h *Holds) release(ctx context.Context, actor string, match func(Hold) bool) ([]Hold, error) {
	var ended []Hold
	err := h.db.Write(ctx, func(tx *db.Tx) error {
		standing, err := h.standing(ctx, tx)
		if err != nil {
			return err
		}
		ended = slices.DeleteFunc(standing, func(m Hold) bool { return !match(m) })
		if len(ended) == 0 {
			return fault.New(fault.NotFound, "no such hold stands").Then("ombud hold list shows those that do.")
		}
		if err := h.end(ctx, tx, ended); err != nil {
			return err
		}
		return h.record(tx, HoldReleased, actor, ended)
	})
	if err != nil {
		return nil, err
	}
	return ended, nil
}

func (h *Holds) end(ctx context.Context, tx *db.Tx, holds []Hold) error {
	for _, m := range holds {
		if _, err := tx.Exec(ctx, `update holds set released = $2 where id = $1`, m.ID, h.clock.Now().UnixMilli()); err != nil {
			return err
		}
	}
	if err := h.forgetReasons(ctx, tx); err != nil {
		return err
	}
	for _, fn := range h.released {
		if err := fn(ctx, tx, holds); err != nil {
			return err
		}
	}
	return nil
}

// forgetReasons destroys why holds stood that are over, here and in every backup.
func (h *Holds) forgetReasons(ctx context.Context, tx *db.Tx) error {
	const over = "from holds where released is not null and length(because) > 0"
	rows, err := tx.Query(ctx, "select because "+over)
	if err != nil {
		return err
	}
	defer rows.Close()
	var slots []vault.Slot
	for rows.Next() {
		var sealed []byte
		if err := rows.Scan(&sealed); err != nil {
			return fmt.Errorf("reading a hold: %w", err)
		}
		slots = append(slots, vault.SlotOf(sealed))
	}
	if err := rows.Err(); err != nil {
		return fmt.Errorf("reading holds: %w", err)
	}
	rows.Close()
	if _, err := tx.Exec(ctx, `update holds set because = $1 where id in (select id `+over+`)`, []byte{}); err != nil {
		return err
	}
	return h.shreds.Add(ctx, tx, slots...)
}

// Reseal seals again, under the present root key, the reasons of holds that were made when they had no key of their own, and
// gives how many.
func (h *Holds) Reseal(ctx context.Context) (int, error) {
	return db.Rewrite(ctx, h.db, db.Bytes{Table: "holds", Key: "id", Name: "because"}, func(id string, _, sealed []byte) ([]byte, error) {
		if len(sealed) == 0 {
			return nil, nil
		}
		return h.vault.Reseal(holdReason, []byte(id), sealed)
	})
}

// List gives the holds that stand, oldest first.
func (h *Holds) List(ctx context.Context) (out []Hold, err error) {
	err = h.db.Read(ctx, func(tx *db.Tx) error {
		out, err = h.standing(ctx, tx)
		return err
	})
	return out, err
}

func (h *Holds) standing(ctx context.Context, tx *db.Tx) ([]Hold, error) {
	rows, err := tx.Query(ctx, `select id, token, system, dataset, because, since from holds where released is null order by since, id`)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var out []Hold
	for rows.Next() {
		var m Hold
		var sealed []byte
		var since int64
		if err := rows.Scan(&m.ID, &m.Token, &m.System, &m.Dataset, &sealed, &since); err != nil {
			return nil, fmt.Errorf("reading a hold: %w", err)
		}
		because, err := h.vault.Open(holdReason, []byte(m.ID), sealed)
		if err != nil && !errors.Is(err, vault.ErrForgotten) { // of a store that is older than the release
			return nil, err
		}
		m.Because, m.Since = string(because), time.UnixMilli(since).UTC()
		out = append(out, m)
	}
	return out, rows.Err()
}

// record keeps the act and writes its one entry.
func (h *Holds) record(tx *db.Tx, kind, actor string, holds []Hold) error {
	if err := h.keep(tx, kind, holds); err != nil {
		return err
	}
	return h.append(tx, kind, actor, holds)
}

// append writes the command's one ledger entry: ids and places, neither person nor reason.
func (h *Holds) append(tx *db.Tx, kind, actor string, holds []Hold) error {
	type place struct {
		ID      string `json:"id"`
		System  string `json:"system,omitempty"`
		Dataset string `json:"dataset,omitempty"`
	}
	var places []place
	for _, m := range holds {
		places = append(places, place{m.ID, m.System, m.Dataset})
	}
	entry := ledger.Entry{Kind: kind, Result: "done", Actor: actor, Subject: holds[0].Token, Content: map[string]any{"holds": places}}
	_, err := h.ledger.Append(tx, entry)
	return err
}
