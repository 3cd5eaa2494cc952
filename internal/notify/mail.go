package notify

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/tls"
	"errors"
	"fmt"
	"mime"
	"net"
	"net/mail"
	"net/smtp"
	"net/textproto"
	"strconv"
	"strings"
	"time"

	"github.com/ombudhq/ombud/internal/clock"
	"github.com/ombudhq/ombud/internal/dial"
	"github.com/ombudhq/ombud/internal/fault"
)

// mailLimit bounds the delivery of one message to the server.
const mailLimit = 20 * time.Second

// MailConfig says how e-mail goes out. It is always encrypted: at once with TLS, else after STARTTLS.
type MailConfig struct {
	Host           string
	Port           int
	TLS            bool
	From           mail.Address
	User, Password string // both or neither
	Way            dial.Way
	Clock          clock.Clock
}

// Mailer hands e-mail to a server. It is safe for concurrent use.
type Mailer struct{ c MailConfig }

// NewMailer makes one; nothing is dialled yet.
func NewMailer(c MailConfig) *Mailer { return &Mailer{c} }

// Send hands over a message of plain text. fault.Unavailable when the server does not take it; no error names an address or
// repeats what the server said, which may.
func (m *Mailer) Send(ctx context.Context, to, subject, text string) error {
	ctx, cancel := context.WithTimeout(ctx, mailLimit)
	defer cancel()
	conn, config, err := dial.Dial(ctx, m.c.Way, net.JoinHostPort(m.c.Host, strconv.Itoa(m.c.Port)))
	if err != nil {
		return errMail("cannot be reached", err)
	}
	defer conn.Close()
	stop := context.AfterFunc(ctx, func() { _ = conn.SetDeadline(time.Unix(1, 0)) }) // whatever it waits for ends
	defer stop()
	config.ServerName = m.c.Host
	if err := m.hand(conn, config, to, m.message(to, subject, text)); err != nil {
		return errMail("did not take a message", err)
	}
	return nil
}

func (m *Mailer) hand(conn net.Conn, config *tls.Config, to string, message []byte) error {
	if m.c.TLS {
		conn = tls.Client(conn, config)
	}
	c, err := smtp.NewClient(conn, m.c.Host)
	if err != nil {
		return err
	}
	defer c.Close()
	if !m.c.TLS {
		if err := c.StartTLS(config); err != nil {
			return err
		}
	}
	if m.c.User != "" {
		if err := c.Auth(smtp.PlainAuth("", m.c.User, m.c.Password, m.c.Host)); err != nil {
			return err
		}
	}
	if err := c.Mail(m.c.From.Address); err != nil {
		return err
	}
	if err := c.Rcpt(to); err != nil {
		return err
	}
	w, err := c.Data()
	if err != nil {
		return err
	}
	if _, err := w.Write(message); err != nil {
		return err
	}
	if err := w.Close(); err != nil {
		return err
	}
	_ = c.Quit() // it has the message
	return nil
}

// message is one of RFC 5322, in plain text.
func (m *Mailer) message(to, subject, text string) []byte {
	_, host, _ := strings.Cut(m.c.From.Address, "@")
	var b bytes.Buffer
	for _, h := range [][2]string{
		{"From", m.c.From.String()}, {"To", "<" + to + ">"}, {"Subject", mime.QEncoding.Encode("utf-8", subject)},
		{"Date", m.c.Clock.Now().Format(time.RFC1123Z)}, {"Message-ID", "<" + strings.ToLower(rand.Text()) + "@" + host + ">"},
		{"MIME-Version", "1.0"}, {"Content-Type", "text/plain; charset=utf-8"}, {"Content-Transfer-Encoding", "8bit"}, {"Auto-Submitted", "auto-generated"},
	} {
		fmt.Fprintf(&b, "%s: %s\r\n", h[0], h[1])
	}
	b.WriteString("\r\n" + strings.ReplaceAll(text, "\n", "\r\n"))
	return b.Bytes()
}

// errMail says what became of a message: of an answer of the server, its number alone.
func errMail(what string, err error) error {
	number := ""
	var answer *textproto.Error
	if errors.As(err, &answer) {
		number = fmt.Sprintf(" (it answered %d)", answer.Code)
	}
	return fault.New(fault.Unavailable, "the mail server %s%s", what, number).Then("Try again; if it stays so, mail in ombud.yaml says how it is reached.")
}
