package catalog

import (
	"strings"
	"testing"
)

func TestLoadKeys(t *testing.T) {
	for text, want := range map[string]string{
		"{}":               "",
		"{provider: file}": "file",
		"{provider: openbao, rotate: 6 months, transit: {address: 'https://bao:8200', key: ombud, token: ${BAO_TOKEN}, allow: private}}":         "transit",
		"{provider: aws-kms, aws-kms: {region: eu-central-1, key: alias/ombud, previous: old, access_key: ${A}, secret_key: ${B}}}":              "aws-kms",
		"{provider: pkcs11, pkcs11: {module: /m.so, token: ombud, pin: ${PIN}}, transit: {address: 'https://bao:8200', key: k, token_file: /t}}": "pkcs11",
	} {
		cfg, err := Parse("ombud.yaml", []byte("organization: {name: x}\nsystems: []\nkeys: "+text+"\n"))
		if err != nil || cfg.Keys.Provider != want || want != "" && !cfg.Keys.Has(want) {
			t.Errorf("%s: %+v, %v", text, cfg, err)
		}
	}
	for text, want := range map[string]string{
		"{provider: vaul}":                                    "is no provider of keys",
		"{provider: transit}":                                 "does not say how to reach it",
		"{rotate: soon}":                                      "is no period",
		"{transit: {address: x}}":                             "needs key",
		"{transit: {address: x, key: y}}":                     "either token or token_file",
		"{transit: {address: x, key: y, token: hvs.literal}}": "keys.transit.token is a secret",
		"{aws-kms: {region: r, key: k, access_key: ${A}, secret_key: literal}}": "keys.aws-kms.secret_key is a secret",
		"{aws-kms: {region: r, key: k}}":                                        "needs secret_key",
		"{pkcs11: {module: m, token: t, pin: '1234'}}":                          "keys.pkcs11.pin is a secret",
		"{pkcs11: {module: m, token: t, pin: 'x${PIN}'}}":                       "keys.pkcs11.pin is a secret",
	} {
		_, err := Parse("ombud.yaml", []byte("organization: {name: x}\nsystems: []\nkeys: "+text+"\n"))
		if err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), "ombud.yaml:3") || strings.Contains(err.Error(), "literal") || strings.Contains(err.Error(), "1234") {
			t.Errorf("%s: %v", text, err)
		}
	}
}

// Who keeps the keys changes no plan.
func TestKeysAreNotInTheDigest(t *testing.T) {
	a, errA := Parse("ombud.yaml", []byte("organization: {name: x}\nsystems: []\n"))
	b, errB := Parse("ombud.yaml", []byte("organization: {name: x}\nsystems: []\nkeys: {provider: file, rotate: 2 years}\n"))
	if errA != nil || errB != nil || a.Digest != b.Digest {
		t.Errorf("%v, %v", errA, errB)
	}
}
