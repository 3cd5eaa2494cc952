package notify

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"hash"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/ombudhq/ombud/internal/fault"
)

// Headers of Standard Webhooks.
const (
	HeaderID        = "webhook-id"
	HeaderTimestamp = "webhook-timestamp"
	HeaderSignature = "webhook-signature"
)

// The same as http.Header has them, so that nobody writes them anew for each message.
const (
	canonicalID        = "Webhook-Id"
	canonicalTimestamp = "Webhook-Timestamp"
	canonicalSignature = "Webhook-Signature"
)

// Tolerance is how far the time of a webhook may be from ours. An id must be remembered for longer than that.
const Tolerance = 5 * time.Minute

const (
	secretPrefix = "whsec_"
	minSecret    = 24 // bytes
	maxSecret    = 64
	version      = "v1,"
)

// Secret is a key that signs webhooks. It prints as a mark.
type Secret struct {
	key  []byte
	macs *sync.Pool // of *mac: to make one of the key costs more than a signature
}

// mac signs one webhook at a time.
type mac struct {
	hash.Hash
	text, sum []byte
}

func newSecret(key []byte) Secret {
	return Secret{key, &sync.Pool{New: func() any { return &mac{Hash: hmac.New(sha256.New, key)} }}}
}

// NewSecret makes a secret and the text to give to the other side.
func NewSecret() (Secret, string) {
	key := make([]byte, 32)
	_, _ = rand.Read(key) // never fails: it ends the process instead
	return newSecret(key), secretPrefix + base64.StdEncoding.EncodeToString(key)
}

// ParseSecret reads whsec_ and the base64 of 24 to 64 bytes.
func ParseSecret(text string) (Secret, error) {
	key, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(text, secretPrefix))
	if err != nil || !strings.HasPrefix(text, secretPrefix) || len(key) < minSecret || len(key) > maxSecret {
		return Secret{}, fault.New(fault.Invalid, "a webhook secret is whsec_ and the base64 of %d to %d bytes", minSecret, maxSecret)
	}
	return newSecret(key), nil
}

func (Secret) String() string   { return secretPrefix + "…" }
func (Secret) GoString() string { return secretPrefix + "…" }

func (s Secret) sum(id, timestamp string, body []byte) (sum [sha256.Size]byte) {
	m := s.macs.Get().(*mac)
	defer s.macs.Put(m)
	m.Reset()
	m.text = append(append(append(append(m.text[:0], id...), '.'), timestamp...), '.')
	m.Write(m.text)
	m.Write(body)
	m.sum = m.Sum(m.sum[:0])
	copy(sum[:], m.sum)
	return sum
}

// Sign gives the headers of a webhook, with a signature of each secret.
func Sign(secrets []Secret, id string, at time.Time, body []byte) http.Header {
	timestamp := strconv.FormatInt(at.Unix(), 10)
	var room [128]byte
	signatures := room[:0]
	for i, s := range secrets {
		if i > 0 {
			signatures = append(signatures, ' ')
		}
		sum := s.sum(id, timestamp, body)
		signatures = base64.StdEncoding.AppendEncode(append(signatures, version...), sum[:])
	}
	return http.Header{canonicalID: {id}, canonicalTimestamp: {timestamp}, canonicalSignature: {string(signatures)}}
}

// Verify judges a webhook that somebody sent us: one of its signatures must be of one of the secrets, and its time within
// Tolerance of now. It gives the id, by which the caller refuses what it already had. Every refusal is fault.Denied.
func Verify(secrets []Secret, h http.Header, body []byte, now time.Time) (id string, err error) {
	id, timestamp := h.Get(HeaderID), h.Get(HeaderTimestamp)
	if id == "" || len(id) > 256 {
		return "", fault.New(fault.Denied, "the webhook has no id, or one of more than 256 bytes")
	}
	seconds, err := strconv.ParseInt(timestamp, 10, 64)
	if err != nil || strconv.FormatInt(seconds, 10) != timestamp {
		return "", fault.New(fault.Denied, "the webhook has no time")
	}
	if off := now.Unix() - seconds; off > int64(Tolerance.Seconds()) || off < -int64(Tolerance.Seconds()) {
		return "", fault.New(fault.Denied, "the webhook's time is more than %v from ours", Tolerance)
	}
	if !signed(secrets, h.Get(HeaderSignature), id, timestamp, body) {
		return "", fault.New(fault.Denied, "the webhook is not signed with a secret of ours")
	}
	return id, nil
}

// signed tries each secret on each signature of our version; others are left to others.
func signed(secrets []Secret, signatures, id, timestamp string, body []byte) bool {
	if len(signatures) > 4096 {
		return false
	}
	ok := false
	for _, s := range secrets {
		want := s.sum(id, timestamp, body)
		for _, text := range strings.Fields(signatures) {
			encoded, ours := strings.CutPrefix(text, version)
			got, err := base64.StdEncoding.DecodeString(encoded)
			ok = ok || ours && err == nil && hmac.Equal(got, want[:])
		}
	}
	return ok
}
