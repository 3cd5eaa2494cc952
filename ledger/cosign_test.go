package ledger

import (
	"context"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"

	"github.com/ombudhq/ombud/internal/db"
	"github.com/ombudhq/ombud/internal/fault"
	"github.com/ombudhq/ombud/internal/witness"
)

// neighbour is a witness as C2SP describes one, by itself: it knows the log's key and what it cosigned last.
type neighbour struct {
	mu     sync.Mutex
	name   string
	key    ed25519.PrivateKey
	log    note.Verifier
	size   int64
	root   tlog.Hash
	broken int // the status it answers instead
	lies   bool
}

func newNeighbour(t *testing.T, log note.Verifier) (*neighbour, *witness.Witness) {
	t.Helper()
	pub, key, err := ed25519.GenerateKey(nil)
	if err != nil {
		t.Fatal(err)
	}
	n := &neighbour{name: "witness.example/n", key: key, log: log}
	server := httptest.NewServer(n)
	t.Cleanup(server.Close)
	raw := append([]byte{4}, pub...)
	sum := sha256.Sum256([]byte(n.name + "\n" + string(raw)))
	k, err := witness.ParseKey(fmt.Sprintf("%s+%x+%s", n.name, sum[:4], base64.StdEncoding.EncodeToString(raw)))
	if err != nil {
		t.Fatal(err)
	}
	return n, &witness.Witness{Key: k, URL: server.URL, HTTP: server.Client()}
}

func (n *neighbour) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	n.mu.Lock()
	defer n.mu.Unlock()
	body, err := io.ReadAll(r.Body)
	head, checkpoint, ok := strings.Cut(string(body), "\n\n")
	lines := strings.Split(head, "\n")
	var old, size int64
	var rootText string
	signed, err2 := note.Open([]byte(checkpoint), note.VerifierList(n.log))
	switch {
	case n.broken > 0:
		http.Error(w, "no", n.broken)
		return
	case err != nil || err2 != nil || !ok || r.URL.Path != "/add-checkpoint":
		http.Error(w, "no", http.StatusBadRequest)
		return
	}
	_, err = fmt.Sscanf(lines[0], "old %d", &old)
	_, err2 = fmt.Sscanf(signed.Text, signed.Text[:strings.Index(signed.Text, "\n")]+"\n%d\n%s\n", &size, &rootText)
	root, err3 := tlog.ParseHash(rootText)
	if err != nil || err2 != nil || err3 != nil {
		http.Error(w, "no", http.StatusBadRequest)
		return
	}
	if old != n.size {
		w.Header().Set("Content-Type", "text/x.tlog.size")
		w.WriteHeader(http.StatusConflict)
		fmt.Fprintln(w, n.size)
		return
	}
	var proof tlog.TreeProof
	for _, line := range lines[1:] {
		h, err := tlog.ParseHash(line)
		if err != nil {
			http.Error(w, "no", http.StatusBadRequest)
			return
		}
		proof = append(proof, h)
	}
	if old > 0 && tlog.CheckTree(proof, size, root, old, n.root) != nil {
		http.Error(w, "no", http.StatusUnprocessableEntity)
		return
	}
	n.size, n.root = size, root
	fmt.Fprint(w, n.line(signed.Text))
}

func (n *neighbour) line(text string) string {
	const at = 1_795_000_000
	pub := n.key.Public().(ed25519.PublicKey)
	sum := sha256.Sum256([]byte(n.name + "\n\x04" + string(pub)))
	signed := fmt.Sprintf("cosignature/v1\ntime %d\n%s", at, text)
	if n.lies {
		signed += "x"
	}
	raw := binary.BigEndian.AppendUint64(sum[:4:4], at)
	raw = append(raw, ed25519.Sign(n.key, []byte(signed))...)
	return "— " + n.name + " " + base64.StdEncoding.EncodeToString(raw) + "\n"
}

// TestWitness: what a witness cosigned is kept outside and reported; where it stands elsewhere it is asked again from there;
// one that refuses, lies or knows another history is an error, and stops nothing.
func TestWitness(t *testing.T) { each(t, testWitness) }

