package notify_test

import (
	"net/mail"
	"strings"
	"testing"
	"time"

	"github.com/ombudhq/ombud/internal/clock"
	"github.com/ombudhq/ombud/internal/dial"
	"github.com/ombudhq/ombud/internal/fault"
	"github.com/ombudhq/ombud/internal/notify"
	"github.com/ombudhq/ombud/internal/testkit/smtptest"
)

func mailConfig(s *smtptest.Server, atOnce bool) notify.MailConfig {
	return notify.MailConfig{Host: "127.0.0.1", Port: s.Port, TLS: atOnce, From: mail.Address{Name: "Ombud", Address: "ombud@example.com"}, User: smtptest.User, Password: smtptest.Password,
		Way: dial.Way{Private: true, Peer: dial.Peer{CA: s.CA}}, Clock: clock.NewFake(time.Date(2026, 11, 19, 9, 0, 0, 0, time.UTC))}
}

// TestMailGoesOut encrypted, at once or after STARTTLS, as one message to one address.
func TestMailGoesOut(t *testing.T) {
	for _, atOnce := range []bool{false, true} {
		s := smtptest.Start(t, atOnce)
		if err := notify.NewMailer(mailConfig(s, atOnce)).Send(t.Context(), "ida@example.com", "Kode på vei", "12345678 is it\n\nIt is good once.\n"); err != nil {
			t.Fatal(err)
		}
		all := s.Mails()
		if len(all) != 1 || all[0].From != "ombud@example.com" || all[0].To != "ida@example.com" {
			t.Fatalf("%+v", all)
		}
		m, err := mail.ReadMessage(strings.NewReader(all[0].Text))
		if err != nil || m.Header.Get("To") != "<ida@example.com>" || m.Header.Get("Auto-Submitted") != "auto-generated" || m.Header.Get("Date") != "Thu, 19 Nov 2026 09:00:00 +0000" ||
			!strings.HasPrefix(m.Header.Get("Subject"), "=?utf-8?q?") || !strings.Contains(all[0].Text, "12345678 is it") {
			t.Errorf("%v: %s", err, all[0].Text)
		}
	}
}

// TestMailIsEncryptedOrStays: a server without encryption, with another certificate, at a forbidden address, that does not know us
// or refuses whom it is for gets nothing, and no error names the address or what the server said.
func TestMailIsEncryptedOrStays(t *testing.T) {
	plain, other, taking := smtptest.StartPlain(t), smtptest.Start(t, false), smtptest.Start(t, false)
	stranger, far, unknown := mailConfig(taking, false), mailConfig(taking, false), mailConfig(taking, false)
	stranger.Way.Peer.CA, far.Way.Private, unknown.Password = other.CA, false, "wrong"
	refusing := smtptest.Start(t, false)
	refusing.Refuse("550 5.1.1 <ida@example.com> is nobody here")
	for name, c := range map[string]notify.MailConfig{"plain": mailConfig(plain, false), "stranger": stranger, "far": far, "unknown": unknown, "refusing": mailConfig(refusing, false)} {
		err := notify.NewMailer(c).Send(t.Context(), "ida@example.com", "s", "t")
		if fault.KindOf(err) != fault.Unavailable || strings.Contains(err.Error(), "ida") || strings.Contains(err.Error(), "nobody") {
			t.Errorf("%s: %v", name, err)
		}
		if name == "refusing" && !strings.Contains(err.Error(), "550") {
			t.Errorf("it does not say what was answered: %v", err)
		}
	}
	for _, s := range []*smtptest.Server{plain, taking, refusing} {
		if n := len(s.Mails()); n != 0 {
			t.Errorf("%d were taken", n)
		}
	}
}
