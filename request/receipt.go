package request

import (
	"bytes"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"

	"github.com/ombudhq/ombud/internal/fault"
	"github.com/ombudhq/ombud/ledger"
	"github.com/ombudhq/ombud/plan"
	"github.com/ombudhq/ombud/subject"
)

// Formats of what is signed. The format is the first member of each document, so a signature over one
// kind is none over another.
const (
	receiptFormat = "ombud-receipt/v1"
	packageFormat = "ombud-package/v1"
	openingFormat = "ombud-opening/v1"
)

// Receipt says what a run did, for somebody who does not trust us. It holds no identity: Subjects are
// salted commitments, and the salts are in the Opening that the person gets.
type Receipt struct {
	Format       string           `json:"format"`
	ID           string           `json:"id"`
	Request      string           `json:"request"`
	Ref          string           `json:"ref"`
	Kind         plan.Kind        `json:"kind"`
	Limit        *plan.Limit      `json:"limit,omitempty"` // of an erasure of part of the data
	Organization string           `json:"organization"`
	Received     string           `json:"received"` // times are RFC 3339, UTC
	Finished     string           `json:"finished"`
	Approvals    int              `json:"approvals"`
	Plan         string           `json:"plan"` // hash of what was approved
	Status       plan.Status      `json:"status"`
	Matched      int              `json:"matched"`
	Subjects     []Commitment     `json:"subjects"`
	Done         []plan.Done      `json:"done"`
	Kept         []plan.Kept      `json:"kept"`
	Held         []plan.Held      `json:"held"`
	Remaining    []plan.Remaining `json:"remaining"`
	Gaps         []plan.Remaining `json:"gaps"`
	Ignored      []string         `json:"ignored"`
	Proof        []plan.Proof     `json:"proof"` // how it was looked again, and what "deleted" means in each store
	Package      *PackageRef      `json:"package,omitempty"`
	Keys         string           `json:"keys,omitempty"` // of the person in Ombud's own store, when this was signed
	// Entry is where the ledger tells of it; that entry commits to Digest. Zero while a receipt is composed.
	Entry ledger.Position `json:"entry"`
	// Forgotten is what was added later about the keys; it is signed by itself.
	Forgotten *Forgotten `json:"-"`
}

// Commitment to one identity: SHA-256(salt || kind || 0x00 || canonical value), in hex.
type Commitment struct {
	Kind       string `json:"kind"`
	Commitment string `json:"commitment"`
}

// Opening lets the person show whom a receipt is about: salt i opens commitment i. Whoever has it can
// try identities against the receipt, so it is given to the person only.
type Opening struct {
	Format string   `json:"format"`
	Ref    string   `json:"ref"`
	How    string   `json:"how"`
	Salts  []string `json:"salts"` // hex
}

// signed is a receipt file. Evidence is checked by its own signature: the checkpoint's.
type signed struct {
	Receipt   json.RawMessage `json:"receipt"`
	Signature string          `json:"signature"` // Ed25519 over Receipt without white space, base64
	Key       string          `json:"key"`       // public key, base64: which ombud.pub to ask for
	Evidence  json.RawMessage `json:"evidence,omitempty"`
	Forgotten json.RawMessage `json:"forgotten,omitempty"` // by its own signature too
}

// digest is what the ledger entry commits to: the receipt before it knows its entry.
func (r *Receipt) digest() (string, error) {
	c := *r
	c.Entry = ledger.Position{}
	b, err := json.Marshal(c)
	if err != nil {
		return "", fmt.Errorf("encoding a receipt: %w", err)
	}
	return sum(b), nil
}

func sum(b []byte) string {
	h := sha256.Sum256(b)
	return hex.EncodeToString(h[:])
}

// commitment binds a receipt to an identity without naming it.
func commitment(salt []byte, i subject.Identity) string {
	h := sha256.New()
	h.Write(salt)
	h.Write([]byte(i.Kind))
	h.Write([]byte{0})
	h.Write([]byte(subject.Canonical(i.Kind, i.Value)))
	return hex.EncodeToString(h.Sum(nil))
}

type signer interface {
	Sign([]byte) []byte
	PublicKey() ed25519.PublicKey
}

