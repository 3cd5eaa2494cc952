package consent

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"strings"
	"time"

	"github.com/ombudhq/ombud/consent/internal/index"
	"github.com/ombudhq/ombud/internal/db"
	"github.com/ombudhq/ombud/internal/fault"
	"github.com/ombudhq/ombud/ledger"
	"github.com/ombudhq/ombud/purpose"
	"github.com/ombudhq/ombud/subject"
)

// Status of a consent.
type Status string

// The four.
const (
	Given     Status = "given"
	Pending   Status = "pending"
	Withdrawn Status = "withdrawn"
	Expired   Status = "expired"
)

// methods by which a person says yes; the explicit ones are what Art. 9(2)(a) asks for.
var (
	methods  = []string{"explicit", "explicit_opt_in", "opt_in", "web_form", "api"}
	explicit = []string{"explicit", "explicit_opt_in"}
)

// confirmWithin is how long a pending consent waits.
const confirmWithin = 7 * 24 * time.Hour

// NoticeInput names what the person was shown. SeenRevision is the revision of an answer that was had before it was
// shown; nil where none was.
type NoticeInput struct {
	ID           string
	Version      string
	Language     string
	SeenRevision *int64
}

// RecordInput is a yes.
type RecordInput struct {
	Subject    []subject.Identity
	Purpose    string
	Categories []string // none means all of the purpose
	Status     Status   // default given
	Basis      string   // only "consent", or nothing
	Method     string
	Notice     NoticeInput
	PreTicked  bool
	Bundled    bool // made a condition of a contract that does not need it
	Interface  string
	UserAgent  string
	IP         string // kept as a keyed hash only
	WithdrawBy string
	Metadata   map[string]string
	TCF, GPP   string
	Actor      string

	from *origin // nil when it was said to us
}

// Consent is a yes as it was recorded.
type Consent struct {
	ID         string    `json:"consent_id"`
	Subject    string    `json:"subject"`
	Purpose    string    `json:"purpose"`
	Categories []string  `json:"categories,omitempty"`
	Status     Status    `json:"status"`
	Notice     Shown     `json:"notice"`
	Recorded   time.Time `json:"recorded"`
	ValidUntil time.Time `json:"valid_until,omitzero"`
	Renews     string    `json:"renews,omitempty"`
	Token      string    `json:"token,omitempty"`     // of a pending one, given out once: what confirms it
	ConfirmBy  time.Time `json:"confirm_by,omitzero"` // of a pending one: when it lapses
	Revision   int64     `json:"revision"`
}

// Record records a yes and answers when it is durable. What cannot count as consent is refused with every reason, and
// nothing is recorded.
func (s *Service) Record(ctx context.Context, in RecordInput) (out Consent, err error) {
	if was, err := before(ctx, in.from, &out); was || err != nil {
		return out, err
	}
	now := s.instant()
	ids, err := s.meant(ctx, in.Subject)
	if err != nil {
		return Consent{}, err
	}
	in.Subject = ids
	c, rule, err := s.admit(&in, now)
	if err != nil {
		return Consent{}, err
	}
	e, token := ledger.Entry{Kind: kindGiven, Actor: in.Actor}, ""
	if in.Status == Pending {
		e.Kind = kindPending
		token, c.Token = newToken()
		c.Lapses = now.Add(confirmWithin)
	}
	d := s.foresee(ctx, in.Subject, e, func(n subject.Number) any { return c.after(s.durable(n, rule.Rank)) })
	if d != nil {
		c = d.content.(*given)
	}
	err = s.cfg.DB.Write(ctx, func(tx *db.Tx) error {
		if out, err = s.record(ctx, tx, &in, rule, c, e, d); err != nil {
			return err
		}
		out.Token = token
		return done(tx, in.from, out)
	})
	return out, err
}

// instant is now, as acts are dated: in milliseconds.
func (s *Service) instant() time.Time { return s.cfg.Clock.Now().UTC().Truncate(time.Millisecond) }

// after is the content where the yes meets a state: it renews a consent that stands.
func (c *given) after(was state) *given {
	renews := ""
	if was.word.Live(index.MinuteOf(c.At)) {
		renews = conID(int64(was.word.Revision()))
	}
	if renews == c.Renews {
		return c
	}
	next := *c
	next.Renews = renews
	return &next
}

