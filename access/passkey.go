package access

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"time"
	"unicode"

	"github.com/go-webauthn/webauthn/protocol"
	"github.com/go-webauthn/webauthn/webauthn"

	"github.com/ombudhq/ombud/internal/db"
	"github.com/ombudhq/ombud/internal/fault"
)

const (
	passkeysKept   = 10 // of one account
	challengeLasts = 5 * time.Minute
	answerLongest  = 64 << 10
)

// Passkey is one as it may be shown.
type Passkey struct {
	ID      string     `json:"id"`
	Name    string     `json:"name"`
	Created time.Time  `json:"created"`
	Used    *time.Time `json:"used,omitempty"`
}

// passkey is one as it is kept: what its device must show.
type passkey struct {
	Name       string              `json:"name"`
	Created    int64               `json:"created"`
	Used       int64               `json:"used,omitempty"`
	Credential webauthn.Credential `json:"credential"`
}

func (p passkey) id() string { return hex.EncodeToString(p.Credential.ID) }

func (p passkey) show() Passkey {
	return Passkey{p.id(), p.Name, time.Unix(p.Created, 0).UTC(), timeOf(p.Used)}
}

// newPasskey is one that a session is making.
type newPasskey struct {
	name, origin string
	ends         time.Time
	session      webauthn.SessionData
}

// holder is an account as the library wants to see it. A device knows it by its id, which says nothing.
type holder struct{ *record }

func (h holder) WebAuthnID() []byte          { return []byte(h.ID) }
func (h holder) WebAuthnName() string        { return h.Name }
func (h holder) WebAuthnDisplayName() string { return h.Display }
func (h holder) WebAuthnCredentials() (out []webauthn.Credential) {
	for _, p := range h.Passkeys {
		out = append(out, p.Credential)
	}
	return out
}

// PasskeysAt tells whether there can be passkeys under an address: they belong to a name, reached encrypted or on the same
// machine, and never to a number.
func PasskeysAt(origin string) bool {
	u, err := url.Parse(origin)
	if err != nil || u.Scheme != "https" && u.Hostname() != "localhost" {
		return false
	}
	_, err = netip.ParseAddr(u.Hostname())
	return err != nil && u.Hostname() != ""
}

// site speaks for one address. Who has a passkey shows that they are there, and who they are to their device.
func site(origin string) (*webauthn.WebAuthn, error) {
	if !PasskeysAt(origin) {
		return nil, fault.New(fault.Conflict, "there are no passkeys under this address").Then("Open Ombud by a name: the one of serve.url, or localhost.")
	}
	u, err := url.Parse(origin)
	if err != nil {
		return nil, err
	}
	required := true
	return webauthn.New(&webauthn.Config{RPID: u.Hostname(), RPDisplayName: "Ombud", RPOrigins: []string{origin}, AttestationPreference: protocol.PreferNoAttestation,
		AuthenticatorSelection: protocol.AuthenticatorSelection{RequireResidentKey: &required, ResidentKey: protocol.ResidentKeyRequirementRequired, UserVerification: protocol.VerificationRequired}})
}

// BeginPasskey begins to make a passkey for the own account, after its password, or for who has just given it: what it gives
// goes to the device. For an account that an identity provider vouches for it is the second factor where that asked for none.
func (a *Accounts) BeginPasskey(ctx context.Context, who Caller, origin, name, password string) (json.RawMessage, error) {
	rp, err := site(origin)
	if err != nil {
		return nil, err
	}
	if name = strings.TrimSpace(name); name == "" || len(name) > 100 || strings.ContainsFunc(name, unicode.IsControl) {
		return nil, fault.New(fault.Invalid, "this passkey cannot be made").With(fault.Detail{Where: "passkey-name", Message: "a name has 1 to 100 bytes and no control characters"})
	}
	_, s := a.sessionOf(who)
	if s == nil || s.stage != AskSetup {
		if _, s, err = a.prove(ctx, who, password); err != nil {
			return nil, err
		}
	}
	var r *record
	err = a.db.Read(ctx, func(tx *db.Tx) (err error) {
		r, err = a.current(ctx, tx, s)
		return err
	})
	if err != nil {
		return nil, err
	}
	if len(r.Passkeys) >= passkeysKept {
		return nil, fault.New(fault.Conflict, "there are %d passkeys already", passkeysKept).Then("Remove one first.")
	}
	options, session, err := rp.BeginRegistration(holder{r}, webauthn.WithExclusions(webauthn.Credentials(holder{r}.WebAuthnCredentials()).CredentialDescriptors()))
	if err != nil {
		return nil, err
	}
	session.Expires = time.Time{} // by our own clock
	a.mu.Lock()
	s.passkey = &newPasskey{name, origin, a.clock.Now().Add(challengeLasts), *session}
	a.mu.Unlock()
	return json.Marshal(options.Response)
}

