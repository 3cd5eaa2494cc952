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

// copyKeys is the command that copies them.
const copyKeys = "ombud vault backup --recipient age1… --to FOLDER"

// keyring is what the page says about the keys.
type keyring struct {
	vault.Ages
	made    time.Time // when the root key was; zero when that cannot be told
	due     time.Time // zero for never
	overdue bool
}

func (v *visit) keyring() (*keyring, error) {
	ages, err := v.Vault.Ages(v.r.Context(), v.time.Now)
	if err != nil {
		return nil, err
	}
	k := &keyring{Ages: ages}
	if info, err := os.Stat(filepath.Join(v.Dir, "keys", "ombud.pub")); err == nil {
		k.made = info.ModTime() // it is written once, with the root key
	}
	if due, ever := v.Catalog.Config().Keys.Due(ages.Rotated); ever {
		k.due, k.overdue = due, !v.time.Now.Before(due)
	}
	return k, nil
}

// encryption says how old the keys are, who keeps them, and whether they could be brought back.
func (v *visit) encryption() error {
	k, err := v.keyring()
	if err != nil {
		return err
	}
	return v.inRoom(http.StatusOK, roomUpkeep, "Encryption keys", view.Head(v.keysSentence(k),
		"No page shows a key. Each person and each request has one of their own; destroyed, nothing opens what lies under it, in no backup either.", v.keysNext(k)),
		v.upkeepTabs("/encryption"), v.keysTable(k), v.keyCopies(k), v.fingerprint())
}

func (v *visit) keysSentence(k *keyring) string {
	switch {
	case k.Running != nil:
		return "A rotation of the keys was begun and not ended."
	case k.overdue:
		return "It is time for new keys."
	case k.Copied == nil:
		return "The keys have no backup."
	case !k.Fresh():
		return "The newest backup of the keys lacks some."
	}
	return "The keys are new since " + v.time.Date(k.Rotated) + ", and all are in a backup."
}

// keysNext says what has to be done, the most pressing first.
func (v *visit) keysNext(k *keyring) *view.Next {
	do := func(what, command, when, because string) *view.Next {
		return &view.Next{Who: "Whoever runs Ombud", What: what, WhatWhy: h.Code(g.Text(command)), When: when, WhenWhy: g.Text(because)}
	}
	switch {
	case k.Running != nil:
		return do("Let the rotation go on", "ombud vault rotate", "Today", "it was begun on "+v.time.Date(k.Running.Began)+"; nothing is lost meanwhile")
	case k.Copied == nil || !k.Fresh():
		return do("Copy the keys", copyKeys, "Today", "without them nothing that was sealed opens")
	case k.overdue:
		return do("Make new keys", "ombud vault rotate", "Since "+v.time.Date(k.due), "nothing stops meanwhile")
	}
	return nil
}

// keysTable lists the keys by what they wrap.
func (v *visit) keysTable(k *keyring) g.Node {
	due := "Never, as ombud.yaml says"
	if !k.due.IsZero() {
		due = "New ones by " + v.time.Date(k.due)
	}
	rotated := g.Node(g.Text("since " + v.time.Date(k.Rotated)))
	if k.overdue {
		rotated = view.Badge(view.Soon, "since "+v.time.Date(k.Rotated))
	}
	root := "not known"
	if !k.made.IsZero() {
		root = "since " + v.time.Date(k.made)
	}
	sealing := root
	if !k.Root.Rotated.IsZero() {
		sealing = "since " + v.time.Date(k.Root.Rotated)
	}
	row := func(name, what string, age g.Node, life string) g.Node {
		return view.Row(g.Text(name), view.Text("For", what), view.Cell("Age", age), view.Text("Ends", life))
	}
	return view.Section{ID: "list", Title: "Keys", First: true, Note: g.Text(view.Count(int64(k.Keys), "key") + " of people and requests")}.With(
		view.Table("stack", "Keys", []view.Column{{Name: "Key"}, {Name: "For"}, {Name: "Age"}, {Name: "Ends"}}, view.Rows(
			row("Of a person or request", "What is known of them in our own store and in the log", g.Text("as they are"), "Destroyed with their erasure"),
			row("Bucket keys", view.Count(int64(k.Buckets), "key")+", which wrap those of people", rotated, due),
			row("Key-encryption key", "Version "+k.Version+", kept by "+k.Provider+"; wraps the bucket keys", rotated, due),
			row("Root: signing", "Checkpoints, receipts, backups; Ed25519", g.Text(root), "With the log: it stays"),
			row("Root: tokens", "Finding people without storing who they are; HMAC-SHA256, one key a purpose", g.Text(root), "With the log: it stays"),
			row("Root: sealing", "What belongs to no person; XAES-256-GCM", g.Text(sealing), "When you make a new root key: ombud vault rotate --root"))))
}

// keyCopies says whether the keys could be brought back.
func (v *visit) keyCopies(k *keyring) g.Node {
	s := view.Section{ID: "copies", Title: "Backup of the keys"}
	switch {
	case k.Copied == nil:
		return s.With(view.Note(view.Late, "There is none.", "Keep one apart from the backups of data: whoever has both and the root key reads what is in them.", copyKeys))
	case !k.Fresh():
		return s.With(view.Note(view.Soon, "The newest is of "+v.time.Date(k.Copied.At)+".", "Keys were made or rotated since.", copyKeys))
	}
	return s.With(view.Note(view.OK, "The newest is of "+v.time.Date(k.Copied.At)+".", "It holds every key there is. Old ones still open what was destroyed since: let them go soon.", ""))
}

func (v *visit) fingerprint() g.Node {
	return view.Section{ID: "public", Title: "Public key"}.With(
		h.P(g.Text("What is signed is checked with it. Give it to auditors by another way than what it signed, and let them compare.")),
		h.Div(h.Class("mt"), view.Facts(view.Fact{Name: "Name", Is: h.Span(h.Class("path"), g.Text(vault.KeyName(v.Vault.PublicKey())))},
			view.Fact{Name: "As a line", Is: h.Span(h.Class("path"), g.Text(v.Vault.PublicText()))})))
}
