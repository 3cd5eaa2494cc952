package request

import (
	"context"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/ombudhq/ombud/internal/db"
	"github.com/ombudhq/ombud/internal/fault"
	"github.com/ombudhq/ombud/internal/id"
	"github.com/ombudhq/ombud/ledger"
	"github.com/ombudhq/ombud/plan"
	"github.com/ombudhq/ombud/subject"
)

// reviewDays is how long text held back from an access may wait for review. Afterwards the identities
// are destroyed and the request must be made anew.
const reviewDays = 30

// ending is what a run reached.
type ending struct {
	people  []plan.Person
	plan    *plan.Plan
	outcome *plan.Outcome
	holds   []subject.Hold // that stood during the run
	pkg     *PackageRef
	actor   string
}

// by names who let the program run: those who approved the plan, and who began the run, each under their own word.
func (e ending) by(r *record, content map[string]any) {
	content["begun_by"] = e.actor
	if len(r.Approvals) > 0 {
		content["approved_by"] = approvers(r)
	}
}

func approvers(r *record) []string {
	out := []string{}
	for _, a := range r.Approvals {
		out = append(out, a.Actor)
	}
	return out
}

// verdict is stricter than the outcome's own word: with anything left it is not complete.
func verdict(o *plan.Outcome) Event {
	switch {
	case o.Status == plan.Complete && len(o.Remaining) == 0 && len(o.Gaps) == 0:
		return Proven
	case o.Status == plan.Failed:
		return Broke
	}
	return Remaining
}

// finish closes a run: state, outcome, receipt, suppression and ledger entry in one transaction, and in
// the same one the request's key is destroyed when nothing is left to do.
func (s *Service) finish(ctx context.Context, r *record, e ending) (*record, error) {
	ctx = context.WithoutCancel(ctx) // what was done to the stores must be told, whoever still listens
	on := verdict(e.outcome)
	if on == Broke {
		return s.broke(ctx, r, fault.New(fault.Unavailable, "the run of %s failed", r.ref()))
	}
	c := command{on: on, entry: "request.completed", result: "complete", actor: program}
	if on == Remaining {
		c.entry, c.result = "request.incomplete", "incomplete"
	}
	doc := s.compose(r, e, plan.Status(c.result))
	digest, err := doc.digest()
	if err != nil {
		return r, err
	}
	c.content = outcomeCounts(e, digest)
	e.by(r, c.content)
	c.change = func(tx *db.Tx, r *record) error { return s.conclude(ctx, tx, r, e, doc.ID) }
	c.after = func(tx *db.Tx, r *record, at ledger.Position) error {
		signedDoc := *doc
		signedDoc.Entry = at
		return s.keepReceipt(ctx, tx, r, &signedDoc)
	}
	r2, err := s.do(ctx, r.id, c)
	if err != nil {
		return r, err
	}
	s.settle(ctx, r2)
	return r2, nil
}

// conclude changes the record as the outcome says.
func (s *Service) conclude(ctx context.Context, tx *db.Tx, r *record, e ending, receipt string) error {
	r.Plan, r.Outcome, r.Failure, r.Released = e.plan, e.outcome, "", false
	if r.kind == plan.Erasure {
		r.leaves(e.plan)
	}
	r.Receipt, r.Receipts = receipt, r.Receipts+1
	if e.pkg != nil {
		r.Package = e.pkg
	}
	r.Holds = deferredBy(e)
	if err := e.outcome.Settle(ctx, tx); err != nil {
		return err
	}
	if r.state != Complete {
		return nil
	}
	if r.kind == plan.Erasure && r.Only == "" { // else it was noted when it was first done
		if err := s.suppress(ctx, tx, r, e); err != nil {
			return err
		}
		if len(r.Holds) == 0 {
			if err := s.forgetReasons(ctx, tx, r.id); err != nil {
				return err
			}
		}
	}
	switch {
	case len(r.Holds) > 0:
		r.retained, r.until = keptByHold, time.Time{}
	case r.kind == plan.Access && len(e.outcome.Held) > 0:
		r.retained, r.until = heldForReview, s.cfg.Clock.Now().AddDate(0, 0, reviewDays)
	default:
		return s.forget(ctx, tx, r)
	}
	return nil
}

// suppress notes what must not come back: the people, or the part of their data.
func (s *Service) suppress(ctx context.Context, tx *db.Tx, r *record, e ending) error {
	if r.Limit != nil {
		return s.suppressions.SuppressPart(ctx, tx, r.id, identities(e.people), subject.Part{Categories: r.Limit.Categories, Purposes: r.Limit.Purposes})
	}
	return s.suppressions.Suppress(ctx, tx, r.id, identities(e.people), s.erasure(tx, r, e))
}

