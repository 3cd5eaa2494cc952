package oidc_test

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/ombudhq/ombud/internal/testkit/idptest"
)

// forgery makes a token that must not be believed, out of the right one.
type forgery struct {
	what string
	make func(p *idptest.Provider, right string) string
}

// claimsOf are the claims of a token.
func claimsOf(raw string) map[string]any {
	b, err := base64.RawURLEncoding.DecodeString(strings.Split(raw, ".")[1])
	out := map[string]any{}
	if err != nil || json.Unmarshal(b, &out) != nil {
		panic("the right token cannot be read")
	}
	return out
}

// said is a forgery whose signature is right and whose claims are not.
func said(what string, change map[string]any) forgery {
	return forgery{what, func(p *idptest.Provider, right string) string {
		now := map[string]any{}
		for name, value := range change {
			if d, ok := value.(time.Duration); ok { // from the moment it is made
				value = p.Clock.Now().Add(d).Unix()
			}
			now[name] = value
		}
		return p.Sign("RS256", p.Right(claimsOf(right)["nonce"].(string), now))
	}}
}

// wrongClaims are tokens of the provider itself that are for somebody else, from somebody else, of another time, or
// the answer to another question.
func wrongClaims() (out []forgery) {
	for _, c := range []struct {
		name   string
		values []any
	}{
		{"iss", []any{nil, "", "https://evil.example", "http://127.0.0.1", 7, []string{"x"}, "https://127.0.0.1:1/"}},
		{"aud", []any{nil, "", "other", "ombud2", "OMBUD", []string{}, []string{"other"}, []string{"ombud", "other"}, 7, map[string]string{}}},
		{"azp", []any{"other", "ombud "}},
		{"exp", []any{nil, 0, -1, time.Duration(0), -time.Second, -time.Hour, "tomorrow", []int{1}}},
		{"nbf", []any{6 * time.Minute, time.Hour, 9000 * time.Hour, "tomorrow"}},
		{"iat", []any{nil, 0, -11 * time.Minute, -24 * time.Hour, 11 * time.Minute, "now"}},
		{"nonce", []any{nil, "", "other", 7, strings.Repeat("A", 26)}},
		{"sub", []any{nil, "", 7, strings.Repeat("x", 256)}},
		{"at_hash", []any{"AAAAAAAAAAAAAAAAAAAAAA", "x"}},
		{"groups", []any{7, map[string]any{}}},
	} {
		for _, v := range c.values {
			out = append(out, said(fmt.Sprintf("%s: %v", c.name, v), map[string]any{c.name: v}))
		}
	}
	return out
}

// wrongKeys are tokens whose claims are right and that the provider did not sign.
func wrongKeys(t *testing.T) (out []forgery) {
	other, err := rsa.GenerateKey(rand.Reader, 2048)
	must(t, err)
	headers := []map[string]any{{"alg": "none"}, {"alg": "None"}, {"alg": "NONE"}, {"alg": "nOnE"}, {"alg": ""}, {}, {"alg": "HS256"}, {"alg": "HS384"}, {"alg": "HS512"}, {"alg": "RS1"}, {"alg": "dir"}, {"alg": "RSA-OAEP"}}
	for _, h := range headers {
		for _, kid := range []any{nil, "r", "e", "../../../dev/null", "' or 1=1 --", "", 7} {
			head := map[string]any{"kid": kid, "typ": "JWT"}
			if kid == nil {
				delete(head, "kid")
			}
			for k, v := range h {
				head[k] = v
			}
			out = append(out, forgery{fmt.Sprintf("header %v", head), func(p *idptest.Provider, right string) string {
				return p.SignAs(head, "", claimsOf(right))
			}})
		}
	}
	secrets := map[string]func(*idptest.Provider) []byte{
		"the public key as PEM": func(p *idptest.Provider) []byte {
			der, _ := x509.MarshalPKIXPublicKey(&p.Key.PublicKey)
			return pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der})
		},
		"the public key as DER": func(p *idptest.Provider) []byte { der, _ := x509.MarshalPKIXPublicKey(&p.Key.PublicKey); return der },
		"the modulus":           func(p *idptest.Provider) []byte { return p.Key.N.Bytes() },
		"the client's secret":   func(*idptest.Provider) []byte { return []byte("the client's secret") },
		"nothing":               func(*idptest.Provider) []byte { return nil },
	}
	for what, secret := range secrets {
		for _, kid := range []string{"r", "e", "x"} {
			out = append(out, forgery{"HS256 with " + what, func(p *idptest.Provider, right string) string {
				text := idptest.Encode(map[string]any{"alg": "HS256", "kid": kid}) + "." + strings.Split(right, ".")[1]
				mac := hmac.New(sha256.New, secret(p))
				mac.Write([]byte(text))
				return text + "." + base64.RawURLEncoding.EncodeToString(mac.Sum(nil))
			}})
		}
	}
	strange := func(header map[string]any) forgery {
		return forgery{fmt.Sprintf("a key of its own: %v", header), func(p *idptest.Provider, right string) string {
			return (&idptest.Provider{Key: other}).SignAs(header, "RS256", claimsOf(right))
		}}
	}
	jwk := map[string]any{"kty": "RSA", "kid": "r", "n": base64.RawURLEncoding.EncodeToString(other.N.Bytes()), "e": "AQAB"}
	for _, header := range []map[string]any{{"alg": "RS256", "kid": "r"}, {"alg": "RS256"}, {"alg": "RS256", "kid": "x"}, {"alg": "RS256", "jwk": jwk}, {"alg": "RS256", "kid": "r", "jwk": jwk},
		{"alg": "RS256", "jku": "https://evil.example/keys"}, {"alg": "RS256", "kid": "r", "jku": "http://169.254.169.254/"}, {"alg": "RS256", "x5u": "https://evil.example/c"},
		{"alg": "RS256", "kid": "r", "crit": []string{"exp"}}, {"alg": "ES256", "kid": "e"}, {"alg": "ES256", "kid": "r"}, {"alg": "PS256", "kid": "r"}} {
		out = append(out, strange(header))
	}
	return out
}

