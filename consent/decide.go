package consent

import (
	"iter"
	"slices"
	"time"

	"github.com/ombudhq/ombud/consent/internal/index"
	"github.com/ombudhq/ombud/law"
	"github.com/ombudhq/ombud/purpose"
	"github.com/ombudhq/ombud/subject"
)

// Reason says why, in one word that never changes meaning.
type Reason string

// Why a question was answered yes.
const (
	Consented     Reason = "consent"      // the person said yes, and it stands
	BasisDeclared Reason = "basis"        // the purpose declares another basis, and nothing speaks against it
	KeptException Reason = "kept-by-law"  // the person was erased, and this purpose keeps what it must
	HoldException Reason = "kept-by-hold" // the person was erased, and a hold keeps rows for legal claims
)

// Why a question was answered no.
const (
	UnknownPurpose  Reason = "unknown-purpose"
	UnknownCategory Reason = "category-not-of-purpose"
	UnknownPerson   Reason = "unknown-person" // who never said yes
	NotGiven        Reason = "not-given"
	WasWithdrawn    Reason = "withdrawn"
	HasExpired      Reason = "expired"
	IsPending       Reason = "pending"
	NotCovered      Reason = "category-not-covered" // by this consent
	Outdated        Reason = "notice-changed"       // consents before the change do not count
	NoAssessment    Reason = "no-valid-assessment"
	HasObjected     Reason = "objection"
	IsRestricted    Reason = "restriction"
	OptedOut        Reason = "opt-out-signal"
	WasErased       Reason = "erased"
	UnknownID       Reason = "unknown-id" // it was never given out
	TwoPeople       Reason = "two-people" // the identities belong to two people
	NotLogged       Reason = "not-logged" // the decision had to be, and could not be
)

// Verdict is the answer to one question, in a form that costs nothing to make. It holds at Revision.
type Verdict struct {
	Allowed  bool
	Basis    purpose.Basis // the one that carries it, or that would have to
	Reason   Reason
	Consent  int64        // revision of the consent that carries it; 0 when none does
	Until    index.Minute // when it ends by itself; index.Never when it does not
	Person   subject.Number
	Revision int64
}

// ConsentID names the consent that carries a yes; "" when none does.
func (v Verdict) ConsentID() string {
	if v.Consent == 0 {
		return ""
	}
	return conID(v.Consent)
}

// AppendConsentID is ConsentID behind what b holds.
func (v Verdict) AppendConsentID(b []byte) []byte {
	if v.Consent == 0 {
		return b
	}
	return appendConID(b, v.Consent)
}

// ValidUntil is when a yes ends by itself; the zero time when it does not.
func (v Verdict) ValidUntil() time.Time {
	if !v.Allowed || v.Until == index.Never || v.Until == index.NotGiven {
		return time.Time{}
	}
	return v.Until.Time()
}

// AppendValidUntil is ValidUntil as RFC 3339 has it, behind what b holds; false when a yes does not end by itself.
func (v Verdict) AppendValidUntil(b []byte) ([]byte, bool) {
	if !v.Allowed || v.Until == index.Never || v.Until == index.NotGiven {
		return b, false
	}
	return v.Until.Append(b), true
}

// Handle is a person that was looked up once. It is good for the life of the service.
type Handle struct {
	person  subject.Number
	erased  bool
	erasure *subject.Erasure // nil where nothing is known of it
	nobody  Reason           // why this can be nobody; "" where it can
}

// Person is the number behind a handle; 0 for nobody.
func (h Handle) Person() subject.Number { return h.person }

// Find looks a person up by any of their identities. Identities of two people are nobody's: the answers are no.
func (s *Service) Find(ids ...subject.Identity) Handle {
	var h Handle
	var flags index.Flags
	for _, i := range ids {
		n, f, ok := s.flagged(short(s.cfg.People.Key(i)))
		switch {
		case ok && h.person != 0 && h.person != n:
			return Handle{nobody: TwoPeople}
		case ok:
			h.person, flags = n, f
		}
	}
	if h.person != 0 && flags&index.Suppressed == 0 {
		return h
	}
	h.erased = h.person != 0
	for _, i := range ids {
		if e, ok := s.cfg.Suppressions.Erased(i); ok {
			return Handle{person: h.person, erasure: &e, erased: true}
		}
	}
	return h
}

