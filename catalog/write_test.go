package catalog

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/ombudhq/ombud/internal/fault"
)

func guessesFor(system string) []Proposal {
	mark := func(id string) Mark {
		return Mark{Proposed: true, ID: id, Confidence: 0.9, Reason: "its name: says so"}
	}
	people := People{Table: "customers", By: map[string]string{"email": "email", "customer": "id"}, Mark: mark("people:" + system + ".customers")}
	link := Link{From: "letters.email", To: "customers.email", As: Co, Author: true, Mark: mark("link:" + system + ".letters.email")}
	rule := TableRule{Table: "invoices", Erase: Keep, Because: "?", Until: "10 years after issued_at", Mark: mark("keep:" + system + ".invoices")}
	return []Proposal{
		{System: system, ID: people.ID, People: &people},
		{System: system, ID: link.ID, Link: &link},
		{System: system, ID: rule.ID, Rule: &rule},
	}
}

func findingsFor(t *testing.T, existing string, add ...System) *Findings {
	t.Helper()
	cfg, err := Parse("ombud.yaml", []byte(existing))
	if err != nil {
		t.Fatal(err)
	}
	cfg.Systems = append(cfg.Systems, add...)
	f := &Findings{Config: cfg}
	for _, s := range cfg.Systems {
		f.Proposals = append(f.Proposals, guessesFor(s.ID)...)
	}
	return f
}

func draft(t *testing.T, existing string, f *Findings) string {
	t.Helper()
	out, err := Draft([]byte(existing), f)
	if err != nil {
		t.Fatalf("%v\n%s", err, existing)
	}
	return string(out)
}

// layouts of an existing file that drafting has to cope with.
var layouts = map[string]string{
	"block": `# our stores
systems:
  - id: shop      # the web shop
    connector: sqlite
    dsn: shop.db

    # people first
    people:
      - table: users
        by: {email: mail}   # not customers

    tables:
      # law
      orders:
        erase: keep
        because: >
          because
          of law
    ignore: [a, b]   # noise

# the end
approval: {erasure: 2}
# really
`,
	"no indent": "systems:\n- id: shop\n  connector: sqlite\n  dsn: shop.db\n  links:\n  - from: a.b\n    to: c.d\n  tables: {}\n  people: []\n",
	"flow":      "systems: [{id: shop, connector: sqlite, dsn: \"shop.db\", links: [{from: 'a b.c', to: c.d}]}]\n",
	"flow lists": `systems:
  - id: shop
    connector: sqlite
    dsn: ${SHOP_DSN}
    people: [
      {table: users, by: {email: mail}},   # first }]
    ]
    links: [ {from: a.b, to: c.d} ]
    tables: {orders: {erase: delete}}
`,
	"null values": "systems:\n  - id: shop\n    connector: sqlite\n    dsn: shop.db\n    people:\n    links:   # none yet\n    tables: ~\n",
	"no newline":  "systems:\n  - id: shop\n    connector: sqlite\n    dsn: shop.db",
	"crlf":        "systems:\r\n  - id: shop\r\n    connector: sqlite\r\n    dsn: shop.db\r\n    tables:\r\n      ümläut: {erase: delete}   # ü\r\napproval: {erasure: 1}\r\n",
	"middle":      "systems:\n  - id: zero\n    connector: sqlite\n    dsn: z.db\n  - id: shop\n    connector: sqlite\n    dsn: >-\n      shop.db\n  - id: last\n    connector: sqlite\n    dsn: l.db\nheads: x\n",
}

func TestDraftKeepsEveryByteAndAddsOnce(t *testing.T) {
	for name, text := range layouts {
		t.Run(name, func(t *testing.T) {
			f := findingsFor(t, text)
			out := draft(t, text, f)
			rest := out
			for line := range strings.Lines(text) {
				if name == "flow" || strings.Contains(line, "[]") || strings.Contains(line, "{}") || strings.Contains(line, "{orders") || strings.Contains(line, "[ {") || strings.Contains(line, "~") || strings.Contains(line, "first }]") {
					continue // the new entry stands in this very line
				}
				i := strings.Index(rest, strings.TrimRight(line, "\r\n"))
				if i < 0 {
					t.Fatalf("lost %q:\n%s", line, out)
				}
				rest = rest[i:]
			}
			cfg, err := Parse("ombud.yaml", []byte(out))
			if err != nil {
				t.Fatalf("%v\n%s", err, out)
			}
			if got := len(cfg.Open()); got != 3*len(cfg.Systems) {
				t.Errorf("%d guesses for %d systems:\n%s", got, len(cfg.Systems), out)
			}
			if again := draft(t, out, f); again != out {
				t.Errorf("a second run changed the file:\n%s\nfrom:\n%s", again, out)
			}
			checkAnswersRoundTrip(t, text, out)
		})
	}
}

