package console_test

import (
	"context"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/ombudhq/ombud/access"
	"github.com/ombudhq/ombud/internal/testkit/consoletest"
	"github.com/ombudhq/ombud/ledger"
	"github.com/ombudhq/ombud/vault"
	"github.com/ombudhq/ombud/web/console"
)

// send posts the form to an address on a page, with its hidden fields and these.
func (p *page) send(action string, fields ...string) *page {
	p.t.Helper()
	form := p.fields(action)
	for i := 0; i < len(fields); i += 2 {
		form.Set(fields[i], fields[i+1])
	}
	return p.parse("POST "+action, p.post(action, form))
}

// TestAPIKeys: a key is shown once, lets in from then on, and no page shows it again; revoked, it lets nobody in.
func TestAPIKeys(t *testing.T) {
	s := newSite(t, consoletest.Full)
	p := s.read("/api-keys", http.StatusOK)
	if got := p.heading(); got != "Three keys let programs in; one ends within 30 days." {
		t.Errorf("%q", got)
	}
	p.has("shop checkout", "never used", "20 days left", "Over", "revoked Thu 19 Nov", "kari, on this machine")
	p.send("/api-keys", "name", "", "role", "service", "expires", "365").has("A name has 1 to 100 characters")
	p.send("/api-keys", "name", "x", "role", "system_admin", "expires", "365").has("other roles are for people")
	p.send("/api-keys", "name", "x", "role", "service", "expires", "never").has("Choose how long the key is valid")
	p.send("/api-keys", "name", "x", "role", "service", "expires", "90", "purposes", "omb_nothing").has("Each is the id of one that is declared").lacks("omb_nothing")
	p.send("/api-keys", "name", "letters", "role", "service", "expires", "90", "purposes", "newsletter").has("Copy the key for letters now.")
	s.read("/api-keys", http.StatusOK).has("service, for purposes newsletter")
	made := p.send("/api-keys", "name", "returns desk", "role", "service", "expires", "90")
	made.has("Copy the key for returns desk now.", "never again", "It ends on Wed 17 Feb 2027")
	secret := shown(made, `(omb_[\w-]{43})`)
	if c, ok := s.world.Keys.Caller(secret); !ok || c.Role != access.Service {
		t.Errorf("the key lets in %v, %v", c, ok)
	}
	p = s.read("/api-keys", http.StatusOK)
	p.has("returns desk").lacks(secret)
	all, err := s.world.Keys.List(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	desk := slices.IndexFunc(all, func(k access.Key) bool { return k.Name == "returns desk" })
	revoke := "/api-keys/" + all[desk].ID + "/revoke"
	for range 2 { // the second changes nothing and says so by showing the list
		if w := s.post(revoke, p.fields(revoke)); w.Code != http.StatusSeeOther {
			t.Errorf("revoking: %d", w.Code)
		}
	}
	if _, ok := s.world.Keys.Caller(secret); ok {
		t.Error("a revoked key lets in")
	}
}

// TestKeysThatReadTheLog: who does not read the log makes no key that does.
func TestKeysThatReadTheLog(t *testing.T) {
	s := newSite(t, consoletest.Empty)
	admin := s.staff(access.Admin)[access.Admin]
	p := admin.at("/api-keys", http.StatusOK, "No program has a key.")
	p.lacks("receipts")
	admin.page("auditor", admin.fill(p, "/api-keys", "name", "siem", "role", "auditor", "expires", "365")).has("you cannot make a key that does")
	if keys, err := s.world.Keys.List(t.Context()); err != nil || len(keys) != 0 {
		t.Errorf("%d keys, %v", len(keys), err)
	}
}

// staff signs one person in for each of these roles; the admin is there in any case.
func (s *site) staff(roles ...access.Role) map[access.Role]*browser {
	s.t.Helper()
	out, by := map[access.Role]*browser{}, access.Caller{Actor: "local:kari", Role: access.Local}
	for _, role := range append([]access.Role{access.Admin}, roles...) {
		if out[role] != nil {
			continue
		}
		c, token, err := s.world.SignIn(s.t.Context(), strings.ReplaceAll(string(role), "_", "."), role, by)
		if err != nil {
			s.t.Fatal(err)
		}
		out[role] = &browser{site: s, cookie: token}
		if role == access.Admin {
			by = c
		}
	}
	return out
}

// TestRailShowsWhatOpens: for each role, every room and tab that is offered opens, and none is missing that would.
func TestRailShowsWhatOpens(t *testing.T) {
	s := newSite(t, consoletest.Empty)
	for role, b := range s.staff(access.PeopleRoles()...) {
		p := b.at("/account", http.StatusOK, "What your role may do", "signed out after 15 minutes", "Sign out")
		for _, path := range []string{"/", "/people", "/requests", "/map", "/consent", "/log", "/accounts", "/api-keys", "/backups"} {
			offered := strings.Contains(p.body, `href="`+path+`"`) && path != "/"
			opens := access.Allowed(access.Caller{Role: role, Session: "ses_1"}, console.Needs()["GET "+path]) == nil
			if path == "/api-keys" || path == "/" {
				continue // a tab, and where the wordmark leads
			}
			if offered != opens {
				t.Errorf("%s: %s offered %v, opens %v", role, path, offered, opens)
			}
			if offered {
				b.at(path, http.StatusOK)
			}
		}
	}
}

// TestRoles: the table is the gate's own, and a question gets one sentence.
func TestRoles(t *testing.T) {
	s := newSite(t, consoletest.Empty)
	s.read("/roles", http.StatusOK).has("What no policy permits is denied.", "Approve plans and run what was approved")
	for query, want := range map[string][]string{
		"?role=support_agent&may=request.approve":       {"Yes: a support agent may approve plans and run what was approved."},
		"?role=system_admin&may=consent.read":           {"No: a system admin may not see what people chose.", "admin-sees-no-content", "Ask a support agent or data protection officer."},
		"?role=data_protection_officer&may=person.read": {"Only with a written reason:", "officer-says-why"},
		"?role=developer&may=hold.write":                {"Only with broken glass:"},
		"?role=root&may=everything":                     {"What no policy permits is denied."},
	} {
		s.read("/roles"+query, http.StatusOK).has(want...)
	}
}

// TestRolesHaveWords: what a page of the console needs has words on the page of roles.
func TestRolesHaveWords(t *testing.T) {
	s := newSite(t, consoletest.Empty)
	body := s.read("/roles", http.StatusOK).body
	for route, need := range console.Needs() {
		if need != "anybody" && need != "begun" && need != access.SelfManage && !strings.Contains(body, `value="`+string(need)+`"`) {
			t.Errorf("%s needs %s, which the page of roles does not name", route, need)
		}
	}
}

// TestLooks: opening a person's page is an entry before it is shown, and the page says who looked at whom.
func TestLooks(t *testing.T) {
	s := newSite(t, consoletest.Full)
	person := s.refs[consoletest.Person]
	before := s.world.Ledger.Size()
	s.get("/people/" + person)
	rows, err := s.world.Ledger.Tail(t.Context(), 1, ledger.TailOptions{})
	if err != nil || s.world.Ledger.Size() != before+1 || rows[0].Kind != ledger.KindLooked || rows[0].Subject != person || rows[0].Actor != consoletest.Actor {
		t.Fatalf("%v %v", rows, err)
	}
	s.read("/people/"+person, http.StatusOK).has("Who looked at them")
	p := s.read("/log/looks", http.StatusOK)
	p.has("kari, on this machine", "their page in the console", person, "package of R-2026-0004", "Three accounts looked at two people.", "the key shop checkout")
	s.read("/log/looks?person="+person, http.StatusOK).has("Who looked at this person").lacks("package of")
	s.read("/log/looks?who=account:nobody", http.StatusOK).has("Nobody looked.")
	s.read("/log/looks?person=sub_nobody", http.StatusNotFound)
	p.send("/log/looks", "kind", "email", "value", "bo@example.com").has("package of R-2026-0004").lacks(person)
	p.send("/log/looks", "kind", "email", "value", "nobody@example.com").has("Nobody looked.")
	p.send("/log/looks", "kind", "email", "value", " ").has("write the exact value")
}

// TestCheckpoints: who vouches for how much; a reading of it all, good and bad, shows; and what is downloaded verifies.
func TestCheckpoints(t *testing.T) {
	s := newSite(t, consoletest.Full)
	p := s.read("/log/checkpoints", http.StatusOK)
	if got := p.heading(); got != "A checkpoint outside vouches for every entry." {
		t.Errorf("%q", got)
	}
	p.has("Nobody has read all of it yet", "covers everything")
	if w := s.post("/log/verify", p.fields("/log/verify")); w.Code != http.StatusSeeOther {
		t.Fatalf("%d %s", w.Code, w.Body)
	}
	s.read("/log/checkpoints", http.StatusOK).has("As it was written,").lacks("Nobody has read")
	note := s.get("/log/checkpoint").Body.String()
	if kept := filepath.Join(s.world.Dir, "heads", "checkpoints"); !strings.Contains(read(t, kept), note) {
		t.Error("the checkpoint is not the one outside")
	}
	if got := s.get("/log/key").Body.String(); got != read(t, filepath.Join(s.world.Dir, "data", "keys", "ombud.pub")) {
		t.Errorf("the public key is %q", got)
	}
	forged := strings.ReplaceAll(read(t, filepath.Join(s.world.Dir, "heads", "checkpoints")), "\n— ombud/", "\n— ombud/0")
	if err := os.WriteFile(filepath.Join(s.world.Dir, "heads", "checkpoints"), []byte(forged), 0o600); err != nil {
		t.Fatal(err)
	}
	s.read("/log/checkpoints", http.StatusOK).has("Nobody outside vouches for the log", "cannot vouch")
}

func read(t *testing.T, path string) string {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// TestBackups: the list, a verification that finds nothing, one that finds a change, and what is no backup at all.
func TestBackups(t *testing.T) {
	s := newSite(t, consoletest.Full)
	p := s.read("/backups", http.StatusOK)
	if got := p.heading(); got != "The newest backup is 1 hour old, and a restore was rehearsed on Thu 19 Nov." {
		t.Errorf("%q", got)
	}
	verify := func(name string) { s.post("/backups/"+name+"/verify", p.fields("/backups/"+name+"/verify")) }
	newest := "ombud-20261119-020000-60.ombud-backup"
	verified := func() int { return strings.Count(s.read("/backups", http.StatusOK).body, "Thu 19 Nov</span>") }
	had := verified()
	if verify(newest); verified() != had+1 {
		t.Error("the verification does not show")
	}
	path := filepath.Join(s.world.Dir, "data", "backups", newest)
	b := []byte(read(t, path))
	b[100] ^= 1
	if err := os.WriteFile(path, b, 0o600); err != nil {
		t.Fatal(err)
	}
	verify(newest)
	s.read("/backups", http.StatusOK).has("damaged", "What is in it was changed", "The newest backup is 25 hours old")
	if err := os.WriteFile(filepath.Join(filepath.Dir(path), "x.ombud-backup"), []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	s.read("/backups", http.StatusOK).has("not trusted")
	form := url.Values{"token": p.fields("/backups/" + newest + "/verify")["token"]}
	for _, name := range []string{"x.ombud-backup", "..%2Fombud.db", "nobody.ombud-backup"} {
		if w := s.post("/backups/"+name+"/verify", form); w.Code != http.StatusNotFound {
			t.Errorf("%s: %d", name, w.Code)
		}
	}
}

// TestEncryptionKeys: whether the keys are due and could be brought back is told, and none of them.
func TestEncryptionKeys(t *testing.T) {
	s := newSite(t, consoletest.Empty)
	p := s.read("/encryption", http.StatusOK)
	if got := p.heading(); got != "The keys have no backup." {
		t.Errorf("%q", got)
	}
	p.has("Key-encryption key", "ombud vault backup --recipient age1… --to FOLDER", "New ones by Fri 19 Nov 2027", "ombud/").lacks(read(t, filepath.Join(s.world.Dir, "data", "keys", "root"))[:16])
	note := vault.Copied{At: s.world.Clock.Now(), Buckets: 1 << 20}
	if err := s.world.Vault().NoteCopy(t.Context(), note); err != nil {
		t.Fatal(err)
	}
	s.read("/encryption", http.StatusOK).has("and all are in a backup.")
	s.world.Clock.Advance(366 * 24 * time.Hour)
	s.read("/encryption", http.StatusOK).has("It is time for new keys.", "ombud vault rotate")
	if _, err := s.world.Vault().RotateRoot(t.Context(), s.world.Clock.Now(), func(context.Context) (int, error) { return 0, nil }); err != nil {
		t.Fatal(err)
	}
	s.read("/encryption", http.StatusOK).has("since Sat 20 Nov", "ombud vault rotate --root")
	s.read("/backups", http.StatusOK).has("There is no backup to come back from.", "ombud backup create")
}
