package app_test

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/ombudhq/ombud/internal/testkit/world"
)

const restoredConfig = `organization: {name: Fjordly AS, jurisdictions: [eu]}
systems:
  - {id: shop, connector: %s, dsn: %q, people: [{table: customers, by: {email: email, customer: id}}, {table: readers, by: {email: address}}]}
  - {id: crm, connector: sqlite, dsn: %q, people: [{table: contacts, by: {email: email}}]}
`

// people of the shop: ida and bo are erased, jon never was.
var restoredRows = []string{
	"insert into customers values (1, 'Ida@Example.com'), (3, 'bo@example.com')",
	"insert into addresses values (1, 1, 'Storgata 1'), (3, 3, 'Bryggen 3')",
	"insert into readers values (' ida@example.com ', 1)",
}

type shopAndCRM struct {
	t         *testing.T
	dir       string
	shop, crm *world.Store
}

func newShopAndCRM(t *testing.T, engine string) *shopAndCRM {
	s := &shopAndCRM{t, t.TempDir(), world.NewStore(t, engine, "shop"), world.NewStore(t, "sqlite", "crm")}
	s.shop.Exec(t, "create table customers (id integer primary key, email varchar(200))",
		"create table addresses (id integer primary key, customer_id integer references customers(id), street varchar(200))",
		"create index addresses_customer on addresses (customer_id)",
		"create table readers (address varchar(200) primary key, letters integer)",
		"insert into customers values (2, 'jon@example.com')", "insert into addresses values (2, 2, 'Elvegata 2')")
	s.shop.Exec(t, restoredRows...)
	s.crm.Exec(t, "create table contacts (id integer primary key, email text)", "insert into contacts values (1, 'ida@example.com'), (2, 'jon@example.com')")
	config := fmt.Sprintf(restoredConfig, s.shop.Connector(), s.shop.DSN, s.crm.DSN)
	if err := os.WriteFile(filepath.Join(s.dir, "ombud.yaml"), []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	return s
}

type ranAs struct {
	Request, Ref, Hash, Status string
	Matched                    int
	Gaps                       []any
}

// ombud runs a command and reads its one object.
func (s *shopAndCRM) ombud(want int, args ...string) (out ranAs) {
	s.t.Helper()
	code, text, errs := command(s.t, s.dir, "", append(args, "--json")...)
	if err := json.Unmarshal([]byte(text), &out); code != want || err != nil {
		s.t.Fatalf("%v: exit %d, %v: %s%s", args, code, err, text, errs)
	}
	return out
}

func (s *shopAndCRM) erase(who ...string) {
	s.t.Helper()
	args := []string{"dsr", "plan", "--kind", "erasure"}
	for _, w := range who {
		args = append(args, "--subject", w)
	}
	p := s.ombud(0, args...)
	s.ombud(0, "dsr", "run", p.Request, "--approve", p.Hash)
}

var untouched = map[string]string{
	"select email from customers": "jon@example.com", "select count(*) from customers": "1",
	"select street from addresses": "Elvegata 2", "select count(*) from addresses": "1",
}

// TestARestoredDatabaseIsErasedAgain: whoever was erased goes again from a database that an old backup brought back, by a
// plan and its hash, and nobody else; not in the restored database, and not those who came back to another.
func TestARestoredDatabaseIsErasedAgain(t *testing.T) {
	for _, engine := range world.Engines {
		t.Run(engine, func(t *testing.T) {
			s := newShopAndCRM(t, engine)
			s.erase("email=ida@example.com", "customer=1")
			s.erase("email=bo@example.com")
			if none := s.ombud(0, "replay-erasures", "--system", "shop"); none.Status != "complete" || none.Matched != 0 {
				t.Errorf("before the restore: %+v", none)
			}
			s.shop.Exec(t, restoredRows...)
			s.crm.Exec(t, "insert into contacts values (9, 'ida@example.com')") // she became a customer again
			p := s.ombud(4, "replay-erasures", "--system", "shop")
			if p.Status != "awaiting_approval" || p.Matched != 3 || len(p.Gaps) > 0 {
				t.Errorf("%+v", p)
			}
			s.shop.Want(t, map[string]string{"select count(*) from customers": "3"})
			if again := s.ombud(4, "replay-erasures", "--system", "shop"); again.Request != p.Request || again.Hash != p.Hash {
				t.Errorf("asked twice: %+v, %+v", p, again)
			}
			code, _, _ := command(t, s.dir, "", "replay-erasures", "--system", "shop", "--approve", strings.Repeat("0", 64))
			if code != 3 {
				t.Errorf("a wrong hash: exit %d", code)
			}
			code, _, errs := command(t, s.dir, "", "dsr", "run", p.Request, "--approve", p.Hash)
			if code == 0 || !strings.Contains(errs, "replay-erasures") {
				t.Errorf("as a request about everything: exit %d, %s", code, errs)
			}
			if done := s.ombud(0, "replay-erasures", "--system", "shop", "--approve", p.Hash); done.Status != "complete" {
				t.Errorf("%+v", done)
			}
			s.shop.Want(t, untouched)
			s.shop.Want(t, map[string]string{"select count(*) from readers": "0"})
			s.crm.Want(t, map[string]string{"select count(*) from contacts": "2"})
			s.ombud(0, "replay-erasures", "--system", "shop")
		})
	}
}

// TestWhatTheBackupKnewIsLeft: with the time of the backup, who was erased before it and stands there again is left alone.
func TestWhatTheBackupKnewIsLeft(t *testing.T) {
	s := newShopAndCRM(t, "sqlite")
	s.erase("email=ida@example.com", "customer=1")
	s.shop.Exec(t, restoredRows[0][:len("insert into customers values (1, 'Ida@Example.com')")])
	if p := s.ombud(0, "replay-erasures", "--system", "shop", "--since", "2099-01-01"); p.Matched != 0 {
		t.Errorf("%+v", p)
	}
	s.ombud(4, "replay-erasures", "--system", "shop", "--since", "2020-01-01")
	if code, _, _ := command(t, s.dir, "", "replay-erasures", "--system", "shop", "--since", "yesterday"); code != 2 {
		t.Errorf("exit %d", code)
	}
	if code, _, _ := command(t, s.dir, "", "replay-erasures", "--system", "nowhere"); code != 2 {
		t.Errorf("exit %d", code)
	}
}