// FindAll is Find for many questions of one identity each: to[i] becomes the handle of ids[i]. Where there is no kind, it
// stays as it is.
func (s *Service) FindAll(ids []subject.Identity, to []Handle) {
	const some = 64
	var keys [some]index.Key
	var found [some]index.Number
	for len(ids) > 0 {
		n := min(some, len(ids))
		for i := range ids[:n] {
			if ids[i].Kind != "" {
				keys[i] = short(s.cfg.People.Key(ids[i]))
			}
		}
		s.index.FindAll(keys[:n], found[:n])
		for i := range ids[:n] {
			switch {
			case ids[i].Kind == "":
			case found[i] != 0 && s.index.Flags(found[i])&(index.Erased|index.Suppressed) == 0:
				to[i] = Handle{person: subject.Number(found[i])}
			default:
				to[i] = s.Find(ids[i])
			}
		}
		ids, to = ids[n:], to[n:]
	}
}

// FindID looks a person up by id; false when the id is none of ours, and then every answer about them is no.
func (s *Service) FindID(id string) (Handle, bool) {
	n, ok := s.cfg.People.Number(id)
	if !ok {
		return Handle{nobody: UnknownID}, false
	}
	return Handle{person: n}, true
}

// Decide answers: may this category of data of the person be processed for this purpose now? It reads memory only, takes
// no lock unless there are facts about the person, and says no to everything it does not know.
func (s *Service) Decide(h Handle, purposeID, category string, gpc bool) Verdict {
	return s.DecideAt(s.Now(), h, purposeID, category, gpc)
}

// Now is the minute that decisions are made for. It never goes back: a clock that does makes nothing valid again.
func (s *Service) Now() index.Minute { return s.minute(s.cfg.Clock.Now()) }

func (s *Service) minute(at time.Time) index.Minute {
	now := int64(index.MinuteOf(at))
	for {
		old := s.latest.Load()
		if now <= old {
			return index.Minute(old)
		}
		if s.latest.CompareAndSwap(old, now) {
			return index.Minute(now)
		}
	}
}

// DecideAt is Decide for a minute that Now gave, for those who ask many questions at once.
func (s *Service) DecideAt(now index.Minute, h Handle, purposeID, category string, gpc bool) Verdict {
	s.index.Touch(index.Number(h.person))
	rule, _ := s.cfg.Purposes.Now().Rule(purposeID)
	return s.decide(now, &h, rule, category, gpc)
}

// decide answers for a purpose; nil is one that nobody declared.
func (s *Service) decide(now index.Minute, h *Handle, rule *purpose.Rule, category string, gpc bool) (v Verdict) {
	v.Person, v.Revision = h.person, s.seen.Load() // read before the index: the index is never behind it
	if rule == nil {
		v.Reason = UnknownPurpose
		return v
	}
	v.Basis = rule.Basis
	if !slices.Contains(rule.Categories, category) {
		v.Reason = UnknownCategory
		return v
	}
	flags, word, known := s.index.Look(index.Number(h.person), rule.Rank)
	switch {
	case h.nobody != "":
		v.Reason = h.nobody
		return v
	case h.erased || flags&(index.Erased|index.Suppressed) != 0:
		afterErasure(&v, h, rule)
		return v
	case gpc && s.stoppedBySignal(now, rule):
		v.Reason = OptedOut
		return v
	case flags&index.Aside != 0:
		if v.Reason = s.stoppedByFact(now, h.person, rule, word); v.Reason != "" {
			return v
		}
	}
	if rule.Basis == purpose.Consent {
		s.byConsent(&v, now, rule, category, word, known)
	} else {
		byBasis(&v, now, rule)
	}
	return v
}

// byConsent answers for a purpose that only a yes carries.
func (s *Service) byConsent(v *Verdict, now index.Minute, rule *purpose.Rule, category string, word index.Word, known bool) {
	revision := int64(word.Revision())
	switch {
	case !known:
		v.Reason = UnknownPerson
	case word == 0:
		v.Reason = s.notYet(now, v.Person, rule.Rank)
	case word.Expiry() == index.NotGiven:
		v.Reason = WasWithdrawn
	case !word.Live(now):
		v.Reason = HasExpired
	case entryOf(revision) < rule.After:
		v.Reason = Outdated
	case entryOf(revision) < rule.Since[category]:
		v.Reason = NotCovered
	case word.Mark()&partial != 0 && !covers(s.durable(v.Person, rule.Rank).categories, category):
		v.Reason = NotCovered
	default:
		v.Allowed, v.Reason, v.Consent, v.Until = true, Consented, revision, word.Expiry()
	}
}

func (s *Service) notYet(now index.Minute, n subject.Number, rank int) Reason {
	if st := s.durable(n, rank); st.pending != 0 && now <= st.lapses {
		return IsPending
	}
	return NotGiven
}

