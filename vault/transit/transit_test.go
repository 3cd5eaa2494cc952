package transit

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/ombudhq/ombud/internal/fault"
	"github.com/ombudhq/ombud/internal/testkit/baotest"
	"github.com/ombudhq/ombud/vault"
	"github.com/ombudhq/ombud/vault/vaulttest"
)

func client() *http.Client { return &http.Client{Timeout: time.Minute} }

func provider(t *testing.T, c Config) *Provider {
	t.Helper()
	c.HTTP = client()
	p, err := New(c)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestTransitOfOpenBao(t *testing.T) {
	s := baotest.Start(t)
	keys := 0
	for name, kind := range map[string]map[string]any{
		"plain":   {"type": "aes256-gcm96"},
		"derived": {"type": "xchacha20-poly1305", "derived": true},
	} {
		t.Run(name, func(t *testing.T) {
			vaulttest.Run(t, func(t *testing.T) vaulttest.Setup {
				make := func() func() vault.Provider {
					keys++
					name := fmt.Sprintf("ombud-%d", keys)
					s.Do("POST", "transit/keys/"+name, kind)
					return func() vault.Provider {
						return provider(t, Config{Address: s.Address, Key: name, Token: baotest.Token})
					}
				}
				again := make()
				return vaulttest.Setup{Provider: again(), Again: again, Other: make()()}
			})
		})
	}
}

// A token that its policy lets do only what a start needs, kept fresh in a file.
func TestTransitWithFewRights(t *testing.T) {
	s := baotest.Start(t)
	s.Do("POST", "transit/keys/ombud", map[string]any{})
	s.Do("PUT", "sys/policies/acl/ombud", map[string]any{"policy": `
path "transit/keys/ombud" { capabilities = ["read"] }
path "transit/encrypt/ombud" { capabilities = ["update"] }
path "transit/decrypt/ombud" { capabilities = ["update"] }`})
	auth := s.Do("POST", "auth/token/create", map[string]any{"policies": []string{"ombud"}})["auth"].(map[string]any)
	file := filepath.Join(t.TempDir(), "token")
	if err := os.WriteFile(file, []byte(auth["client_token"].(string)+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	p := provider(t, Config{Address: s.Address, Key: "ombud", TokenFile: file})
	wrapped, err := p.Wrap(t.Context(), []byte("key"), nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := p.Rotate(t.Context()); fault.KindOf(err) != fault.Denied {
		t.Errorf("rotating without the right: %v", err)
	}
	if err := p.Destroy(t.Context(), "1"); fault.KindOf(err) != fault.Denied {
		t.Errorf("destroying without the right: %v", err)
	}
	if err := os.WriteFile(file, []byte("s.not-a-token"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := p.Unwrap(t.Context(), wrapped, nil); fault.KindOf(err) != fault.Denied {
		t.Errorf("another token: %v", err)
	}
	missing := provider(t, Config{Address: s.Address, Key: "nobody", Token: baotest.Token})
	if _, err := missing.Wrap(t.Context(), []byte("key"), nil); fault.KindOf(err) != fault.NotFound {
		t.Errorf("no key: %v", err)
	}
	s.Do("POST", "transit/keys/signs", map[string]any{"type": "ed25519"})
	signs := provider(t, Config{Address: s.Address, Key: "signs", Token: baotest.Token})
	if _, err := signs.Wrap(t.Context(), []byte("key"), nil); fault.KindOf(err) != fault.Invalid {
		t.Errorf("a key that signs: %v", err)
	}
	s.Do("PUT", "sys/seal", nil)
	if _, err := missing.Version(t.Context()); fault.KindOf(err) != fault.Unavailable {
		t.Errorf("sealed: %v", err)
	}
}

func TestTransitNamesEveryFault(t *testing.T) {
	_, err := New(Config{Address: "bao:8200", Key: "a/../b", Mount: "x/../y", Token: "a", TokenFile: "b"})
	for _, want := range []string{"address", "key", "mount", "token"} {
		if fault.KindOf(err) != fault.Invalid || !strings.Contains(err.Error(), want+":") {
			t.Errorf("%s is not named: %v", want, err)
		}
	}
}

// What the server answers, and where it is, stays out of errors.
func TestTransitErrorsAreQuiet(t *testing.T) {
	for _, answer := range []struct {
		status int
		body   string
		want   fault.Kind
	}{
		{500, `{"errors":["hvs.SECRET failed"]}`, fault.Unavailable},
		{200, `hvs.SECRET`, fault.Unavailable},
		{200, `{"data":{"type":"hvs.SECRET"}}`, fault.Invalid},
		{302, ``, fault.Unavailable},
		{403, `{"errors":["permission denied hvs.SECRET"]}`, fault.Denied},
	} {
		srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(answer.status)
			fmt.Fprint(w, answer.body)
		}))
		p := provider(t, Config{Address: srv.URL, Key: "k", Token: "hvs.SECRET"})
		_, err := p.Wrap(t.Context(), []byte("key"), nil)
		srv.Close()
		if fault.KindOf(err) != answer.want || strings.Contains(err.Error(), "SECRET") {
			t.Errorf("%d: %v", answer.status, err)
		}
		_, err = p.Wrap(t.Context(), []byte("key"), nil) // nobody is there now
		if fault.KindOf(err) != fault.Unavailable || strings.Contains(err.Error(), "127.0.0.1") {
			t.Errorf("nobody there: %v", err)
		}
	}
}
