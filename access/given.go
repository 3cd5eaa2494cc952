package access

import (
	"context"
	"fmt"
	"strings"

	"golang.org/x/crypto/argon2"

	"github.com/ombudhq/ombud/internal/fault"
)

// isHash tells whether a password was given as its hash, so that no file needs to hold the password itself.
func isHash(given string) bool { return strings.HasPrefix(given, "$argon2id$") }

// checkGiven judges the password of a new account, or the hash of one: a guess of it must not cost less than OWASP asks.
func checkGiven(given, name string) error {
	if !isHash(given) {
		return checkPassword(given, name)
	}
	var version int
	var c cost
	parts := strings.Split(given, "$")
	if len(parts) == 6 {
		_, _ = fmt.Sscanf(parts[2]+" "+parts[3], "v=%d m=%d,t=%d,p=%d", &version, &c.memory, &c.time, &c.lanes)
	}
	enough := uint64(c.memory)*uint64(c.time) >= 2*19<<10 && c.memory >= 7<<10
	bounded := c.memory <= 1<<20 && c.time <= 16 && c.lanes >= 1 && c.lanes <= 16
	if version != argon2.Version || !enough || !bounded || len(parts[4]) < 11 || len(parts[5]) < 22 {
		return fault.New(fault.Invalid, "this hash cannot be taken").With(fault.Detail{Where: "password",
			Message: "a hash is $argon2id$v=19$m=…,t=…,p=…$salt$hash with m·t of at least 38912 and m from 7168 to 1048576"})
	}
	return nil
}

// given gives the hash of a password, or takes the hash that was given for it.
func (h *hasher) given(ctx context.Context, password string) (string, error) {
	if isHash(password) {
		return password, nil
	}
	return h.hash(ctx, password)
}
