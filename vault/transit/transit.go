// Package transit wraps keys with the transit engine of OpenBao or HashiCorp Vault.
//
// The key that wraps never leaves that server. It speaks plain HTTP with JSON: encrypt, decrypt, rotate, and trim, which
// destroys versions for good. The additional data of a wrapped key goes along as associated_data, and as context too where
// the key derives; so the key must be of a type that authenticates data, as aes256-gcm96, which is the default there. Give
// Ombud a key of its own: what Destroy trims is gone for everybody.
package transit

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"path"
	"strconv"
	"strings"

	"github.com/ombudhq/ombud/internal/fault"
	"github.com/ombudhq/ombud/vault"
)

const bodyLimit = 1 << 20

// Config says where the server is and which key of it to use.
type Config struct {
	Address   string // https://bao.example:8200
	Mount     string // of the engine; default transit
	Key       string // its name
	Namespace string // "" for none
	Token     string // what lets us in
	TokenFile string // instead of Token: read anew at each call, as an agent keeps it fresh
	HTTP      *http.Client
}

// Provider wraps with one key of a transit engine. It is safe for concurrent use.
type Provider struct{ c Config }

var _ vault.Provider = (*Provider)(nil)

// New prepares a provider; it asks nobody yet. Everything that is wrong is named at once, as fault.Invalid.
func New(c Config) (*Provider, error) {
	if c.Mount == "" {
		c.Mount = "transit"
	}
	var wrong []fault.Detail
	add := func(where, what string) { wrong = append(wrong, fault.Detail{Where: where, Message: what}) }
	u, err := url.Parse(c.Address)
	if err != nil || u.Host == "" || u.User != nil || u.Scheme != "https" && u.Scheme != "http" {
		add("address", "is no http(s) address without a name and a password")
	}
	if !isName(c.Key) {
		add("key", "is no name of a transit key")
	}
	for part := range strings.SplitSeq(c.Mount, "/") {
		if !isName(part) {
			add("mount", "is no path of an engine")
		}
	}
	if (c.Token == "") == (c.TokenFile == "") {
		add("token", "give either token or token_file")
	}
	if len(wrong) > 0 {
		return nil, fault.New(fault.Invalid, "this is no transit engine").With(wrong...)
	}
	return &Provider{c}, nil
}

func isName(s string) bool {
	return s != "" && s != "." && s != ".." && !strings.ContainsFunc(s, func(r rune) bool {
		return r != '-' && r != '_' && r != '.' && (r < '0' || r > '9') && (r < 'a' || r > 'z') && (r < 'A' || r > 'Z')
	})
}

// Name names engine and key, not the address.
func (p *Provider) Name() string { return "transit " + p.c.Mount + "/" + p.c.Key }

// keyInfo is what the server says of the key.
type keyInfo struct {
	Type    string `json:"type"`
	Derived bool   `json:"derived"`
	Latest  int    `json:"latest_version"`
}

func (p *Provider) info(ctx context.Context) (keyInfo, error) {
	var k keyInfo
	if err := p.call(ctx, http.MethodGet, "keys/"+p.c.Key, nil, &k); err != nil {
		return k, err
	}
	switch k.Type {
	case "aes128-gcm96", "aes256-gcm96", "chacha20-poly1305", "xchacha20-poly1305":
		return k, nil
	}
	return k, fault.New(fault.Invalid, "the transit key is of a type that does not authenticate data").Then("Make one of the type aes256-gcm96.")
}

// Version is that of the newest key, which Wrap uses: a count from 1.
func (p *Provider) Version(ctx context.Context) (string, error) {
	k, err := p.info(ctx)
	return strconv.Itoa(k.Latest), err
}

// Wrap encrypts a key under the newest version.
func (p *Provider) Wrap(ctx context.Context, key, aad []byte) ([]byte, error) {
	k, err := p.info(ctx)
	if err != nil {
		return nil, err
	}
	var out struct {
		Ciphertext string `json:"ciphertext"`
	}
	err = p.call(ctx, http.MethodPost, "encrypt/"+p.c.Key, k.bound(map[string]any{"plaintext": key}, aad), &out)
	if err == nil && !strings.HasPrefix(out.Ciphertext, "vault:v") {
		err = errAnswer()
	}
	return []byte(out.Ciphertext), err
}

// bound adds the additional data, which the server wants in base64, as JSON writes bytes.
func (k keyInfo) bound(in map[string]any, aad []byte) map[string]any {
	if len(aad) > 0 {
		in["associated_data"] = aad
	}
	if k.Derived {
		in["context"] = append([]byte("ombud/"), aad...)
	}
	return in
}

