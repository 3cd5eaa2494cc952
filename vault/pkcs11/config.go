// Package pkcs11 wraps keys with a hardware security module, or whatever else speaks PKCS#11.
//
// The keys that wrap are AES keys of 256 bits that cannot leave the token: one object for each version, all with the same
// label, the version as id. Destroy deletes objects. Somebody logs in for each call and leaves again; calls are few. It needs
// cgo, and is there only in programs built with -tags pkcs11.
package pkcs11

import (
	"strings"

	"github.com/ombudhq/ombud/internal/fault"
)

// Config says which token to use.
type Config struct {
	Module string // the library of the token's maker: /usr/lib/softhsm/libsofthsm2.so
	Token  string // label of the token
	Key    string // label of the keys; the first is made at first use
	PIN    string
}

func (c Config) check() error {
	var wrong []fault.Detail
	for _, f := range [][3]string{{"module", c.Module, "names no library of a token"}, {"token", c.Token, "names no token"},
		{"key", c.Key, "names no key"}, {"pin", c.PIN, "is missing"}} {
		if strings.TrimSpace(f[1]) == "" {
			wrong = append(wrong, fault.Detail{Where: f[0], Message: f[2]})
		}
	}
	if len(wrong) > 0 {
		return fault.New(fault.Invalid, "this is no PKCS#11 token").With(wrong...)
	}
	return nil
}