// sign gives the receipt's canonical bytes and its signature, without evidence.
func (r *Receipt) sign(k signer) (*signed, error) {
	b, err := json.Marshal(r)
	if err != nil {
		return nil, fmt.Errorf("encoding a receipt: %w", err)
	}
	enc := base64.StdEncoding.EncodeToString
	return &signed{Receipt: b, Signature: enc(k.Sign(b)), Key: enc(k.PublicKey())}, nil
}

// bytes is the file: indented for reading, which the signature does not see.
func (s *signed) bytes() ([]byte, error) {
	b, err := json.MarshalIndent(s, "", "  ")
	if err != nil {
		return nil, fmt.Errorf("encoding a receipt: %w", err)
	}
	return append(b, '\n'), nil
}

// VerifyReceipt checks a receipt file with the public key alone: its signature and, when it carries
// one, the proof that the ledger tells of it. With an opening and identities it also checks that the
// receipt is about exactly these. Anything that does not fit is fault.Integrity.
func VerifyReceipt(file []byte, pub ed25519.PublicKey, o *Opening, ids []subject.Identity) (*Receipt, error) {
	var s signed
	if err := strictJSON(file, &s); err != nil {
		return nil, fault.Wrap(fault.Integrity, err, "this is not a receipt")
	}
	var compact bytes.Buffer
	if err := json.Compact(&compact, s.Receipt); err != nil {
		return nil, fault.Wrap(fault.Integrity, err, "this is not a receipt")
	}
	sig, err := base64.StdEncoding.DecodeString(s.Signature)
	if err != nil || len(pub) != ed25519.PublicKeySize || !ed25519.Verify(pub, compact.Bytes(), sig) {
		return nil, fault.New(fault.Integrity, "the receipt is not what was signed, or was signed with another key")
	}
	var r Receipt
	if err := strictJSON(compact.Bytes(), &r); err != nil || r.Format != receiptFormat {
		return nil, fault.New(fault.Integrity, "this is not a receipt of a format this program knows")
	}
	if err := r.checkEvidence(s.Evidence, pub); err != nil {
		return nil, err
	}
	if err := r.readForgotten(s.Forgotten, pub); err != nil {
		return nil, err
	}
	if o == nil {
		return &r, nil
	}
	return &r, r.opens(o, ids)
}

func (r *Receipt) checkEvidence(evidence []byte, pub ed25519.PublicKey) error {
	if len(evidence) == 0 {
		return nil
	}
	if err := ledger.VerifyProof(evidence, pub); err != nil {
		return err
	}
	var p ledger.Proof
	if err := json.Unmarshal(evidence, &p); err != nil || p.ID != r.Entry.ID {
		return fault.New(fault.Integrity, "the ledger proof in the receipt is of another entry")
	}
	return nil
}

// opens checks that the commitments are to these identities, each of them and no other.
func (r *Receipt) opens(o *Opening, ids []subject.Identity) error {
	if o.Ref != r.Ref || len(o.Salts) != len(r.Subjects) {
		return fault.New(fault.Integrity, "the opening belongs to another receipt")
	}
	used := make([]bool, len(ids))
	for n, c := range r.Subjects {
		salt, err := hex.DecodeString(o.Salts[n])
		if err != nil || len(salt) != sha256.Size {
			return fault.New(fault.Integrity, "the opening is damaged")
		}
		found := false
		for i, one := range ids {
			if one.Kind == c.Kind && commitment(salt, one) == c.Commitment {
				used[i], found = true, true
			}
		}
		if !found && len(ids) > 0 {
			return fault.New(fault.Integrity, "the receipt is also about another identity (%s) than those given", c.Kind)
		}
	}
	for i, u := range used {
		if !u {
			return fault.New(fault.Integrity, "the receipt is not about the %s given", ids[i].Kind)
		}
	}
	return nil
}

// ParseOpening reads an opening file.
func ParseOpening(file []byte) (*Opening, error) {
	var o Opening
	if err := strictJSON(file, &o); err != nil || o.Format != openingFormat {
		return nil, fault.New(fault.Invalid, "this is not an opening of a receipt")
	}
	return &o, nil
}

func strictJSON(b []byte, into any) error {
	d := json.NewDecoder(bytes.NewReader(b))
	d.DisallowUnknownFields()
	if err := d.Decode(into); err != nil {
		return err
	}
	if d.More() {
		return fmt.Errorf("more than one document")
	}
	return nil
}
