package ledger

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/ombudhq/ombud/internal/db"
	"github.com/ombudhq/ombud/internal/fault"
)

// events exports and reads every line with the library of CloudEvents.
func (p *place) events(o EventOptions) (lines []map[string]any, out Events) {
	p.t.Helper()
	const dir = "../test/webhooks"
	if _, err := os.Stat(dir + "/node_modules/cloudevents"); err != nil {
		p.t.Fatal("the npm packages of test/webhooks are missing: make tools")
	}
	var text, in bytes.Buffer
	out, err := p.l.ExportEvents(p.t.Context(), "local:auditor", o, &text)
	if err != nil {
		p.t.Fatal(err)
	}
	for line := range strings.Lines(text.String()) {
		body := map[string]any{"headers": map[string]string{"content-type": "application/cloudevents+json"}, "body": line}
		if err := json.NewEncoder(&in).Encode(body); err != nil {
			p.t.Fatal(err)
		}
	}
	cmd := exec.Command("node", "read.mjs")
	cmd.Dir, cmd.Stdin, cmd.Stderr = dir, &in, os.Stderr
	said, err := cmd.Output()
	if err != nil {
		p.t.Fatal(err)
	}
	for d := json.NewDecoder(bytes.NewReader(said)); d.More(); {
		var v struct {
			Event struct {
				Value map[string]any
				Error string
			}
		}
		if err := d.Decode(&v); err != nil || v.Event.Error != "" {
			p.t.Fatal(err, v.Event.Error)
		}
		lines = append(lines, v.Event.Value)
	}
	return lines, out
}

func TestEntriesAreCloudEvents(t *testing.T) {
	p := newPlace(t)
	p.write(
		Entry{Kind: "a.done", Result: "ok", Actor: "local:ida", Subject: "sub_1", Content: map[string]string{"n": "<1>"}},
		Entry{Kind: "b.done", Result: "no", Actor: "local:jon", Subject: "t1 t2"},
	)
	lines, out := p.events(EventOptions{})
	if diff := cmp.Diff(Events{Entries: 2, Last: 2}, out); diff != "" || len(lines) != 2 {
		t.Fatal(diff, len(lines))
	}
	data := lines[0]["data"].(map[string]any)
	delete(lines[0], "data")
	want := map[string]any{"specversion": "1.0", "id": "1099511627777", "source": "urn:" + strings.ReplaceAll(p.l.c.Origin, "/", ":") + ":ledger",
		"type": "a.done", "subject": "sub_1", "time": "2026-11-21T04:06:00.000Z", "datacontenttype": "application/json", "sequence": "0001099511627777"}
	if diff := cmp.Diff(want, lines[0]); diff != "" {
		t.Error(diff)
	}
	meta := map[string]any{"at": "2026-11-21T04:06Z", "kind": "a.done", "result": "ok", "revision": float64(1<<40 + 1)}
	if diff := cmp.Diff(meta, data["meta"]); diff != "" || len(data["commitments"].([]any)) != 3 || len(data) != 3 {
		t.Errorf("%s, %v", diff, data)
	}
	if lines[1]["subject"] != nil {
		t.Errorf("a token got out: %v", lines[1])
	}

	lines, out = p.events(EventOptions{From: 2, Payload: true})
	if len(lines) != 2 || out.Entries != 2 || out.Last != 3 {
		t.Fatalf("%d lines, %+v", len(lines), out)
	}
	data = lines[0]["data"].(map[string]any)
	if data["actor"] != "local:jon" || data["subject"] != "t1 t2" || lines[1]["type"] != KindRead {
		t.Errorf("%v", lines)
	}
	if lines, _ = p.events(EventOptions{From: 99}); len(lines) != 0 {
		t.Errorf("%v", lines)
	}
}

// TestEventsOfDamage: what is missing is not passed over.
func TestEventsOfDamage(t *testing.T) {
	p := newPlace(t)
	p.append(5)
	err := p.db.Write(t.Context(), func(tx *db.Tx) error {
		_, err := tx.Exec(t.Context(), "delete from ledger_entries where id = 3")
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := p.l.ExportEvents(t.Context(), "local:auditor", EventOptions{}, &bytes.Buffer{}); fault.KindOf(err) != fault.Integrity {
		t.Errorf("%v", err)
	}
}
