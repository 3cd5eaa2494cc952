// Package kmstest is a key service that speaks the part of the AWS KMS protocol that Ombud uses: versions, encryption
// contexts, rotations on demand that take a moment, pages, and the exceptions. test/keys holds it to the SDK of AWS.
package kmstest

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
)

// Server holds keys by their ids. Change its fields before the first request.
type Server struct {
	URL string
	// Verify, when set, judges how a request is signed.
	Verify func(r *http.Request, body []byte) error
	// Fail, when it gives a type, is what every request is answered with.
	Fail string
	// Slow is how many looks at the status it takes until a rotation is complete.
	Slow int

	mu   sync.Mutex
	keys map[string]*kept
}

type kept struct {
	versions [][]byte
	turning  int // looks until the newest version is in use
	turned   int
}

// Start starts a service that ends with its test.
func Start(t *testing.T) *Server {
	s := &Server{keys: map[string]*kept{}}
	srv := httptest.NewServer(s)
	t.Cleanup(srv.Close)
	s.URL = srv.URL
	return s
}

// AddKey makes a key.
func (s *Server) AddKey(id string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.keys[id] = &kept{versions: [][]byte{newKey()}}
}

func newKey() []byte {
	k := make([]byte, 32)
	rand.Read(k)
	return k
}

type asked struct {
	KeyId             string
	Plaintext         []byte
	CiphertextBlob    []byte
	EncryptionContext map[string]string
	Limit             int
	Marker            string
}

// ServeHTTP answers one call.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	var in asked
	action, ok := strings.CutPrefix(r.Header.Get("X-Amz-Target"), "TrentService.")
	switch {
	case s.Fail != "":
		refuse(w, s.Fail)
		return
	case r.Method != http.MethodPost || r.URL.Path != "/" || r.Header.Get("Content-Type") != "application/x-amz-json-1.1" || !ok:
		refuse(w, "UnknownOperationException")
		return
	case r.Header.Get("Authorization") == "":
		refuse(w, "MissingAuthenticationTokenException")
		return
	case json.Unmarshal(body, &in) != nil:
		refuse(w, "SerializationException")
		return
	}
	if s.Verify != nil {
		if err := s.Verify(r, body); err != nil {
			refuse(w, "InvalidSignatureException")
			return
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	key := s.keys[in.KeyId]
	if key == nil {
		refuse(w, "NotFoundException")
		return
	}
	out, exception := s.answer(action, key, in)
	if exception != "" {
		refuse(w, exception)
		return
	}
	w.Header().Set("Content-Type", "application/x-amz-json-1.1")
	_ = json.NewEncoder(w).Encode(out)
}

func refuse(w http.ResponseWriter, exception string) {
	w.Header().Set("Content-Type", "application/x-amz-json-1.1")
	w.Header().Set("X-Amzn-ErrorType", exception)
	w.WriteHeader(http.StatusBadRequest)
	fmt.Fprintf(w, `{"__type":%q,"message":"about arn:aws:kms:eu-central-1:111122223333:key/secret"}`, exception)
}

func (s *Server) answer(action string, key *kept, in asked) (out map[string]any, exception string) {
	switch action {
	case "Encrypt":
		if n := len(in.Plaintext); n < 1 || n > 4096 {
			return nil, "ValidationException"
		}
		return map[string]any{"KeyId": in.KeyId, "CiphertextBlob": key.seal(in), "EncryptionAlgorithm": "SYMMETRIC_DEFAULT"}, ""
	case "Decrypt":
		return s.decrypt(key, in)
	case "RotateKeyOnDemand":
		if key.turning > 0 {
			return nil, "ConflictException"
		}
		key.versions, key.turning = append(key.versions, newKey()), s.Slow
		if s.Slow == 0 {
			key.turned++
		}
		return map[string]any{"KeyId": in.KeyId}, ""
	case "GetKeyRotationStatus":
		return key.status(in), ""
	case "ListKeyRotations":
		return key.rotations(in), ""
	}
	return nil, "UnknownOperationException"
}

func (k *kept) status(in asked) map[string]any {
	out := map[string]any{"KeyId": in.KeyId, "KeyRotationEnabled": false}
	if k.turning > 0 {
		out["OnDemandRotationStartDate"] = 1.7927e9
		if k.turning--; k.turning == 0 {
			k.turned++
		}
	}
	return out
}

// rotations gives two to a page.
func (k *kept) rotations(in asked) map[string]any {
	from := 0
	_, _ = fmt.Sscanf(in.Marker, "after-%d", &from)
	page := []any{}
	for i := from; i < min(from+2, k.turned); i++ {
		page = append(page, map[string]any{"KeyId": in.KeyId, "RotationDate": 1.7927e9 + float64(i), "RotationType": "ON_DEMAND"})
	}
	out := map[string]any{"Rotations": page, "Truncated": from+2 < k.turned}
	if from+2 < k.turned {
		out["NextMarker"] = fmt.Sprintf("after-%d", from+2)
	}
	return out
}

// context is the canonical form of an encryption context: JSON sorts its keys.
func (in asked) context() []byte {
	b, _ := json.Marshal(in.EncryptionContext)
	return append([]byte(in.KeyId), b...)
}

func aead(key []byte) cipher.AEAD {
	block, err := aes.NewCipher(key)
	if err != nil {
		panic(err)
	}
	g, err := cipher.NewGCMWithRandomNonce(block)
	if err != nil {
		panic(err)
	}
	return g
}

func (k *kept) seal(in asked) []byte {
	b := append([]byte{byte(len(in.KeyId))}, in.KeyId...)
	b = binary.BigEndian.AppendUint32(b, uint32(k.turned))
	return append(b, aead(k.versions[k.turned]).Seal(nil, nil, in.Plaintext, in.context())...)
}

func (s *Server) decrypt(key *kept, in asked) (map[string]any, string) {
	b := in.CiphertextBlob
	if len(b) == 0 {
		return nil, "ValidationException"
	}
	n := int(b[0])
	if len(b) < 1+n+4+28 || s.keys[string(b[1:1+n])] == nil {
		return nil, "InvalidCiphertextException"
	}
	if string(b[1:1+n]) != in.KeyId {
		return nil, "IncorrectKeyException"
	}
	v := binary.BigEndian.Uint32(b[1+n:])
	if int(v) >= len(key.versions) {
		return nil, "InvalidCiphertextException"
	}
	plain, err := aead(key.versions[v]).Open(nil, nil, b[1+n+4:], in.context())
	if err != nil {
		return nil, "InvalidCiphertextException"
	}
	return map[string]any{"KeyId": in.KeyId, "Plaintext": plain, "EncryptionAlgorithm": "SYMMETRIC_DEFAULT"}, ""
}
