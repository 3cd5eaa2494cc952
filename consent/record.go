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

// recording is a yes on its way to the ledger.
type recording struct {
	in    RecordInput
	who   []keyed
	rule  *purpose.Rule
	said  *given
	entry ledger.Entry
	draft *draft
	out   Consent
}

// Record records a yes and answers when it is durable. What cannot count as consent is refused with every reason, and
// nothing is recorded.
func (s *Service) Record(ctx context.Context, in RecordInput) (Consent, error) {
	r := &recording{in: in}
	if was, err := before(ctx, in.from, &r.out); was || err != nil {
		return r.out, err
	}
	now := s.instant()
	var err error
	if r.in.Subject, err = s.meant(ctx, in.Subject); err != nil {
		return Consent{}, err
	}
	if r.said, r.rule, err = s.admit(&r.in, now); err != nil {
		return Consent{}, err
	}
	r.entry.Kind, r.entry.Actor = kindGiven, in.Actor
	token := ""
	if r.in.Status == Pending {
		r.entry.Kind = kindPending
		token, r.said.Token = newToken()
		r.said.Lapses = now.Add(confirmWithin)
	}
	r.who = s.keyed(r.in.Subject)
	r.draft = s.foresee(ctx, r.who, r.entry, func(n subject.Number) any {
		r.said = r.said.after(s.durable(n, r.rule.Rank))
		return r.said
	})
	err = s.cfg.DB.Write(ctx, func(tx *db.Tx) error {
		if err := s.record(ctx, tx, r); err != nil {
			return err
		}
		r.out.Token = token
		return done(tx, r.in.from, &r.out)
	})
	if err != nil {
		return Consent{}, err
	}
	return r.out, nil
}

// instant is now, as acts are dated: in milliseconds.
func (s *Service) instant() time.Time { return s.cfg.Clock.Now().UTC().Truncate(time.Millisecond) }

// after is the content where the yes meets a state: it renews a consent that stands.
func (c *given) after(was state) *given {
	var room [conIDSize]byte
	renews := room[:0]
	if was.word.Live(index.MinuteOf(c.At)) {
		renews = appendConID(renews, int64(was.word.Revision()))
	}
	if string(renews) == c.Renews {
		return c
	}
	next := *c
	next.Renews = string(renews)
	return &next
}

func (s *Service) record(ctx context.Context, tx *db.Tx, r *recording) error {
	if err := s.once(ctx, tx, r.in.from); err != nil {
		return err
	}
	if now, ok := s.cfg.Purposes.In(tx).Rule(r.in.Purpose); !ok || now != r.rule {
		return fault.New(fault.Conflict, "the purpose was changed meanwhile").Then("Show the person the notice of now.")
	}
	n, bound, err := s.person(ctx, tx, r.who)
	if err != nil {
		return err
	}
	was := s.current(n, r.rule.Rank)
	if err := s.notLate(&r.in, was); err != nil {
		return err
	}
	e := r.entry
	if e.Kind == kindGiven { // before the entry: who hears of it asks at once
		if err := s.returns(ctx, tx, n, r.in.Subject); err != nil {
			return err
		}
	}
	said := r.said.after(was)
	e.Content = said
	at, err := s.put(tx, n, bound, e, r.draft)
	if err != nil {
		return err
	}
	if e.Kind == kindPending {
		if err := s.keepPending(ctx, tx, said.Token, n, at.Revision, said.Lapses); err != nil {
			return err
		}
	}
	r.out = said.consent(s.idOf(n, r.draft), at.Revision, r.in.Status)
	return nil
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
