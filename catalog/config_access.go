package catalog

// OIDC is an identity provider that vouches for people.
type OIDC struct {
	ID           string   `yaml:"id"`
	Name         string   `yaml:"name,omitempty"` // on the page to sign in; default: the id
	Issuer       string   `yaml:"issuer"`
	ClientID     string   `yaml:"client_id"`
	ClientSecret string   `yaml:"client_secret,omitempty"` // with ${NAME} unexpanded
	Scopes       []string `yaml:"scopes,omitempty"`        // beside openid, profile and email
	Groups       string   `yaml:"groups,omitempty"`        // the claim that holds them; default groups
	Roles        []Grant  `yaml:"roles"`                   // the first that fits counts
	Match        string   `yaml:"match,omitempty"`         // all: every one that fits
	AMR          []string `yaml:"amr,omitempty"`           // what of these the provider says counts as a second factor
	ACR          []string `yaml:"acr,omitempty"`
	Allow        string   `yaml:"allow,omitempty"` // private: it may be in one's own network
	CA           string   `yaml:"ca,omitempty"`    // file with the certificates of its authority
}

// Grant gives the members of a group a role.
type Grant struct {
	Group string `yaml:"group"`
	Role  string `yaml:"role"`
}
