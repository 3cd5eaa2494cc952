package console

import (
	"net/http"
	"strconv"
	"time"

	g "maragu.dev/gomponents"
	h "maragu.dev/gomponents/html"

	"github.com/ombudhq/ombud/internal/fault"
	"github.com/ombudhq/ombud/ledger"
	"github.com/ombudhq/ombud/vault"
	"github.com/ombudhq/ombud/web/console/view"
)

// checkpoints says who outside vouches for how much of the log.
func (v *visit) checkpoints() error {
	newest, failed := v.Ledger.Checkpoint(v.r.Context())
	places := v.Ledger.Places()
	last, read := v.Verified()
	return v.inRoom(http.StatusOK, roomLog, "Checkpoints", view.Head(vouchSentence(v.Ledger.Size(), places),
		"A checkpoint is the signed head of the log. Whoever holds one can tell later that nothing below it was changed: keep one yourself, and it need not be us you trust.", v.vouchNext(failed)),
		v.logTabs("/log/checkpoints"), v.newestCheckpoint(newest), v.placeTable(v.Ledger.Size(), places), v.readAgain(last, read), ownEyes())
}

// vouchSentence counts what the best place covers.
func vouchSentence(size int64, places []ledger.Place) string {
	covered := int64(0)
	for _, p := range places {
		covered = max(covered, min(p.Size, size))
	}
	switch {
	case size == 0:
		return "The log is empty; there is nothing to vouch for yet."
	case covered == 0:
		return "Nobody outside vouches for the log."
	case covered == size:
		return "A checkpoint outside vouches for every entry."
	}
	return "A checkpoint outside vouches for " + view.Number(covered) + " of " + view.Count(size, "entry", "entries") + "."
}

// vouchNext says who mends what weakens the promise, the worst first.
func (v *visit) vouchNext(failed error) *view.Next {
	if failed != nil {
		return &view.Next{Who: "Whoever runs Ombud", What: "See that checkpoints can be written again", WhatWhy: g.Text(faultText(failed)), When: "Now", WhenWhy: g.Text("nobody vouches for what comes meanwhile")}
	}
	if len(v.Warnings) > 0 {
		return &view.Next{Who: "Whoever runs Ombud", What: "Name a place on another machine", WhatWhy: g.Text("heads: in ombud.yaml"), When: "Soon", WhenWhy: g.Text("checkpoints lie on the same disk as the data: who rolls back one rolls back both")}
	}
	return nil
}

// faultText is what an error says to people.
func faultText(err error) string {
	for _, f := range faultsOf(err, "") {
		return f.Text
	}
	return "The log of the program says why."
}

func (v *visit) newestCheckpoint(c ledger.Checkpoint) g.Node {
	s := view.Section{ID: "newest", Title: "Newest here", First: true}
	if c.Size == 0 {
		return s.With(view.Empty("There is no checkpoint yet.", "The first entry brings the first one."))
	}
	return s.With(view.Facts(view.Fact{Name: "Covers", Is: g.Text(view.Count(c.Size, "entry", "entries"))},
		view.Fact{Name: "Root", Is: h.Span(h.Class("path"), g.Text(c.Root))}, view.Fact{Name: "Signed by", Is: h.Span(h.Class("path"), g.Text(vault.KeyName(v.Vault.PublicKey())))}),
		view.Actions(view.Link("main-act", "/log/checkpoint", "Download the checkpoint"), view.Link("", "/log/key", "Public key")))
}

