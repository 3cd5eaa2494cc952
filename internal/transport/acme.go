package transport

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"
	"unicode"

	"golang.org/x/crypto/acme"

	"github.com/ombudhq/ombud/internal/clock"
)

// Authority gives certificates by ACME (RFC 8555), proven in the handshake (RFC 8737). Whatever fails, the certificate
// there is stays in use.
type Authority struct {
	Host, Directory, Email string
	Client                 *http.Client // reaches it
	// Load gives what is kept under a name, fs.ErrNotExist where nothing is; Save keeps it, durably.
	Load  func(name string) ([]byte, error)
	Save  func(name string, data []byte) error
	Clock clock.Clock
	Log   *slog.Logger

	mu    sync.Mutex
	now   *tls.Certificate // nil until there is one
	proof *tls.Certificate // shown to the authority while it looks whether we are who we say
}

// Standing is how it stands with the certificate.
type Standing struct {
	Until  time.Time `json:"until,omitzero"`  // zero: there is none
	Failed time.Time `json:"failed,omitzero"` // when it was last tried in vain; zero: the last try went well
	Why    string    `json:"why,omitempty"`
}

// Names under which things are kept, beside the certificate, which is under its host.
const (
	accountKey = "acme_account+key"
	lastTry    = "last try"
)

const (
	tryTakes = 3 * time.Minute  // at most
	tryAgain = time.Hour        // while there is a certificate
	tryFirst = 15 * time.Minute // while there is none: public authorities take five wrong tries an hour
)

const (
	challenge  = "tls-alpn-01"
	longestWhy = 600 // bytes of an authority's words that are repeated
)

// Run gets the first certificate, and the next one each time when a third of the time of the last is left, until ctx
// ends. A try in vain is logged, and told by Standing until one went well.
func (a *Authority) Run(ctx context.Context) {
	a.Log.Info("certificates come by ACME", "host", a.Host)
	for ctx.Err() == nil {
		wait := a.due()
		if wait <= 0 {
			wait = a.try(ctx)
		}
		select {
		case <-a.Clock.After(min(wait, tryAgain)): // a clock that was set is noticed
		case <-ctx.Done():
			return
		}
	}
}

// due is how long the next certificate has time.
func (a *Authority) due() time.Duration {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.now == nil {
		return 0
	}
	c := a.now.Leaf
	return c.NotAfter.Add(-c.NotAfter.Sub(c.NotBefore) / 3).Sub(a.Clock.Now())
}

// try asks for a certificate, and tells when to look again.
func (a *Authority) try(ctx context.Context) time.Duration {
	inTime, cancel := context.WithTimeout(ctx, tryTakes)
	defer cancel()
	err := a.renew(inTime)
	if ctx.Err() != nil {
		return 0
	}
	last := Standing{}
	if err != nil {
		last = Standing{Failed: a.Clock.Now(), Why: a.plain(err)}
	}
	if b, e := json.Marshal(last); e == nil {
		err = errors.Join(err, a.Save(lastTry, b))
	}
	until := a.until()
	switch {
	case err != nil && until.IsZero():
		a.Log.Error("there is no certificate: the authority gave none", "host", a.Host, "error", a.plain(err))
		return tryFirst
	case err != nil:
		a.Log.Error("the certificate could not be renewed; the former one stays", "host", a.Host, "until", until, "error", a.plain(err))
		return tryAgain
	}
	a.Log.Info("the certificate is new", "host", a.Host, "until", until)
	return max(a.due(), tryFirst) // also when our clock and theirs differ by weeks
}

// plain is an error in one line of bounded length, without the e-mail, which authorities repeat.
func (a *Authority) plain(err error) string {
	text := strings.Join(strings.FieldsFunc(err.Error(), func(r rune) bool { return unicode.IsControl(r) || unicode.IsSpace(r) }), " ")
	if a.Email != "" {
		text = strings.ReplaceAll(text, a.Email, "the e-mail")
	}
	return strings.ToValidUTF8(text[:min(len(text), longestWhy)], "")
}

func (a *Authority) until() time.Time {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.now == nil {
		return time.Time{}
	}
	return a.now.Leaf.NotAfter
}

// Standing reads how it stands, from what is kept.
func (a *Authority) Standing() (Standing, error) {
	if err := a.restore(); err != nil {
		return Standing{}, err
	}
	var s Standing
	b, err := a.Load(lastTry)
	if err == nil {
		err = json.Unmarshal(b, &s)
	}
	if errors.Is(err, fs.ErrNotExist) {
		err = nil
	}
	s.Until = a.until()
	return s, err
}

// restore takes in the certificate that is kept, if there is one.
func (a *Authority) restore() error {
	b, err := a.Load(a.Host)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("reading the certificate: %w", err)
	}
	return a.use(b)
}

