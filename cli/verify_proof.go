package cli

import (
	"context"
	"encoding/json"

	"github.com/ombudhq/ombud/internal/fault"
	"github.com/ombudhq/ombud/ledger"
	"github.com/ombudhq/ombud/request"
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

type verifyPackageCmd struct {
	File string `arg:"" help:"The package, as it was handed over."`
	Key  string `help:"Public key to check it with, and not the one in the package. Default keys/ombud.pub in the data directory." placeholder:"FILE"`
}

// packaged is what a package says of itself.
type packaged struct {
	Valid        bool   `json:"valid"`
	Request      string `json:"request"`
	Organization string `json:"organization"`
	Made         string `json:"made"`
	Plan         string `json:"plan"`
	Reviewed     bool   `json:"reviewed"`
	Files        int    `json:"files"`
	Rows         int64  `json:"rows"`
}

func (c *verifyPackageCmd) runPlain(_ context.Context, s *session) error {
	pub, err := vault.LoadPublicKey(s.publicKey(c.Key))
	if err != nil {
		return err
	}
	p, err := request.VerifyPackage(s.env.Abs(c.File), pub)
	if err != nil {
		return err
	}
	return s.answer(packaged{true, p.Ref, p.Organization, p.Made, p.Plan, p.Reviewed, p.Files, p.Rows}, func() {
		s.heading("The package is genuine and unchanged.")
		s.printf("  request    %s, of %s\n  made       %s\n  holds      %s in %s\n  signed by  %s\n",
			p.Ref, p.Organization, p.Made, count(int(p.Rows), "row"), count(p.Files, "file"), vault.KeyName(pub))
	})
}
