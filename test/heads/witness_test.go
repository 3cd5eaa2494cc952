package heads_test

import (
	"crypto/ed25519"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"filippo.io/torchwood"
	"golang.org/x/mod/sumdb/note"

	"github.com/ombudhq/ombud/internal/fault"
	"github.com/ombudhq/ombud/internal/witness"
)

// TestCosignatureOfOthers: we read the key and the cosignatures of an implementation that is not ours, and only those.
func TestCosignatureOfOthers(t *testing.T) {
	_, key, err := ed25519.GenerateKey(nil)
	if err != nil {
		t.Fatal(err)
	}
	theirs, err := torchwood.NewCosignatureSigner("witness.example/t", key)
	if err != nil {
		t.Fatal(err)
	}
	ours, err := witness.ParseKey(theirs.Verifier().String())
	if err != nil || ours.KeyHash() != theirs.KeyHash() || ours.Name() != theirs.Name() {
		t.Fatalf("their key: %v", err)
	}
	const text = "ombud/00000000\n3\nAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n"
	checkpoint := text + "\n— ombud/00000000 AAAAAAA=\n"
	signed := text
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil || string(body) != "old 0\n\n"+checkpoint {
			t.Errorf("%v: %q", err, body)
		}
		n, err := note.Sign(&note.Note{Text: signed}, theirs)
		if err != nil {
			t.Error(err)
		}
		_, lines, _ := strings.Cut(string(n), "\n\n")
		_, _ = io.WriteString(w, lines) // who asks sees what is missing
	}))
	defer server.Close()
	w := &witness.Witness{Key: ours, URL: server.URL, HTTP: server.Client()}
	line, err := w.Cosign(t.Context(), 0, nil, checkpoint)
	if err != nil {
		t.Fatal(err)
	}
	verifier, err := torchwood.NewCosignatureVerifier(theirs.Verifier().String())
	if err != nil {
		t.Fatal(err)
	}
	if n, err := note.Open([]byte(checkpoint+line), note.VerifierList(verifier)); err != nil || n.Text != text {
		t.Errorf("what we keep, they do not read: %v", err)
	}
	signed = strings.Replace(text, "\n3\n", "\n4\n", 1)
	if _, err := w.Cosign(t.Context(), 0, nil, checkpoint); fault.KindOf(err) != fault.Integrity {
		t.Errorf("a cosignature of another checkpoint: %v", err)
	}
}
