// Package awskms wraps keys with a symmetric key of the AWS Key Management Service.
//
// It speaks the service's JSON protocol, signed with Signature Version 4: Encrypt and Decrypt with an encryption context,
// and for rotation RotateKeyOnDemand. The service keeps the material of every version until the key as a whole is deleted,
// so Destroy refuses: to end what was wrapped before, name a new key, the former among Previous, rotate, and let the service
// delete the former. An encryption context stands in the trails of the service in clear: what goes there is a hash.
package awskms

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/ombudhq/ombud/internal/clock"
	"github.com/ombudhq/ombud/internal/fault"
	"github.com/ombudhq/ombud/internal/sigv4"
	"github.com/ombudhq/ombud/vault"
)

const bodyLimit = 1 << 20

// Config says which key to use, and as whom.
type Config struct {
	Region    string
	Key       string   // id, ARN, or alias/NAME
	Previous  []string // keys that Unwrap still opens
	AccessKey string
	SecretKey string
	Session   string // token of temporary credentials, "" for none
	Endpoint  string // default https://kms.REGION.amazonaws.com
	HTTP      *http.Client
	Clock     clock.Clock
}

// Provider wraps with one key. It is safe for concurrent use.
type Provider struct {
	c      Config
	signer sigv4.Signer
}

var _ vault.Provider = (*Provider)(nil)

// New prepares a provider; it asks nobody yet. Everything that is wrong is named at once, as fault.Invalid.
func New(c Config) (*Provider, error) {
	var wrong []fault.Detail
	add := func(where, what string) { wrong = append(wrong, fault.Detail{Where: where, Message: what}) }
	if c.Region == "" || strings.Trim(c.Region, "abcdefghijklmnopqrstuvwxyz0123456789-") != "" {
		add("region", "is no region, such as eu-central-1")
	}
	for _, k := range append([]string{c.Key}, c.Previous...) {
		if k == "" || strings.ContainsAny(k, " \t\r\n\"") {
			add("key", "is no id, ARN or alias/NAME of a key")
		}
	}
	if c.AccessKey == "" || c.SecretKey == "" {
		add("access_key", "access_key and secret_key are needed")
	}
	if c.Endpoint == "" {
		c.Endpoint = "https://kms." + c.Region + ".amazonaws.com"
		if strings.HasPrefix(c.Region, "cn-") {
			c.Endpoint += ".cn"
		}
	}
	u, err := url.Parse(c.Endpoint)
	if err != nil || u.Host == "" || u.User != nil || strings.Trim(u.Path, "/") != "" || u.RawQuery != "" || u.Scheme != "https" && u.Scheme != "http" {
		add("endpoint", "is no http(s) address without path, name and password")
	}
	if len(wrong) > 0 {
		return nil, fault.New(fault.Invalid, "this is no key of AWS KMS").With(wrong...)
	}
	return &Provider{c, sigv4.Signer{Access: c.AccessKey, Secret: c.SecretKey, Session: c.Session, Region: c.Region, Service: "kms"}}, nil
}

// Name names the key by what follows the last slash: no account.
func (p *Provider) Name() string { return "aws-kms " + p.c.Key[strings.LastIndex(p.c.Key, "/")+1:] }

// bound is the encryption context.
func bound(aad []byte) map[string]string {
	sum := sha256.Sum256(aad)
	return map[string]string{"ombud": hex.EncodeToString(sum[:])}
}

// Wrap encrypts a key under the newest version. The service takes 4,096 bytes at most.
func (p *Provider) Wrap(ctx context.Context, key, aad []byte) ([]byte, error) {
	var out struct{ CiphertextBlob []byte }
	err := p.call(ctx, "Encrypt", map[string]any{"KeyId": p.c.Key, "Plaintext": key, "EncryptionContext": bound(aad)}, &out)
	if err == nil && len(out.CiphertextBlob) == 0 {
		err = errAnswer()
	}
	return out.CiphertextBlob, err
}

// Unwrap decrypts what Wrap gave, under this key or a previous one; fault.Integrity when it was changed or is bound to other
// data or another key.
func (p *Provider) Unwrap(ctx context.Context, wrapped, aad []byte) ([]byte, error) {
	if len(wrapped) == 0 {
		return nil, errWrapped()
	}
	var out struct{ Plaintext []byte }
	var err error
	for _, key := range append([]string{p.c.Key}, p.c.Previous...) {
		err = p.call(ctx, "Decrypt", map[string]any{"KeyId": key, "CiphertextBlob": wrapped, "EncryptionContext": bound(aad)}, &out)
		if fault.KindOf(err) != fault.Integrity {
			break
		}
	}
	return out.Plaintext, err
}

