// Package idptest is an identity provider for tests: over real HTTP and TLS, it says what a test wants it to.
package idptest

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"math/big"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/ombudhq/ombud/internal/clock"
)

// Provider is an identity provider. What it says may be changed between two sign-ins.
type Provider struct {
	Server  *httptest.Server
	CA      string          // file with its certificate
	Key     *rsa.PrivateKey // of what it signs; SignAs of another Provider signs with another key
	Claims  map[string]any  // of who signs in, on top of what is right
	Info    map[string]any  // of the user info; nil answers 500
	Refresh string          // error of the token endpoint for a refresh, "" grants it
	Forge   func(right string) string

	Clock  clock.Clock // by which its tokens are dated
	t      *testing.T
	ec     *ecdsa.PrivateKey
	mu     sync.Mutex
	codes  map[string]url.Values // what was asked, by code
	tokens map[string]bool       // access tokens in force
}

// New starts a provider that knows Kari, of the groups everybody and privacy.
func New(t *testing.T, c clock.Clock) *Provider {
	t.Helper()
	p := &Provider{t: t, Clock: c, codes: map[string]url.Values{}, tokens: map[string]bool{}, Claims: map[string]any{"sub": "1001", "name": "Kari Berg", "groups": []string{"everybody", "privacy"}}}
	var err error
	if p.Key, err = rsa.GenerateKey(rand.Reader, 2048); err != nil {
		t.Fatal(err)
	}
	if p.ec, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader); err != nil {
		t.Fatal(err)
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /.well-known/openid-configuration", p.discovery)
	mux.HandleFunc("GET /keys", p.keys)
	mux.HandleFunc("POST /token", p.token)
	mux.HandleFunc("GET /userinfo", p.userinfo)
	p.Server = httptest.NewTLSServer(mux)
	t.Cleanup(p.Server.Close)
	p.CA = filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(p.CA, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: p.Server.Certificate().Raw}), 0o600); err != nil {
		t.Fatal(err)
	}
	return p
}

func (p *Provider) say(w http.ResponseWriter, code int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(code)
	_ = json.NewEncoder(w).Encode(v)
}

func (p *Provider) discovery(w http.ResponseWriter, _ *http.Request) {
	at := p.Server.URL
	p.say(w, 200, map[string]any{"issuer": at, "authorization_endpoint": at + "/authorize", "token_endpoint": at + "/token", "jwks_uri": at + "/keys",
		"userinfo_endpoint": at + "/userinfo", "id_token_signing_alg_values_supported": []string{"RS256", "ES256", "HS256", "none"}})
}

func (p *Provider) keys(w http.ResponseWriter, _ *http.Request) {
	n := base64.RawURLEncoding.EncodeToString(p.Key.N.Bytes())
	x, y := p.ec.X.FillBytes(make([]byte, 32)), p.ec.Y.FillBytes(make([]byte, 32))
	p.say(w, 200, map[string]any{"keys": []map[string]string{
		{"kty": "RSA", "kid": "r", "use": "sig", "n": n, "e": base64.RawURLEncoding.EncodeToString(big.NewInt(int64(p.Key.E)).Bytes())},
		{"kty": "EC", "kid": "e", "use": "sig", "crv": "P-256", "x": base64.RawURLEncoding.EncodeToString(x), "y": base64.RawURLEncoding.EncodeToString(y)},
	}})
}

