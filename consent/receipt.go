package consent

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/ombudhq/ombud/internal/db"
	"github.com/ombudhq/ombud/internal/fault"
	"github.com/ombudhq/ombud/ledger"
	"github.com/ombudhq/ombud/pii"
	"github.com/ombudhq/ombud/purpose"
)

const receiptFormat = "ombud-consent-receipt/v1"

// Receipt is a consent receipt in the terms of ISO/IEC TS 27560:2023 (by the profile of the W3C's Data Privacy
// Vocabulary). It names the person by id only, and verifies without us.
type Receipt struct {
	Format        string          `json:"format"`
	Context       string          `json:"@context"`
	Type          string          `json:"@type"`
	SchemaVersion string          `json:"schema_version"`
	ReceiptID     string          `json:"receipt_id"`
	RecordID      string          `json:"consent_record_id"`
	Principal     string          `json:"pii_principal_id"`
	Controllers   []Controller    `json:"pii_controllers"`
	Jurisdictions []string        `json:"jurisdictions,omitempty"`
	Processing    []Processing    `json:"processing"`
	Notice        ReceiptNotice   `json:"notice"`
	Events        []ReceiptEvent  `json:"events"`
	Entry         ledger.Position `json:"entry"`
}

// Controller of the processing.
type Controller struct {
	Name string `json:"name"`
}

// Processing is a purpose as it was consented to.
type Processing struct {
	Purpose     string        `json:"purpose"`
	Name        string        `json:"name,omitempty"`
	Description string        `json:"description,omitempty"`
	Basis       string        `json:"lawful_basis"`
	Information []Information `json:"pii_information"`
	Retention   string        `json:"retention_period,omitempty"`
	Recipients  []string      `json:"recipients,omitempty"`
	Withdraw    string        `json:"withdrawal_method,omitempty"`
}

// Information is one category of data.
type Information struct {
	Category string `json:"category"`
	Special  bool   `json:"special_category"`
}

// ReceiptNotice is what was shown.
type ReceiptNotice struct {
	Shown
	Text string `json:"text"`
}

// ReceiptEvent is what happened.
type ReceiptEvent struct {
	Type       string    `json:"event_type"` // "consent-given"
	State      string    `json:"event_state"`
	Time       time.Time `json:"event_time"`
	Method     string    `json:"event_method"`
	ValidUntil time.Time `json:"valid_until,omitzero"`
	Source     string    `json:"source,omitempty"` // who told us, where it was not said to us; event_time is when they did
	Said       time.Time `json:"said,omitzero"`    // when it was said, by that source
}

// signedReceipt is a receipt file.
type signedReceipt struct {
	Receipt   json.RawMessage `json:"receipt"`
	Signature string          `json:"signature"` // Ed25519 over the receipt without white space, base64
	Key       string          `json:"key"`       // public key, base64
	Evidence  json.RawMessage `json:"evidence,omitempty"`
}

// Receipt makes the signed receipt of a consent, with the proof that the ledger holds it.
func (s *Service) Receipt(ctx context.Context, consentID string) ([]byte, error) {
	r, err := s.receipt(ctx, consentID)
	if err != nil {
		return nil, err
	}
	body, err := json.Marshal(r)
	if err != nil {
		return nil, fmt.Errorf("encoding a receipt: %w", err)
	}
	proof, err := s.cfg.Ledger.Prove(ctx, r.Entry.ID)
	if err != nil {
		return nil, err
	}
	evidence, err := json.Marshal(proof)
	if err != nil {
		return nil, fmt.Errorf("encoding a receipt: %w", err)
	}
	out, err := json.MarshalIndent(signedReceipt{
		Receipt: body, Signature: base64.StdEncoding.EncodeToString(s.cfg.Vault.Sign(body)),
		Key: base64.StdEncoding.EncodeToString(s.cfg.Vault.PublicKey()), Evidence: evidence,
	}, "", "  ")
	return append(out, '\n'), err
}