// use shows a key with its certificate, both as PEM, from now on.
func (a *Authority) use(text []byte) error {
	pair, err := tls.X509KeyPair(text, text)
	if err == nil {
		err = pair.Leaf.VerifyHostname(a.Host)
	}
	if err != nil {
		return fmt.Errorf("taking in a certificate: %w", err)
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	a.now = &pair
	return nil
}

// get is what a handshake is answered with.
func (a *Authority) get(h *tls.ClientHelloInfo) (*tls.Certificate, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	out := a.now
	if proves(h) {
		out = a.proof
	}
	if out == nil {
		return nil, errors.New("there is no certificate yet")
	}
	return out, nil
}

// proves tells a handshake of an authority that looks whether we are who we say.
func proves(h *tls.ClientHelloInfo) bool {
	return slices.Equal(h.SupportedProtos, []string{acme.ALPNProto})
}

// renew gets a new certificate for a new key. What it costs the authority is spent only for what can be kept.
func (a *Authority) renew(ctx context.Context) error {
	client, err := a.client(ctx)
	if err != nil {
		return err
	}
	order, err := client.AuthorizeOrder(ctx, acme.DomainIDs(a.Host))
	if err != nil {
		return fmt.Errorf("ordering a certificate: %w", err)
	}
	defer a.show(nil)
	for _, url := range order.AuthzURLs {
		if err := a.prove(ctx, client, url); err != nil {
			return err
		}
	}
	if order, err = client.WaitOrder(ctx, order.URI); err != nil {
		return fmt.Errorf("waiting for the order: %w", err)
	}
	key, text, err := newKey()
	if err != nil {
		return err
	}
	csr, err := x509.CreateCertificateRequest(rand.Reader, &x509.CertificateRequest{DNSNames: []string{a.Host}}, key)
	if err != nil {
		return fmt.Errorf("asking for a certificate: %w", err)
	}
	chain, _, err := client.CreateCertFromOrder(ctx, order, csr, true)
	if err != nil {
		return fmt.Errorf("fetching the certificate: %w", err)
	}
	for _, der := range chain {
		text = append(text, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})...)
	}
	if err := a.use(text); err != nil {
		return err
	}
	return a.Save(a.Host, text)
}

// prove answers the challenge of one authorization, if it still waits for one.
func (a *Authority) prove(ctx context.Context, client *acme.Client, url string) error {
	z, err := client.GetAuthorization(ctx, url)
	if err != nil {
		return fmt.Errorf("reading an authorization: %w", err)
	}
	if z.Status != acme.StatusPending {
		return nil
	}
	i := slices.IndexFunc(z.Challenges, func(c *acme.Challenge) bool { return c.Type == challenge })
	if i < 0 {
		return errors.New("the authority does not offer " + challenge)
	}
	proof, err := client.TLSALPN01ChallengeCert(z.Challenges[i].Token, a.Host)
	if err != nil {
		return fmt.Errorf("making the proof: %w", err)
	}
	a.show(&proof)
	if _, err = client.Accept(ctx, z.Challenges[i]); err == nil {
		_, err = client.WaitAuthorization(ctx, z.URI)
	}
	if err != nil {
		return fmt.Errorf("proving whose host it is: %w", err)
	}
	return nil
}

func (a *Authority) show(proof *tls.Certificate) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.proof = proof
}

// client is one with an account there: the kept one, or a new one.
func (a *Authority) client(ctx context.Context) (*acme.Client, error) {
	key, err := a.account()
	if err != nil {
		return nil, err
	}
	c := &acme.Client{Key: key, DirectoryURL: a.Directory, HTTPClient: a.Client, UserAgent: "ombud"}
	account := &acme.Account{}
	if a.Email != "" {
		account.Contact = []string{"mailto:" + a.Email}
	}
	if _, err = c.Register(ctx, account, acme.AcceptTOS); err != nil && !errors.Is(err, acme.ErrAccountAlreadyExists) {
		return nil, fmt.Errorf("registering with the authority: %w", err)
	}
	return c, nil
}

func (a *Authority) account() (crypto.Signer, error) {
	text, err := a.Load(accountKey)
	if errors.Is(err, fs.ErrNotExist) {
		key, text, err := newKey()
		if err != nil {
			return nil, err
		}
		return key, a.Save(accountKey, text)
	}
	if err != nil {
		return nil, fmt.Errorf("reading the key of the account: %w", err)
	}
	block, _ := pem.Decode(text)
	if block == nil {
		return nil, errors.New("the key of the account is damaged")
	}
	return x509.ParseECPrivateKey(block.Bytes)
}

// newKey is one of its own, and its PEM.
func newKey() (*ecdsa.PrivateKey, []byte, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, nil, fmt.Errorf("making a key: %w", err)
	}
	der, err := x509.MarshalECPrivateKey(key)
	if err != nil {
		return nil, nil, fmt.Errorf("making a key: %w", err)
	}
	return key, pem.EncodeToMemory(&pem.Block{Type: "EC PRIVATE KEY", Bytes: der}), nil
}
