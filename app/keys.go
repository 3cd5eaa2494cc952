package app

import (
	"os"
	"path/filepath"

	"github.com/ombudhq/ombud/catalog"
	"github.com/ombudhq/ombud/internal/dial"
	"github.com/ombudhq/ombud/vault"
	"github.com/ombudhq/ombud/vault/awskms"
	"github.com/ombudhq/ombud/vault/pkcs11"
	"github.com/ombudhq/ombud/vault/transit"
)

// keyFileName is the key-encryption key of those who have no other provider.
const keyFileName = "kek"

// openKeys opens the keys with the provider that ombud.yaml names.
func (c Config) openKeys(cfg *catalog.Config) (*vault.Vault, error) {
	p, err := c.provider(cfg)
	if err != nil {
		return nil, err
	}
	to := vault.Config{Dir: c.keys(), Provider: p, ReadOnly: c.KeysDir != "", Hook: c.Hook}
	if c.Passphrase != nil {
		to.Passphrase = c.countedPassphrase
	}
	v, err := vault.Open(to)
	if err == nil && v.RootSealed() && !c.counted {
		err = c.right()
	}
	return v, err
}

// provider is who keeps the key-encryption key, after those who also stand in ombud.yaml and the file, where there is one;
// nil is the file alone.
func (c Config) provider(cfg *catalog.Config) (vault.Provider, error) {
	k := cfg.Keys
	var now vault.Provider
	var former []vault.Provider
	for _, kind := range []string{catalog.KeysTransit, catalog.KeysAWSKMS, catalog.KeysPKCS11, catalog.KeysFile} {
		present := kind == k.Provider || kind == catalog.KeysFile && k.Provider == ""
		if !present && !c.held(k, kind) {
			continue
		}
		p, err := c.providerOf(cfg, kind)
		if err != nil {
			return nil, err
		}
		if present {
			now = p
		} else {
			former = append(former, p)
		}
	}
	return vault.Moving(now, former...), nil
}

// held tells whether keys may still be wrapped by a former provider.
func (c Config) held(k catalog.Keys, kind string) bool {
	if kind == catalog.KeysFile {
		_, err := os.Stat(filepath.Join(c.keys(), keyFileName))
		return err == nil
	}
	return k.Has(kind)
}

func (c Config) providerOf(cfg *catalog.Config, kind string) (vault.Provider, error) {
	switch kind {
	case catalog.KeysTransit:
		return transitOf(cfg)
	case catalog.KeysAWSKMS:
		return c.kmsOf(cfg)
	case catalog.KeysPKCS11:
		return tokenOf(cfg)
	}
	return vault.OpenKeyFile(filepath.Join(c.keys(), keyFileName))
}

// expand replaces a variable of the configuration, unless an earlier one failed.
func expand(err *error, key, text string) string {
	if *err != nil || text == "" {
		return ""
	}
	out, e := catalog.Expand("keys."+key, text)
	*err = e
	return out
}

func transitOf(cfg *catalog.Config) (vault.Provider, error) {
	t := cfg.Keys.Transit
	var err error
	c := transit.Config{
		Address: expand(&err, "transit.address", t.Address), Mount: t.Mount, Key: t.Key, Namespace: t.Namespace,
		Token: expand(&err, "transit.token", t.Token), TokenFile: cfg.File(t.TokenFile),
	}
	if err != nil {
		return nil, err
	}
	c.HTTP, err = dial.Client(dial.Way{Private: t.Allow == "private",
		Peer: dial.Peer{CA: cfg.File(t.TLS.CA), Cert: cfg.File(t.TLS.Cert), Key: cfg.File(t.TLS.Key), Pins: t.TLS.Pins}})
	if err != nil {
		return nil, err
	}
	return transit.New(c)
}

func (c Config) kmsOf(cfg *catalog.Config) (vault.Provider, error) {
	k := cfg.Keys.AWSKMS
	var err error
	config := awskms.Config{
		Region: k.Region, Key: k.Key, Previous: k.Previous, Endpoint: expand(&err, "aws-kms.endpoint", k.Endpoint),
		AccessKey: expand(&err, "aws-kms.access_key", k.AccessKey), SecretKey: expand(&err, "aws-kms.secret_key", k.SecretKey),
		Session: expand(&err, "aws-kms.session_token", k.SessionToken),
		HTTP:    dial.Plain(dial.Way{Private: k.Allow == "private"}), Clock: c.Clock,
	}
	if err != nil {
		return nil, err
	}
	return awskms.New(config)
}

func tokenOf(cfg *catalog.Config) (vault.Provider, error) {
	k := cfg.Keys.PKCS11
	var err error
	c := pkcs11.Config{Module: k.Module, Token: k.Token, Key: k.Key, PIN: expand(&err, "pkcs11.pin", k.PIN)}
	if c.Key == "" {
		c.Key = "ombud"
	}
	if err != nil {
		return nil, err
	}
	return pkcs11.New(c)
}
