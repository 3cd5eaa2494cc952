package catalog

import "go.yaml.in/yaml/v4"

// accountRoles are those an account may have.
var accountRoles = []string{"support_agent", "data_protection_officer", "system_admin", "auditor", "developer"}

func (r *reader) oidc(n *yaml.Node) (o OIDC) {
	r.mapping(n, "an identity provider", fields{
		"id": r.id(&o.ID, "identity provider"), "name": r.text(&o.Name), "issuer": r.address(&o.Issuer), "client_id": r.text(&o.ClientID),
		"client_secret": r.secret(&o.ClientSecret, "client_secret"), "scopes": r.texts(&o.Scopes), "groups": r.text(&o.Groups),
		"roles": func(n *yaml.Node) { o.Roles = list(r, n, "roles", r.grant) },
		"match": r.oneOf(&o.Match, "way to match", []string{"first", "all"}, nil),
		"amr":   r.texts(&o.AMR), "acr": r.texts(&o.ACR), "allow": r.oneOf(&o.Allow, "permission", permission, nil), "ca": r.text(&o.CA),
	}, "id", "issuer", "client_id", "roles")
	if o.Name == "" {
		o.Name = o.ID
	}
	if o.Groups == "" {
		o.Groups = "groups"
	}
	return o
}

func (r *reader) grant(n *yaml.Node) (g Grant) {
	r.mapping(n, "a role", fields{"group": r.text(&g.Group), "role": r.oneOf(&g.Role, "role of a person", accountRoles, nil)}, "group", "role")
	return g
}

func (r *reader) downloads(n *yaml.Node, d *Downloads) {
	most, minutes := 0.0, 60.0
	r.mapping(n, "access.downloads", fields{"most": r.number(&most), "minutes": r.number(&minutes)}, "most")
	if d.Most, d.Minutes = int(most), int(minutes); most != float64(d.Most) || minutes != float64(d.Minutes) || most < 1 || most > 100_000 || minutes < 1 || minutes > 1440 {
		r.fault(n, "access.downloads is how many packages and exports one person takes away in how many minutes: whole numbers, 1 to 1440 minutes")
	}
}
