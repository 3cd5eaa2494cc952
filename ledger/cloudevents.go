package ledger

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"strings"

	"github.com/ombudhq/ombud/internal/db"
)

// EventOptions narrow what ExportEvents writes.
type EventOptions struct {
	From    int64 // the first entry; 0 is 1
	Payload bool  // with what was sealed: actor, subject, content
}

// Events says what ExportEvents wrote.
type Events struct {
	Entries int64 `json:"entries"`
	Last    int64 `json:"last"` // the next export begins behind it
}

// cloudEvent is an entry as a CloudEvent 1.0.2 in the JSON format. sequence is an extension that sorts as text.
type cloudEvent struct {
	SpecVersion     string    `json:"specversion"`
	ID              string    `json:"id"`
	Source          string    `json:"source"`
	Type            string    `json:"type"`
	Subject         string    `json:"subject,omitempty"`
	Time            string    `json:"time"`
	DataContentType string    `json:"datacontenttype"`
	Sequence        string    `json:"sequence"`
	Data            eventData `json:"data"`
}

// eventData is the public part of an entry, and with the payload what was sealed.
type eventData struct {
	Meta        json.RawMessage `json:"meta"`
	Commitments [3][]byte       `json:"commitments"` // actor, subject, content
	Leaf        string          `json:"leaf"`
	Erased      bool            `json:"erased,omitempty"`
	Actor       string          `json:"actor,omitempty"`
	Told
	Purpose       string          `json:"purpose,omitempty"`
	Justification string          `json:"justification,omitempty"`
	Via           *Via            `json:"via,omitempty"`
	Subject       string          `json:"subject,omitempty"` // as committed to: also keyed tokens
	Content       json.RawMessage `json:"content,omitempty"`
}

// ExportEvents writes one CloudEvent a line for each entry, oldest first. The subject of an event is the person's opaque
// id, where the entry has one. That actor exports is an entry of its own, durable before the first line and not among
// them.
func (l *Ledger) ExportEvents(ctx context.Context, actor string, o EventOptions, w io.Writer) (out Events, err error) {
	asked := []string{}
	if o.From > 1 {
		asked = append(asked, "from")
	}
	at, err := l.reads(ctx, actor, map[string]any{"how": "export", "asked": asked, "payload": o.Payload})
	if err != nil {
		return out, err
	}
	lines := json.NewEncoder(w)
	lines.SetEscapeHTML(false)
	out.Last = max(o.From, 1) - 1
	for out.Last < at.ID-1 {
		page, err := l.events(ctx, o, out.Last, int(min(searchPage, at.ID-1-out.Last)))
		if err != nil {
			return out, err
		}
		for _, e := range page {
			if err := lines.Encode(e); err != nil {
				return out, fmt.Errorf("writing events: %w", err)
			}
			out.Entries++
			out.Last++
		}
	}
	return out, nil
}

// events are the count entries after the first skip ones.
func (l *Ledger) events(ctx context.Context, o EventOptions, skip int64, count int) (page []cloudEvent, err error) {
	err = l.c.DB.Read(ctx, func(tx *db.Tx) error {
		page = nil
		return (&tileSource{ctx: ctx, tx: tx}).rows(skip, count, func(s *stored) error {
			e, err := s.event(l, o.Payload)
			if err != nil {
				return err
			}
			e.Source = "urn:" + strings.ReplaceAll(l.c.Origin, "/", ":") + ":ledger"
			page = append(page, e)
			return nil
		})
	})
	if err != nil {
		return nil, fmt.Errorf("exporting the ledger: %w", err)
	}
	return page, nil
}

func (s *stored) event(l *Ledger, payload bool) (cloudEvent, error) {
	r, err := s.row(l)
	if err != nil {
		return cloudEvent{}, err
	}
	e := cloudEvent{SpecVersion: "1.0", ID: fmt.Sprint(r.Revision), Type: r.Kind, Time: r.Time.Format("2006-01-02T15:04:05Z"),
		DataContentType: "application/json", Sequence: fmt.Sprintf("%016d", r.Revision),
		Data: eventData{Meta: s.meta.encode(), Commitments: split(s.commitments), Leaf: r.Leaf, Erased: r.Erased}}
	if findable(r.Subject) {
		e.Subject = r.Subject
	}
	if payload {
		e.Data.Actor, e.Data.Via, e.Data.Subject, e.Data.Content = r.Actor, r.Via, r.Subject, r.Content
		e.Data.Told, e.Data.Purpose, e.Data.Justification = r.Told, r.Purpose, r.Justification
	}
	return e, nil
}