func checkAnswersRoundTrip(t *testing.T, before, drafted string) {
	t.Helper()
	out, answered, err := Answer([]byte(drafted), []string{All}, nil)
	if err != nil {
		t.Fatalf("%v\n%s", err, drafted)
	}
	cfg, err := Parse("ombud.yaml", out)
	if err != nil || len(cfg.guesses()) != 0 {
		t.Fatalf("guesses are left (%v):\n%s", err, out)
	}
	if len(answered) != 3*len(cfg.Systems) {
		t.Errorf("answered %v", answered)
	}
	rule := cfg.Systems[0].Tables[len(cfg.Systems[0].Tables)-1]
	if rule.Erase != Keep || rule.Because != "bookkeeping or tax law (confirmed)" || rule.Until == "" {
		t.Errorf("%+v", rule)
	}
	if strings.Contains(before, "# really") && !strings.Contains(string(out), "# noise") {
		t.Errorf("a comment is lost:\n%s", out)
	}
	if again := draft(t, string(out), findingsFor(t, drafted)); again != string(out) {
		t.Errorf("accepted guesses came back:\n%s", again)
	}
	refused, _, err := Answer([]byte(drafted), nil, cfg2(t, drafted).Open())
	if err != nil {
		t.Fatal(err)
	}
	if again := draft(t, string(refused), findingsFor(t, drafted)); again != string(refused) {
		t.Errorf("rejected guesses came back:\n%s", again)
	}
	if n := len(cfg2(t, string(refused)).Open()); n != 0 {
		t.Errorf("%d open after rejecting all:\n%s", n, refused)
	}
}

