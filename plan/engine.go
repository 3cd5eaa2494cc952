package plan

import (
	"context"
	"sync/atomic"

	"github.com/ombudhq/ombud/catalog"
	"github.com/ombudhq/ombud/internal/clock"
	"github.com/ombudhq/ombud/internal/db"
	"github.com/ombudhq/ombud/subject"
	"github.com/ombudhq/ombud/vault"
)

// Person is the identities that lead to one subject. Same says that somebody has looked and
// confirmed that several rows of one people dataset are this one person.
type Person struct {
	Identities []subject.Identity
	Same       bool
}

// Question is what a request asks of the stores. Request names it and keys its checksums, so the
// same data gives the same plan hash for the same request only.
type Question struct {
	Request string
	Kind    Kind
	People  []Person
	Holds   []subject.Hold // all that stand; the engine finds which cover these people
	Limit   *Limit         // narrows an erasure to part of the data; nil is all of it
	// Reviewed says that a person has looked at the text of others: Export then withholds nothing.
	Reviewed bool
	// Thorough runs the value sweep however long it takes: a retry is nobody who waits.
	Thorough bool
}

// Config of an engine. The zero value of each limit means its default.
type Config struct {
	Catalog *catalog.Catalog
	DB      *db.DB
	Vault   *vault.Vault
	Clock   clock.Clock
	// TempDir takes sealed spill files, unlinked as soon as they are open. Defaults to the system's.
	TempDir string
	// Chunk is rows per transaction and keys per statement. Defaults to 5,000.
	Chunk int
	// Memory is rows of a person, or of the people of one plan, kept in memory before they spill to a
	// sealed file; a row of more than a KiB counts as several. Defaults to 20,000.
	Memory int
	// SweepMS is the longest value sweep, in estimated milliseconds, that runs inside a request; a
	// longer one is queued, and the request stays incomplete until it ran. Defaults to 5,000.
	SweepMS int64
	// Stepwise runs the acts of a transaction one by one instead of pipelined, so that Hook is called
	// behind each; for crash tests.
	Stepwise bool
	// Hook is called after every store statement and own commit, for crash tests; nil in production.
	Hook func(point string)
}

// Engine plans, runs and looks again. It is safe for concurrent use; two runs of one request are
// the caller's to prevent (package request does).
type Engine struct {
	cfg  Config
	last atomic.Pointer[layout] // of the catalog as last known
}

// New makes an engine and the tables of its journal.
func New(ctx context.Context, cfg Config) (*Engine, error) {
	if cfg.Chunk == 0 {
		cfg.Chunk = 5000
	}
	if cfg.Memory == 0 {
		cfg.Memory = 20000
	}
	if cfg.SweepMS == 0 {
		cfg.SweepMS = 5000
	}
	if cfg.Hook == nil {
		cfg.Hook = func(string) {}
	}
	return &Engine{cfg: cfg}, migrateJournal(ctx, cfg.DB)
}

// Drift is the error of a run whose data moved since the plan was made: nothing was touched, and
// Plan waits for a new approval.
type Drift struct {
	Plan *Plan
}

func (d *Drift) Error() string {
	return "the data has changed since the plan was made; approve " + d.Plan.Hash
}
