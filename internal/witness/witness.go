// Package witness asks somebody else to cosign checkpoints (C2SP tlog-witness, tlog-cosignature). A witness signs a
// checkpoint only when its tree goes on from the one it signed before: who holds a cosigned checkpoint knows that nobody was
// shown another history, whoever holds the keys of the log.
package witness

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"

	"github.com/ombudhq/ombud/internal/fault"
)

const (
	algorithm    = 4 // cosignature/v1, Ed25519
	stampSize    = 8
	answerLimit  = 16 << 10
	sizeType     = "text/x.tlog.size"
	signatureBar = "— "
)

// Key verifies the cosignatures of one witness, as a note.Verifier.
type Key struct {
	name string
	hash uint32
	pub  ed25519.PublicKey
}

// ParseKey reads a verifier key: NAME+HASH+BASE64, of the type of cosignatures. Anything else is fault.Invalid.
func ParseKey(text string) (*Key, error) {
	bad := fault.New(fault.Invalid, "this is no key of a witness").Then("It is a line NAME+HASH+KEY that the witness publishes, for cosignature/v1.")
	parts := strings.SplitN(text, "+", 3)
	if len(parts) != 3 || parts[0] == "" || strings.ContainsAny(parts[0], " \n") {
		return nil, bad
	}
	hash, err := strconv.ParseUint(parts[1], 16, 32)
	raw, err2 := base64.StdEncoding.DecodeString(parts[2])
	if err != nil || err2 != nil || len(raw) != 1+ed25519.PublicKeySize || raw[0] != algorithm {
		return nil, bad
	}
	sum := sha256.Sum256([]byte(parts[0] + "\n" + string(raw)))
	if binary.BigEndian.Uint32(sum[:]) != uint32(hash) || len(parts[1]) != 8 {
		return nil, bad
	}
	return &Key{parts[0], uint32(hash), raw[1:]}, nil
}

// Name is the witness's.
func (k *Key) Name() string { return k.name }

// KeyHash tells its keys apart.
func (k *Key) KeyHash() uint32 { return k.hash }

// Verify tells whether the witness signed the text at the moment that the signature begins with.
func (k *Key) Verify(text, sig []byte) bool {
	if len(sig) != stampSize+ed25519.SignatureSize {
		return false
	}
	return ed25519.Verify(k.pub, Message(binary.BigEndian.Uint64(sig), text), sig[stampSize:])
}

// Message is what a cosignature signs.
func Message(at uint64, text []byte) []byte {
	return append(fmt.Appendf(nil, "cosignature/v1\ntime %d\n", at), text...)
}

// Witness is one that can be asked.
type Witness struct {
	*Key
	URL  string // add-checkpoint lies below it
	HTTP *http.Client
}

// Stands is an error: the witness holds a checkpoint of this size, and not of the one it was given as the last.
type Stands struct{ Size int64 }

func (s *Stands) Error() string { return fmt.Sprintf("the witness stands at %d entries", s.Size) }

// Cosign has a checkpoint cosigned that goes on, by the proof, from the one of the old size; 0 where the witness knows none.
// It gives the line of the cosignature, verified. *Stands tells of another size. A witness that is there and refuses is
// fault.Denied, one that signs something else fault.Integrity; one that cannot be asked now is fault.Unavailable.
func (w *Witness) Cosign(ctx context.Context, old int64, proof tlog.TreeProof, checkpoint string) (line string, err error) {
	var body bytes.Buffer
	fmt.Fprintf(&body, "old %d\n", old)
	for _, h := range proof {
		fmt.Fprintln(&body, h)
	}
	body.WriteString("\n" + checkpoint)
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, strings.TrimSuffix(w.URL, "/")+"/add-checkpoint", &body)
	if err != nil {
		return "", fmt.Errorf("asking a witness: %w", err)
	}
	res, err := w.HTTP.Do(r)
	if err != nil {
		return "", fault.Wrap(fault.Unavailable, err, "the witness %s cannot be reached", w.name)
	}
	defer res.Body.Close()
	answer, err := io.ReadAll(io.LimitReader(res.Body, answerLimit))
	if err != nil {
		return "", fault.Wrap(fault.Unavailable, err, "the witness %s broke off", w.name)
	}
	if res.StatusCode == http.StatusConflict && res.Header.Get("Content-Type") == sizeType {
		if size, err := strconv.ParseInt(strings.TrimSuffix(string(answer), "\n"), 10, 64); err == nil && size >= 0 && size != old {
			return "", &Stands{size}
		}
	}
	switch {
	case res.StatusCode >= http.StatusInternalServerError || res.StatusCode == http.StatusTooManyRequests:
		return "", fault.New(fault.Unavailable, "the witness %s has no time: %d", w.name, res.StatusCode)
	case res.StatusCode != http.StatusOK:
		return "", fault.New(fault.Denied, "the witness %s refuses: %d", w.name, res.StatusCode)
	}
	return w.verified(checkpoint + string(answer))
}

// verified gives the line of our witness out of a cosigned checkpoint.
func (w *Witness) verified(cosigned string) (string, error) {
	n, err := note.Open([]byte(cosigned), note.VerifierList(w.Key))
	if err != nil {
		return "", fault.Wrap(fault.Integrity, errors.New("no valid cosignature"), "the witness %s answers with something else", w.name)
	}
	return signatureBar + w.name + " " + n.Sigs[0].Base64 + "\n", nil
}
