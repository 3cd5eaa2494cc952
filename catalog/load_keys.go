package catalog

import (
	"regexp"
	"slices"

	"go.yaml.in/yaml/v4"
)

var (
	fromEnvironment = regexp.MustCompile(`^\$\{[A-Za-z_][A-Za-z0-9_]*\}$`)
	providers       = []string{KeysFile, KeysTransit, KeysAWSKMS, KeysPKCS11}
)

// secret reads a value that stands in the environment and nowhere else.
func (r *reader) secret(to *string, what string) func(*yaml.Node) {
	return func(n *yaml.Node) {
		s, ok := r.scalar(n, what)
		*to = s
		if ok && !fromEnvironment.MatchString(s) {
			r.fault(n, "%s is a secret: write ${NAME}, and set NAME in the environment", what)
		}
	}
}

func (r *reader) keys(n *yaml.Node, k *Keys) {
	t, a, p := &k.Transit, &k.AWSKMS, &k.PKCS11
	allow := func(to *string) func(*yaml.Node) { return r.oneOf(to, "permission", []string{"private"}, nil) }
	r.mapping(n, "keys", fields{
		"provider": r.oneOf(&k.Provider, "provider of keys", providers, map[string]string{"openbao": KeysTransit, "vault": KeysTransit}),
		"rotate":   r.period(&k.Rotate),
		"transit": func(n *yaml.Node) {
			r.mapping(n, "keys.transit", fields{
				"address": r.text(&t.Address), "mount": r.text(&t.Mount), "key": r.text(&t.Key), "namespace": r.text(&t.Namespace),
				"token": r.secret(&t.Token, "keys.transit.token"), "token_file": r.text(&t.TokenFile), "allow": allow(&t.Allow),
				"tls": func(n *yaml.Node) { r.peer(n, &t.TLS) },
			}, "address", "key")
			if (t.Token == "") == (t.TokenFile == "") {
				r.fault(n, "keys.transit has either token or token_file")
			}
		},
		"aws-kms": func(n *yaml.Node) {
			r.mapping(n, "keys.aws-kms", fields{
				"region": r.text(&a.Region), "key": r.text(&a.Key), "previous": r.textOrTexts(&a.Previous), "endpoint": r.text(&a.Endpoint),
				"access_key": r.secret(&a.AccessKey, "keys.aws-kms.access_key"), "secret_key": r.secret(&a.SecretKey, "keys.aws-kms.secret_key"),
				"session_token": r.secret(&a.SessionToken, "keys.aws-kms.session_token"), "allow": allow(&a.Allow),
			}, "region", "key", "access_key", "secret_key")
		},
		"pkcs11": func(n *yaml.Node) {
			r.mapping(n, "keys.pkcs11", fields{
				"module": r.text(&p.Module), "token": r.text(&p.Token), "key": r.text(&p.Key), "pin": r.secret(&p.PIN, "keys.pkcs11.pin"),
			}, "module", "token", "pin")
		},
	})
	if slices.Contains(providers, k.Provider) && !k.Has(k.Provider) {
		r.fault(valueOf(r.resolve(n), "provider"), "keys.provider is %s, and keys.%s does not say how to reach it", k.Provider, k.Provider)
	}
}
