package notify

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/ombudhq/ombud/internal/clock"
	"github.com/ombudhq/ombud/internal/event"
)

// seen is a request as its receiver saw it.
type seen struct {
	Secret  string            `json:"secret"`
	Headers map[string]string `json:"headers"`
	Body    string            `json:"body"`
}

// verdict is what the libraries say of one.
type verdict struct {
	Signed struct {
		Value bool
		Error string
	}
	Event struct {
		Value map[string]any
		Error string
	}
}

// judged asks the libraries that receivers use.
func judged(t *testing.T, all ...seen) []verdict {
	t.Helper()
	const dir = "../../test/webhooks"
	if _, err := os.Stat(dir + "/node_modules/standardwebhooks"); err != nil {
		t.Fatal("the npm packages of test/webhooks are missing: make tools")
	}
	var in bytes.Buffer
	for _, s := range all {
		if err := json.NewEncoder(&in).Encode(s); err != nil {
			t.Fatal(err)
		}
	}
	cmd := exec.Command("node", "read.mjs")
	cmd.Dir, cmd.Stdin, cmd.Stderr = dir, &in, os.Stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	var verdicts []verdict
	for d := json.NewDecoder(bytes.NewReader(out)); ; {
		var v verdict
		if err := d.Decode(&v); err == io.EOF {
			break
		} else if err != nil {
			t.Fatal(err)
		}
		verdicts = append(verdicts, v)
	}
	if len(verdicts) != len(all) {
		t.Fatalf("%d answers to %d requests", len(verdicts), len(all))
	}
	return verdicts
}

// posted sends a message through a real connection and gives what arrived.
func posted(t *testing.T, m event.Message, secrets ...string) seen {
	t.Helper()
	var got seen
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		got = seen{Secret: secrets[0], Headers: map[string]string{}, Body: string(body)}
		for name := range r.Header {
			got.Headers[strings.ToLower(name)] = r.Header.Get(name)
		}
	}))
	defer server.Close()
	c := NewClient(clock.System{}, "ombud/test")
	defer c.Close()
	w, err := c.Webhook(Endpoint{URL: server.URL + "/hook", Secrets: secrets, Private: true, Bearer: "key_123"})
	if err != nil {
		t.Fatal(err)
	}
	if err := w.Send(t.Context(), m); err != nil {
		t.Fatal(err)
	}
	return got
}

// TestReceiversUnderstandUs: the libraries of Standard Webhooks and CloudEvents take what we send, and refuse what was
// changed on the way.
func TestReceiversUnderstandUs(t *testing.T) {
	_, next := NewSecret()
	m := event.Message{ID: "prp_0123456789abcdefghjkmnpqrs", Source: "https://privacy.example.com", Type: "consent.withdrawn", Subject: "sub_1",
		Revision: 1<<40 + 7, Deadline: time.Date(2026, 1, 3, 0, 0, 0, 0, time.UTC), Payload: event.Payload{
			Time: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC), Correlation: "R-2026-0148",
			Data: json.RawMessage(`{"status":"withdrawn","purposes":["newsletter"],"note":"Größe <b>"}`)}}
	good := posted(t, m, knownSecret)
	rotating := posted(t, m, knownSecret, next)
	newer := rotating
	newer.Secret = next
	changed := good
	changed.Body = strings.Replace(changed.Body, "newsletter", "newslettre", 1)
	stranger := good
	stranger.Secret = next
	bare := posted(t, event.Message{ID: "prp_1", Source: "urn:x", Type: "a", Payload: event.Payload{Data: json.RawMessage("{}")}}, knownSecret)
	got := judged(t, good, rotating, newer, bare, changed, stranger)
	for i, v := range got {
		if want := i < 4; v.Signed.Value != want {
			t.Errorf("request %d: signed %v, %s", i, v.Signed.Value, v.Signed.Error)
		}
		if v.Event.Error != "" {
			t.Errorf("request %d: %s", i, v.Event.Error)
		}
	}
	want := map[string]string{"specversion": "1.0", "id": m.ID, "source": m.Source, "type": m.Type, "subject": m.Subject,
		"time": "2026-01-02T03:04:05.000Z", "datacontenttype": "application/json", "sequence": "0001099511627783",
		"correlationid": "R-2026-0148", "deadline": "2026-01-03T00:00:00.000Z",
		"data": "map[note:Größe <b> purposes:[newsletter] status:withdrawn]"}
	for name, value := range want {
		if text := fmt.Sprint(got[0].Event.Value[name]); text != value {
			t.Errorf("%s: %s, want %s", name, text, value)
		}
	}
	for name, value := range map[string]string{"content-type": "application/cloudevents+json", "authorization": "Bearer key_123",
		"x-consent-event-id": m.ID, "webhook-id": m.ID, "user-agent": "ombud/test"} {
		if good.Headers[name] != value {
			t.Errorf("%s: %q", name, good.Headers[name])
		}
	}
}