// making takes the passkey that a session makes; a challenge is answered once.
func (a *Accounts) making(s *session) *newPasskey {
	a.mu.Lock()
	defer a.mu.Unlock()
	p := s.passkey
	s.passkey = nil
	if p == nil || !a.clock.Now().Before(p.ends) {
		return nil
	}
	return p
}

// ConfirmPasskey takes the passkey that the device answered with into use. It ends the account's other sessions; who was
// half way in is signed in. Where there were no recovery codes, or those of codes by e-mail, it gives some, this once.
func (a *Accounts) ConfirmPasskey(ctx context.Context, who Caller, answer []byte) (Entry, []string, error) {
	from, s := a.sessionOf(who)
	if s == nil {
		return Entry{}, nil, errHalfOver()
	}
	p := a.making(s)
	if p == nil {
		return Entry{}, nil, errHalfOver()
	}
	rp, err := site(p.origin)
	if err != nil {
		return Entry{}, nil, err
	}
	parsed, err := protocol.ParseCredentialCreationResponseBytes(answer[:min(len(answer), answerLongest)])
	if err != nil {
		return Entry{}, nil, errDevice()
	}
	shown, kept := a.newCodes(s.account)
	given := false
	what := changePasskey
	if s.stage == AskSetup {
		what = changeFirstFactor
	}
	e, err := a.renew(ctx, from, s, what, func(r *record) error {
		c, err := rp.CreateCredential(holder{r}, p.session, parsed)
		if err != nil || slices.ContainsFunc(r.Passkeys, func(o passkey) bool { return string(o.Credential.ID) == string(c.ID) }) {
			return errDevice()
		}
		c.Attestation = webauthn.CredentialAttestation{} // nothing about the device itself is kept
		if given = len(r.Codes) == 0 || r.ByMail; given {
			r.Codes = kept
		}
		r.Passkeys, r.ByMail = append(r.Passkeys, passkey{p.name, a.clock.Now().Unix(), 0, *c}), false
		r.SignedIn = a.clock.Now().Unix()
		return nil
	})
	if err != nil || !given {
		return e, nil, err
	}
	return e, shown, nil
}

func errDevice() error {
	return fault.New(fault.Denied, "what the device answered cannot be taken").Then("Begin again. The device must ask for your finger, face or PIN.")
}

// RemovePasskey takes a passkey from the own account, after its password, and ends its other sessions. fault.Conflict when
// it is the only second factor.
func (a *Accounts) RemovePasskey(ctx context.Context, who Caller, id, password string) (Entry, error) {
	from, s, err := a.prove(ctx, who, password)
	if err != nil {
		return Entry{}, err
	}
	return a.renew(ctx, from, s, changePasskeyRemoved, func(r *record) error {
		at := slices.IndexFunc(r.Passkeys, func(p passkey) bool { return p.id() == id })
		if at < 0 {
			return fault.New(fault.NotFound, "there is no such passkey")
		}
		if len(r.Passkeys) == 1 && r.Factor == nil {
			return fault.New(fault.Conflict, "this is the only second factor of the account").Then("Set up an app or another passkey first.")
		}
		r.Passkeys = slices.Delete(r.Passkeys, at, at+1)
		return nil
	})
}

// AskPasskey gives the question that a passkey answers to sign in under an address. Nothing is kept of it until it is
// answered: it says itself how long it is good, and that it is ours.
func (a *Accounts) AskPasskey(origin string) (json.RawMessage, error) {
	rp, err := site(origin)
	if err != nil {
		return nil, err
	}
	challenge := make([]byte, 24, 56)
	rand.Read(challenge[:16]) // never fails: it ends the process instead
	binary.BigEndian.PutUint64(challenge[16:], uint64(a.clock.Now().Add(challengeLasts).Unix()))
	challenge = append(challenge, a.challengeMAC(origin, challenge)...)
	options, _, err := rp.BeginDiscoverableLogin(webauthn.WithChallenge(challenge), webauthn.WithUserVerification(protocol.VerificationRequired))
	if err != nil {
		return nil, err
	}
	return json.Marshal(options.Response)
}

