//go:build !pkcs11

package pkcs11

import (
	"github.com/ombudhq/ombud/internal/fault"
	"github.com/ombudhq/ombud/vault"
)

// New refuses: this program was built without PKCS#11.
func New(c Config) (vault.Provider, error) {
	if err := c.check(); err != nil {
		return nil, err
	}
	return nil, fault.New(fault.Invalid, "this program was built without PKCS#11").Then("CGO_ENABLED=1 go build -tags pkcs11 ./cmd/ombud builds one with it.")
}