func (s *Service) receipt(ctx context.Context, consentID string) (*Receipt, error) {
	row, err := s.entry(ctx, consentID)
	if err != nil {
		return nil, err
	}
	words, err := s.words(ctx)
	if err != nil {
		return nil, err
	}
	c := &given{}
	if err := json.Unmarshal(row.Content, c); err != nil {
		return nil, fmt.Errorf("entry %d: %w", row.ID, err)
	}
	rule, ok := s.cfg.Purposes.Now().Known(c.Purpose)
	if !ok {
		rule = &purpose.Rule{Purpose: purpose.Purpose{ID: c.Purpose}}
	}
	text := NotHeld
	if held, ok := words[c.Notice.SHA256]; ok && c.Notice.SHA256 != "" {
		text = held
	}
	where := s.where.Load()
	return &Receipt{
		Format: receiptFormat, Context: "https://w3id.org/dpv/schema/iso-27560", Type: "ConsentReceipt", SchemaVersion: "ISO/IEC TS 27560:2023",
		ReceiptID: "rcp" + consentID[3:], RecordID: consentID, Principal: row.Subject, Jurisdictions: where.jurisdictions,
		Controllers: []Controller{{where.organization}}, Processing: []Processing{processing(rule, c)},
		Notice: ReceiptNotice{c.Notice, text}, Entry: ledger.Position{ID: row.ID, Revision: row.Revision},
		Events: []ReceiptEvent{{"consent-given", "given", c.At, c.Method, c.Expires, c.Source, c.Given}},
	}, nil
}

func processing(rule *purpose.Rule, c *given) Processing {
	p := Processing{Purpose: rule.ID, Name: rule.Name, Description: rule.Description, Basis: string(purpose.Consent), Information: []Information{},
		Retention: rule.Retention, Recipients: rule.Recipients, Withdraw: c.HowToEnd}
	for _, name := range c.Categories {
		p.Information = append(p.Information, Information{name, pii.Category(name).Special()})
	}
	return p
}

// entry finds the entry of a consent that was given.
func (s *Service) entry(ctx context.Context, consentID string) (row ledger.Row, err error) {
	missing := fault.New(fault.NotFound, "there is no such consent")
	revision, ok := revisionOf(consentID)
	if !ok {
		return row, missing
	}
	err = s.cfg.DB.Read(ctx, func(tx *db.Tx) error {
		row, err = s.cfg.Ledger.One(ctx, tx, entryOf(revision))
		return err
	})
	if err == nil && (row.Kind != kindGiven || row.Revision != revision || row.Erased) || fault.KindOf(err) == fault.NotFound {
		return row, missing
	}
	return row, err
}

// IsReceipt tells whether a file looks like a consent receipt.
func IsReceipt(file []byte) bool { return bytes.Contains(file, []byte(receiptFormat)) }

// VerifyReceipt checks a receipt file with the public key alone: the signature, and that the proof in it is of the
// receipt's own entry. Anything that does not fit is fault.Integrity.
func VerifyReceipt(file []byte, pub ed25519.PublicKey) (*Receipt, error) {
	var f signedReceipt
	if err := json.Unmarshal(file, &f); err != nil {
		return nil, fault.Wrap(fault.Integrity, err, "this is not a receipt")
	}
	var compact bytes.Buffer
	if err := json.Compact(&compact, f.Receipt); err != nil {
		return nil, fault.Wrap(fault.Integrity, err, "this is not a receipt")
	}
	signature, err := base64.StdEncoding.DecodeString(f.Signature)
	if err != nil || !ed25519.Verify(pub, compact.Bytes(), signature) {
		return nil, fault.New(fault.Integrity, "the receipt is not what was signed, or was signed with another key")
	}
	r := &Receipt{}
	if err := json.Unmarshal(compact.Bytes(), r); err != nil || r.Format != receiptFormat {
		return nil, fault.New(fault.Integrity, "this is not a receipt of a format this program knows")
	}
	return r, r.checkEvidence(f.Evidence, pub)
}

func (r *Receipt) checkEvidence(evidence json.RawMessage, pub ed25519.PublicKey) error {
	if len(evidence) == 0 {
		return nil
	}
	if err := ledger.VerifyProof(evidence, pub); err != nil {
		return err
	}
	var proof ledger.Proof
	if err := json.Unmarshal(evidence, &proof); err != nil || proof.ID != r.Entry.ID {
		return errors.Join(fault.New(fault.Integrity, "the ledger proof in the receipt is of another entry"), err)
	}
	return nil
}
