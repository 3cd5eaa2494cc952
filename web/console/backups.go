package console

import (
	"net/http"
	"path/filepath"
	"slices"
	"time"

	g "maragu.dev/gomponents"
	h "maragu.dev/gomponents/html"

	"github.com/ombudhq/ombud/backup"
	"github.com/ombudhq/ombud/internal/fault"
	"github.com/ombudhq/ombud/web/console/view"
)

const (
	backupAfter   = 7 * day  // a newest backup that is older wants another one
	rehearseAfter = 90 * day // a rehearsal that is older says little
)

// backupDir is where backups lie unless somebody said otherwise.
func (v *visit) backupDir() string { return filepath.Join(v.Dir, "backups") }

// backups says whether the store could be brought back.
func (v *visit) backups() error {
	all, err := backup.List(v.backupDir(), v.Vault.PublicKey())
	if err != nil {
		return err
	}
	slices.Reverse(all) // newest first
	newest := newestGood(all)
	return v.inRoom(http.StatusOK, roomUpkeep, "Backups", view.Head(v.backupSentence(newest, lastRehearsal(all)),
		"A backup is the own store at one moment, encrypted to an age recipient. It holds neither the keys nor what was erased since: a restore needs both, from elsewhere.", v.backupNext(newest, lastRehearsal(all))),
		v.upkeepTabs(roomUpkeep), v.backupTable(all), v.besideBackups())
}

// newestGood is the newest that is signed and was not found changed; nil when there is none.
func newestGood(all []backup.Listed) *backup.Listed {
	for i, b := range all {
		if b.Problem == "" && (b.Checked == nil || b.Checked.Problem == "") {
			return &all[i]
		}
	}
	return nil
}

// lastRehearsal is when any of them was last brought back in a rehearsal; zero when none was.
func lastRehearsal(all []backup.Listed) (last time.Time) {
	for _, b := range all {
		if b.Checked != nil && b.Checked.Rehearsed != nil && b.Checked.Rehearsed.After(last) {
			last = *b.Checked.Rehearsed
		}
	}
	return last
}

func (v *visit) backupSentence(newest *backup.Listed, rehearsed time.Time) string {
	if newest == nil {
		return "There is no backup to come back from."
	}
	out := "The newest backup is " + v.old(newest.Created)
	switch {
	case rehearsed.IsZero():
		return out + "; nobody has rehearsed a restore."
	case v.time.Now.Sub(rehearsed) > rehearseAfter:
		return out + "; the last rehearsal is long ago."
	}
	return out + ", and a restore was rehearsed on " + v.time.Date(rehearsed) + "."
}

// old says how old something is.
func (v *visit) old(t time.Time) string {
	switch age := v.time.Now.Sub(t); {
	case age < time.Hour:
		return "less than an hour old"
	case age < 2*day:
		return view.Count(int64(age/time.Hour), "hour") + " old"
	default:
		return view.Count(int64(age/day), "day") + " old"
	}
}

// backupNext says what has to be done, the most pressing first; nil when nothing has.
func (v *visit) backupNext(newest *backup.Listed, rehearsed time.Time) *view.Next {
	do := func(what, command, when, because string) *view.Next {
		return &view.Next{Who: "Whoever runs Ombud", What: what, WhatWhy: h.Code(g.Text(command)), When: when, WhenWhy: g.Text(because)}
	}
	switch {
	case newest == nil:
		return do("Make a backup", "ombud backup create --recipient age1…", "Today", "a disk that dies takes everything with it")
	case v.time.Now.Sub(newest.Created) > backupAfter:
		return do("Make a backup", "ombud backup create --recipient age1…", "Today", "what was done since the last one would be lost")
	case rehearsed.IsZero() || v.time.Now.Sub(rehearsed) > rehearseAfter:
		return do("Rehearse a restore", "ombud backup rehearse FILE --identity KEYFILE", "This week", "only that shows that it can be done; the identity stays with you")
	}
	return nil
}