// erasure says what goes on although the person is erased: the purposes that the rules of kept rows name.
func (s *Service) erasure(tx *db.Tx, r *record, e ending) subject.Erasure {
	out := subject.Erasure{Revision: s.cfg.Ledger.Next(tx).Revision, Held: len(r.Holds) > 0}
	for _, sys := range s.cfg.Catalog.Config().Systems {
		for _, rule := range sys.Tables {
			kept := slices.ContainsFunc(e.outcome.Kept, func(k plan.Kept) bool { return k.System == sys.ID && k.Dataset == rule.Table })
			if kept && rule.Purpose != "" && !slices.Contains(out.Allowed, rule.Purpose) {
				out.Allowed = append(out.Allowed, rule.Purpose)
			}
		}
	}
	return out
}

// deferredBy names the holds that kept rows in this run.
func deferredBy(e ending) []string {
	var out []string
	for _, h := range e.holds {
		if slices.ContainsFunc(e.outcome.Kept, func(k plan.Kept) bool { return k.Hold == h.ID }) {
			out = append(out, h.ID)
		}
	}
	return out
}

func outcomeCounts(e ending, digest string) map[string]any {
	var acted, kept, left int64
	for _, d := range e.outcome.Done {
		acted += d.Acted
	}
	for _, k := range e.outcome.Kept {
		kept += k.Rows
	}
	for _, m := range slices.Concat(e.outcome.Remaining, e.outcome.Gaps) {
		left += max(0, m.Rows)
	}
	c := map[string]any{
		"matched": e.outcome.Matched, "acted": acted, "kept": kept, "remaining": left,
		"open": len(e.outcome.Remaining) + len(e.outcome.Gaps), "receipt": digest,
	}
	if e.pkg != nil {
		c["package"] = e.pkg.SHA256
	}
	return c
}

// compose writes the receipt of a run, without its place in the ledger.
func (s *Service) compose(r *record, e ending, status plan.Status) *Receipt {
	now, o := s.cfg.Clock.Now(), e.outcome
	doc := &Receipt{
		Format: receiptFormat, ID: id.New("rcp_", now), Request: r.id, Ref: r.ref(), Kind: r.kind, Limit: r.Limit,
		Organization: s.cfg.Catalog.Config().Organization.Name,
		Received:     r.received.Format(time.RFC3339), Finished: now.Format(time.RFC3339), Approvals: len(r.Approvals),
		Plan: e.plan.Hash, Status: status, Matched: o.Matched,
		Done: list(o.Done), Kept: list(o.Kept), Held: list(o.Held), Remaining: list(o.Remaining), Gaps: list(o.Gaps),
		Ignored: list(o.Ignored), Proof: list(o.Proof), Package: e.pkg, Subjects: []Commitment{}, Keys: overwritten(r, status),
	}
	for n, i := range identities(e.people) {
		doc.Subjects = append(doc.Subjects, Commitment{i.Kind, commitment(s.salt(r.id, n), i)})
	}
	return doc
}

// salt of a request's n-th commitment. It comes from the root key, so that the opening can be given
// again as long as that key lives, and nobody else can guess it.
func (s *Service) salt(request string, n int) []byte {
	sum := s.cfg.Vault.MAC("receipt/salt", []byte(request), binary.BigEndian.AppendUint64(nil, uint64(n)))
	return sum[:]
}

func (s *Service) keepReceipt(ctx context.Context, tx *db.Tx, r *record, doc *Receipt) error {
	sig, err := doc.sign(s.cfg.Vault)
	if err != nil {
		return err
	}
	b, err := json.Marshal(sig)
	if err != nil {
		return fmt.Errorf("encoding a receipt: %w", err)
	}
	_, err = tx.Exec(ctx, `insert into receipts (id, request, n, body) values ($1, $2, $3, $4)`, doc.ID, r.id, r.Receipts, string(b))
	return err
}

// receiptFile is a stored receipt and where its file belongs.
type receiptFile struct {
	id, path, opening string
	ready             bool // has its evidence
	closing           bool // does not say yet that the keys are closed
	bytes             []byte
	subjects          int
	entry             int64
	request, ref_     string
}

func (f *receiptFile) ref() *ReceiptRef {
	return &ReceiptRef{ID: f.id, File: f.path, SHA256: sum(f.bytes), Opening: f.opening}
}

