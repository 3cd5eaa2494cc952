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
		if got, via := readActor(actorBytes(actor, nil)); got != actor || via != nil {
			t.Errorf("%q came back as %q, %v", actor, got, via)
		}
	}
}
