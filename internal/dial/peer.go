package dial

import (
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"os"
	"slices"
	"strings"

	"github.com/ombudhq/ombud/internal/fault"
)

// ErrPeer is why a handshake was ended: the other side has a key that is none of those it is pinned to.
var ErrPeer = errors.New("the other side has another key than the one it is known by")

// Peer says who the other side is, and who we are to it. Files are read once, by Client.
type Peer struct {
	CA        string   // file with the certificates of the authority it is from; "" for those of this machine
	Cert, Key string   // files with the certificate we show and its key; "" for none
	Pins      []string // what one of its certificates must have, each as Pin gives it; none when empty
}

// Empty tells whether nothing is asked of the other side beyond what everybody must show.
func (p Peer) Empty() bool { return p.CA == "" && p.Cert == "" && p.Key == "" && len(p.Pins) == 0 }

// Pin is the name of a public key: sha256/ and the base64 of the SHA-256 of its SubjectPublicKeyInfo, as RFC 7469 has it.
func Pin(c *x509.Certificate) string {
	sum := sha256.Sum256(c.RawSubjectPublicKeyInfo)
	return pinMark + base64.StdEncoding.EncodeToString(sum[:])
}

const pinMark = "sha256/"

// IsPin tells whether a text is one: sha256/ and base64, or 64 hexadecimal digits, which openssl prints.
func IsPin(text string) bool { return normal(text) != "" }

// normal is a pin as Pin writes it, "" for a text that is none.
func normal(text string) string {
	if b, err := hex.DecodeString(strings.ReplaceAll(text, ":", "")); err == nil && len(b) == sha256.Size {
		return pinMark + base64.StdEncoding.EncodeToString(b)
	}
	b, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(text, pinMark))
	if err != nil || len(b) != sha256.Size || !strings.HasPrefix(text, pinMark) {
		return ""
	}
	return text
}

// Pinned checks a finished handshake: it is asked for resumed connections too. Without pins everybody passes who passed
// before; the pin may be of any certificate that was sent, so that an authority can be pinned as well as a leaf.
func Pinned(pins []string) func(tls.ConnectionState) error {
	var all []string
	for _, p := range pins {
		all = append(all, normal(p))
	}
	return func(s tls.ConnectionState) error {
		if len(all) == 0 {
			return nil
		}
		for _, c := range verified(s) {
			if slices.Contains(all, Pin(c)) {
				return nil
			}
		}
		return ErrPeer
	}
}

// verified are the certificates that somebody vouches for: those of the chains that were built, or, where nobody was asked,
// the leaf, whose key the other side has shown to hold. What is merely sent along proves nothing.
func verified(s tls.ConnectionState) (out []*x509.Certificate) {
	if len(s.VerifiedChains) == 0 && len(s.PeerCertificates) > 0 {
		return s.PeerCertificates[:1]
	}
	for _, chain := range s.VerifiedChains {
		out = append(out, chain...)
	}
	return out
}

// config reads what the Peer names. Every fault is named at once, by its field; no content of a file is part of it.
func (p Peer) config() (*tls.Config, error) {
	c := &tls.Config{MinVersion: tls.VersionTLS12, VerifyConnection: Pinned(p.Pins)}
	var wrong []fault.Detail
	add := func(where, message string) {
		wrong = append(wrong, fault.Detail{Where: where, Message: message})
	}
	if p.CA != "" {
		var err error
		if c.RootCAs, err = Pool(p.CA); err != nil {
			add("ca", "is no readable file of PEM certificates")
		}
	}
	if (p.Cert == "") != (p.Key == "") {
		add("cert", "goes together with key")
	} else if p.Cert != "" {
		pair, err := tls.LoadX509KeyPair(p.Cert, p.Key)
		if err != nil {
			add("cert", "and key are no readable pair of PEM files that belong together")
		}
		c.Certificates = []tls.Certificate{pair}
	}
	for _, pin := range p.Pins {
		if !IsPin(pin) {
			add("pins", "a pin is sha256/ and the base64 of 32 bytes")
		}
	}
	if len(wrong) > 0 {
		return nil, fault.New(fault.Invalid, "this peer cannot be used").With(wrong...)
	}
	return c, nil
}

// Pool reads a file of certificates.
func Pool(file string) (*x509.CertPool, error) {
	b, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(b) {
		return nil, errors.New("it holds no certificate")
	}
	return pool, nil
}