func cfg2(t *testing.T, text string) *Config {
	t.Helper()
	cfg, err := Parse("ombud.yaml", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return cfg
}

func TestDraftStartsAFile(t *testing.T) {
	for name, existing := range map[string]string{"nothing": "", "init": "organization:\n  name: X\n\nsystems: []\n  # - id: shop\n\n# heads: y\n", "null": "systems:\n"} {
		f := findingsFor(t, existing, System{ID: "shop", Connector: "sqlite", DSN: "stores/shop.db"}, System{ID: "mail", Connector: "postgres", DSN: "${MAIL_DSN}"})
		out := draft(t, existing, f)
		cfg := cfg2(t, out)
		if len(cfg.Systems) != 2 || len(cfg.Open()) != 6 || cfg.Systems[1].DSN != "${MAIL_DSN}" {
			t.Errorf("%s:\n%s", name, out)
		}
		if again := draft(t, out, f); again != out {
			t.Errorf("%s: a second run changed the file:\n%s", name, again)
		}
	}
}

func TestDraftRefusesASecret(t *testing.T) {
	f := findingsFor(t, "", System{ID: "shop", Connector: "postgres", DSN: "postgres://u:hunter2@h/db"})
	_, err := Draft(nil, f)
	if fault.KindOf(err) != fault.Invalid || strings.Contains(err.Error(), "hunter2") || !strings.Contains(err.Error(), "${SHOP_DSN}") {
		t.Errorf("%v", err)
	}
}

func TestLiteralSecret(t *testing.T) {
	for dsn, want := range map[string]bool{
		"postgres://u:pw@h/db": true, "postgres://u@h/db": false, "postgres://u:${PW}@h/db": false, "postgres://h/db?password=x": true,
		"postgres://u:a${PW}@h/db": true, "host=h user=u password=pw": true, "host=h user=u password=${PW}": false, "host=h dbname=d": false,
		"u:pw@tcp(h:3306)/db": true, "u@tcp(h)/db": false, "u:${PW}@tcp(h)/db": false, "mysql://u:pw@h/db": true, "mysql://u@h/db": false,
		"shop.db": false, "file:shop.db?mode=ro": false, "stores/a:b@c.db": false, "${SHOP_DSN}": false, "postgres://u:p@ss@h/db": true,
	} {
		if got := LiteralSecret(dsn); got != want {
			t.Errorf("%s: %v", dsn, got)
		}
	}
}

func TestConnectorOf(t *testing.T) {
	for dsn, want := range map[string]string{
		"postgres://h/db": "postgres", "postgresql://h/db": "postgres", "mysql://h/db": "mysql", "mariadb://h/db": "mariadb", "u@tcp(h)/db": "mysql",
		"host=/run dbname=x": "postgres", "shop.db": "sqlite", "file:x?mode=ro": "sqlite", "a/b.sqlite3": "sqlite", "mongodb://h/db": "", "x": "",
	} {
		if got := ConnectorOf(dsn); got != want {
			t.Errorf("%s: %q", dsn, got)
		}
	}
}

func TestWithStores(t *testing.T) {
	t.Setenv("OMBUD_TEST_DSN", "postgres://u:pw@h/db")
	cfg := &Config{Folder: "conf"}
	out, err := WithStores(cfg, "", []string{"shop=sqlite:a/shop.db", "mail=${OMBUD_TEST_DSN}"})
	if err != nil {
		t.Fatal(err)
	}
	if s := out.Systems[0]; s.DSN != filepath.Join("..", "a", "shop.db") || s.Connector != "sqlite" {
		t.Errorf("%+v", s)
	}
	if s := out.Systems[1]; s.DSN != "${OMBUD_TEST_DSN}" || s.Connector != "postgres" || len(cfg.Systems) != 0 {
		t.Errorf("%+v", s)
	}
	for dsn, want := range map[string]string{"mariadb:u:pw@tcp(h)/db": "u:pw@tcp(h)/db mariadb", "mysql:${OMBUD_TEST_DSN}": "${OMBUD_TEST_DSN} mysql",
		"mysql:pw@tcp(h)/db": "mysql:pw@tcp(h)/db mysql", "mariadb://u:pw@h/db": "mariadb://u:pw@h/db mariadb", "postgres:host=h dbname=d": "host=h dbname=d postgres"} {
		if out, err := WithStores(cfg, "", []string{"s=" + dsn}); err != nil || out.Systems[0].DSN+" "+out.Systems[0].Connector != want {
			t.Errorf("%s: %v %+v", dsn, err, out)
		}
	}
	for _, bad := range []string{"shop", "sh.op=x.db", "shop=", "shop=what://is/this", "shop=${OMBUD_TEST_MISSING}"} {
		if _, err := WithStores(cfg, "", []string{bad}); fault.KindOf(err) != fault.Invalid {
			t.Errorf("%s: %v", bad, err)
		}
	}
}

func TestAnswer(t *testing.T) {
	const file = `systems:
  - id: billing
    connector: sqlite
    dsn: b.db
    tables:
      invoices: {erase: keep, because: "?", proposed: true}   # asked
      access_log:
        proposed: true
        # since 2020
        erase: keep
        because: "?"
        reason: it looks like a log
      events: {proposed: true, id: "reopen:billing.events", reason: "ignored, yet it holds addresses"}
    ignore:
      - events
      - migrations
`
	out, answered, err := Answer([]byte(file), []string{"keep:billing.invoices", "keep:billing.access_log", "reopen:billing.events"}, nil)
	if err != nil {
		t.Fatal(err)
	}
	want := `systems:
  - id: billing
    connector: sqlite
    dsn: b.db
    tables:
      invoices: {erase: keep, because: "bookkeeping or tax law (confirmed)"}   # asked
      access_log:
        # since 2020
        erase: keep
        because: "security and traceability (confirmed)"
      events: {}
    ignore:
      - migrations
`
	if string(out) != want || len(answered) != 3 {
		t.Errorf("%v\n%s", answered, out)
	}
	out, _, err = Answer([]byte(file), nil, []string{"keep:billing.invoices"})
	if err != nil || !strings.Contains(string(out), `invoices: {erase: keep, because: "?", rejected: true}   # asked`) {
		t.Errorf("%v\n%s", err, out)
	}
	for _, c := range [][2][]string{{{"keep:billing.invoice"}, nil}, {{"keep:billing.invoices"}, {"keep:billing.invoices"}}} {
		if _, _, err := Answer([]byte(file), c[0], c[1]); fault.KindOf(err) != fault.Invalid {
			t.Errorf("%v: %v", c, err)
		}
	}
	if _, answered, err := Answer([]byte(file), []string{All}, []string{"keep:billing.invoices"}); err != nil || len(answered) != 3 {
		t.Errorf("all but one: %v, %v", answered, err)
	}
}

func TestSaveKeepsModeAndLink(t *testing.T) {
	dir := t.TempDir()
	real, link := filepath.Join(dir, "real.yaml"), filepath.Join(dir, "ombud.yaml")
	if err := os.WriteFile(real, []byte("a"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(real, link); err != nil {
		t.Fatal(err)
	}
	if err := Save(link, []byte("b")); err != nil {
		t.Fatal(err)
	}
	info, err := os.Lstat(link)
	if err != nil || info.Mode()&os.ModeSymlink == 0 {
		t.Errorf("the link is gone: %v", err)
	}
	if info, err = os.Stat(real); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
	if data, _ := os.ReadFile(real); string(data) != "b" {
		t.Errorf("%q", data)
	}
	left, _ := filepath.Glob(filepath.Join(dir, ".ombud-*"))
	if len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
}