// Consent is what somebody does who signs in there: it gives the code and the state to bring back.
func (p *Provider) Consent(authorize string) url.Values {
	p.t.Helper()
	u, err := url.Parse(authorize)
	if err != nil || !strings.HasPrefix(authorize, p.Server.URL+"/authorize?") {
		p.t.Fatalf("sent to %v, %v", u.Host, err)
	}
	q := u.Query()
	for name, want := range map[string]string{"response_type": "code", "client_id": "ombud", "code_challenge_method": "S256"} {
		if q.Get(name) != want {
			p.t.Errorf("%s is %q", name, q.Get(name))
		}
	}
	if len(q.Get("state")) < 26 || len(q.Get("nonce")) < 26 || len(q.Get("code_challenge")) != 43 || !strings.Contains(q.Get("scope"), "openid") {
		p.t.Error("the question lacks state, nonce, challenge or scope")
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	code := "code-" + rand.Text()
	p.codes[code] = q
	return url.Values{"code": {code}, "state": {q.Get("state")}, "iss": {p.Server.URL}}
}

func (p *Provider) token(w http.ResponseWriter, r *http.Request) {
	p.mu.Lock()
	defer p.mu.Unlock()
	id, secret, _ := r.BasicAuth()
	secret, _ = url.QueryUnescape(secret) // RFC 6749, 2.3.1
	if id != "ombud" || secret != "the client's secret" {
		p.say(w, 401, map[string]string{"error": "invalid_client"})
		return
	}
	if r.FormValue("grant_type") == "refresh_token" {
		if p.Refresh != "" {
			p.say(w, 400, map[string]string{"error": p.Refresh})
			return
		}
		p.grant(w, nil)
		return
	}
	asked := p.codes[r.FormValue("code")]
	delete(p.codes, r.FormValue("code"))
	sum := sha256.Sum256([]byte(r.FormValue("code_verifier")))
	if asked == nil || asked.Get("redirect_uri") != r.FormValue("redirect_uri") || asked.Get("code_challenge") != base64.RawURLEncoding.EncodeToString(sum[:]) {
		p.say(w, 400, map[string]string{"error": "invalid_grant"})
		return
	}
	p.grant(w, asked)
}

// grant answers with tokens; those of the code flow name the person.
func (p *Provider) grant(w http.ResponseWriter, asked url.Values) {
	access := rand.Text()
	p.tokens[access] = true
	out := map[string]any{"access_token": access, "token_type": "Bearer", "expires_in": 5, "refresh_token": "again"}
	if asked != nil {
		raw := p.Sign("RS256", p.Right(asked.Get("nonce"), nil))
		if p.Forge != nil {
			raw = p.Forge(raw)
		}
		out["id_token"] = raw
	}
	p.say(w, 200, out)
}

func (p *Provider) userinfo(w http.ResponseWriter, r *http.Request) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.tokens[strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ")] || p.Info == nil {
		p.say(w, 500, map[string]string{"error": "server_error"})
		return
	}
	p.say(w, 200, p.Info)
}

// Right are the claims of a token as it should be, with changes; a nil value takes one out.
func (p *Provider) Right(nonce string, change map[string]any) map[string]any {
	now := p.Clock.Now()
	c := map[string]any{"iss": p.Server.URL, "aud": "ombud", "exp": now.Add(5 * time.Minute).Unix(), "iat": now.Unix(), "nonce": nonce}
	for _, m := range []map[string]any{p.Claims, change} {
		for name, value := range m {
			c[name] = value
			if value == nil {
				delete(c, name)
			}
		}
	}
	return c
}

// Farewell are the claims of a logout token as it should be, of the person of Claims, with changes; a nil value takes one out.
func (p *Provider) Farewell(change map[string]any) map[string]any {
	now := p.Clock.Now()
	c := map[string]any{"iss": p.Server.URL, "aud": "ombud", "exp": now.Add(2 * time.Minute).Unix(), "iat": now.Unix(), "jti": rand.Text(), "sub": p.Claims["sub"],
		"events": map[string]any{"http://schemas.openid.net/event/backchannel-logout": map[string]any{}}}
	for name, value := range change {
		if c[name] = value; value == nil {
			delete(c, name)
		}
	}
	return c
}

// Encode is JSON as a part of a token.
func Encode(v any) string {
	b, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return base64.RawURLEncoding.EncodeToString(b)
}

// Sign makes a token with the key of an algorithm.
func (p *Provider) Sign(alg string, claims map[string]any) string {
	kid := map[string]string{"ES256": "e"}[alg]
	if kid == "" {
		kid = "r"
	}
	return p.SignAs(map[string]any{"alg": alg, "kid": kid, "typ": "JWT"}, alg, claims)
}

// SignAs makes a token that says one thing of itself and is signed by another.
func (p *Provider) SignAs(header map[string]any, alg string, claims map[string]any) string {
	text := Encode(header) + "." + Encode(claims)
	sum := sha256.Sum256([]byte(text))
	var sig []byte
	var err error
	switch alg {
	case "RS256":
		sig, err = rsa.SignPKCS1v15(rand.Reader, p.Key, crypto.SHA256, sum[:])
	case "PS256":
		sig, err = rsa.SignPSS(rand.Reader, p.Key, crypto.SHA256, sum[:], nil)
	case "ES256":
		r, s, e := ecdsa.Sign(rand.Reader, p.ec, sum[:])
		sig, err = append(r.FillBytes(make([]byte, 32)), s.FillBytes(make([]byte, 32))...), e
	}
	if err != nil {
		panic(err)
	}
	return text + "." + base64.RawURLEncoding.EncodeToString(sig)
}
