// Package passkeytest is an authenticator for tests: what a phone or a security key does, in memory (WebAuthn Level 3).
package passkeytest

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"fmt"
)

// Device makes passkeys and answers with them. What it does wrong is said by its fields.
type Device struct {
	Origin   string // of the page that asks
	RP       string // what it takes for the relying party
	Unasked  bool   // it does not ask for finger, face or PIN
	Count    uint32 // of what it signed, as it says
	Tamper   func(client map[string]any)
	id, user []byte
	key      *ecdsa.PrivateKey
}

var b64 = base64.RawURLEncoding

// question is what of a question a device looks at.
type question struct {
	Challenge string `json:"challenge"`
	User      struct {
		ID string `json:"id"`
	} `json:"user"`
}

func (d *Device) client(kind string, q question) []byte {
	c := map[string]any{"type": kind, "challenge": q.Challenge, "origin": d.Origin, "crossOrigin": false}
	if d.Tamper != nil {
		d.Tamper(c)
	}
	b, err := json.Marshal(c)
	if err != nil {
		panic(err)
	}
	return b
}

// data is the authenticator data, with more behind it.
func (d *Device) data(flags byte, more []byte) []byte {
	rp := sha256.Sum256([]byte(d.RP))
	if !d.Unasked {
		flags |= 4
	}
	out := append(rp[:], flags|1)
	return append(binary.BigEndian.AppendUint32(out, d.Count), more...)
}

// Make answers the question for a new passkey.
func (d *Device) Make(options []byte) ([]byte, error) {
	var q question
	if err := json.Unmarshal(options, &q); err != nil {
		return nil, err
	}
	var err error
	if d.key, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader); err != nil {
		return nil, err
	}
	if d.user, err = b64.DecodeString(q.User.ID); err != nil {
		return nil, err
	}
	d.id = make([]byte, 32)
	rand.Read(d.id)
	point, err := d.key.PublicKey.Bytes()
	if err != nil {
		return nil, err
	}
	// {1: 2, 3: -7, -1: 1, -2: x, -3: y}
	cose := append([]byte{0xa5, 1, 2, 3, 0x26, 0x20, 1, 0x21, 0x58, 32}, point[1:33]...)
	cose = append(append(cose, 0x22, 0x58, 32), point[33:]...)
	made := append(append(append(make([]byte, 16), 0, 32), d.id...), cose...)
	data := d.data(0x40, made)
	object := append([]byte{0xa3, 0x63, 'f', 'm', 't', 0x64, 'n', 'o', 'n', 'e', 0x67, 'a', 't', 't', 'S', 't', 'm', 't', 0xa0, 0x68, 'a', 'u', 't', 'h', 'D', 'a', 't', 'a', 0x58, byte(len(data))}, data...)
	return d.answer(map[string]any{"clientDataJSON": b64.EncodeToString(d.client("webauthn.create", q)), "attestationObject": b64.EncodeToString(object)})
}

// Sign answers the question to sign in.
func (d *Device) Sign(options []byte) ([]byte, error) {
	var q question
	if err := json.Unmarshal(options, &q); err != nil {
		return nil, err
	}
	if d.key == nil {
		return nil, fmt.Errorf("there is no passkey yet")
	}
	client, data := d.client("webauthn.get", q), d.data(0, nil)
	sum := sha256.Sum256(client)
	all := sha256.Sum256(append(append([]byte{}, data...), sum[:]...))
	sig, err := ecdsa.SignASN1(rand.Reader, d.key, all[:])
	if err != nil {
		return nil, err
	}
	return d.answer(map[string]any{"clientDataJSON": b64.EncodeToString(client), "authenticatorData": b64.EncodeToString(data), "signature": b64.EncodeToString(sig), "userHandle": b64.EncodeToString(d.user)})
}

func (d *Device) answer(response map[string]any) ([]byte, error) {
	id := b64.EncodeToString(d.id)
	return json.Marshal(map[string]any{"id": id, "rawId": id, "type": "public-key", "response": response, "clientExtensionResults": map[string]any{}})
}

// Other is another device that claims to be this one: it knows everything but the key.
func (d *Device) Other() *Device {
	out := *d
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		panic(err)
	}
	out.key = key
	return &out
}
