package request

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/ombudhq/ombud/internal/db"
	"github.com/ombudhq/ombud/internal/fault"
	"github.com/ombudhq/ombud/plan"
)

const schema = `
create table requests (
	id text primary key,
	year bigint not null,
	n bigint not null,
	kind text not null,
	state text not null,
	received bigint not null,
	updated bigint not null,
	body text not null,
	identities bytea,
	key bytea,
	retained text not null,
	until bigint not null,
	unique (year, n)
);
create index requests_state on requests (state, received);
create table request_tokens (
	token text not null,
	request text not null,
	primary key (token, request)
);
create index request_tokens_request on request_tokens (request);
create table receipts (
	id text primary key,
	request text not null,
	n bigint not null,
	body text not null,
	evidence text,
	unique (request, n)
)`

const newestFirst = `create index requests_received on requests (received, n)`

const receiptsForgotten = `alter table receipts add column forgotten text`

// record is a request's row. body holds what has no column of its own.
type record struct {
	id         string
	state      State
	year, n    int
	kind       plan.Kind
	received   time.Time
	updated    time.Time
	identities []byte // people, sealed under the request's key; nil once it is destroyed
	key        []byte // that key, sealed
	retained   string // why the key outlives completion: "", keptByHold, heldForReview
	until      time.Time
	thorough   bool // in this run: nobody waits for it, so the value sweep runs however long it takes
	body
}

// Reasons to keep a request's key after completion.
const (
	keptByHold    = "hold"
	heldForReview = "review"
)

type body struct {
	People    int           `json:"people"`
	Actor     string        `json:"actor"`
	Plan      *plan.Plan    `json:"plan,omitempty"`
	Outcome   *plan.Outcome `json:"outcome,omitempty"`
	Approvals []Approval    `json:"approvals,omitempty"`
	Package   *PackageRef   `json:"package,omitempty"`
	Receipt   string        `json:"receipt,omitempty"` // id of the last one
	Receipts  int           `json:"receipts,omitempty"`
	Entries   []int64       `json:"entries,omitempty"`
	Failure   string        `json:"failure,omitempty"`
	Holds     []string      `json:"holds,omitempty"`    // that kept rows in the last run
	Released  bool          `json:"released,omitempty"` // one of them ended: plan again
	Reason    []byte        `json:"reason,omitempty"`   // of a refusal, sealed: it may name people
	Only      string        `json:"only,omitempty"`     // the restored system it is about alone
	Limit     *plan.Limit   `json:"limit,omitempty"`    // of an erasure of part of the data
	Cause     string        `json:"cause,omitempty"`    // what it follows from

	Shells map[string]int64 `json:"shells,omitempty"` // what all runs left of rows, see plan.Shells
}

// leaves notes the shells of a run, beside those of the runs before it.
func (r *record) leaves(p *plan.Plan) {
	for id, n := range p.Shells() {
		if r.Shells == nil {
			r.Shells = map[string]int64{}
		}
		r.Shells[id] += n
	}
}

// shells are those of all runs; a record of an earlier version has the last plan alone.
func (r *record) shells() map[string]int64 {
	if r.Shells == nil {
		return r.Plan.Shells()
	}
	return r.Shells
}

func (r *record) ref() string { return reference(r.year, r.n) }

func reference(year, n int) string { return fmt.Sprintf("R-%04d-%04d", year, n) }

const columns = `id, year, n, kind, state, received, updated, body, identities, key, retained, until`

// insert numbers the request within its year and stores it.
func (r *record) insert(ctx context.Context, tx *db.Tx, tokens []string) error {
	r.year = r.received.Year()
	err := tx.QueryRow(ctx, `select coalesce(max(n), 0) + 1 from requests where year = $1`, r.year).Scan(&r.n)
	if err != nil {
		return fmt.Errorf("numbering a request: %w", err)
	}
	args, err := r.values()
	if err != nil {
		return err
	}
	_, err = tx.Exec(ctx, `insert into requests (`+columns+`) values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)`, args...)
	if err != nil {
		return err
	}
	return insertTokens(ctx, tx, r.id, tokens)
}

func insertTokens(ctx context.Context, tx *db.Tx, request string, tokens []string) error {
	for _, t := range tokens {
		if _, err := tx.Exec(ctx, `insert into request_tokens (token, request) values ($1, $2)`, t, request); err != nil {
			return err
		}
	}
	return nil
}

func (r *record) save(ctx context.Context, tx *db.Tx) error {
	args, err := r.values()
	if err != nil {
		return err
	}
	_, err = tx.Exec(ctx, `update requests set year = $2, n = $3, kind = $4, state = $5, received = $6, updated = $7, body = $8,
		identities = $9, key = $10, retained = $11, until = $12 where id = $1`, args...)
	return err
}

func (r *record) values() ([]any, error) {
	b, err := json.Marshal(r.body)
	if err != nil {
		return nil, fmt.Errorf("encoding a request: %w", err)
	}
	var until int64
	if !r.until.IsZero() {
		until = r.until.UnixMilli()
	}
	return []any{r.id, r.year, r.n, string(r.kind), string(r.state), r.received.UnixMilli(), r.updated.UnixMilli(), string(b),
		r.identities, r.key, r.retained, until}, nil
}

type scanner interface{ Scan(...any) error }

func scan(row scanner) (*record, error) {
	var r record
	var received, updated, until int64
	var b string
	err := row.Scan(&r.id, &r.year, &r.n, &r.kind, &r.state, &received, &updated, &b, &r.identities, &r.key, &r.retained, &until)
	if err != nil {
		return nil, err
	}
	r.received, r.updated = time.UnixMilli(received).UTC(), time.UnixMilli(updated).UTC()
	if until != 0 {
		r.until = time.UnixMilli(until).UTC()
	}
	if err := json.Unmarshal([]byte(b), &r.body); err != nil {
		return nil, fault.Wrap(fault.Integrity, err, "the stored request %s cannot be read", r.id)
	}
	return &r, nil
}

// load finds a request by id or reference.
func load(ctx context.Context, tx *db.Tx, ref string) (*record, error) {
	var year, n int
	if _, err := fmt.Sscanf(ref, "R-%d-%d", &year, &n); err != nil || reference(year, n) != ref {
		year, n = -1, -1
	}
	r, err := scan(tx.QueryRow(ctx, `select `+columns+` from requests where id = $1 or (year = $2 and n = $3)`, ref, year, n))
	if errors.Is(err, db.ErrNoRows) {
		return nil, fault.New(fault.NotFound, "there is no such request").Then("ombud dsr list shows them all.")
	}
	return r, err
}

func loadAll(ctx context.Context, tx *db.Tx, where string, args ...any) ([]*record, error) {
	rows, err := tx.Query(ctx, `select `+columns+` from requests where `+where, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var out []*record
	for rows.Next() {
		r, err := scan(rows)
		if err != nil {
			return nil, err
		}
		out = append(out, r)
	}
	return out, rows.Err()
}

// tokensOf gives the subject tokens of a request.
func tokensOf(ctx context.Context, tx *db.Tx, id string) ([]string, error) {
	rows, err := tx.Query(ctx, `select token from request_tokens where request = $1 order by token`, id)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var out []string
	for rows.Next() {
		var t string
		if err := rows.Scan(&t); err != nil {
			return nil, fmt.Errorf("reading a token: %w", err)
		}
		out = append(out, t)
	}
	return out, rows.Err()
}
