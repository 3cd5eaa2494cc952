package request

import (
	"context"
	"fmt"

	"github.com/ombudhq/ombud/internal/db"
	"github.com/ombudhq/ombud/vault"
)

// refusalLabel seals reasons of refusals: they may name people.
const refusalLabel = "request/refusal"

// refusedOf are the refused requests about somebody whom a request is about.
const refusedOf = `state = 'refused' and id in (select request from request_tokens where token in (select token from request_tokens where request = $1))`

// forgetReasons destroys why earlier requests of the same people were refused, in the transaction that completes their
// erasure: with it nothing is left to account for. While a hold keeps rows of theirs, the reasons stay too.
func (s *Service) forgetReasons(ctx context.Context, tx *db.Tx, request string) error {
	list, err := loadAll(ctx, tx, refusedOf, request)
	if err != nil {
		return fmt.Errorf("reading refusals: %w", err)
	}
	for _, r := range list {
		slot := vault.SlotOf(r.Reason)
		r.Reason = nil
		if err := r.save(ctx, tx); err != nil {
			return fmt.Errorf("forgetting why a request was refused: %w", err)
		}
		if err := s.shreds.Add(ctx, tx, slot); err != nil {
			return err
		}
	}
	return nil
}

// Reseal seals again, under the present root key, what has no slot of its own: reasons of refusals, and keys of requests and their
// journals, of when there were none. It gives how much it was.
func (s *Service) Reseal(ctx context.Context) (int, error) {
	reasons, err := s.resealReasons(ctx)
	if err != nil {
		return reasons, err
	}
	keys, err := db.Rewrite(ctx, s.cfg.DB, db.Bytes{Table: "requests", Key: "id", Name: "key"}, func(_ string, _, stored []byte) ([]byte, error) {
		return s.cfg.Vault.ResealKey(stored)
	})
	if err != nil {
		return reasons + keys, err
	}
	journals, err := s.cfg.Engine.Reseal(ctx)
	return reasons + keys + journals, err
}

func (s *Service) resealReasons(ctx context.Context) (n int, err error) {
	err = s.cfg.DB.Write(ctx, func(tx *db.Tx) error {
		n = 0
		list, err := loadAll(ctx, tx, "state = 'refused'")
		if err != nil {
			return fmt.Errorf("reading refusals: %w", err)
		}
		for _, r := range list {
			if len(r.Reason) == 0 {
				continue
			}
			fresh, err := s.cfg.Vault.Reseal(refusalLabel, []byte(r.id), r.Reason)
			if err != nil || fresh == nil {
				if err != nil {
					return err
				}
				continue
			}
			r.Reason = fresh
			if err := r.save(ctx, tx); err != nil {
				return fmt.Errorf("sealing a refusal again: %w", err)
			}
			n++
		}
		return nil
	})
	return n, err
}
