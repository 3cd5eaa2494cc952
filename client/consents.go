package client

import (
	"context"
	"time"
)

const jsonType = "application/json"

// RecordInput is a yes. The server refuses what cannot count as consent, with every reason.
type RecordInput struct {
	Subject    Subject           `json:"subject"`
	Purpose    string            `json:"purpose"`
	Categories []string          `json:"categories,omitempty"` // none means all of the purpose
	Status     string            `json:"status,omitempty"`     // given (default) or pending
	Method     string            `json:"method,omitempty"`     // explicit, explicit_opt_in, opt_in, web_form, api
	Notice     Notice            `json:"notice"`
	PreTicked  bool              `json:"pre_ticked,omitempty"`
	Bundled    bool              `json:"bundled,omitempty"` // made a condition of a contract that does not need it
	Interface  string            `json:"interface,omitempty"`
	UserAgent  string            `json:"user_agent,omitempty"`
	IP         string            `json:"ip,omitempty"`          // kept as a keyed hash only
	WithdrawBy string            `json:"withdraw_by,omitempty"` // how the person can withdraw
	Metadata   map[string]string `json:"metadata,omitempty"`
	TCF        string            `json:"tcf,omitempty"`
	GPP        string            `json:"gpp,omitempty"`

	IdempotencyKey string `json:"-"` // "" makes one for this call; your own also serves after a restart
}

// Notice names what the person saw.
type Notice struct {
	ID       string `json:"id"`
	Version  string `json:"version"`
	Language string `json:"language,omitempty"`
	// SeenRevision is that of a decision had before the notice was shown; needed once the person has withdrawn.
	SeenRevision *int64 `json:"seen_revision,omitempty"`
}

// Consent is what was recorded.
type Consent struct {
	ID         string    `json:"consent_id"`
	Subject    string    `json:"subject"`
	Purpose    string    `json:"purpose"`
	Categories []string  `json:"categories"`
	Status     string    `json:"status"`
	Recorded   time.Time `json:"recorded"`
	ValidUntil time.Time `json:"valid_until"`
	Renews     string    `json:"renews"`
	Token      string    `json:"token"`      // of a pending one: what Confirm takes, given out once
	ConfirmBy  time.Time `json:"confirm_by"` // of a pending one: when it lapses
	Revision   int64     `json:"revision"`
}

// WithdrawInput is a no: to a purpose, to categories, or to all.
type WithdrawInput struct {
	Subject    Subject  `json:"subject"`
	Purpose    string   `json:"purpose,omitempty"`
	Categories []string `json:"categories,omitempty"`
	All        bool     `json:"all,omitempty"`
	Reason     string   `json:"reason,omitempty"`

	IdempotencyKey string `json:"-"`
}

// Withdrawal is what ended.
type Withdrawal struct {
	Subject  string   `json:"subject"`
	Ended    int      `json:"ended"`
	Consents []string `json:"consents"`
	Purposes []string `json:"purposes"`
	Narrowed []string `json:"narrowed"`
	Revision int64    `json:"revision"`
}

// Record records a yes. Once it has answered, the consent is durable, and later questions of this client know of it.
func (c *Client) Record(ctx context.Context, in RecordInput) (Consent, error) {
	var out Consent
	err := c.write(ctx, "/v1/consents", jsonType, in.IdempotencyKey, in, &out)
	c.wrote(out.Revision, out.Subject, in.Subject)
	return out, err
}

// Withdraw records a no. Once it has answered, no question of this client is answered yes from before it; others hear of
// it within two seconds.
func (c *Client) Withdraw(ctx context.Context, in WithdrawInput) (Withdrawal, error) {
	var out Withdrawal
	err := c.write(ctx, "/v1/consents/withdraw", jsonType, in.IdempotencyKey, in, &out)
	c.wrote(out.Revision, out.Subject, in.Subject)
	return out, err
}

// Confirm is the second yes of a double opt-in: it gives the consent that waits for the token.
func (c *Client) Confirm(ctx context.Context, token string) (Consent, error) {
	var out Consent
	in := struct {
		Token string `json:"token"`
	}{token}
	err := c.write(ctx, "/v1/consents/confirm", jsonType, "", in, &out)
	c.wrote(out.Revision, out.Subject, nil)
	return out, err
}

// wrote forgets what is known of a person, also where the write failed: it may have been done.
func (c *Client) wrote(revision int64, id string, s Subject) {
	hashes := c.hashes(s)
	if id != "" {
		hashes = append(hashes, c.subject(id))
	}
	if len(hashes) > 0 {
		c.heard.note(revision, hashes...)
	}
}
