package event

import (
	"context"
	"encoding/json"
	"fmt"
	"time"
)

// Entry is one thing that happened, as the source tells it.
type Entry struct {
	Revision int64 // grows from entry to entry, and is never used again
	Value    any   // what Since put there for Route; the relay does not look at it
}

// Delivery is what Route wants: this entry, to that target. An entry goes to a target at most once.
type Delivery struct {
	Target   string
	Type     string    // what happened, such as consent.withdrawn
	Subject  string    // an opaque id, never an identity; the messages of one subject keep their order
	Deadline time.Time // when the target must have said that it acted; zero when nobody waits for that
}

// Payload is the content of a message at the time it is sent.
type Payload struct {
	Time        time.Time       // when it happened
	Correlation string          // joins the events of one matter; may be empty
	Data        json.RawMessage // JSON; of an erased entry a tombstone without identity
}

// Message is what a target gets. ID is the same at every attempt: a target that saw it before has nothing to do.
type Message struct {
	ID       string // prp_…, also what the target acknowledges
	Target   string
	Source   string
	Type     string
	Subject  string
	Revision int64
	Deadline time.Time // zero when no acknowledgement is awaited
	Attempt  int       // 1 at first
	Payload
}

// Bus is a way to a target: a webhook, a stream.
type Bus interface {
	// Send gives the message to the target; nil means that the target has it for good. Any error is a failed attempt,
	// and a Failure says more about it. Send returns soon after ctx ends. It is called concurrently, but never for two
	// messages of the same subject.
	Send(ctx context.Context, m Message) error
}

// Target is a service that is told of changes.
type Target struct {
	ID       string
	Bus      Bus
	Parallel int // messages under way at once; 0 is 8
}

// Failure is why a target did not take a message.
type Failure struct {
	Kind       string        // a word or two for people, such as "timeout" or "http 503"; never a body, an address or an identity
	Refused    bool          // the target is there and does not want this very message
	Gone       bool          // the target wants no message ever again
	RetryAfter time.Duration // how long the target asks to be left alone
}

func (f *Failure) Error() string { return "the target did not take the message: " + f.Kind }

// cloudEvent is the JSON format of CloudEvents 1.0.2. sequence, correlationid and deadline are extensions; sequence sorts
// as text.
type cloudEvent struct {
	SpecVersion     string          `json:"specversion"`
	ID              string          `json:"id"`
	Source          string          `json:"source"`
	Type            string          `json:"type"`
	Subject         string          `json:"subject,omitempty"`
	Time            string          `json:"time,omitempty"`
	DataContentType string          `json:"datacontenttype"`
	Sequence        string          `json:"sequence"`
	Correlation     string          `json:"correlationid,omitempty"`
	Deadline        string          `json:"deadline,omitempty"`
	Data            json.RawMessage `json:"data"`
}

// CloudEventType is the media type of what CloudEvent gives.
const CloudEventType = "application/cloudevents+json"

// CloudEvent is the message as a CloudEvent in structured mode.
func (m Message) CloudEvent() ([]byte, error) {
	b, err := json.Marshal(cloudEvent{
		SpecVersion: "1.0", ID: m.ID, Source: m.Source, Type: m.Type, Subject: m.Subject, Time: stamp(m.Time),
		DataContentType: "application/json", Sequence: fmt.Sprintf("%016d", m.Revision),
		Correlation: m.Correlation, Deadline: stamp(m.Deadline), Data: m.Data,
	})
	if err != nil {
		return nil, fmt.Errorf("writing an event: %w", err)
	}
	return b, nil
}

func stamp(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format("2006-01-02T15:04:05.000Z")
}
