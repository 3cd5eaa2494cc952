// Package port gives tests an address for a server that starts later, or once more.
package port

import (
	"fmt"
	"math/rand/v2"
	"net"
	"testing"
)

// The kernel gives out the ports above by itself, to whoever dials or listens at none that they name.
const from, to = 10_000, 32_768

// Free is an address of this machine where nobody listens, and that nobody is given meanwhile.
func Free(t testing.TB) string {
	t.Helper()
	for range 1000 {
		address := fmt.Sprintf("127.0.0.1:%d", from+rand.IntN(to-from))
		if l, err := net.Listen("tcp", address); err == nil {
			l.Close()
			return address
		}
	}
	t.Fatal("there is no free port")
	return ""
}
