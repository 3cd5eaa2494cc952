package vault

import (
	"crypto/cipher"
	"crypto/rand"
	"sync"
	"sync/atomic"
)

// inSeries is how many messages are sealed with the same first half of their nonces, and so under the same message key: to
// prepare that costs more than to seal or open. The other half is random for each, also where a machine is resumed twice. That two
// of so many are the same has a chance of 2^-73; 2^41 such series, of 2^53 messages, keep it below 2^-32.
const inSeries = 1 << 12

// series is XAES-256-GCM for those who seal or open many messages: what it gives any XAES opens, and it opens what any gave.
type series struct {
	*xaes
	sealing, opened kin
	left            atomic.Int32 // messages that the sealing key may still seal
}

// kin is the AEAD of all messages whose nonces begin alike. Who uses it holds it, so that it is not overwritten under them.
type kin struct {
	mu    sync.RWMutex
	begin [xaesNonce - gcmNonce]byte
	aead  cipher.AEAD // nil at first
	last  [xaesNonce - gcmNonce]byte
}

func newSeries(key *[32]byte) *series { return &series{xaes: newXAES(key)} }

// sealAs gives header, nonce and ciphertext.
func (s *series) sealAs(header, aad, plaintext []byte) []byte {
	at := len(header)
	out := make([]byte, at+xaesNonce, at+xaesOverhead+len(plaintext))
	copy(out, header)
	nonce := out[at:]
	rand.Read(nonce[len(s.sealing.begin):]) // never fails: it ends the process instead
	s.sealing.mu.RLock()
	for s.left.Add(-1) < 0 {
		s.sealing.mu.RUnlock()
		s.renew()
		s.sealing.mu.RLock()
	}
	copy(nonce, s.sealing.begin[:])
	out = s.sealing.aead.Seal(out, nonce[len(s.sealing.begin):], plaintext, aad)
	s.sealing.mu.RUnlock()
	return out
}

// renew begins the next series, unless somebody did.
func (s *series) renew() {
	k := &s.sealing
	k.mu.Lock()
	defer k.mu.Unlock()
	if s.left.Load() > 0 {
		return
	}
	k.forget(s.wiper)
	rand.Read(k.begin[:])
	k.aead = s.message(k.begin[:])
	s.left.Store(inSeries)
}

// openBehind decrypts what follows the header that sealAs was given, into room.
func (s *series) openBehind(room, aad, sealed []byte) ([]byte, error) {
	if len(sealed) < xaesOverhead {
		return nil, errOpen
	}
	k, nonce := &s.opened, sealed[:xaesNonce]
	begin, nonce, text := [len(k.begin)]byte(nonce), nonce[len(k.begin):], sealed[xaesNonce:]
	k.mu.RLock()
	if k.aead != nil && k.begin == begin {
		defer k.mu.RUnlock()
		return k.aead.Open(room, nonce, text, aad)
	}
	k.mu.RUnlock()
	one := s.message(begin[:])
	out, err := one.Open(room, nonce, text, aad)
	k.keep(s.wiper, begin, one)
	return out, err
}

// keep takes an AEAD in when two messages of its series follow each other: most that were sealed before there were series
// are alone in theirs. What is not kept is overwritten.
func (k *kin) keep(w wiper, begin [xaesNonce - gcmNonce]byte, aead cipher.AEAD) {
	k.mu.Lock()
	if k.last == begin {
		k.begin, k.aead, aead = begin, aead, k.aead
	}
	k.last = begin
	k.mu.Unlock()
	if aead != nil {
		w.wipe(aead)
	}
}

// forget overwrites the AEAD. Who calls it holds kin alone.
func (k *kin) forget(w wiper) {
	if k.aead != nil {
		w.wipe(k.aead)
	}
	k.aead = nil
}

// forget overwrites the key and what came of it.
func (s *series) forget() {
	for _, k := range []*kin{&s.sealing, &s.opened} {
		k.mu.Lock()
		k.forget(s.wiper)
		k.mu.Unlock()
	}
	s.left.Store(0)
	s.xaes.forget()
}
