package redis

import (
	"testing"

	"github.com/ombudhq/ombud/internal/testkit/redistest"
)

func client(t *testing.T, s *redistest.Server) *Client {
	t.Helper()
	c, err := Connect(s.Address())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}
