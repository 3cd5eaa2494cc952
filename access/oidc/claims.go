package oidc

import (
	"encoding/json"
	"strings"
	"unicode"
)

// claims are what a provider says of somebody.
type claims struct {
	Subject string   `json:"sub"`
	Nonce   string   `json:"nonce"`
	AZP     string   `json:"azp"`
	ACR     string   `json:"acr"`
	AMR     []string `json:"amr"`
	Name    string   `json:"name"`
	User    string   `json:"preferred_username"`
	Email   string   `json:"email"`
	Session string   `json:"sid"`

	groups  []string
	grouped bool // it says something of groups, be it that there are none
}

// read takes claims, and of the claim that is named in the configuration the groups: a list of texts, or one text.
func (c *claims) read(from func(any) error, groups string) error {
	subject := c.Subject
	var all map[string]json.RawMessage
	if err := from(c); err != nil {
		return err
	}
	if subject != "" {
		c.Subject = subject
	}
	if err := from(&all); err != nil {
		return err
	}
	raw, ok := all[groups]
	if !ok || string(raw) == "null" {
		return nil
	}
	var one string
	if json.Unmarshal(raw, &one) == nil {
		c.groups, c.grouped = []string{one}, true
		return nil
	}
	c.grouped = true
	return json.Unmarshal(raw, &c.groups)
}

// display is how somebody is shown: by what the provider calls them, made harmless.
func (c *claims) display(provider string) string {
	for _, s := range []string{c.Name, c.User, c.Email} {
		s = strings.TrimSpace(strings.Map(func(r rune) rune {
			if unicode.IsControl(r) || unicode.Is(unicode.Cf, r) {
				return -1
			}
			return r
		}, s))
		if r := []rune(s); len(r) > 0 {
			return string(r[:min(len(r), 100)])
		}
	}
	return "Somebody of " + provider
}
