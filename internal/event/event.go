package event

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"errors"
	"strconv"
	"time"

	"github.com/ombudhq/ombud/internal/id"
)

// Entry is one thing that happened, as the source tells it.
type Entry struct {
	Revision int64     // grows from entry to entry, and is never used again
	Time     time.Time // the minute it happened in, the same whenever the entry is given
	Value    any       // what Since put there for Route; the relay does not look at it
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

// seed makes the ids of a store ones that nobody can guess.
type seed [32]byte

// id names the message of an entry to a target: always the same one, so that a target knows again what a crash sends it
// twice. Ids sort by the minute of the entry, and within it by revision as far as milliseconds go.
func (s *seed) id(e Entry, target string) string {
	b := make([]byte, 0, 128)
	b = binary.BigEndian.AppendUint64(append(b, s[:]...), uint64(e.Revision))
	sum := sha256.Sum256(append(b, target...))
	const minute = int64(time.Minute / time.Millisecond)
	at := max(0, e.Time.UnixMilli())
	var bits [16]byte
	binary.BigEndian.PutUint64(bits[:8], uint64(at-at%minute+e.Revision%minute)<<16)
	copy(bits[6:], sum[:])
	return id.Encode("prp_", bits)
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
	Parallel int // most messages under way at once; 0 is 8
}

// Failure is why a target did not take a message.
type Failure struct {
	Kind       string        // a word or two for people, such as "timeout" or "http 503"; never a body, an address or an identity
	Refused    bool          // the target is there and does not want this very message
	Gone       bool          // the target wants no message ever again
	RetryAfter time.Duration // how long the target asks to be left alone
}

func (f *Failure) Error() string { return "the target did not take the message: " + f.Kind }

// CloudEventType is the media type of what CloudEvent gives.
const CloudEventType = "application/cloudevents+json"

// CloudEvent is the message as a CloudEvent 1.0.2 in structured mode. sequence, correlationid and deadline are extensions;
// sequence sorts as text. Data that is no JSON is an error.
func (m Message) CloudEvent() ([]byte, error) {
	if !json.Valid(m.Data) {
		return nil, errors.New("the data of an event is no JSON")
	}
	b := make([]byte, 0, 512+len(m.Data))
	b = append(b, `{"specversion":"1.0"`...)
	for _, a := range [...]struct{ name, value string }{
		{"id", m.ID}, {"source", m.Source}, {"type", m.Type}, {"subject", m.Subject}, {"time", stamp(m.Time)},
		{"datacontenttype", "application/json"}, {"sequence", sequence(m.Revision)}, {"correlationid", m.Correlation},
		{"deadline", stamp(m.Deadline)},
	} {
		if a.value != "" {
			b = append(append(append(b, `,"`...), a.name...), `":`...)
			b = appendText(b, a.value)
		}
	}
	b = append(append(b, `,"data":`...), m.Data...)
	return append(b, '}'), nil
}

// appendText writes a JSON string. Almost all attributes need no escape.
func appendText(b []byte, s string) []byte {
	for i := range len(s) {
		if c := s[i]; c < ' ' || c > '~' || c == '"' || c == '\\' {
			quoted, _ := json.Marshal(s) // a string always can be
			return append(b, quoted...)
		}
	}
	return append(append(append(b, '"'), s...), '"')
}

func sequence(revision int64) string {
	s := strconv.FormatInt(revision, 10)
	return "0000000000000000"[:max(0, 16-len(s))] + s
}

func stamp(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	var room [40]byte
	b := t.UTC().AppendFormat(room[:0], time.RFC3339) // a layout that the library knows; others cost ten times as much
	ms := t.Nanosecond() / 1e6
	return string(append(b[:len(b)-1], '.', byte('0'+ms/100), byte('0'+ms/10%10), byte('0'+ms%10), 'Z'))
}
