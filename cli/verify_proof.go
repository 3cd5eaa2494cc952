package cli

import (
	"context"
	"encoding/json"

	"github.com/ombudhq/ombud/internal/fault"
	"github.com/ombudhq/ombud/ledger"
	"github.com/ombudhq/ombud/vault"
)

type verifyProofCmd struct {
	File string `arg:"" help:"The proof; - for standard input."`
	Key  string `help:"Public key to check it with. Default keys/ombud.pub in the data directory." placeholder:"FILE"`
}

// provenEntry is what the proof of an entry says in public.
type provenEntry struct {
	ID   int64           `json:"id"`
	Meta json.RawMessage `json:"meta"`
}

func (c *verifyProofCmd) runPlain(_ context.Context, s *session) error {
	pub, err := vault.LoadPublicKey(s.publicKey(c.Key))
	if err != nil {
		return err
	}
	b, err := s.env.read(c.File)
	if err != nil {
		return err
	}
	var p struct {
		From, To, ID int64
		Older, Meta  string
	}
	if json.Unmarshal(b, &p) != nil {
		return fault.New(fault.Integrity, "this is not a proof")
	}
	if p.Older != "" {
		if err := ledger.VerifyConsistency(b, pub); err != nil {
			return err
		}
		return s.answer(map[string]any{"valid": true, "from": p.From, "to": p.To}, func() {
			s.heading("The checkpoint of %s goes on from that of %s: nothing below was changed.", entries(p.To), entries(p.From))
			s.printf("  signed by  %s\n", vault.KeyName(pub))
		})
	}
	if err := ledger.VerifyProof(b, pub); err != nil {
		return err
	}
	return s.answer(map[string]any{"valid": true, "entry": provenEntry{p.ID, json.RawMessage(p.Meta)}}, func() {
		s.heading("Entry %d is in the signed tree.", p.ID)
		s.printf("  entry      %s\n  signed by  %s\n", p.Meta, vault.KeyName(pub))
	})
}