func testWitness(t *testing.T, p *place) {
	ctx := context.Background()
	n, w := newNeighbour(t, p.l.verifier)
	p.witnesses = []*witness.Witness{w}
	if err := p.reopen(); err != nil {
		t.Fatal(err)
	}
	vouched := func(want int64) {
		t.Helper()
		r, err := p.l.Verify(ctx, VerifyOptions{})
		if err != nil || !r.OK || len(r.Witnesses) != 1 || r.Witnesses[0] != (Witnessed{w.Name(), want}) {
			t.Errorf("want %d: %+v, %v", want, r, err)
		}
	}
	vouched(0)
	for range 3 {
		p.append(300)
		if err := p.l.Cosign(ctx); err != nil {
			t.Fatal(err)
		}
	}
	vouched(900)
	if err := p.reopen(); err != nil { // it does not know any more where the witness stands
		t.Fatal(err)
	}
	p.append(5)
	if err := p.l.Cosign(ctx); err != nil {
		t.Fatal(err)
	}
	vouched(905)
	refused := func(what string) {
		t.Helper()
		p.append(1)
		if err := p.l.Cosign(ctx); err == nil {
			t.Errorf("%s: no error", what)
		}
		vouched(905)
	}
	n.broken = http.StatusForbidden
	refused("refusing")
	n.broken, n.lies = 0, true
	refused("lying")
	n.lies = false
	n.root = tlog.Hash{1}
	refused("another history")
	n.size = 1 << 30
	refused("ahead of us")
	if err := p.l.Cosign(ctx); fault.KindOf(err) != fault.Integrity {
		t.Errorf("a witness ahead of the store: %v", err)
	}
}

// TestWitnessThatRefuses: what a witness does is an entry when it changes; refusing and lying are alarms, being away is none.
func TestWitnessThatRefuses(t *testing.T) {
	p := newPlace(t)
	n, w := newNeighbour(t, p.l.verifier)
	p.witnesses = []*witness.Witness{w}
	if err := p.reopen(); err != nil {
		t.Fatal(err)
	}
	alarms := 0
	p.l.c.Alarm = func(context.Context, *db.Tx, string) (string, error) {
		alarms++
		return "alm_1", nil
	}
	was := []string{cosigns}
	for _, step := range []struct {
		what   string
		broken int
		lies   bool
		result string
		alarms int
	}{
		{"refuses", http.StatusForbidden, false, "refused", 1}, {"refuses still", http.StatusForbidden, false, "", 1},
		{"is away", http.StatusServiceUnavailable, false, "unavailable", 1}, {"lies", 0, true, "refused", 2},
		{"cosigns", 0, false, "ok", 2}, {"cosigns still", 0, false, "", 2},
	} {
		p.append(1)
		before := p.l.Size()
		n.broken, n.lies = step.broken, step.lies
		if p.l.askWitnesses(t.Context(), was); alarms != step.alarms {
			t.Errorf("%s: %d alarms", step.what, alarms)
		}
		if step.result == "" {
			if p.l.Size() != before {
				t.Errorf("%s: an entry", step.what)
			}
			continue
		}
		rows, err := p.l.Tail(t.Context(), 1, TailOptions{})
		if err != nil || p.l.Size() != before+1 || rows[0].Kind != KindWitness || rows[0].Result != step.result || strings.Contains(string(rows[0].Content), "alm_1") != (step.result == "refused") {
			t.Errorf("%s: %+v, %v", step.what, rows, err)
		}
	}
}

// TestCosignedByAnother: a changed line vouches for nothing.
func TestCosignedByAnother(t *testing.T) {
	for _, text := range []string{"", "name", "name+00000000+BA==", "a b+01020304+" + base64.StdEncoding.EncodeToString(append([]byte{4}, make([]byte, 32)...)),
		"ombud/1+01020304+" + base64.StdEncoding.EncodeToString(append([]byte{1}, make([]byte, 32)...))} {
		if _, err := witness.ParseKey(text); fault.KindOf(err) != fault.Invalid {
			t.Errorf("%q: %v", text, err)
		}
	}
}
