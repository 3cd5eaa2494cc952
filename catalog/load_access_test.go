package catalog

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func parseOIDC(text string) (*Config, error) {
	return Parse("ombud.yaml", []byte("organization: {name: x}\nsystems: []\naccess: {oidc: ["+text+"]}\n"))
}

func TestLoadOIDC(t *testing.T) {
	cfg, err := parseOIDC("{id: work, issuer: 'https://login.example.com', client_id: ombud, client_secret: '${OIDC_SECRET}', roles: [{group: a, role: auditor}], match: all, amr: [otp]}")
	if err != nil {
		t.Fatal(err)
	}
	want := []OIDC{{ID: "work", Name: "work", Issuer: "https://login.example.com", ClientID: "ombud", ClientSecret: "${OIDC_SECRET}", Groups: "groups", Roles: []Grant{{"a", "auditor"}}, Match: "all", AMR: []string{"otp"}}}
	if d := cmp.Diff(want, cfg.Access.OIDC); d != "" {
		t.Error(d)
	}
}

// TestFaultsOfOIDC: a secret in the file, a role nobody has, a provider in the clear.
func TestFaultsOfOIDC(t *testing.T) {
	const rest = ", client_id: ombud, roles: [{group: a, role: auditor}]}"
	for text, want := range map[string]string{
		"{id: work, issuer: 'http://login.example.com'" + rest:                                        "no https address",
		"{id: work, issuer: 'https://login.example.com', client_secret: s3cret" + rest:                "is a secret",
		"{id: work, issuer: 'https://login.example.com', client_secret: '${A}x'" + rest:               "is a secret",
		"{id: work, issuer: 'https://login.example.com', client_id: x}":                               "needs roles",
		"{id: work, issuer: 'https://x.example', client_id: x, roles: [{group: a, role: local}]}":     "no role of a person",
		"{id: work, issuer: 'https://x.example', client_id: x, roles: [{group: a, role: service}]}":   "no role of a person",
		"{id: work, issuer: 'https://x.example', match: any" + rest:                                   "way to match",
		"{id: w, issuer: 'https://x.example'" + rest + ", {id: w, issuer: 'https://x.example'" + rest: "already",
	} {
		if _, err := parseOIDC(text); err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "s3cret") {
			t.Errorf("%s: %v, want %s", text, err, want)
		}
	}
}

func TestDownloadsAndWhatServicesHear(t *testing.T) {
	cfg, err := Parse("ombud.yaml", []byte("access: {downloads: {most: 5, minutes: 10}}\ntargets:\n  - {id: pager, url: \"https://pager.example.com\", secret: \"${S}\", hears: [alarms]}\n"))
	if err != nil || cfg.Access.Downloads != (Downloads{5, 10}) || !cfg.Targets[0].Told(Alarms) || cfg.Targets[0].Told(Changes) {
		t.Errorf("%+v, %v", cfg, err)
	}
	for _, bad := range []string{"access: {downloads: {most: 0}}", "access: {downloads: {minutes: 5}}", "access: {downloads: {most: 1.5}}", "targets: [{id: a, url: \"https://a.example\", hears: [noise]}]"} {
		if _, err := Parse("ombud.yaml", []byte(bad+"\n")); err == nil {
			t.Errorf("%s is taken", bad)
		}
	}
}

// TestMailAndCodes: how e-mail goes out is read with its defaults; every fault is named, and codes need it.
func TestMailAndCodes(t *testing.T) {
	cfg, err := Parse("ombud.yaml", []byte("mail: {host: smtp.example.com, from: Ombud <ombud@example.com>, user: u, password: \"${P}\"}\naccess: {email_codes: true}\n"))
	if err != nil || cfg.Mail.Port != 587 || !cfg.Access.EmailCodes || !cfg.Mail.On() {
		t.Errorf("%+v, %v", cfg, err)
	}
	_, err = Parse("ombud.yaml", []byte("mail: {host: \"smtp.example.com:25\", port: 70000, security: none, from: nobody, user: u, password: secret}\n"))
	for _, want := range []string{"without a port", "1 to 65535", "security", "is an address", "is a secret"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("it does not say %q: %v", want, err)
		}
	}
	if _, err = Parse("ombud.yaml", []byte("access: {email_codes: true}\n")); err == nil || !strings.Contains(err.Error(), "needs mail") {
		t.Error(err)
	}
}