func (s *Service) record(ctx context.Context, tx *db.Tx, in *RecordInput, rule *purpose.Rule, c *given, e ledger.Entry, d *draft) (Consent, error) {
	if err := s.once(ctx, tx, in.from); err != nil {
		return Consent{}, err
	}
	if now, ok := s.cfg.Purposes.In(tx).Rule(in.Purpose); !ok || now != rule {
		return Consent{}, fault.New(fault.Conflict, "the purpose was changed meanwhile").Then("Show the person the notice of now.")
	}
	n, bound, err := s.person(ctx, tx, in.Subject)
	if err != nil {
		return Consent{}, err
	}
	was := s.current(n, rule.Rank)
	if err := s.notLate(in, was); err != nil {
		return Consent{}, err
	}
	if e.Kind == kindGiven { // before the entry: who hears of it asks at once
		if err := s.returns(ctx, tx, n, in.Subject); err != nil {
			return Consent{}, err
		}
	}
	said := c.after(was)
	e.Content = said
	at, err := s.put(tx, n, bound, e, d)
	if err != nil {
		return Consent{}, err
	}
	if e.Kind == kindPending {
		if err := s.keepPending(ctx, tx, c.Token, n, at.Revision, c.Lapses); err != nil {
			return Consent{}, err
		}
	}
	return said.consent(s.cfg.People.ID(n), at.Revision, in.Status), nil
}

// returns ends the suppression of somebody who was erased and says yes again.
func (s *Service) returns(ctx context.Context, tx *db.Tx, n subject.Number, ids []subject.Identity) error {
	for _, i := range ids {
		if _, ok := s.cfg.Suppressions.Erased(i); ok {
			return s.comeBack(ctx, tx, n)
		}
	}
	return nil
}

func (s *Service) comeBack(ctx context.Context, tx *db.Tx, n subject.Number) error {
	tx.OnCommit(func() {
		f := s.index.Flags(index.Number(n))
		s.index.SetFlags(index.Number(n), f&^index.Suppressed)
	})
	return s.cfg.People.Return(ctx, tx, n)
}

func (c *given) consent(person string, revision int64, status Status) Consent {
	return Consent{ID: conID(revision), Subject: person, Purpose: c.Purpose, Categories: c.Categories, Status: status, Notice: c.Notice,
		Recorded: c.At, ValidUntil: c.Expires, ConfirmBy: c.Lapses, Renews: c.Renews, Revision: revision}
}

// notLate refuses a yes that may be older than the last no. An erasure is a no to everything.
func (s *Service) notLate(in *RecordInput, was state) error {
	last, stands := s.lastNo(in.Subject, was)
	seen := in.Notice.SeenRevision
	switch {
	case seen == nil && stands:
		return fault.New(fault.Invalid, "the person has withdrawn, and nothing shows that they saw the notice after that").
			With(fault.Detail{Where: "notice/seen_revision", Message: "needed here: the revision of an answer that was had before the notice was shown"})
	case seen != nil && *seen > s.cfg.Ledger.Head():
		return fault.New(fault.Invalid, "no answer had this revision yet").With(fault.Detail{Where: "notice/seen_revision", Message: "it lies in the future"})
	case seen != nil && *seen < last:
		return fault.New(fault.Conflict, "the person withdrew after they were shown the notice").Then("Show it again, and send the revision of an answer of now.")
	}
	return nil
}

// lastNo is the revision of a person's last no, 0 when there never was one, and whether it stands.
func (s *Service) lastNo(ids []subject.Identity, was state) (last int64, stands bool) {
	last, stands = was.lastWithdrawal(), was.word != 0 && was.word.Expiry() == index.NotGiven
	for _, i := range ids {
		if e, ok := s.cfg.Suppressions.Erased(i); ok && e.Revision > last {
			last, stands = e.Revision, stands || int64(was.word.Revision()) < e.Revision
		}
	}
	return last, stands
}

// newToken is what confirms a consent, and its hash. It is random and long, so a plain hash cannot be turned back.
func newToken() (token, hash string) {
	token = "cnf_" + strings.ToLower(rand.Text())
	return token, hashToken(token)
}

func hashToken(token string) string { return hashText(token) }

func hashText(s string) string {
	sum := sha256.Sum256([]byte(s))
	return hex.EncodeToString(sum[:])
}