func (a *Accounts) challengeMAC(origin string, head []byte) []byte {
	sum := a.vault.MAC("passkey-challenge", []byte(origin), head)
	return sum[:]
}

// ours takes a challenge that we gave out for an address, that is not too old, and that was not answered yet.
func (a *Accounts) ours(origin, challenge string) bool {
	b, err := base64.RawURLEncoding.DecodeString(challenge)
	if err != nil || len(b) != 56 || !hmac.Equal(b[24:], a.challengeMAC(origin, b[:24])) {
		return false
	}
	ends, now := int64(binary.BigEndian.Uint64(b[16:24])), a.clock.Now().Unix()
	a.mu.Lock()
	defer a.mu.Unlock()
	for c, end := range a.spent {
		if now >= end {
			delete(a.spent, c)
		}
	}
	if _, answered := a.spent[challenge]; answered || now >= ends || len(a.spent) >= triesKnown {
		return false
	}
	a.spent[challenge] = ends
	return true
}

// Passkey signs in whose device answered the question of AskPasskey: having it is one factor, finger, face or PIN the other.
// For who came from an identity provider it is the second factor alone: they must be half way. A try counts before it is looked
// at, for the account and for the address it comes from.
func (a *Accounts) Passkey(ctx context.Context, who Caller, origin string, answer []byte, address string) (Entry, error) {
	rp, err := site(origin)
	if err != nil {
		return Entry{}, err
	}
	parsed, err := protocol.ParseCredentialRequestResponseBytes(answer[:min(len(answer), answerLongest)])
	if err != nil {
		return Entry{}, errDevice()
	}
	account := string(parsed.Response.UserHandle)
	counted, ofAddress := "passkey "+account, "address "+address
	if err := a.tries.count(ctx, limit{what: counted, most: triesPerAccount}, limit{what: ofAddress, most: triesPerAddress}); err != nil {
		return Entry{}, err
	}
	if !a.ours(origin, parsed.Response.CollectedClientData.Challenge) {
		return Entry{}, errHalfOver()
	}
	from, half := a.sessionOf(who)
	question := webauthn.SessionData{Challenge: parsed.Response.CollectedClientData.Challenge, RelyingPartyID: rp.Config.RPID, UserVerification: protocol.VerificationRequired}
	var token string
	err = a.db.Write(ctx, func(tx *db.Tx) error {
		token = ""
		r, err := a.answered(ctx, tx, rp, question, parsed, account, half)
		if err != nil || r == nil {
			return err
		}
		token, err = a.begin(ctx, tx, r, from, "passkey")
		return err
	})
	if err != nil {
		return Entry{}, err
	}
	if token == "" {
		return Entry{}, fault.New(fault.Denied, "this passkey does not open an account").Then("Sign in with name and password, or with another passkey.")
	}
	a.tries.right(counted, ofAddress)
	return Entry{token, SignedIn}, nil
}

// asks tells that a session waits for the second factor of an account as it is now.
func (s *session) asks(r *record) bool {
	return s != nil && s.stage == AskCode && s.account == r.ID && s.epoch == r.Epoch
}

// answered finds whose passkey gave an answer; nil when it is nobody's who may come in, which it notes.
func (a *Accounts) answered(ctx context.Context, tx *db.Tx, rp *webauthn.WebAuthn, question webauthn.SessionData, answer *protocol.ParsedCredentialAssertionData, account string, half *session) (*record, error) {
	r, err := a.find(ctx, tx, account)
	if fault.KindOf(err) == fault.NotFound {
		return nil, a.noteRefused(tx, "", "passkey")
	}
	if err != nil {
		return nil, err
	}
	var c *webauthn.Credential
	if r.Enabled && r.ID == account && (r.Vouched == nil || half.asks(r)) {
		_, c, err = rp.ValidatePasskeyLogin(func(_, _ []byte) (webauthn.User, error) { return holder{r}, nil }, question, answer)
	}
	if c == nil || err != nil || c.Authenticator.CloneWarning {
		return nil, a.noteRefused(tx, r.ID, "passkey")
	}
	for i := range r.Passkeys {
		if string(r.Passkeys[i].Credential.ID) == string(c.ID) {
			r.Passkeys[i].Credential, r.Passkeys[i].Used = *c, a.clock.Now().Unix()
		}
	}
	r.SignedIn = a.clock.Now().Unix()
	return r, a.write(ctx, tx, r)
}
