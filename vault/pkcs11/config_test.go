package pkcs11

import (
	"strings"
	"testing"

	"github.com/ombudhq/ombud/internal/fault"
)

func TestEveryFaultIsNamed(t *testing.T) {
	_, err := New(Config{})
	for _, want := range []string{"module:", "token:", "key:", "pin:"} {
		if fault.KindOf(err) != fault.Invalid || !strings.Contains(err.Error(), want) {
			t.Errorf("%s is not named: %v", want, err)
		}
	}
}
