package app_test

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/ombudhq/ombud/access"
	"github.com/ombudhq/ombud/internal/fault"
	"github.com/ombudhq/ombud/internal/testkit/smtptest"
)

// TestCodesGoOutByMail: where ombud.yaml says so, a code comes by e-mail through the server it names, and signs in; what could not
// be sent is said without an address.
func TestCodesGoOutByMail(t *testing.T) {
	for _, security := range []string{"starttls", "tls"} {
		dir, s := t.TempDir(), smtptest.Start(t, security == "tls")
		shop(t, dir)
		t.Setenv("MAIL_PASSWORD", smtptest.Password)
		yaml := fmt.Sprintf("mail: {host: 127.0.0.1, port: %d, security: %s, from: Ombud <ombud@shop.example>, user: %s, password: \"${MAIL_PASSWORD}\", allow: private, tls: {ca: %q}}\naccess: {email_codes: true}\n", s.Port, security, smtptest.User, s.CA)
		must(t, os.WriteFile(filepath.Join(dir, "ombud.yaml"), []byte(shopConfig+yaml), 0o600))
		a := open(t, config(dir))
		_, _, err := a.Accounts.Create(t.Context(), access.NewAccount{Name: "kari", Role: access.Admin, Password: "correct horse battery", By: access.Caller{Actor: "local:ida", Role: access.Local}})
		must(t, err)
		_, _, err = a.Accounts.Create(t.Context(), access.NewAccount{Name: "ola", Role: access.Support, Email: "ola@shop.example", Password: "correct horse battery", By: access.Caller{Actor: "account:x", Role: access.Admin, Session: "s"}})
		must(t, err)
		e, err := a.Accounts.SignIn(t.Context(), "ola", "correct horse battery", "192.0.2.1")
		must(t, err)
		half, _ := a.Accounts.Visit(e.Token, true)
		s.Refuse("550 <ola@shop.example> who?")
		if err := a.Accounts.SendCode(t.Context(), half); fault.KindOf(err) != fault.Unavailable || strings.Contains(err.Error(), "ola") {
			t.Errorf("refused: %v", err)
		}
		s.Refuse("")
		must(t, a.Accounts.SendCode(t.Context(), half))
		all := s.Mails()
		if len(all) != 1 || all[0].To != "ola@shop.example" || all[0].From != "ombud@shop.example" {
			t.Fatalf("%+v", all)
		}
		code := regexp.MustCompile(`(?m)^(\d{8}) is your code`).FindStringSubmatch(all[0].Text)
		if code == nil {
			t.Fatal(all[0].Text)
		}
		e, codes, err := a.Accounts.ChooseMail(t.Context(), half, code[1])
		if err != nil || e.Stage != access.SignedIn || len(codes) != 10 {
			t.Errorf("%v, %v", e.Stage, err)
		}
		must(t, a.Close())
	}
}
