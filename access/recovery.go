package access

import (
	"crypto/hmac"
	"crypto/rand"
	"slices"
	"strings"
)

const recoveryCodes = 10

// newCodes makes recovery codes, 60 bits each: what is shown once, and what is kept.
func (a *Accounts) newCodes(id string) (shown []string, kept [][]byte) {
	for range recoveryCodes {
		text := strings.ToLower(rand.Text()[:12]) // 5 bits a character
		shown = append(shown, text[:4]+"-"+text[4:8]+"-"+text[8:])
		kept = append(kept, a.recoveryMAC(id, text))
	}
	return shown, kept
}

// recoveryMAC is keyed: who has the store alone cannot try codes.
func (a *Accounts) recoveryMAC(id, code string) []byte {
	sum := a.vault.MAC("recovery-code", []byte(id), []byte(code))
	return sum[:]
}

// spend takes a recovery code out of those that are left; false when it is none of them.
func (a *Accounts) spend(rec *record, given string) bool {
	text := strings.ToLower(strings.NewReplacer("-", "", " ", "").Replace(given))
	mac := a.recoveryMAC(rec.ID, text)
	at := slices.IndexFunc(rec.Codes, func(kept []byte) bool { return hmac.Equal(kept, mac) })
	if at < 0 {
		return false
	}
	rec.Codes = slices.Delete(rec.Codes, at, at+1)
	return true
}
