package api

import (
	"context"
	"net/http"
	"slices"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/ombudhq/ombud/access"
	"github.com/ombudhq/ombud/consent"
)

func (s *server) addConsents(a huma.API) {
	huma.Register(a, operation("record-consent", http.MethodPost, "/consents", "Record a yes, given or pending", 201), s.recordConsent)
	huma.Register(a, operation("withdraw-consent", http.MethodPost, "/consents/withdraw", "Withdraw a purpose, categories, or all; the next decision says no", 200), s.withdrawConsent)
	huma.Register(a, operation("confirm-consent", http.MethodPost, "/consents/confirm", "Confirm a pending consent: the second yes of a double opt-in", 201), s.confirmConsent)
	huma.Register(a, operation("consent-history", http.MethodPost, "/consents/history", "What a person said, and what they were shown", 200), s.consentHistory)
	huma.Register(a, operation("get-consent", http.MethodGet, "/consents/{id}", "One consent, as it was recorded, and what became of it", 200), s.getConsent)
	receipt := operation("consent-receipt", http.MethodGet, "/consents/{id}/receipt", "The signed receipt of a consent (ISO/IEC TS 27560)", 200)
	receipt.Responses = fileResponse("application/json")
	huma.Register(a, receipt, s.consentReceipt)
}

// NoticeShown names what the person saw.
type NoticeShown struct {
	ID           string `json:"id,omitempty" maxLength:"200"`
	Version      string `json:"version,omitempty" maxLength:"200"`
	Language     string `json:"language,omitempty" maxLength:"35"`
	SeenRevision *int64 `json:"seen_revision,omitempty" doc:"Revision of an answer had before the notice was shown; needed once the person has withdrawn"`
}

type recordInput struct {
	Key  string `header:"Idempotency-Key" maxLength:"255" doc:"The same key again within 7 days gives the same answer and acts once"`
	Body struct {
		Subject    map[string]string `json:"subject,omitempty" doc:"One person: identity kind to value, or id to a sub_…"`
		Purpose    string            `json:"purpose,omitempty"`
		Categories []string          `json:"categories,omitempty" maxItems:"64" doc:"None means all of the purpose"`
		Status     string            `json:"status,omitempty" doc:"given (default) or pending"`
		Basis      string            `json:"basis,omitempty"`
		Method     string            `json:"method,omitempty" doc:"explicit, explicit_opt_in, opt_in, web_form, api"`
		Notice     NoticeShown       `json:"notice,omitempty"`
		PreTicked  bool              `json:"pre_ticked,omitempty"`
		Bundled    bool              `json:"bundled,omitempty" doc:"Made a condition of a contract that does not need it"`
		Interface  string            `json:"interface,omitempty" maxLength:"500"`
		UserAgent  string            `json:"user_agent,omitempty" maxLength:"1000"`
		IP         string            `json:"ip,omitempty" maxLength:"64" doc:"Kept as a keyed hash only"`
		WithdrawBy string            `json:"withdraw_by,omitempty" maxLength:"500" doc:"How the person can withdraw"`
		Metadata   map[string]string `json:"metadata,omitempty" doc:"At most 16 KiB in all"`
		TCF        string            `json:"tcf,omitempty" maxLength:"32768"`
		GPP        string            `json:"gpp,omitempty" maxLength:"32768"`
	}
}

type consentOutput struct{ Body consent.Consent }

func (s *server) recordConsent(ctx context.Context, in *recordInput) (*consentOutput, error) {
	b := in.Body
	if err := s.reaches(ctx, access.From(ctx), access.ConsentWrite, b.Purpose); err != nil {
		return nil, problem(err)
	}
	c, err := s.Consents.Record(ctx, consent.RecordInput{
		Subject: consent.Identities(b.Subject), Purpose: b.Purpose, Categories: b.Categories, Status: consent.Status(b.Status), Basis: b.Basis,
		Method: b.Method, Notice: consent.NoticeInput(b.Notice), PreTicked: b.PreTicked, Bundled: b.Bundled, Interface: b.Interface,
		UserAgent: b.UserAgent, IP: b.IP, WithdrawBy: b.WithdrawBy, Metadata: b.Metadata, TCF: b.TCF, GPP: b.GPP, Actor: access.From(ctx).Actor,
	})
	if err != nil {
		return nil, problem(err)
	}
	return &consentOutput{c}, nil
}

type withdrawInput struct {
	Key  string `header:"Idempotency-Key" maxLength:"255" doc:"The same key again within 7 days gives the same answer and acts once"`
	Body struct {
		Subject    map[string]string `json:"subject,omitempty" doc:"One person: identity kind to value, or id to a sub_…"`
		Purpose    string            `json:"purpose,omitempty"`
		Categories []string          `json:"categories,omitempty" maxItems:"64" doc:"Of every purpose; with a key that is for some purposes or systems, of every one of its own"`
		All        bool              `json:"all,omitempty" doc:"Every purpose; with a key that is for some purposes or systems, every one of its own"`
		Reason     string            `json:"reason,omitempty" maxLength:"2000"`
	}
}

type withdrawOutput struct{ Body consent.Withdrawal }

