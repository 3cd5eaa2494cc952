package api

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"github.com/ombudhq/ombud/ledger"
)

func (s *server) addLedger(a huma.API) {
	huma.Register(a, operation("get-checkpoint", http.MethodGet, "/ledger/checkpoint", "The signed head of the ledger, to be kept elsewhere", 200), s.checkpoint)
}

type checkpointOutput struct{ Body ledger.Checkpoint }

func (s *server) checkpoint(ctx context.Context, _ *struct{}) (*checkpointOutput, error) {
	c, err := s.Ledger.Checkpoint(ctx)
	if err != nil {
		return nil, problem(err)
	}
	return &checkpointOutput{c}, nil
}
