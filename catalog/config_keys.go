package catalog

import (
	"fmt"
	"time"
)

// Keys says who keeps the key-encryption key, and how often keys change.
type Keys struct {
	Provider string  `yaml:"provider,omitempty"` // file (default), transit, aws-kms, pkcs11
	Rotate   string  `yaml:"rotate,omitempty"`   // "N days|months|years"; default 1 years
	Transit  Transit `yaml:"transit,omitempty"`
	AWSKMS   AWSKMS  `yaml:"aws-kms,omitempty"`
	PKCS11   PKCS11  `yaml:"pkcs11,omitempty"`
}

// The providers of the key-encryption key.
const (
	KeysFile    = "file"
	KeysTransit = "transit"
	KeysAWSKMS  = "aws-kms"
	KeysPKCS11  = "pkcs11"
)

// Transit is a key of the transit engine of OpenBao or Vault.
type Transit struct {
	Address   string `yaml:"address"`
	Mount     string `yaml:"mount,omitempty"`
	Key       string `yaml:"key"`
	Namespace string `yaml:"namespace,omitempty"`
	Token     string `yaml:"token,omitempty"`      // ${NAME}, unexpanded
	TokenFile string `yaml:"token_file,omitempty"` // instead: read anew at each call
	TLS       Peer   `yaml:"tls,omitempty"`        // by which certificate it is known, and which one we show
	Allow     string `yaml:"allow,omitempty"`      // private: the address may be one that only we can reach
}

// AWSKMS is a symmetric key of AWS KMS.
type AWSKMS struct {
	Region       string   `yaml:"region"`
	Key          string   `yaml:"key"`
	Previous     []string `yaml:"previous,omitempty"`
	AccessKey    string   `yaml:"access_key"`              // ${NAME}, unexpanded
	SecretKey    string   `yaml:"secret_key"`              // ${NAME}, unexpanded
	SessionToken string   `yaml:"session_token,omitempty"` // ${NAME}, unexpanded
	Endpoint     string   `yaml:"endpoint,omitempty"`
	Allow        string   `yaml:"allow,omitempty"` // private: the endpoint is in a network of one's own
}

// PKCS11 is a key of a hardware security module.
type PKCS11 struct {
	Module string `yaml:"module"`
	Token  string `yaml:"token"` // its label
	Key    string `yaml:"key,omitempty"`
	PIN    string `yaml:"pin"` // ${NAME}, unexpanded
}

// Has tells whether a provider is described.
func (k Keys) Has(provider string) bool {
	switch provider {
	case KeysTransit:
		return k.Transit.Address != "" || k.Transit.Key != ""
	case KeysAWSKMS:
		return k.AWSKMS.Region != "" || k.AWSKMS.Key != ""
	case KeysPKCS11:
		return k.PKCS11 != PKCS11{}
	}
	return provider == KeysFile
}

// Due is when keys that are new since a moment should be made anew; false for never.
func (k Keys) Due(since time.Time) (time.Time, bool) {
	if k.Rotate == "never" {
		return time.Time{}, false
	}
	n, unit := 1, "years"
	if k.Rotate != "" {
		if _, err := fmt.Sscanf(k.Rotate, "%d %s", &n, &unit); err != nil {
			n, unit = 1, "years" // Load refuses what is no period
		}
	}
	switch unit {
	case "day", "days":
		return since.AddDate(0, 0, n), true
	case "month", "months":
		return addMonths(since, n), true
	}
	return addMonths(since, 12*n), true
}