// Unwrap decrypts what Wrap gave; fault.Integrity when it was changed, bound to other data, or its version destroyed.
func (p *Provider) Unwrap(ctx context.Context, wrapped, aad []byte) ([]byte, error) {
	k, err := p.info(ctx)
	if err != nil {
		return nil, err
	}
	var out struct {
		Plaintext string `json:"plaintext"`
	}
	err = p.call(ctx, http.MethodPost, "decrypt/"+p.c.Key, k.bound(map[string]any{"ciphertext": string(wrapped)}, aad), &out)
	if fault.KindOf(err) == fault.Invalid {
		return nil, fault.Wrap(fault.Integrity, err, "a wrapped key cannot be opened: it was changed, belongs elsewhere, or its version was destroyed")
	}
	if err != nil {
		return nil, err
	}
	key, err := base64.StdEncoding.DecodeString(out.Plaintext)
	if err != nil {
		return nil, errAnswer()
	}
	return key, nil
}

// Rotate makes a new version, which Wrap uses from now on; what earlier ones wrapped opens until they are destroyed.
func (p *Provider) Rotate(ctx context.Context) (string, error) {
	if err := p.call(ctx, http.MethodPost, "keys/"+p.c.Key+"/rotate", map[string]any{}, nil); err != nil {
		return "", err
	}
	return p.Version(ctx)
}

// Destroy destroys all versions but this one, for good: the server forgets them.
func (p *Provider) Destroy(ctx context.Context, keep string) error {
	k, err := p.info(ctx)
	if err != nil {
		return err
	}
	if keep != strconv.Itoa(k.Latest) {
		return fault.New(fault.Conflict, "version %.20q is not the newest of the transit key", keep)
	}
	least := map[string]any{"min_decryption_version": k.Latest, "min_encryption_version": k.Latest}
	if err := p.call(ctx, http.MethodPost, "keys/"+p.c.Key+"/config", least, nil); err != nil {
		return err
	}
	return p.call(ctx, http.MethodPost, "keys/"+p.c.Key+"/trim", map[string]any{"min_available_version": k.Latest}, nil)
}

func errAnswer() error {
	return fault.New(fault.Unavailable, "the transit engine did not answer as one does")
}

func (p *Provider) call(ctx context.Context, method, what string, in, out any) error {
	req, err := p.request(ctx, method, what, in)
	if err != nil {
		return err
	}
	res, err := p.c.HTTP.Do(req)
	if err != nil { // its text holds the address
		return fault.New(fault.Unavailable, "the transit engine cannot be reached%s", because(ctx, err))
	}
	defer res.Body.Close()
	body, err := io.ReadAll(io.LimitReader(res.Body, bodyLimit))
	if err != nil {
		return errAnswer()
	}
	defer clear(body)
	if err := judge(res.StatusCode, body); err != nil || out == nil {
		return err
	}
	whole := struct {
		Data any `json:"data"`
	}{out}
	if json.Unmarshal(body, &whole) != nil {
		return errAnswer()
	}
	return nil
}

func (p *Provider) request(ctx context.Context, method, what string, in any) (*http.Request, error) {
	token, err := p.token()
	if err != nil {
		return nil, err
	}
	body, err := json.Marshal(in)
	if err != nil {
		return nil, fmt.Errorf("encoding a request to the transit engine: %w", err)
	}
	to := strings.TrimRight(p.c.Address, "/") + "/v1/" + path.Join(p.c.Mount, what)
	req, err := http.NewRequestWithContext(ctx, method, to, bytes.NewReader(body))
	if err != nil {
		return nil, errAnswer()
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("X-Vault-Request", "true")
	req.Header.Set("X-Vault-Token", token)
	if p.c.Namespace != "" {
		req.Header.Set("X-Vault-Namespace", p.c.Namespace)
	}
	return req, nil
}

func (p *Provider) token() (string, error) {
	if p.c.TokenFile == "" {
		return p.c.Token, nil
	}
	b, err := os.ReadFile(p.c.TokenFile)
	if err != nil || len(bytes.TrimSpace(b)) == 0 {
		return "", fault.Wrap(fault.Unavailable, err, "the file of the transit token cannot be read, or is empty")
	}
	return string(bytes.TrimSpace(b)), nil
}

// judge turns a status into who can do something about it. What the server says besides may name paths and is left out.
func judge(status int, body []byte) error {
	switch {
	case status >= 200 && status < 300:
		return nil
	case status == http.StatusForbidden, status == http.StatusUnauthorized:
		return fault.New(fault.Denied, "the transit engine does not let this token do that").Then("Its policy needs encrypt, decrypt, and read of the key; for rotation also rotate, config and trim.")
	case status == http.StatusNotFound:
		return fault.New(fault.NotFound, "there is no such transit key, or no engine at this mount").Then("bao write -f transit/keys/NAME makes one.")
	case status == http.StatusServiceUnavailable && strings.Contains(string(body), "sealed"):
		return fault.New(fault.Unavailable, "the transit engine is sealed")
	case status == http.StatusBadRequest:
		return fault.New(fault.Invalid, "the transit engine takes this for wrong")
	}
	return fault.New(fault.Unavailable, "the transit engine answers %d", status)
}

// because is why nobody answered, without the address.
func because(ctx context.Context, err error) string {
	var timeout interface{ Timeout() bool }
	switch {
	case ctx.Err() != nil:
		return ": interrupted"
	case errors.As(err, &timeout) && timeout.Timeout():
		return ": it did not answer in time"
	}
	return ""
}