func (v *visit) backupTable(all []backup.Listed) g.Node {
	s := view.Section{ID: "list", Title: "In " + filepath.Join(filepath.Base(v.Dir), "backups"), First: true, Note: g.Text("those put elsewhere with --to are not seen here")}
	if len(all) == 0 {
		return s.With(view.Empty("No backup lies here.", "Make an identity with age-keygen on another machine, and give its recipient to ombud backup create. It runs beside everything else, and a timer can run it every night."))
	}
	var rows []g.Node
	for _, b := range all {
		rows = append(rows, v.backupRow(b))
	}
	return s.With(view.Table("stack", "Backups", []view.Column{{Name: "Made"}, {Name: "Entries", Right: true}, {Name: "Size", Right: true}, {Name: "Verified"}, {Name: "Rehearsed"}, {Name: "Act", Hidden: true}}, view.Rows(rows...)))
}

func (v *visit) backupRow(b backup.Listed) g.Node {
	name := h.Div(h.Class("path"), g.Text(b.File))
	if b.Problem != "" {
		return view.Row(g.Group{view.Badge(view.Late, "not trusted"), name}, view.Act(), view.Act(), view.Cell("Why", g.Text(view.Upper(b.Problem))), view.Act(), view.Act())
	}
	seen := backup.Checked{}
	if b.Checked != nil {
		seen = *b.Checked
	}
	verified, rehearsed := v.doneOn(seen.Verified), v.doneOn(seen.Rehearsed)
	if seen.Problem != "" {
		verified = g.Group{view.Badge(view.Late, "damaged"), why(view.Upper(seen.Problem))}
	}
	if seen.Rehearsed != nil {
		rehearsed = g.Group{rehearsed, why("back in " + view.Lasting(time.Duration(seen.TookMS)*time.Millisecond))}
	}
	return view.Row(g.Group{g.Text(v.time.Moment(b.Created)), name}, view.Figure("Entries", view.Number(b.Size)), view.Figure("Size", view.Size(b.Bytes)),
		view.Cell("Verified", verified), view.Cell("Rehearsed", rehearsed),
		view.Act(view.Form("/backups/"+b.File+"/verify", v.token, view.Button("sm", "Verify", h.Aria("label", "Verify the backup of "+v.time.Moment(b.Created))))))
}

func (v *visit) doneOn(t *time.Time) g.Node {
	if t == nil {
		return view.Badge(view.Idle, "never")
	}
	return view.Badge(view.OK, v.time.Date(*t))
}

// besideBackups says what a restore needs beside a backup, and where that is.
func (v *visit) besideBackups() g.Node {
	var places []g.Node
	for _, p := range v.Ledger.Places() {
		places = append(places, h.Div(h.Class("path"), g.Text(p.Name)))
	}
	return view.Section{ID: "beside", Title: "What a restore needs beside a backup"}.With(view.Facts(
		view.Fact{Name: "The keys", Is: g.Group{g.Text("Without them nothing opens. "), h.A(h.Href("/encryption"), g.Text("Their age and their copies"))}},
		view.Fact{Name: "What was erased since", Is: g.Group{g.Text("The suppression ledger, as it is now, in:"), g.Group(places)}},
		view.Fact{Name: "The identity", Is: g.Text("The age identity that the backup is encrypted to. It should be on no machine that Ombud runs on.")}))
}

// verifyBackup reads one of the backups and compares it with what was signed. What it found shows in the list.
func (v *visit) verifyBackup() error {
	all, err := backup.List(v.backupDir(), v.Vault.PublicKey())
	if err != nil {
		return err
	}
	name := v.r.PathValue("name")
	if !slices.ContainsFunc(all, func(b backup.Listed) bool { return b.File == name && b.Problem == "" }) {
		return fault.New(fault.NotFound, "there is no such backup").Then("It may have been moved meanwhile; load the list again.")
	}
	path := filepath.Join(v.backupDir(), name)
	b, err := backup.Open(path, v.Vault.PublicKey())
	if err != nil {
		return err
	}
	defer b.Close()
	found := b.Check()
	if found != nil && fault.KindOf(found) != fault.Integrity {
		return found
	}
	err = backup.Remember(path, b.SHA256, func(c *backup.Checked) {
		if c.Problem = ""; found != nil {
			c.Problem = "what is in it was changed"
			return
		}
		now := v.time.Now.UTC().Truncate(time.Second)
		c.Verified = &now
	})
	if err != nil {
		return fault.Wrap(fault.Unavailable, err, "the backup was read, but what was found cannot be written beside it")
	}
	return v.seeOther("/backups")
}
