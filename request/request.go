package request

import (
	"time"

	"github.com/ombudhq/ombud/plan"
)

// Request as everybody sees it. It holds no identity: Masked is a hint for who already knows.
type Request struct {
	ID  string // dsr_ + 26 characters
	Ref string // R-2026-0148

	Kind   plan.Kind
	State  State
	People int    // how many subjects it is about
	Masked string // "email i····, phone +····"; "····" once the identities are gone
	Called string // the name that stands for the one person, "Amber Heron k7q2"; "" where nobody has one, and then too

	Received, Due, Target, Updated time.Time
	DueWhy                         string

	Actor     string // who took it in
	Hash      string // of Plan
	Plan      *plan.Plan
	Outcome   *plan.Outcome // of the last run, nil before it
	Approvals []Approval    // of this Hash
	Receipt   *ReceiptRef   // of the last run
	Package   *PackageRef   // of the last access package
	Progress  *plan.Progress
	Entries   []int64     // in the ledger, oldest first
	Failure   string      // why State is failed
	Limit     *plan.Limit // of an erasure of part of the data; nil is all of it
	Cause     string      // what it follows from: "" is a person's own wish
	Only      string      // the restored system in which it does erasures again, "" for all others

	Who, What string // who acts now, and what they do
	Onward    string // the command that approves Plan and runs it; "" without a plan
}

// Approval of a plan by one person.
type Approval struct {
	Actor string    `json:"actor"`
	Hash  string    `json:"hash"`
	At    time.Time `json:"at"`
}

// ReceiptRef finds a receipt. File is absolute or relative to where the process runs; SHA256 is of its bytes.
type ReceiptRef struct {
	ID     string `json:"id"`
	File   string `json:"file"`
	SHA256 string `json:"sha256"`
	// Opening is the file that lets the person open the commitments; it is theirs.
	Opening string `json:"opening,omitempty"`
}

// PackageRef says which package went out. Where it was put is the caller's to know.
type PackageRef struct {
	SHA256 string `json:"sha256"`
	Size   int64  `json:"size"`
	Files  int    `json:"files"`
	Rows   int64  `json:"rows"`
	// Reviewed is set when text held for review is in it.
	Reviewed bool `json:"reviewed,omitempty"`
}

// Result is what `ombud dsr run --json` prints: the public contract.
type Result struct {
	Request   string           `json:"request"`
	Ref       string           `json:"ref"`
	Kind      plan.Kind        `json:"kind"`
	Limit     *plan.Limit      `json:"limit,omitempty"`
	Hash      string           `json:"hash"`
	Status    State            `json:"status"`
	Matched   int              `json:"matched"`
	Receipt   *ReceiptRef      `json:"receipt"`
	Package   *PackageRef      `json:"package,omitempty"`
	Done      []plan.Done      `json:"done"`
	Kept      []plan.Kept      `json:"kept"`
	Held      []plan.Held      `json:"held"`
	Remaining []plan.Remaining `json:"remaining"`
	Ignored   []string         `json:"ignored"`
	Gaps      []plan.Remaining `json:"gaps"`
	Warnings  []plan.Warning   `json:"warnings"`
	Proof     []plan.Proof     `json:"proof"`
}

// Result is the request's state in the form of the public contract; its lists are never null. Before
// a run, and while a new plan waits, kept, held, ignored, gaps and warnings are the plan's.
func (r *Request) Result() Result {
	out := Result{Request: r.ID, Ref: r.Ref, Kind: r.Kind, Limit: r.Limit, Hash: r.Hash, Status: r.State, Receipt: r.Receipt, Package: r.Package}
	switch o, p := r.Outcome, r.Plan; {
	case o != nil && r.State != Awaiting:
		out.Matched, out.Done, out.Kept, out.Held, out.Remaining = o.Matched, o.Done, o.Kept, o.Held, o.Remaining
		out.Ignored, out.Gaps, out.Warnings, out.Proof = o.Ignored, o.Gaps, o.Warnings, o.Proof
	case p != nil:
		out.Matched, out.Kept, out.Held, out.Ignored, out.Gaps, out.Warnings = p.Matched, p.Kept, p.Held, p.Ignored, p.Gaps, p.Warnings
	}
	out.Done, out.Kept, out.Held = list(out.Done), list(out.Kept), list(out.Held)
	out.Remaining, out.Gaps, out.Ignored = list(out.Remaining), list(out.Gaps), list(out.Ignored)
	out.Warnings, out.Proof = list(out.Warnings), list(out.Proof)
	return out
}

func list[T any](s []T) []T {
	if s == nil {
		return []T{}
	}
	return s
}

// Err is how a command that left the request in this state ends: nil when complete, fault.Waiting when
// incomplete or waiting for a person, and so on, as the exit codes of the public contract have it.
func (r *Request) Err() error { return stateErr(r) }