// byBasis answers for a purpose that does not lean on consent.
func byBasis(v *Verdict, now index.Minute, rule *purpose.Rule) {
	if rule.Basis == purpose.LegitimateInterests && !rule.Assessed(now.Time()) {
		v.Reason = NoAssessment
		return
	}
	v.Allowed, v.Reason, v.Until = true, BasisDeclared, index.Never
	if rule.Basis == purpose.LegitimateInterests {
		if review, err := time.Parse(time.DateOnly, rule.LIA.Review); err == nil {
			v.Until = index.MinuteOf(review)
		}
	}
}

// afterErasure lets only what was recorded as an exception go on.
func afterErasure(v *Verdict, h *Handle, rule *purpose.Rule) {
	switch {
	case rule.Basis == purpose.Consent:
		v.Reason = WasErased
	case h.erasure != nil && slices.Contains(h.erasure.Allowed, rule.ID):
		v.Allowed, v.Reason, v.Until = true, KeptException, index.Never
	case h.erasure != nil && h.erasure.Held && rule.Is(purpose.LegalClaims):
		v.Allowed, v.Reason, v.Until = true, HoldException, index.Never
	default:
		v.Reason = WasErased
	}
}

// stoppedByFact weighs the restrictions and objections about a person. A yes that was given after one of them, in spite
// of it, stands (Art. 18(2): "with the data subject's consent").
func (s *Service) stoppedByFact(now index.Minute, n subject.Number, rule *purpose.Rule, word index.Word) Reason {
	at := s.cfg.Clock.Now()
	for _, f := range s.cfg.Facts.Of(n) {
		if !f.Stands(at) || word.Live(now) && rule.Basis == purpose.Consent && int64(word.Revision()) > f.Revision {
			continue
		}
		switch f.Kind {
		case subject.Restriction:
			if restricted(&f, rule) {
				return IsRestricted
			}
		case subject.Objection:
			if objected(&f, rule) {
				return HasObjected
			}
		}
	}
	return ""
}

func restricted(f *subject.Fact, rule *purpose.Rule) bool {
	return f.Stops(rule.ID) && !slices.Contains(f.Allowed, rule.ID) && !rule.Is(purpose.LegalClaims)
}

// objected tells whether an objection stops a purpose: one that names purposes stops those, another stops what its type
// is about.
func objected(f *subject.Fact, rule *purpose.Rule) bool {
	if len(f.Purposes) > 0 {
		return f.Stops(rule.ID)
	}
	switch f.Type {
	case "direct_marketing":
		return rule.Is(purpose.DirectMarketing)
	case "legitimate_interests":
		return rule.Basis == purpose.LegitimateInterests
	case "public_task":
		return rule.Basis == purpose.PublicTask
	case optOutType:
		return rule.Is(purpose.Sale) || rule.Is(purpose.Sharing) || rule.Is(purpose.TargetedAdvertising)
	default: // research, statistics
		return rule.Is(f.Type)
	}
}

// stoppedBySignal tells whether an opt-out signal binds for a purpose where the controller is.
func (s *Service) stoppedBySignal(now index.Minute, rule *purpose.Rule) bool {
	if len(rule.Uses) == 0 {
		return false
	}
	stopped := law.SignalUses(s.where.Load().jurisdictions, now.Time())
	return slices.ContainsFunc(rule.Uses, func(use string) bool { return stopped[use] != "" })
}

// flag notes in the index whether there are facts about a person.
func (s *Service) flag(n subject.Number) {
	f := s.index.Flags(index.Number(n)) &^ index.Aside // whether they are suppressed stays as it is
	if len(s.cfg.Facts.Of(n)) > 0 {
		f |= index.Aside
	}
	s.index.SetFlags(index.Number(n), f)
}

// AllowedTo are the purposes for which all their categories of a person may be processed now, and until when; the zero
// time is without an end.
func (s *Service) AllowedTo(h Handle) map[string]time.Time {
	out := map[string]time.Time{}
	now := s.Now()
	for _, rule := range s.cfg.Purposes.Now().All() {
		until, allowed := index.Never, len(rule.Categories) > 0
		for _, c := range rule.Categories {
			v := s.DecideAt(now, h, rule.ID, c, false)
			allowed, until = allowed && v.Allowed, min(until, v.Until)
		}
		if allowed && until != index.Never {
			out[rule.ID] = until.Time()
		} else if allowed {
			out[rule.ID] = time.Time{}
		}
	}
	return out
}

// Everybody goes through all people known, by number.
func (s *Service) Everybody() iter.Seq[subject.Number] {
	return func(yield func(subject.Number) bool) {
		for n := range s.index.People() {
			if !yield(subject.Number(n)) {
				return
			}
		}
	}
}