func (v *visit) placeTable(size int64, places []ledger.Place) g.Node {
	var rows []g.Node
	for _, p := range places {
		badge, covers, written := view.Badge(view.OK, "covers everything"), view.Count(p.Size, "entry", "entries"), "never"
		switch {
		case p.Problem != "":
			badge, covers = view.Badge(view.Late, "cannot vouch"), p.Problem
		case p.Size == 0:
			badge, covers = view.Badge(view.Late, "empty"), "nothing"
		case p.Size < size:
			badge = view.Badge(view.Soon, view.Number(size-p.Size)+" behind")
		}
		if !p.Written.IsZero() {
			written = v.time.Moment(p.Written)
		}
		rows = append(rows, view.Row(h.Span(h.Class("path"), g.Text(p.Name)), view.Text("Covers", covers), view.Text("Written", written), view.Cell("Standing", badge)))
	}
	return view.Section{ID: "outside", Title: "Outside the database"}.With(
		view.Table("stack", "Places of checkpoints", []view.Column{{Name: "Place"}, {Name: "Covers"}, {Name: "Written"}, {Name: "Standing"}}, view.Rows(rows...)),
		g.Map(v.Warnings, func(w string) g.Node {
			return h.Div(h.Class("mt"), view.Note(view.Soon, "Weaker than it could be.", view.Upper(w)+".", ""))
		}))
}

// verifyAfter is how old a reading of the whole log may be.
const verifyAfter = 7 * day

func (v *visit) readAgain(last ledger.Verified, read bool) g.Node {
	s := view.Section{ID: "verify", Title: "Read again from the first entry"}
	what := g.Node(view.Note(view.Soon, "Nobody has read all of it yet.", "A verification computes the tree anew, opens every entry, and compares with everything outside.", ""))
	switch {
	case read && !last.OK:
		what = view.Note(view.Late, "The log is not what was written.", view.Upper(last.Problem)+". Found "+v.time.Moment(last.At)+". Change nothing more, and copy data and heads aside.", "")
	case read && v.time.Now.Sub(last.At) > verifyAfter:
		what = view.Note(view.Soon, "It was as it was written on "+v.time.Date(last.At)+".", verifiedWords(last)+" That was more than a week ago.", "")
	case read:
		what = view.Note(view.OK, "As it was written, "+v.time.Moment(last.At)+".", verifiedWords(last), "")
	}
	return s.With(what, view.Form("/log/verify", v.token, view.Actions(view.Button("", "Read it all again"))))
}

func verifiedWords(r ledger.Verified) string {
	out := view.Upper(view.Count(r.Entries, "entry", "entries")) + " read in " + view.Lasting(time.Duration(r.TookMS)*time.Millisecond) + "; checkpoints covered " + view.Number(r.CheckpointSize) + "."
	if r.Erased > 0 {
		out += " " + view.Upper(view.Count(r.Erased, "entry is", "entries are")) + " proven and can no longer be read."
	}
	return out
}

// ownEyes tells how to check without this page.
func ownEyes() g.Node {
	return view.Section{ID: "yourself", Title: "Without trusting this page"}.With(
		h.P(g.Text("With the program, the public key from another way, and the checkpoint you kept:")),
		h.Pre(h.Class("secret mt"), h.TabIndex("0"), h.Role("group"), h.Aria("label", "Commands"), g.Text("ombud audit verify --checkpoint YOURS\nombud audit prove --consistency YOURS > proof.json")))
}

// verify reads the whole log. What is found shows on the page it leads to.
func (v *visit) verify() error {
	if _, err := v.Verify(v.r.Context()); err != nil && fault.KindOf(err) != fault.Integrity {
		return err
	}
	return v.seeOther("/log/checkpoints#verify")
}

func (v *visit) checkpointFile() error {
	c, err := v.Ledger.Checkpoint(v.r.Context())
	if err != nil {
		return err
	}
	if c.Size == 0 {
		return fault.New(fault.NotFound, "the log is empty: there is no checkpoint yet")
	}
	return v.sendText("ombud-"+strconv.FormatInt(c.Size, 10)+".checkpoint", c.Note)
}

func (v *visit) publicKeyFile() error { return v.sendText("ombud.pub", v.Vault.PublicText()) }

func (v *visit) sendText(name, text string) error {
	v.attach(name, "text/plain; charset=utf-8")
	_, _ = v.w.Write([]byte(text)) // who hung up is told nothing
	return nil
}
