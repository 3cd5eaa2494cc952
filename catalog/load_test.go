package catalog

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/ombudhq/ombud/internal/fault"
)

const contractExample = `organization: {name: Fjordly AS, jurisdictions: [eu, in, us-ca]}
purposes:
  - id: newsletter
    basis: consent
    categories: [contact]
    systems: [shop]
    notices: [{id: letters, version: "3", language: en, text: "Send me trips and offers, twice a month"}]
systems:
  - id: shop
    connector: postgres            # a comment
    dsn: ${SHOP_DSN}
    location: EU
    people:
      - {table: customers, by: {email: email, customer: id}}
    links:
      - {from: events.user_ref, to: customers.id, as: own}
      - {from: messages.from_customer, to: customers.id, as: co, author: true}
    tables:
      invoices: {erase: keep, because: "bookkeeping law, 5 years", until: "5 years after issued_at"}
      messages: {erase: redact, columns: [body]}
      reviews:  {erase: anonymise, columns: [author_name], opaque: [seal]}
    ignore: [schema_migrations]
targets:
  - {id: mailer, url: "https://mail.example/hook", systems: [shop], secret: ${MAILER_SECRET}, identity: none}
approval: {erasure: 1}
heads: /mnt/other/heads
`

// TestSecondAddress: a kind of identity may have several columns, in the file and in what a scan writes there.
func TestSecondAddress(t *testing.T) {
	path := filepath.Join(t.TempDir(), "ombud.yaml")
	load := func(people string) (*Config, error) {
		if err := os.WriteFile(path, []byte("organization: {name: X, jurisdictions: [eu]}\nsystems:\n  - id: hr\n    connector: sqlite\n    dsn: hr.db\n    people:\n      - "+people+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		return Load(path)
	}
	cfg, err := load("{table: staff, by: {email: [work_mail, own_mail], staff: id}}")
	if err != nil {
		t.Fatal(err)
	}
	want := People{Table: "staff", By: map[string]string{"email": "work_mail", "staff": "id"}, Also: map[string][]string{"email": {"own_mail"}}}
	if diff := cmp.Diff(want, cfg.Systems[0].People[0]); diff != "" {
		t.Error(diff)
	}
	if cfg, err = load(renderPeople(&want)); err != nil || !cmp.Equal(want, cfg.Systems[0].People[0]) {
		t.Errorf("read again: %v, %+v", err, cfg)
	}
	if _, err = load("{table: staff, by: {email: []}}"); err == nil || !strings.Contains(err.Error(), "email names no column") {
		t.Errorf("no column: %v", err)
	}
}

func TestLoadReadsTheContractsExample(t *testing.T) {
	path := filepath.Join(t.TempDir(), "ombud.yaml")
	if err := os.WriteFile(path, []byte(contractExample), 0o600); err != nil {
		t.Fatal(err)
	}
	cfg, err := Load(path)
	if err != nil {
		t.Fatal(err)
	}
	if cfg.Folder != filepath.Dir(path) || len(cfg.Digest) != 64 {
		t.Errorf("folder %q, digest %q", cfg.Folder, cfg.Digest)
	}
	want := System{
		ID: "shop", Connector: "postgres", DSN: "${SHOP_DSN}", Location: "EU",
		People: []People{{Table: "customers", By: map[string]string{"email": "email", "customer": "id"}}},
		Links: []Link{
			{From: "events.user_ref", To: "customers.id", As: Own},
			{From: "messages.from_customer", To: "customers.id", As: Co, Author: true},
		},
		Tables: []TableRule{
			{Table: "invoices", Erase: Keep, Because: "bookkeeping law, 5 years", Until: "5 years after issued_at"},
			{Table: "messages", Erase: Redact, Columns: []string{"body"}},
			{Table: "reviews", Erase: Anonymise, Columns: []string{"author_name"}, Opaque: []string{"seal"}},
		},
		Ignore: []string{"schema_migrations"},
	}
	if diff := cmp.Diff(want, cfg.Systems[0]); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{"/mnt/other/heads"}, cfg.Heads); diff != "" {
		t.Error(diff)
	}
}

func TestLoadNamesEveryFaultWithItsLine(t *testing.T) {
	_, err := Parse("conf/ombud.yaml", []byte(`organisation: {name: x}
approval: {erasure: 3}
purposes:
  - {id: a, basis: consnt, categories: [contcat], systems: [shpo]}
systems:
  - id: shop
    connector: postgress
    dsn: ${SHOP
    people: [{table: customers}]
    links:
      - {from: user_ref, to: customers.id, as: owner}
    tables:
      a: {erase: keep}
      b: {erase: redact}
      c: {erase: keep, because: x, until: "ten years"}
      d: {erase: keep, because: "?"}
      d: {erase: delete}
  - {id: shop, connector: redis, dsn: x}
  - {id: "sh op", connector: sqlite}
`))
	var f *fault.Error
	if !errors.As(err, &f) || f.Kind != fault.Invalid {
		t.Fatalf("got %v", err)
	}
	var got []string
	for _, d := range f.Details {
		got = append(got, d.Where+" "+d.Message)
	}
	want := []string{
		`:1 the file has no key "organisation"; did you mean organization?`,
		`:2 approval.erasure is 1 or 2: how many people approve an erasure`,
		`:4 "consnt" is no basis; did you mean consent?; one of: consent, contract, legal_obligation, vital_interests, public_task, legitimate_interests`,
		`:4 "contcat" is no category; did you mean contact?`,
		`:4 no system is called "shpo"; did you mean shop?`,
		`:7 no connector is called "postgress"; did you mean postgres?`,
		`:8 a variable in this DSN is not written ${NAME}`,
		`:9 an entry of people needs by`,
		`:11 "user_ref" names no column: write dataset.column`,
		`:11 "owner" is no role`,
		`:13 erase: keep needs because`,
		`:14 erase: redact needs columns`,
		`:15 until is written: N days|months|years after COLUMN`,
		`:16 because: "?" is a question`,
		`:17 "d" is given twice`,
		`:18 the system "shop" is in line 6 already`,
		`:18 the connector redis is not built yet`,
		`:19 "sh op" cannot be an id`,
		`:19 a system needs dsn`,
	}
	if len(got) != len(want) {
		t.Errorf("%d faults, want %d:\n%s", len(got), len(want), strings.Join(got, "\n"))
	}
	for _, w := range want {
		if !strings.Contains(strings.Join(got, "\n"), "conf/ombud.yaml"+w) {
			t.Errorf("missing %s in\n%s", w, strings.Join(got, "\n"))
		}
	}
}

func TestLoadSyntax(t *testing.T) {
	for name, text := range map[string]string{
		"broken":      "systems:\n  - {id: shop\nfoo: [",
		"tab":         "systems:\n\t- id: x",
		"not mapping": "- a\n- b",
		"two":         "organization: {name: a}\norganization: {name: b}",
		"documents":   "organization: {name: a}\n---\nheads: b",
		"merge":       "a: &a {x: 1}\n<<: *a",
	} {
		if _, err := Parse("ombud.yaml", []byte(text)); fault.KindOf(err) != fault.Invalid {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := Parse("ombud.yaml", nil); err != nil {
		t.Errorf("an empty file is no fault: %v", err)
	}
	if _, err := Load(filepath.Join(t.TempDir(), "ombud.yaml")); fault.KindOf(err) != fault.NotFound {
		t.Errorf("missing file: %v", err)
	}
}

func TestLoadAliases(t *testing.T) {
	cfg, err := Parse("ombud.yaml", []byte("systems:\n- {id: a, connector: sqlite, dsn: a.db, ignore: &i [x, y]}\n- {id: b, connector: sqlite, dsn: b.db, ignore: *i}\n"))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"x", "y"}, cfg.Systems[1].Ignore); diff != "" {
		t.Error(diff)
	}
}

func TestLoadSurvivesAnAliasBomb(t *testing.T) {
	var b strings.Builder
	b.WriteString("heads: &big [" + strings.Repeat("x,", 2000) + "x]\npurposes:\n")
	for range 2000 {
		b.WriteString("- {id: a, basis: consent, recipients: *big, systems: *big}\n")
	}
	if _, err := Parse("ombud.yaml", []byte(b.String())); fault.KindOf(err) != fault.Invalid || !strings.Contains(err.Error(), "expands to over") {
		t.Errorf("got %.200v", err)
	}
	if _, err := Parse("ombud.yaml", []byte("systems: &s [*s]")); fault.KindOf(err) != fault.Invalid {
		t.Errorf("an alias of itself: %v", err)
	}
}

func TestDigestIsOverMeaning(t *testing.T) {
	digestOf := func(text string) string {
		cfg, err := Parse("ombud.yaml", []byte(text))
		if err != nil {
			t.Fatal(err)
		}
		return cfg.Digest
	}
	base := digestOf(contractExample)
	respelled := strings.Replace(contractExample, "# a comment", "", 1)
	respelled = strings.Replace(respelled, "{erase: redact, columns: [body]}", "{columns: [body], erase: redact}", 1)
	if digestOf(respelled) != base {
		t.Error("comments and order of keys changed the digest")
	}
	if digestOf(strings.Replace(contractExample, "5 years after", "6 years after", 1)) == base {
		t.Error("another meaning has the same digest")
	}
}

func TestMarksWithoutIDAreNamed(t *testing.T) {
	cfg, err := Parse("ombud.yaml", []byte(`systems:
- id: billing
  connector: sqlite
  dsn: b.db
  tables: {invoices: {erase: keep, because: "?", proposed: true}}
  links: [{from: a.b, to: shop.c.d, proposed: true}]
`))
	if err != nil {
		t.Fatal(err)
	}
	if got := cfg.Systems[0].Tables[0].ID; got != "keep:billing.invoices" {
		t.Error(got)
	}
	if got := cfg.Systems[0].Links[0].ID; got != "link:billing.a.b" {
		t.Error(got)
	}
}

func TestExpandDSN(t *testing.T) {
	t.Setenv("OMBUD_TEST_PASSWORD", "s3cret$x")
	s := System{ID: "shop", DSN: "postgres://u:${OMBUD_TEST_PASSWORD}@h/db?a=$b"}
	got, err := s.ExpandDSN()
	if err != nil || got != "postgres://u:s3cret$x@h/db?a=$b" {
		t.Errorf("%q, %v", got, err)
	}
	s.DSN = "postgres://u:hunter2@h/${OMBUD_TEST_NOT_THERE}"
	if _, err = s.ExpandDSN(); fault.KindOf(err) != fault.Invalid || !strings.Contains(err.Error(), "OMBUD_TEST_NOT_THERE") || strings.Contains(err.Error(), "hunter2") {
		t.Errorf("%v", err)
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(contractExample))
	f.Add([]byte("systems: &s [*s]"))
	f.Fuzz(func(t *testing.T, data []byte) {
		if _, err := Parse("ombud.yaml", data); err != nil && fault.KindOf(err) != fault.Invalid {
			t.Errorf("%v", err)
		}
	})
}
