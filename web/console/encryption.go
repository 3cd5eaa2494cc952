package console

import (
	"net/http"
	"os"
	"path/filepath"
	"time"

	g "maragu.dev/gomponents"
	h "maragu.dev/gomponents/html"

	"github.com/ombudhq/ombud/vault"
	"github.com/ombudhq/ombud/web/console/view"
)

// rotateAfter is how old a key may grow.
const rotateAfter = 365 * day

// encryption says how old the keys are, and what lies under which.
func (v *visit) encryption() error {
	made := v.keysMade()
	return v.inRoom(http.StatusOK, roomUpkeep, "Encryption keys", view.Head(v.keysSentence(made),
		"No page shows a key. Everything derives from the root key, which lies in a file that its owner alone reads.", nil),
		v.upkeepTabs("/encryption"), v.keysTable(made), v.fingerprint())
}

// keysMade is when the public key, and with it the root key, was written; zero when that cannot be told.
func (v *visit) keysMade() time.Time {
	info, err := os.Stat(filepath.Join(v.Dir, "keys", "ombud.pub"))
	if err != nil {
		return time.Time{}
	}
	return info.ModTime()
}

func (v *visit) keysSentence(made time.Time) string {
	if made.IsZero() {
		return "The root key is in force."
	}
	if v.time.Now.Sub(made) > rotateAfter {
		return "The root key is " + v.old(made) + ": it is time for another."
	}
	return "The root key is " + v.old(made) + "."
}

// keysTable lists the keys that the root gives, and what each is for.
func (v *visit) keysTable(made time.Time) g.Node {
	age := v.ageOf(made)
	row := func(name, what, life string) g.Node {
		return view.Row(g.Text(name), view.Text("For", what), view.Cell("Age", age), view.Text("Ends", life))
	}
	return view.Section{ID: "list", Title: "Keys", First: true}.With(view.Table("stack", "Keys", []view.Column{{Name: "Key"}, {Name: "For"}, {Name: "Age"}, {Name: "Ends"}}, view.Rows(
		row("Root", "Gives all the others, by HKDF-SHA256; keys/root", "Never yet: there is no rotation. Keep a copy offline"),
		row("Signing", "Checkpoints, receipts, backups; Ed25519", "With the root"),
		row("Sealing", "What people chose, identities, the readable part of the log; XAES-256-GCM", "With the root"),
		row("Tokens", "Finding people without storing who they are; HMAC-SHA256, one key a purpose", "With the root"),
		view.Row(g.Text("Of one request"), view.Text("For", "The identities and the journal of one request"), view.Cell("Age", g.Text("as the request")), view.Text("Ends", "Destroyed when the request is over")))))
}

func (v *visit) ageOf(made time.Time) g.Node {
	switch {
	case made.IsZero():
		return g.Text("not known")
	case v.time.Now.Sub(made) > rotateAfter:
		return view.Badge(view.Soon, v.old(made))
	}
	return g.Group{g.Text(v.old(made)), why("since " + v.time.Date(made))}
}

func (v *visit) fingerprint() g.Node {
	return view.Section{ID: "public", Title: "Public key"}.With(
		h.P(g.Text("What is signed is checked with it. Give it to auditors by another way than what it signed, and let them compare.")),
		h.Div(h.Class("mt"), view.Facts(view.Fact{Name: "Name", Is: h.Span(h.Class("path"), g.Text(vault.KeyName(v.Vault.PublicKey())))},
			view.Fact{Name: "As a line", Is: h.Span(h.Class("path"), g.Text(v.Vault.PublicText()))})))
}
