package catalog

import "path/filepath"

// Serve says how people and programs of other machines reach the server. Without it, it is reached from its own machine
// only. It is read when the server starts.
type Serve struct {
	URL    string   `yaml:"url,omitempty"` // https://HOST[:PORT]: the one address it answers to, and writes into links
	TLS    TLS      `yaml:"tls,omitempty"`
	Behind []string `yaml:"behind_proxy,omitempty"` // addresses and prefixes of the proxies that speak TLS for it
	HSTS   string   `yaml:"hsts,omitempty"`         // preload: this host and all below it, for the lists of the browsers
}

// TLS is the certificate of the server, and what it asks of its callers'.
type TLS struct {
	Cert     string   `yaml:"cert,omitempty"` // files; one that changes is taken in
	Key      string   `yaml:"key,omitempty"`
	ACME     ACME     `yaml:"acme,omitempty"`
	ClientCA string   `yaml:"client_ca,omitempty"` // callers must show a certificate of this authority
	Pins     []string `yaml:"pins,omitempty"`      // callers must show one of these keys
}

// ACME says who gives certificates (RFC 8555). Writing it accepts the terms of that authority.
type ACME struct {
	Directory string `yaml:"directory,omitempty"` // "" with an e-mail is Let's Encrypt
	Email     string `yaml:"email,omitempty"`
	CA        string `yaml:"ca,omitempty"`    // file with the certificates of a directory of one's own
	Allow     string `yaml:"allow,omitempty"` // private: the directory may be in one's own network
}

// Peer is a service we call: by which certificate it is known, and which one we show it.
type Peer struct {
	CA   string   `yaml:"ca,omitempty"`
	Cert string   `yaml:"cert,omitempty"`
	Key  string   `yaml:"key,omitempty"`
	Pins []string `yaml:"pins,omitempty"`
}

// File is where a file of the configuration lies: a relative name starts from the configuration's folder. "" stays "".
func (c *Config) File(name string) string {
	if name == "" || filepath.IsAbs(name) {
		return name
	}
	return filepath.Join(c.Folder, name)
}

// Encrypted tells whether somebody speaks TLS here: the server, or a proxy before it.
func (s Serve) Encrypted() bool { return s.TLS.On() || len(s.Behind) > 0 }

// On tells whether the server speaks TLS itself.
func (t TLS) On() bool { return t.Cert != "" || t.ACME.On() }

// On tells whether certificates come from an authority.
func (a ACME) On() bool { return a.Directory != "" || a.Email != "" }
