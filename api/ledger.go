package api

import (
	"context"
	"encoding/base64"
	"net/http"
	"strconv"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/ombudhq/ombud/access"
	"github.com/ombudhq/ombud/consent"
	"github.com/ombudhq/ombud/internal/fault"
	"github.com/ombudhq/ombud/ledger"
	"github.com/ombudhq/ombud/subject"
)

func (s *server) addLedger(a huma.API) {
	huma.Register(a, operation("get-checkpoint", http.MethodGet, "/ledger/checkpoint", "The signed head of the ledger, to be kept elsewhere", 200), s.checkpoint)
	huma.Register(a, operation("list-entries", http.MethodGet, "/ledger/entries", "Entries of the ledger, newest first; that you read them is an entry too", 200), s.entries)
	huma.Register(a, operation("search-ledger", http.MethodPost, "/ledger/search", "Entries about a person or by somebody; names stay out of every URL", 200), s.searchLedger)
}

type checkpointOutput struct{ Body ledger.Checkpoint }

func (s *server) checkpoint(ctx context.Context, _ *struct{}) (*checkpointOutput, error) {
	c, err := s.Ledger.Checkpoint(ctx)
	if err != nil {
		return nil, problem(err)
	}
	return &checkpointOutput{c}, nil
}

type entriesInput struct {
	Kind   string    `query:"kind" maxLength:"64" doc:"Only this kind" example:"request.approved"`
	From   time.Time `query:"from" doc:"Only from this moment on; entries know the minute"`
	To     time.Time `query:"to" doc:"Only before this moment"`
	Limit  int       `query:"limit" minimum:"1" maximum:"500" default:"100"`
	Cursor string    `query:"cursor" maxLength:"60" doc:"next of the page before"`
}

type searchInput struct {
	Body struct {
		Kind      string            `json:"kind,omitempty" maxLength:"64" doc:"Only this kind"`
		Actor     string            `json:"actor,omitempty" maxLength:"200" doc:"Only what this actor did" example:"local:ida"`
		Operation string            `json:"operation,omitempty" maxLength:"64" doc:"Only this operation: a permission, or the command" example:"person.read"`
		Resource  string            `json:"resource,omitempty" maxLength:"128" doc:"Only what was done to this: kind/id, or a kind" example:"request/R-2026-0148"`
		Purpose   string            `json:"purpose,omitempty" maxLength:"200" doc:"Only for this purpose, as the caller wrote it down"`
		Subject   map[string]string `json:"subject,omitempty" doc:"Only about this person: identity kind to value, or {\"id\": \"sub_…\"}"`
		From      time.Time         `json:"from,omitzero"`
		To        time.Time         `json:"to,omitzero"`
		Limit     int               `json:"limit,omitempty" minimum:"1" maximum:"500" default:"100"`
		Cursor    string            `json:"cursor,omitempty" maxLength:"60"`
	}
}

type entriesOutput struct {
	Body struct {
		Entries []ledger.Row `json:"entries"`
		Next    string       `json:"next,omitempty" doc:"Cursor of the next page; absent on the last"`
	}
}

func (s *server) entries(ctx context.Context, in *entriesInput) (*entriesOutput, error) {
	return s.readLedger(ctx, ledger.Question{Kind: in.Kind, From: in.From, To: in.To}, in.Limit, in.Cursor)
}

func (s *server) searchLedger(ctx context.Context, in *searchInput) (*entriesOutput, error) {
	b := in.Body
	q := ledger.Question{Kind: b.Kind, Actor: b.Actor, Operation: b.Operation, Resource: b.Resource, Purpose: b.Purpose, From: b.From, To: b.To}
	if len(b.Subject) > 0 {
		if q.Subjects = s.namesOf(b.Subject); q.Subjects == nil {
			return nil, problem(fault.New(fault.Invalid, "this is no id of a person here"))
		}
	}
	return s.readLedger(ctx, q, b.Limit, b.Cursor)
}

// namesOf are the names that entries know a person by: the id, and the tokens of identities. Nil for an id of nobody.
func (s *server) namesOf(given map[string]string) []string {
	if id, ok := given[subjectID]; ok && len(given) == 1 {
		if _, ok := s.Consents.FindID(id); !ok {
			return nil
		}
		return []string{id}
	}
	ids := consent.Identities(given)
	names := subject.Tokens(s.Vault, ids)
	if n := s.Consents.Find(ids...).Person(); n != 0 {
		names = append(names, s.Consents.Who(n))
	}
	return names
}

// readLedger gives a page. A cursor is the last entry of the page before, so new entries move nothing.
func (s *server) readLedger(ctx context.Context, q ledger.Question, limit int, cursor string) (*entriesOutput, error) {
	var err error
	if q.Before, err = entryBefore(cursor); err != nil {
		return nil, problem(err)
	}
	out := &entriesOutput{}
	out.Body.Entries = []ledger.Row{}
	q.Limit = limit + 1 // one more tells whether there is a next page
	err = s.Ledger.Search(ctx, access.From(ctx).Actor, "api", q, func(r ledger.Row) error {
		out.Body.Entries = append(out.Body.Entries, r)
		return nil
	})
	if err != nil {
		return nil, problem(err)
	}
	if len(out.Body.Entries) > limit {
		out.Body.Entries = out.Body.Entries[:limit]
		last := out.Body.Entries[limit-1].ID
		out.Body.Next = base64.RawURLEncoding.EncodeToString(strconv.AppendInt(nil, last, 10))
	}
	return out, nil
}

func entryBefore(cursor string) (int64, error) {
	if cursor == "" {
		return 0, nil
	}
	text, err := base64.RawURLEncoding.DecodeString(cursor)
	if err != nil {
		return 0, fault.New(fault.Invalid, "this is not a cursor of ours")
	}
	id, err := strconv.ParseInt(string(text), 10, 64)
	if err != nil || id < 1 {
		return 0, fault.New(fault.Invalid, "this is not a cursor of ours")
	}
	return id, nil
}
