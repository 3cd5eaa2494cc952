package request

import (
	"context"
	"crypto/ed25519"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"time"

	"github.com/ombudhq/ombud/internal/db"
	"github.com/ombudhq/ombud/internal/fault"
	"github.com/ombudhq/ombud/plan"
	"github.com/ombudhq/ombud/vault"
)

// How far the keys of an erased person are destroyed in Ombud's own store.
const (
	KeysOverwritten = "overwritten" // where they lay: the program cannot open anything of the person any more
	KeysClosed      = "closed"      // and no copy of the key files that was made before opens anything either
)

const forgottenFormat = "ombud-forgotten/v1"

// Forgotten is a signed addition to the receipt of an erasure: how far the keys are destroyed, which its signature was too
// early to tell.
type Forgotten struct {
	Format  string `json:"format"`
	Receipt string `json:"receipt"` // id
	Keys    string `json:"keys"`
	At      string `json:"at"` // RFC 3339, UTC
}

// signedForgotten is how it stands in a receipt file.
type signedForgotten struct {
	Statement Forgotten `json:"statement"`
	Signature string    `json:"signature"` // Ed25519 over Statement without white space, base64
}

// overwritten is what a receipt says of keys when it is signed: the commit that it belongs to is answered when they are
// overwritten. A request of before there were such keys says nothing.
func overwritten(r *record, status plan.Status) string {
	if r.kind != plan.Erasure || r.Limit != nil || status != plan.Complete || vault.SlotOf(r.key) == 0 {
		return ""
	}
	return KeysOverwritten
}

// attachForgotten closes what was destroyed, and adds to the receipt that it is.
func (s *Service) attachForgotten(ctx context.Context, f *receiptFile) (*receiptFile, error) {
	if _, err := s.shreds.Close(ctx); err != nil {
		return f, err
	}
	one := signedForgotten{Statement: Forgotten{forgottenFormat, f.id, KeysClosed, s.cfg.Clock.Now().UTC().Format(time.RFC3339)}}
	b, err := json.Marshal(one.Statement)
	if err != nil {
		return f, fmt.Errorf("encoding a statement: %w", err)
	}
	one.Signature = base64.StdEncoding.EncodeToString(s.cfg.Vault.Sign(b))
	text, err := json.Marshal(one)
	if err != nil {
		return f, fmt.Errorf("encoding a statement: %w", err)
	}
	got := f
	err = s.cfg.DB.Write(ctx, func(tx *db.Tx) (err error) {
		if _, err := tx.Exec(ctx, `update receipts set forgotten = $2 where id = $1`, f.id, string(text)); err != nil {
			return err
		}
		got, err = s.receiptFile(ctx, tx, f.id)
		return err
	})
	if err != nil {
		return f, err
	}
	return got, nil
}

// readForgotten checks the addition, and lets the receipt say what it says.
func (r *Receipt) readForgotten(raw []byte, pub ed25519.PublicKey) error {
	if len(raw) == 0 {
		return nil
	}
	var one signedForgotten
	if err := strictJSON(raw, &one); err != nil {
		return fault.Wrap(fault.Integrity, err, "what the receipt says of keys cannot be read")
	}
	b, err := json.Marshal(one.Statement)
	if err != nil {
		return fmt.Errorf("encoding a statement: %w", err)
	}
	sig, err := base64.StdEncoding.DecodeString(one.Signature)
	f := one.Statement
	if err != nil || f.Format != forgottenFormat || f.Receipt != r.ID || !ed25519.Verify(pub, b, sig) {
		return fault.New(fault.Integrity, "what the receipt says of keys is not what was signed")
	}
	r.Forgotten = &f
	return nil
}