// Version is one more than the rotations that are complete.
func (p *Provider) Version(ctx context.Context) (string, error) {
	n, in := 1, map[string]any{"KeyId": p.c.Key, "Limit": 100}
	for {
		var out struct {
			Rotations  []json.RawMessage
			Truncated  bool
			NextMarker string
		}
		if err := p.call(ctx, "ListKeyRotations", in, &out); err != nil {
			return "", err
		}
		n += len(out.Rotations)
		if !out.Truncated || out.NextMarker == "" {
			return strconv.Itoa(n), nil
		}
		in["Marker"] = out.NextMarker
	}
}

// patience is between two looks whether a rotation is complete.
const patience = 2 * time.Second

// Rotate makes new material, and waits until the service uses it. What was wrapped before opens as before.
func (p *Provider) Rotate(ctx context.Context) (string, error) {
	if err := p.call(ctx, "RotateKeyOnDemand", map[string]any{"KeyId": p.c.Key}, nil); err != nil {
		return "", err
	}
	for {
		var out struct{ OnDemandRotationStartDate any }
		if err := p.call(ctx, "GetKeyRotationStatus", map[string]any{"KeyId": p.c.Key}, &out); err != nil {
			return "", err
		}
		if out.OnDemandRotationStartDate == nil {
			return p.Version(ctx)
		}
		select {
		case <-p.c.Clock.After(patience):
		case <-ctx.Done():
			return "", fault.Wrap(fault.Unavailable, ctx.Err(), "interrupted while the key service rotates")
		}
	}
}

// Destroy refuses with vault.ErrFixed: the service keeps every version.
func (p *Provider) Destroy(context.Context, string) error {
	return fault.Wrap(fault.Denied, vault.ErrFixed, "AWS KMS keeps the material of every version until the whole key is deleted").
		Then("Name a new key in keys.key and the former in keys.previous, rotate, and schedule the deletion of the former.")
}

func errAnswer() error {
	return fault.New(fault.Unavailable, "the key service did not answer as one does")
}

func errWrapped() error {
	return fault.New(fault.Integrity, "a wrapped key cannot be opened: it was changed, or belongs elsewhere")
}

func (p *Provider) call(ctx context.Context, action string, in, out any) error {
	body, err := json.Marshal(in)
	if err != nil {
		return fmt.Errorf("encoding a request to the key service: %w", err)
	}
	defer clear(body)
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, strings.TrimRight(p.c.Endpoint, "/")+"/", bytes.NewReader(body))
	if err != nil {
		return errAnswer()
	}
	req.Header.Set("Content-Type", "application/x-amz-json-1.1")
	req.Header.Set("X-Amz-Target", "TrentService."+action)
	p.signer.Sign(req, body, p.c.Clock.Now())
	res, err := p.c.HTTP.Do(req)
	if err != nil { // its text holds the address
		return fault.New(fault.Unavailable, "the key service cannot be reached, or did not answer in time")
	}
	defer res.Body.Close()
	answer, err := io.ReadAll(io.LimitReader(res.Body, bodyLimit))
	if err != nil {
		return errAnswer()
	}
	defer clear(answer)
	if res.StatusCode != http.StatusOK {
		return judge(res.StatusCode, answer)
	}
	if out != nil && json.Unmarshal(answer, out) != nil {
		return errAnswer()
	}
	return nil
}

// judge turns the type of an exception into who can do something about it; its message names keys and accounts.
func judge(status int, body []byte) error {
	var e struct {
		Type string `json:"__type"`
	}
	_ = json.Unmarshal(body, &e) // what cannot be read has no type
	switch e.Type[strings.LastIndex(e.Type, "#")+1:] {
	case "InvalidCiphertextException", "IncorrectKeyException":
		return errWrapped()
	case "AccessDeniedException", "UnrecognizedClientException", "InvalidSignatureException", "ExpiredTokenException",
		"MissingAuthenticationTokenException", "IncompleteSignatureException", "InvalidClientTokenId":
		return fault.New(fault.Denied, "the key service does not let these credentials do that").
			Then("The key's policy needs kms:Encrypt and kms:Decrypt; for rotation also kms:RotateKeyOnDemand, kms:GetKeyRotationStatus and kms:ListKeyRotations.")
	case "NotFoundException":
		return fault.New(fault.NotFound, "the key service has no such key in this region")
	case "DisabledException", "KMSInvalidStateException", "InvalidKeyUsageException":
		return fault.New(fault.Unavailable, "the key of the key service is disabled, pending deletion, or not for encryption")
	case "LimitExceededException":
		return fault.New(fault.Unavailable, "the key service rotates a key only so many times").Then("Name a new key in keys.key and the former in keys.previous.")
	}
	return fault.New(fault.Unavailable, "the key service answers %d", status)
}