// wrongTexts are tokens that were changed on their way.
func wrongTexts() (out []forgery) {
	add := func(what string, change func(head, body, sig string) string) {
		out = append(out, forgery{what, func(_ *idptest.Provider, right string) string {
			s := strings.Split(right, ".")
			return change(s[0], s[1], s[2])
		}})
	}
	for i := range 40 {
		add(fmt.Sprintf("one character of the signature, %d", i), func(h, b, s string) string {
			at := i * (len(s) - 2) / 40
			c := byte('A')
			if s[at] == c {
				c = 'B'
			}
			return h + "." + b + "." + s[:at] + string(c) + s[at+1:]
		})
	}
	add("empty", func(string, string, string) string { return "" })
	add("no signature", func(h, b, _ string) string { return h + "." + b + "." })
	add("two parts", func(h, b, _ string) string { return h + "." + b })
	add("four parts", func(h, b, s string) string { return h + "." + b + "." + s + "." + s })
	add("five parts", func(h, b, s string) string { return h + "." + b + "." + s + ".." })
	add("the body of another", func(h, _, s string) string { return h + "." + idptest.Encode(map[string]any{"sub": "1002"}) + "." + s })
	add("parts changed over", func(h, b, s string) string { return b + "." + h + "." + s })
	add("more than one body", func(h, b, s string) string {
		return `{"payload":"` + b + `","signatures":[{"protected":"` + h + `","signature":"` + s + `"},{"protected":"` + h + `","signature":"AAAA"}]}`
	})
	add("nothing but dots", func(string, string, string) string { return ".." })
	add("very long", func(h, b, s string) string { return h + "." + b + strings.Repeat("A", 1<<20) + "." + s })
	return out
}

// TestForgedTokens: of more than two hundred tokens that must not be believed none lets anybody in; the right ones do.
func TestForgedTokens(t *testing.T) {
	h := newHall(t).first()
	h.idp.Claims["amr"] = []string{"otp"}
	var first string
	h.idp.Forge = func(right string) string { first = right; return right }
	h.arrive()
	all := append(append(wrongClaims(), wrongKeys(t)...), wrongTexts()...)
	all = append(all, forgery{"a token that was good once", func(*idptest.Provider, string) string { return first }})
	if len(all) < 200 {
		t.Fatalf("%d forgeries", len(all))
	}
	accepted := 0
	for _, f := range all {
		h.idp.Forge = func(right string) string { return f.make(h.idp, right) }
		if _, err := h.finish(h.away()); err == nil {
			accepted++
			t.Errorf("%s is believed", f.what)
		}
		h.clock.Advance(20 * time.Second) // so many tries from one address are too many at once
	}
	t.Logf("%d forged tokens, %d accepted", len(all), accepted)
	for _, alg := range []string{"RS256", "ES256", "PS256"} {
		h.idp.Forge = func(right string) string {
			return h.idp.Sign(alg, h.idp.Right(claimsOf(right)["nonce"].(string), map[string]any{"nbf": h.clock.Now().Unix(), "azp": "ombud", "aud": []string{"other", "ombud"}}))
		}
		if _, err := h.finish(h.away()); err != nil {
			t.Errorf("%s, as it should be: %v", alg, err)
		}
	}
}
