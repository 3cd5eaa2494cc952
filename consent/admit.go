package consent

import (
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/ombudhq/ombud/consent/internal/index"
	"github.com/ombudhq/ombud/internal/fault"
	"github.com/ombudhq/ombud/law"
	"github.com/ombudhq/ombud/pii"
	"github.com/ombudhq/ombud/purpose"
)

// admit checks all that needs no state, and makes the content of the entry.
func (s *Service) admit(in *RecordInput, now time.Time) (*given, *purpose.Rule, error) {
	a := &admission{in: in, where: s.where.Load()}
	if in.Status == "" {
		in.Status = Given
	}
	a.person()
	set := s.cfg.Purposes.Now()
	rule := a.purpose(set)
	a.consent()
	a.metadata()
	a.signals()
	if rule == nil {
		return nil, nil, a.err()
	}
	c := &given{At: now, Purpose: rule.ID, Method: in.Method, Interface: in.Interface, UserAgent: in.UserAgent, HowToEnd: in.WithdrawBy,
		Metadata: in.Metadata, TCF: in.TCF, GPP: in.GPP}
	if in.from != nil {
		c.Source, c.Given = in.from.source, in.from.at
	}
	a.categories(rule, c)
	a.notice(set, rule, c)
	a.expiry(rule, c)
	if in.IP != "" {
		sum := s.cfg.Vault.MAC("ip", []byte(strings.TrimSpace(in.IP)))
		c.IP = hex.EncodeToString(sum[:16])
	}
	if in.Notice.SeenRevision != nil {
		c.Seen = *in.Notice.SeenRevision
	}
	return c, rule, a.err()
}

// admission collects what is wrong with a yes.
type admission struct {
	in     *RecordInput
	where  *place
	faults []fault.Detail
}

func (a *admission) bad(where, format string, args ...any) {
	a.faults = append(a.faults, fault.Detail{Where: where, Message: fmt.Sprintf(format, args...)})
}

func (a *admission) err() error {
	if len(a.faults) == 0 {
		return nil
	}
	return fault.New(fault.Invalid, "this cannot be recorded as consent").With(a.faults...)
}

func (a *admission) person() {
	if len(a.in.Subject) == 0 {
		a.bad("subject", "whose consent is it?")
	}
	for _, i := range a.in.Subject {
		if i.Kind == "" || strings.TrimSpace(i.Value) == "" || len(i.Value) > maxIdentity {
			a.bad("subject", "an identity has a kind and a value of at most %d bytes", maxIdentity)
		}
		if !readable(i.Kind) || !readable(i.Value) {
			a.bad("subject", "an identity is text in UTF-8")
		}
	}
}

// readable tells whether all of a text was read. What a reader of JSON cannot read becomes U+FFFD: two people whose identities differ
// in nothing else would be one.
func readable(text string) bool {
	return utf8.ValidString(text) && !strings.ContainsRune(text, utf8.RuneError)
}

// maxIdentity bounds an identity; the longest e-mail address has 254 bytes.
const maxIdentity = 512

// maxMetadata bounds what somebody notes with a consent, in bytes.
const maxMetadata = 16 << 10

func (a *admission) metadata() {
	n := 0
	for name, value := range a.in.Metadata {
		n += len(name) + len(value)
	}
	if n > maxMetadata {
		a.bad("metadata", "names and values of at most %d bytes in all", maxMetadata)
	}
}

func (a *admission) purpose(set *purpose.Set) *purpose.Rule {
	rule, ok := set.Rule(a.in.Purpose)
	switch {
	case !ok:
		a.bad("purpose", "no such purpose is declared")
	case rule.Basis != purpose.Consent:
		a.bad("purpose", "its basis is %s: there is nothing to consent to", rule.Basis)
	case rule.Rank >= index.Ranks:
		a.bad("purpose", "it is purpose number %d of all there ever were, retired ones too; consents are kept for the first %d", rule.Rank+1, index.Ranks)
	default:
		return rule
	}
	return nil
}

