package ledger

import (
	"bytes"
	"context"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/ombudhq/ombud/internal/db"
)

// TestOriginIsSealed: an entry knows the call it came from, the address only as a hash, and nothing of it lies readable.
func TestOriginIsSealed(t *testing.T) {
	p := newPlace(t)
	ctx := WithOrigin(context.Background(), Origin{Role: "auditor", Session: "ses_1", Request: "call_1", Address: "203.0.113.77", Agent: strings.Repeat("agent", 50), Started: p.clock.Now()})
	p.clock.Advance(30 * time.Millisecond)
	for _, ctx := range []context.Context{ctx, context.Background(), ctx} {
		err := p.db.Write(ctx, func(tx *db.Tx) error {
			_, err := p.l.Append(tx, Entry{Kind: "a.done", Result: "ok", Actor: "auditor:key_1"})
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	rows, err := p.l.Tail(t.Context(), 3, TailOptions{})
	if err != nil {
		t.Fatal(err)
	}
	hash := rows[0].Via.Address
	if diff := cmp.Diff(&Via{Role: "auditor", Session: "ses_1", Request: "call_1", Address: hash, Agent: strings.Repeat("agent", 40), TookMS: 30}, rows[0].Via); diff != "" || len(hash) != 32 {
		t.Errorf("%s, %q", diff, hash)
	}
	if rows[1].Via != nil || rows[2].Via.Address != hash || rows[0].Actor != "auditor:key_1" || rows[1].Actor != "auditor:key_1" {
		t.Errorf("%+v", rows)
	}
	if got := p.search(Question{Actor: "auditor:key_1"}); len(got) != 3 {
		t.Errorf("found by actor: %v", got)
	}
	p.mustVerify()
	p.db.Close()
	file, err := os.ReadFile(p.store)
	if err != nil {
		t.Fatal(err)
	}
	for _, word := range []string{"203.0.113", "ses_1", "call_1", "agentagent", hash} {
		if bytes.Contains(file, []byte(word)) {
			t.Errorf("the store holds %q", word)
		}
	}
}

// TestActorsThatLookLikeAnOrigin stay what they were.
func TestActorsThatLookLikeAnOrigin(t *testing.T) {
	for _, actor := range []string{"", "local:ida", "{", `{"actor":"x"}`} {
		if got, _, via := readActor(actorBytes(actor, Told{}, nil)); got != actor || via != nil {
			t.Errorf("%q came back as %q, %v", actor, got, via)
		}
	}
}

// TestEntryTellsWhatWasDone: operation, resource, purpose, justification and the fields seen stand in words of their own, are
// searched by, exported, sealed, and part of what the leaf commits to. An entry without them reads as it always did.
func TestEntryTellsWhatWasDone(t *testing.T) {
	p := newPlace(t)
	ctx := Doing(WithOrigin(t.Context(), Origin{Role: "support_agent", Purpose: "complaint", Justification: "she called", Started: p.clock.Now()}), "person.read", "person/sub_1")
	append := func(ctx context.Context, e Entry) {
		t.Helper()
		if err := p.db.Write(ctx, func(tx *db.Tx) error { _, err := p.l.Append(tx, e); return err }); err != nil {
			t.Fatal(err)
		}
	}
	append(t.Context(), Entry{Kind: "a.done", Result: "ok", Actor: "local:ida"})
	append(ctx, Entry{Kind: "a.done", Result: "ok", Actor: "account:1", Fields: []string{"email", "name"}})
	append(ctx, Entry{Kind: "a.done", Result: "ok", Actor: "account:1", Resource: "request/R-1"})
	append(t.Context(), Entry{Kind: "a.done", Result: "ok", Actor: "local:ida", Fields: []string{"email"}})
	append(ByProgram(ctx), Entry{Kind: "a.done", Result: "ok", Actor: "ombud"})
	rows, err := p.l.Tail(t.Context(), 5, TailOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if r := rows[0]; r.Via != nil || r.Operation != "" || r.Fields != nil {
		t.Errorf("a bare entry: %+v", r)
	}
	r := rows[1]
	if diff := cmp.Diff(Told{"person.read", "person/sub_1", []string{"email", "name"}}, r.Told); diff != "" || r.Purpose != "complaint" || r.Justification != "she called" || r.Via.Because != "she called" {
		t.Errorf("%s, %+v", diff, r)
	}
	if rows[2].Resource != "request/R-1" || rows[3].Fields[0] != "email" || rows[4].Justification != "" || rows[4].Via.Role != "program" || rows[4].Operation != "person.read" {
		t.Errorf("%+v", rows[2:])
	}
	for _, c := range []struct {
		q    Question
		want int
	}{{Question{Operation: "person.read"}, 3}, {Question{Operation: "person"}, 0}, {Question{Resource: "person/sub_1"}, 2}, {Question{Resource: "request"}, 1},
		{Question{Resource: "req"}, 0}, {Question{Purpose: "complaint"}, 2}, {Question{Purpose: "other"}, 0}} {
		if got := p.search(c.q); len(got) != c.want {
			t.Errorf("%+v: %v", c.q, got)
		}
	}
	var out bytes.Buffer
	if _, err := p.l.ExportEvents(t.Context(), "auditor", EventOptions{Payload: true}, &out); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(out.String(), `"operation":"person.read","resource":"person/sub_1","fields":["email","name"],"purpose":"complaint","justification":"she called"`) {
		t.Error(out.String())
	}
	p.mustVerify()
	p.db.Close()
	file, err := os.ReadFile(p.store)
	if err != nil || bytes.Contains(file, []byte("sub_1")) || bytes.Contains(file, []byte("she called")) {
		t.Errorf("the store tells: %v", err)
	}
}
