package vault

import (
	"context"

	"github.com/ombudhq/ombud/internal/fault"
)

// moving is a provider after others.
type moving struct {
	Provider
	former []Provider
}

// Moving is a provider that takes over from others: what they wrapped still opens, and what is wrapped from now on is
// wrapped by it, so that after a rotation the others are needed no more.
func Moving(now Provider, former ...Provider) Provider {
	if len(former) == 0 {
		return now
	}
	return &moving{now, former}
}

// Unwrap asks the others only for what the present one says it never wrapped.
func (m *moving) Unwrap(ctx context.Context, wrapped, aad []byte) ([]byte, error) {
	key, err := m.Provider.Unwrap(ctx, wrapped, aad)
	for _, p := range m.former {
		if fault.KindOf(err) != fault.Integrity {
			break
		}
		key, err = p.Unwrap(ctx, wrapped, aad)
	}
	return key, err
}

func (m *moving) forget() {
	for _, p := range append([]Provider{m.Provider}, m.former...) {
		if own, ok := p.(interface{ forget() }); ok {
			own.forget()
		}
	}
}
