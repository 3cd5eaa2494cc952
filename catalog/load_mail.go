package catalog

import (
	"net/mail"
	"regexp"

	"go.yaml.in/yaml/v4"
)

var hostShape = regexp.MustCompile(`^[A-Za-z0-9]([A-Za-z0-9.-]{0,251}[A-Za-z0-9])?$`)

// mail reads how e-mail goes out.
func (r *reader) mail(n *yaml.Node, m *Mail) {
	port := 0.0
	r.mapping(n, "mail", fields{
		"host": r.text(&m.Host), "port": r.number(&port), "security": r.oneOf(&m.Security, "security", []string{"starttls", "tls"}, nil),
		"from": r.text(&m.From), "user": r.text(&m.User), "password": r.secret(&m.Password, "mail.password"),
		"allow": r.oneOf(&m.Allow, "permission", permission, nil), "tls": func(n *yaml.Node) { r.peer(n, &m.TLS) },
	}, "host", "from")
	if m.Host != "" && !hostShape.MatchString(m.Host) {
		r.fault(n, "mail.host is the name of the mail server, without a port")
	}
	if m.Port = int(port); port != float64(m.Port) || m.Port < 0 || m.Port > 65535 {
		r.fault(n, "mail.port is 1 to 65535")
	}
	if m.Port == 0 {
		m.Port = map[bool]int{false: 587, true: 465}[m.Security == "tls"]
	}
	if _, err := mail.ParseAddress(m.From); m.From != "" && err != nil {
		r.fault(n, "mail.from is an address, such as Ombud <ombud@example.com>")
	}
	if (m.User == "") != (m.Password == "") {
		r.fault(n, "mail.user and mail.password go together")
	}
}
