package access

import (
	"context"
	"time"
)

// CodeAt is what an app shows at a time.
func CodeAt(secret []byte, at time.Time) string { return code(secret, at.Unix()/30) }

// Cheap makes passwords cost nothing, for tests that need many.
func (a *Accounts) Cheap() {
	a.hasher.cost = cost{memory: 8, time: 1, lanes: 1}
	a.hasher.nobody = a.hasher.cost.seal("nobody")
}

// Tidy writes what was taken back of guesses.
func (a *Accounts) Tidy(ctx context.Context) error { return a.tries.flush(ctx) }

// HashAt is the hash of a password at a cost.
func HashAt(password string, memory, time uint32) string {
	return cost{memory: memory, time: time, lanes: 1}.seal(password)
}
