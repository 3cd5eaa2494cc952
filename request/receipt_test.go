package request

import (
	"bytes"
	"crypto/ed25519"
	"encoding/hex"
	"encoding/json"
	"strings"
	"testing"

	"github.com/ombudhq/ombud/internal/fault"
	"github.com/ombudhq/ombud/plan"
	"github.com/ombudhq/ombud/subject"
)

var (
	idaMail = subject.Identity{Kind: "email", Value: " Ida.Nordmann@Example.com "}
	idaID   = subject.Identity{Kind: "customer", Value: "4711"}
)

func sampleReceipt(t *testing.T, k signer) ([]byte, *Opening) {
	t.Helper()
	salts := [][]byte{bytes.Repeat([]byte{1}, 32), bytes.Repeat([]byte{2}, 32)}
	r := &Receipt{Format: receiptFormat, ID: "rcp_1", Request: "dsr_1", Ref: "R-2026-0148", Kind: plan.Erasure, Organization: "Fjordly <AS> & Co",
		Status: plan.Complete, Matched: 1, Done: []plan.Done{{System: "shop", Dataset: "orders", Method: "delete", Planned: 3, Found: 3, Acted: 3, Verified: 3}},
		Subjects: []Commitment{{"email", commitment(salts[0], idaMail)}, {"customer", commitment(salts[1], idaID)}}}
	s, err := r.sign(k)
	if err != nil {
		t.Fatal(err)
	}
	b, err := s.bytes()
	if err != nil {
		t.Fatal(err)
	}
	return b, &Opening{Format: openingFormat, Ref: r.Ref, Salts: []string{hex.EncodeToString(salts[0]), hex.EncodeToString(salts[1])}}
}

func TestReceiptVerifiesOffline(t *testing.T) {
	v := openVault(t)
	file, opening := sampleReceipt(t, v)
	r, err := VerifyReceipt(file, v.PublicKey(), nil, nil)
	if err != nil || r.Ref != "R-2026-0148" || r.Organization != "Fjordly <AS> & Co" {
		t.Fatalf("a good receipt: %+v, %v", r, err)
	}
	// Another layout is the same receipt.
	var flat bytes.Buffer
	if err := json.Compact(&flat, file); err != nil {
		t.Fatal(err)
	}
	if _, err := VerifyReceipt(flat.Bytes(), v.PublicKey(), nil, nil); err != nil {
		t.Errorf("without white space: %v", err)
	}
	same := []subject.Identity{{Kind: "customer", Value: "4711"}, {Kind: "email", Value: "ida.nordmann@example.com"}}
	if _, err := VerifyReceipt(file, v.PublicKey(), opening, same); err != nil {
		t.Errorf("opened by its person: %v", err)
	}
	for name, ids := range map[string][]subject.Identity{
		"somebody else":       {{Kind: "email", Value: "ida.nordman@example.com"}, idaID},
		"one of two":          {idaMail},
		"one more":            {idaMail, idaID, {Kind: "phone", Value: "1"}},
		"value of other kind": {{Kind: "phone", Value: idaMail.Value}, idaID},
	} {
		if _, err := VerifyReceipt(file, v.PublicKey(), opening, ids); fault.KindOf(err) != fault.Integrity {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestReceiptHoldsNoIdentity(t *testing.T) {
	file, opening := sampleReceipt(t, openVault(t))
	o, err := json.Marshal(opening)
	if err != nil {
		t.Fatal(err)
	}
	for _, b := range [][]byte{file, o} {
		low := strings.ToLower(string(b))
		if strings.Contains(low, "nordmann") || strings.Contains(low, "4711") {
			t.Errorf("an identity stands in %s", b)
		}
	}
	for _, salt := range opening.Salts {
		if bytes.Contains(file, []byte(salt)) {
			t.Error("the receipt holds a salt")
		}
	}
}

// TestEveryChangedByteOfAReceiptIsFound flips each byte that is not white space.
func TestEveryChangedByteOfAReceiptIsFound(t *testing.T) {
	v := openVault(t)
	file, _ := sampleReceipt(t, v)
	end := bytes.Index(file, []byte(`"key"`)) // what follows only hints which key to ask for
	for i := range file[:end] {
		if bytes.ContainsRune([]byte(" \n"), rune(file[i])) {
			continue
		}
		b := bytes.Clone(file)
		b[i] ^= 1
		if _, err := VerifyReceipt(b, v.PublicKey(), nil, nil); fault.KindOf(err) != fault.Integrity {
			t.Fatalf("byte %d (%q): %v", i, file[max(0, i-20):i+1], err)
		}
	}
	other, _, err := ed25519.GenerateKey(nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := VerifyReceipt(file, other, nil, nil); fault.KindOf(err) != fault.Integrity {
		t.Errorf("with another key: %v", err)
	}
	if _, err := VerifyReceipt(file, nil, nil, nil); fault.KindOf(err) != fault.Integrity {
		t.Errorf("with no key: %v", err)
	}
}
