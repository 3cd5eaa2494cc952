package access

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha1" // as every authenticator app has it
	"crypto/subtle"
	"encoding/base32"
	"encoding/binary"
	"fmt"
	"net/url"
	"strings"
	"time"
)

const (
	factorLength = 20 // bytes of a secret, as RFC 4226 asks
	step         = 30 * time.Second
	drift        = 1 // steps that a clock may be off, either way
)

func newFactor() []byte {
	secret := make([]byte, factorLength)
	rand.Read(secret) // never fails: it ends the process instead
	return secret
}

// code is the one of a step (RFC 4226 with HMAC-SHA-1 and six digits).
func code(secret []byte, n int64) string {
	mac := hmac.New(sha1.New, secret)
	var counter [8]byte
	binary.BigEndian.PutUint64(counter[:], uint64(n))
	mac.Write(counter[:])
	sum := mac.Sum(nil)
	at := sum[len(sum)-1] & 15
	return fmt.Sprintf("%06d", (binary.BigEndian.Uint32(sum[at:])&0x7fffffff)%1_000_000)
}

// stepOf finds the step that a code belongs to (RFC 6238), among those near now and after the last one used: a code
// that was used, or is older than one that was, is none. 0 when there is no such step.
func stepOf(secret []byte, given string, now time.Time, last int64) int64 {
	found, n := int64(0), now.Unix()/int64(step/time.Second)
	for i := n - drift; i <= n+drift; i++ {
		if subtle.ConstantTimeCompare([]byte(code(secret, i)), []byte(given)) == 1 && i > last && found == 0 {
			found = i
		}
	}
	return found
}

// Enrolment is a second factor that an app is about to take: as text, and as the address that a QR code holds.
type Enrolment struct{ Secret, Address string }

func enrolment(secret []byte, name string) Enrolment {
	text := base32.StdEncoding.WithPadding(base32.NoPadding).EncodeToString(secret)
	q := url.Values{"secret": {text}, "issuer": {"Ombud"}}
	return Enrolment{Secret: text, Address: "otpauth://totp/Ombud:" + url.PathEscape(name) + "?" + q.Encode()}
}

// digits is a code as it was typed, without the spaces that apps show in it.
func digits(given string) string { return strings.Join(strings.Fields(given), "") }