func (s *server) withdrawConsent(ctx context.Context, in *withdrawInput) (*withdrawOutput, error) {
	b, by := in.Body, access.From(ctx)
	var within []string
	err := error(nil)
	switch {
	case b.All:
		within, err = s.reachesEvery(ctx, by, access.ConsentWrite, "/all")
	case len(b.Categories) > 0:
		within, err = s.reachesEvery(ctx, by, access.ConsentWrite, "/categories")
	default:
		err = s.reaches(ctx, by, access.ConsentWrite, b.Purpose)
	}
	if err != nil {
		return nil, problem(err)
	}
	out, err := s.Consents.Withdraw(ctx, consent.WithdrawInput{
		Subject: consent.Identities(b.Subject), Purpose: b.Purpose, Categories: b.Categories, All: b.All, Within: within, Reason: b.Reason, Actor: by.Actor,
	})
	if err != nil {
		return nil, problem(err)
	}
	return &withdrawOutput{out}, nil
}

type confirmInput struct {
	Body struct {
		Token string `json:"token" maxLength:"100"`
	}
}

func (s *server) confirmConsent(ctx context.Context, in *confirmInput) (*consentOutput, error) {
	by := access.From(ctx)
	purpose, err := s.Consents.Awaiting(ctx, in.Body.Token)
	if err == nil {
		err = s.reaches(ctx, by, access.ConsentWrite, purpose)
	}
	if err != nil {
		return nil, problem(err)
	}
	c, err := s.Consents.Confirm(ctx, in.Body.Token, by.Actor)
	if err != nil {
		return nil, problem(err)
	}
	return &consentOutput{c}, nil
}

type historyInput struct {
	Body struct {
		Subject map[string]string `json:"subject" doc:"One person: identity kind to value, or id to a sub_…"`
		At      *time.Time        `json:"at,omitempty" doc:"Also what held at this instant; now when absent"`
	}
}

type historyOutput struct {
	Body struct {
		Subject  string             `json:"subject"`
		Standing []consent.Standing `json:"standing" doc:"What held at that instant, by purpose"`
		Events   []consent.Event    `json:"events"`
		Revision int64              `json:"revision"`
	}
}

func (s *server) consentHistory(ctx context.Context, in *historyInput) (*historyOutput, error) {
	at := s.Clock.Now()
	if in.Body.At != nil {
		at = *in.Body.At
	}
	h := s.who(in.Body.Subject)
	out := &historyOutput{}
	out.Body.Revision, out.Body.Subject = s.Consents.Revision(), s.Consents.Who(h.Person())
	err := s.looked(ctx, out.Body.Subject, "what they said, over HTTP", "consents", "restrictions")
	if err != nil {
		return nil, problem(err)
	}
	if out.Body.Events, err = s.Consents.History(ctx, h); err != nil {
		return nil, problem(err)
	}
	if out.Body.Standing, err = s.Consents.StateAt(ctx, h, at); err != nil {
		return nil, problem(err)
	}
	if theirs := s.theirs(ctx, access.From(ctx)); theirs != nil {
		out.Body.Events = consent.Within(out.Body.Events, theirs)
		out.Body.Standing = slices.DeleteFunc(out.Body.Standing, func(st consent.Standing) bool { return !theirs(st.Purpose) })
	}
	return out, nil
}

// looked writes down, before anything is shown, that the caller is shown something of a person. Nobody is nobody to look at.
func (s *server) looked(ctx context.Context, who, what string, fields ...string) error {
	if who == "" {
		return nil
	}
	return s.Ledger.Looked(ctx, access.From(ctx).Actor, who, what, fields...)
}

// who finds the person that a body names.
func (s *server) who(m map[string]string) consent.Handle {
	q := question{Subject: m}
	return q.handle(s.Consents)
}

// ConsentNamed is a consent named in a path.
type ConsentNamed struct {
	ID string `path:"id" maxLength:"30" pattern:"^con_[0-9a-z]{26}$" doc:"Id of a consent"`
}

func (s *server) consentReceipt(ctx context.Context, in *ConsentNamed) (*huma.StreamResponse, error) {
	c, err := s.consent(ctx, in.ID)
	if err != nil {
		return nil, problem(err)
	}
	b, err := s.Consents.Receipt(ctx, in.ID)
	if err != nil {
		return nil, problem(err)
	}
	if err := s.looked(ctx, c.Subject, "the receipt of a consent, over HTTP", "consents"); err != nil {
		return nil, problem(err)
	}
	return &huma.StreamResponse{Body: func(c huma.Context) {
		c.SetHeader("Content-Type", "application/json")
		c.SetHeader("Content-Disposition", `attachment; filename="`+in.ID+`-receipt.json"`)
		_, _ = c.BodyWriter().Write(b) // who hung up is told nothing
	}}, nil
}

// consent reads one that the caller may read: what it is for is known by then.
func (s *server) consent(ctx context.Context, id string) (consent.Recorded, error) {
	c, err := s.Consents.Get(ctx, id)
	if err == nil {
		err = s.reaches(ctx, access.From(ctx), access.ConsentRead, c.Purpose)
	}
	return c, err
}

type recordedOutput struct{ Body consent.Recorded }

func (s *server) getConsent(ctx context.Context, in *ConsentNamed) (*recordedOutput, error) {
	c, err := s.consent(ctx, in.ID)
	if err != nil {
		return nil, problem(err)
	}
	if err := s.looked(ctx, c.Subject, "a consent of theirs, over HTTP", "consents"); err != nil {
		return nil, problem(err)
	}
	return &recordedOutput{c}, nil
}