// consent holds what was done against what consent is: Art. 4(11) and Art. 7 GDPR.
func (a *admission) consent() {
	in := a.in
	if in.Basis != "" && in.Basis != "consent" && in.Basis != "user_consent" {
		a.bad("basis", "only consent can be recorded here")
	}
	if in.Status != Given && in.Status != Pending {
		a.bad("status", "given or pending")
	}
	clear := law.NeedsClearAct(a.where.jurisdictions)
	switch {
	case in.Method == "implied" && clear:
		a.bad("method", "silence is no consent where the GDPR holds (Art. 4(11))")
	case in.Method == "implied" && in.from == nil:
		a.bad("method", "implied consent comes only with an import")
	case in.Method != "implied" && !slices.Contains(methods, in.Method):
		a.bad("method", "one of: %s", strings.Join(methods, ", "))
	}
	if in.PreTicked && clear {
		a.bad("pre_ticked", "a box that was ticked already is no consent (Art. 4(11), recital 32)")
	}
	if in.Bundled {
		a.bad("bundled", "consent that a contract is made to depend on is not free (Art. 7(4))")
	}
}

func (a *admission) categories(rule *purpose.Rule, c *given) {
	c.Categories = rule.Categories
	if len(a.in.Categories) > 0 {
		c.Categories = slices.Compact(slices.Sorted(slices.Values(a.in.Categories)))
		for i, name := range a.in.Categories {
			if !slices.Contains(rule.Categories, name) {
				a.bad(fmt.Sprintf("categories/%d", i), "not among those of the purpose")
			}
		}
		c.Partial = len(c.Categories) < len(rule.Categories)
	}
	special := rule.Explicit || slices.ContainsFunc(c.Categories, func(name string) bool { return pii.Category(name).Special() })
	if special && !slices.Contains(explicit, a.in.Method) {
		a.bad("method", "this purpose needs explicit consent (Art. 9(2)(a)): explicit or explicit_opt_in")
	}
	if special && len(a.in.Categories) == 0 && slices.ContainsFunc(rule.Categories, func(name string) bool { return !pii.Category(name).Special() }) {
		a.bad("categories", "special categories need a consent of their own: name the categories")
	}
}

func (a *admission) notice(set *purpose.Set, rule *purpose.Rule, c *given) {
	in := a.in.Notice
	c.Notice = Shown{ID: in.ID, Version: in.Version, Language: in.Language}
	if in.Version == "" {
		a.bad("notice/version", "which version of the notice was shown? There is no default")
		return
	}
	if len(rule.Notices) == 0 {
		return // the proof will say that the words are not held
	}
	shown, ok := rule.Notice(in.ID, in.Version, in.Language)
	switch {
	case !ok && in.Language == "" && rule.Speaks(in.ID, in.Version):
		a.bad("notice/language", "this version is written in several languages: which one was shown?")
	case !ok:
		a.bad("notice", "the purpose declares no such notice, version and language")
	case rule.Outdates(in.Version):
		a.bad("notice/version", "consents count from version %s on", rule.Reconsent)
	case shown.Superseded && a.in.from == nil:
		a.bad("notice/version", "this version is no longer shown")
	default:
		c.Notice.Language = shown.Language
		if shown.Text != "" {
			c.Notice.SHA256 = set.Sum(shown.Text)
		}
	}
}

func (a *admission) expiry(rule *purpose.Rule, c *given) {
	if a.in.Status == Given && rule.DoubleOptIn && a.in.from == nil {
		a.bad("status", "this purpose asks twice: record it as pending, and confirm")
	}
	from := c.At
	if !c.Given.IsZero() {
		from = c.Given
	}
	ends, err := rule.Ends(from)
	if err != nil {
		a.bad("purpose", "its expiry cannot be read")
	}
	c.Expires = ends.Truncate(time.Minute)
	if !ends.IsZero() && !ends.After(c.At) {
		a.bad("given_at", "this consent has expired already")
	}
}