func (s *Service) receiptFile(ctx context.Context, tx *db.Tx, id string) (*receiptFile, error) {
	var n int
	var b, evidence, forgotten string
	f := &receiptFile{id: id}
	err := tx.QueryRow(ctx, `select request, n, body, coalesce(evidence, ''), coalesce(forgotten, '') from receipts where id = $1`, id).
		Scan(&f.request, &n, &b, &evidence, &forgotten)
	if err != nil {
		return nil, fmt.Errorf("reading a receipt: %w", err)
	}
	var sig signed
	var doc Receipt
	if err := errors.Join(json.Unmarshal([]byte(b), &sig), json.Unmarshal(sig.Receipt, &doc)); err != nil {
		return nil, fault.Wrap(fault.Integrity, err, "the stored receipt %s cannot be read", id)
	}
	if evidence != "" {
		sig.Evidence, f.ready = json.RawMessage(evidence), true
	}
	if f.closing = doc.Keys != "" && forgotten == ""; forgotten != "" {
		sig.Forgotten = json.RawMessage(forgotten)
	}
	name := doc.Ref
	if n > 1 {
		name += fmt.Sprintf("-%d", n)
	}
	f.ref_, f.subjects, f.entry = doc.Ref, len(doc.Subjects), doc.Entry.ID
	f.path, f.opening = s.dir("receipts", name+".receipt.json"), s.dir("receipts", doc.Ref+".opening.json")
	f.bytes, err = sig.bytes()
	return f, err
}

// settle does what may follow a commit but must not be lost: the journal's key goes, the receipt gets
// its ledger proof, the files are written. What fails is logged and done by the next Recover.
func (s *Service) settle(ctx context.Context, r *record) {
	if err := s.trySettle(ctx, r); err != nil {
		s.cfg.Log.Error("a receipt is not filed yet; the next start files it", "request", r.ref(), "error", err)
	}
}

func (s *Service) trySettle(ctx context.Context, r *record) error {
	if r.key == nil {
		if err := s.forgetRun(ctx, r.id); err != nil {
			return err
		}
	}
	var f *receiptFile
	err := s.cfg.DB.Read(ctx, func(tx *db.Tx) (err error) {
		f, err = s.receiptFile(ctx, tx, r.Receipt)
		return err
	})
	if err != nil {
		return err
	}
	if !f.ready {
		if f, err = s.attachEvidence(ctx, f); err != nil {
			return err
		}
	}
	var late error // a receipt that cannot say it yet is filed nevertheless, and says it after the next start
	if f.closing {
		f, late = s.attachForgotten(ctx, f)
	}
	return errors.Join(late, s.writeReceipt(f))
}

func (s *Service) attachEvidence(ctx context.Context, f *receiptFile) (*receiptFile, error) {
	proof, err := s.cfg.Ledger.Prove(ctx, f.entry)
	if err != nil {
		return nil, err
	}
	b, err := json.Marshal(proof)
	if err != nil {
		return nil, fmt.Errorf("encoding a ledger proof: %w", err)
	}
	err = s.cfg.DB.Write(ctx, func(tx *db.Tx) error {
		if _, err := tx.Exec(ctx, `update receipts set evidence = $2 where id = $1`, f.id, string(b)); err != nil {
			return err
		}
		got, err := s.receiptFile(ctx, tx, f.id)
		f = got
		return err
	})
	return f, err
}

// writeReceipt puts receipt and opening where their reader finds them. The database keeps both, so the
// files need no fsync: a lost one is written again.
func (s *Service) writeReceipt(f *receiptFile) error {
	o := Opening{Format: openingFormat, Ref: f.ref_, Salts: []string{},
		How: "commitment = SHA-256(salt || kind || 0x00 || value, trimmed and in lower case); salt i opens commitment i of the receipt"}
	for n := range f.subjects {
		o.Salts = append(o.Salts, hex.EncodeToString(s.salt(f.request, n)))
	}
	b, err := json.MarshalIndent(o, "", "  ")
	if err != nil {
		return fmt.Errorf("encoding an opening: %w", err)
	}
	return errors.Join(putFile(f.path, f.bytes), putFile(f.opening, append(b, '\n')))
}

// putFile replaces a file as a whole, mode 0600; one that is right already stays as it is.
func putFile(path string, b []byte) error {
	if old, err := os.ReadFile(path); err == nil && string(old) == string(b) {
		return nil
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return fault.Wrap(fault.Unavailable, err, "the folder for receipts cannot be made")
	}
	tmp, err := os.CreateTemp(filepath.Dir(path), ".receipt-*") // mode 0600
	if err != nil {
		return fault.Wrap(fault.Unavailable, err, "a receipt cannot be written")
	}
	_, err = tmp.Write(b)
	if err = errors.Join(err, tmp.Close()); err == nil {
		err = os.Rename(tmp.Name(), path)
	}
	if err != nil {
		_ = os.Remove(tmp.Name()) // the write failed already
		return fault.Wrap(fault.Unavailable, err, "a receipt cannot be written")
	}
	return nil
}
