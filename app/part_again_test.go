package app_test

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/ombudhq/ombud/internal/testkit/world"
)

const partConfig = `organization: {name: Fjordly AS, jurisdictions: [eu]}
systems:
  - id: shop
    connector: %s
    dsn: %q
    people: [{table: customers, by: {email: email, customer: id}}]
    tables: {customers: {categories: {likes: marketing}}}
purposes:
  - id: letters
    basis: consent
    categories: [marketing]
    notices: [{id: letters, version: "3", language: en, text: "Send me trips and offers"}]
`

// TestAPartIsErasedAgain: what an erasure of part took, and a restored database holds again, goes again by plan and proof,
// and nothing else does; nor does what the person has agreed to since.
func TestAPartIsErasedAgain(t *testing.T) {
	for _, engine := range world.Engines {
		t.Run(engine, func(t *testing.T) {
			s := &shopAndCRM{t: t, dir: t.TempDir(), shop: world.NewStore(t, engine, "shop")}
			s.shop.Exec(t, "create table customers (id integer primary key, email varchar(100), likes varchar(100), phone varchar(40))",
				"insert into customers values (1, 'Ida@Example.com', 'tents', '+47 1'), (2, 'bo@example.com', 'boats', '+47 2'), (3, 'jon@example.com', 'skis', '+47 3')")
			if err := os.WriteFile(filepath.Join(s.dir, "ombud.yaml"), fmt.Appendf(nil, partConfig, s.shop.Connector(), s.shop.DSN), 0o600); err != nil {
				t.Fatal(err)
			}
			s.erasePart("email=ida@example.com", "--purpose", "letters")
			s.erasePart("email=bo@example.com", "--purpose", "letters")
			s.erasePart("email=jon@example.com", "--category", "marketing")
			all := "select group_concat(x, ' ') from (select concat(id, coalesce(likes, '-'), phone) as x from customers order by id) t"
			if engine == "postgres" {
				all = "select string_agg(x, ' ') from (select concat(id, coalesce(likes, '-'), phone) as x from customers order by id) t"
			}
			if engine == "mariadb" {
				all = "select group_concat(concat(id, coalesce(likes, '-'), phone) order by id separator ' ') from customers"
			}
			gone := map[string]string{all: "1-+47 1 2-+47 2 3-+47 3"}
			s.shop.Want(t, gone)
			if none := s.ombud(0, "replay-erasures", "--system", "shop"); none.Matched != 0 || none.Request != "" {
				t.Errorf("before the restore: %+v", none)
			}
			s.shop.Exec(t, "update customers set likes = 'again'")
			code, _, errs := command(t, s.dir, "", "consent", "record", "--subject", "email=bo@example.com", "--purpose", "letters", "--method", "web_form", "--notice", "letters@3/en")
			if code != 0 {
				t.Fatal(errs)
			}
			for range 2 { // one limit after the other
				p := s.ombud(4, "replay-erasures", "--system", "shop")
				if p.Status != "awaiting_approval" || len(p.Gaps) > 0 {
					t.Errorf("%+v", p)
				}
				if same := s.ombud(4, "replay-erasures", "--system", "shop"); same.Request != p.Request || same.Hash != p.Hash {
					t.Errorf("asked twice: %+v, %+v", p, same)
				}
				s.ombud(0, "replay-erasures", "--system", "shop", "--approve", p.Hash)
			}
			s.shop.Want(t, map[string]string{all: "1-+47 1 2again+47 2 3-+47 3"})
			s.ombud(0, "replay-erasures", "--system", "shop")
			if late := s.ombud(0, "replay-erasures", "--system", "shop", "--since", "2099-01-01"); late.Request != "" {
				t.Errorf("%+v", late)
			}
		})
	}
}

func (s *shopAndCRM) erasePart(who string, limit ...string) {
	s.t.Helper()
	p := s.ombud(0, append([]string{"dsr", "plan", "--kind", "erasure", "--subject", who}, limit...)...)
	s.ombud(0, "dsr", "run", p.Request, "--approve", p.Hash)
}
