package plan

import (
	"slices"

	"github.com/ombudhq/ombud/catalog"
)

// Kind of request a plan answers.
type Kind string

const (
	Access  Kind = "access"
	Erasure Kind = "erasure"
)

// Plan says what would happen to which rows, before anything is touched. It holds no identity and
// no value from a store: counts, names, reasons and keyed checksums only. Its JSON is the contract
// of `ombud dsr plan --json`.
type Plan struct {
	Request  string       `json:"request"`
	Hash     string       `json:"hash"` // see Hash; a person approves it
	Kind     Kind         `json:"kind"`
	Limit    *Limit       `json:"limit,omitempty"` // of an erasure of part of the data
	Matched  int          `json:"matched"`         // rows of people datasets the identities led to
	Systems  []SystemPlan `json:"systems"`
	Kept     []Kept       `json:"kept"`
	Ignored  []string     `json:"ignored"` // "system.dataset", named in every receipt
	Gaps     []Remaining  `json:"gaps"`
	Warnings []Warning    `json:"warnings"`
	Estimate int64        `json:"estimate_ms"`

	// Held is text of others that access will not ship before review, and look-alike findings.
	Held []Held `json:"held,omitempty"`
	// Questions that must be answered before an erasure can be approved (guesses, keep?, merge review).
	Blocking []string `json:"blocking,omitempty"`

	// Commitments behind the hash.
	Identities string `json:"identities"` // keyed commitment
	Config     string `json:"config"`     // digest of ombud.yaml
	Catalog    string `json:"catalog"`    // fingerprint of touched datasets and all with an edge to one
}

// Nobody reports whether nothing at all was found. A row may be a person's where no people dataset knows
// them any more.
func (p *Plan) Nobody() bool {
	return p.Matched == 0 && !slices.ContainsFunc(p.Systems, func(s SystemPlan) bool { return len(s.Datasets) > 0 })
}

// SystemPlan is a plan's part in one system.
type SystemPlan struct {
	ID       string `json:"id"`
	Engine   string `json:"engine,omitempty"`
	Location string `json:"location,omitempty"`
	Datasets []Step `json:"datasets"`
}

// Step is one method on one dataset's rows. A dataset may have several.
type Step struct {
	Name       string         `json:"name"`
	Rows       int64          `json:"rows"`
	Method     catalog.Method `json:"method"`
	Fields     []string       `json:"fields"`
	Path       string         `json:"path"` // "email › customers › orders.customer_id"
	Because    string         `json:"because,omitempty"`
	Until      string         `json:"until,omitempty"`       // YYYY-MM-DD, the last row's
	UntilFirst string         `json:"until_first,omitempty"` // YYYY-MM-DD, the first row's
	Order      int            `json:"order"`
	// Whose the rows are: own, co, mention, context.
	Role catalog.Role `json:"role,omitempty"`

	Keys    string `json:"keys"`              // keyed checksum of the row addresses
	Content string `json:"content,omitempty"` // keyed checksum of contents, where the method depends on them
}

// Kept rows stay, with their reason and end.
type Kept struct {
	System  string `json:"system"`
	Dataset string `json:"dataset"`
	Rows    int64  `json:"rows"`
	Because string `json:"because"`
	Until   string `json:"until,omitempty"`
	Hold    string `json:"hold,omitempty"` // the id of the hold that keeps them, where one does
	// Fields are the columns meant, where the rest of the rows changes; none: all of them.
	Fields []string `json:"fields,omitempty"`
}

// Held is text that access does not ship before a person has looked.
type Held struct {
	System  string `json:"system"`
	Dataset string `json:"dataset"`
	Field   string `json:"field"`
	Rows    int64  `json:"rows"`
	Why     string `json:"why"`
}

// Remaining says exactly what is not proven: how many rows where, why, who must act, and when it is
// tried again. Rows is -1 where they could not be counted. One Remaining makes a result incomplete.
type Remaining struct {
	System  string `json:"system"`
	Dataset string `json:"dataset,omitempty"`
	Rows    int64  `json:"rows"`
	Why     string `json:"why"`
	Who     string `json:"who"`
	Next    string `json:"next"`
	// Code is stable for programs: "unreachable", "unmapped", "proposed", "right-missing", "no-key",
	// "residue", "row-security", "read-only", "history", "opaque", "sweep-queued", "constraint" …
	Code string `json:"code,omitempty"`
	// Guess is the id for `ombud scan --accept`, when one answer closes the gap.
	Guess string `json:"guess,omitempty"`
}

// Warning is something to know before deciding; it does not make a result incomplete.
type Warning struct {
	System  string `json:"system"`
	Dataset string `json:"dataset,omitempty"`
	Code    string `json:"code"` // "missing-index", "trigger", "history", "look-alike", "partial" …
	Message string `json:"message"`
	Cure    string `json:"cure,omitempty"` // the statement that mends it
	CostMS  int64  `json:"cost_ms,omitempty"`
}

// Status of a result.
type Status string

const (
	Complete   Status = "complete"
	Incomplete Status = "incomplete"
	Failed     Status = "failed"
	Awaiting   Status = "awaiting_approval"
)

// Done is what one step did. Verified is rows of the step proven gone, changed or kept by looking again.
type Done struct {
	System   string         `json:"system"`
	Dataset  string         `json:"dataset"`
	Method   catalog.Method `json:"method"`
	Planned  int64          `json:"planned"`
	Found    int64          `json:"found"`
	Acted    int64          `json:"acted"`
	Verified int64          `json:"verified"`
}

// Outcome is what a run reached. Its status is complete only when Remaining and Gaps are empty and
// every step is verified by looking again.
type Outcome struct {
	Kind      Kind        `json:"kind"`
	Hash      string      `json:"hash"`
	Status    Status      `json:"status"`
	Matched   int         `json:"matched"`
	Done      []Done      `json:"done"`
	Kept      []Kept      `json:"kept"`
	Held      []Held      `json:"held"`
	Remaining []Remaining `json:"remaining"`
	Ignored   []string    `json:"ignored"`
	Gaps      []Remaining `json:"gaps"`
	Warnings  []Warning   `json:"warnings"`
	// Proof says how it was looked again, per system: bytes swept, what "deleted" means there.
	Proof []Proof `json:"proof"`

	journal *journal
	unsaid  []marked // see Settle
}

// Nobody reports whether nothing at all was found.
func (o *Outcome) Nobody() bool { return o.Matched == 0 && len(o.Done) == 0 }

// Proof of one system.
type Proof struct {
	System   string   `json:"system"`
	Engine   string   `json:"engine"`
	At       string   `json:"at"`       // RFC 3339
	Keys     int64    `json:"keys"`     // planned rows read again
	Closure  int64    `json:"closure"`  // rows still leading to the person: 0 or residue
	Swept    int64    `json:"swept"`    // bytes of text read for the person's values
	Coverage string   `json:"coverage"` // what was and was not swept
	Means    []string `json:"means"`    // what "deleted" means in this store, and what was done about copies
}

// Progress of a run, for people who wait.
type Progress struct {
	Phase   string // "find", "act", "look", "package"
	System  string
	Dataset string
	Done    int64
	Total   int64
}
