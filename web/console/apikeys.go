package console

import (
	"fmt"
	"net/http"
	"strconv"
	"time"

	g "maragu.dev/gomponents"
	h "maragu.dev/gomponents/html"

	"github.com/ombudhq/ombud/access"
	"github.com/ombudhq/ombud/internal/fault"
	"github.com/ombudhq/ombud/web/console/view"
)

const (
	day      = 24 * time.Hour
	endsSoon = 30 * day // a key that ends before wants another one
	unused   = 90 * day // a key that nobody used for so long may be forgotten
)

// apiKeys lists what lets programs in, and makes more.
func (v *visit) apiKeys() error {
	return v.apiKeysPage(http.StatusOK, access.KeyInput{For: 365 * day}, nil)
}

func (v *visit) apiKeysPage(status int, in access.KeyInput, faults []view.Fault) error {
	all, err := v.Keys.List(v.r.Context())
	if err != nil {
		return err
	}
	var stands, over []access.Key
	ending := 0
	for _, k := range all {
		if k.Revoked != nil || k.Expires != nil && !k.Expires.After(v.time.Now) {
			over = append(over, k)
			continue
		}
		if stands = append(stands, k); v.ends(k) {
			ending++
		}
	}
	body := []g.Node{view.Faults(faults...), view.Section{ID: "list", Title: "In force", First: true}.With(v.keyTable(stands)), v.newKeyForm(in)}
	if len(over) > 0 {
		body = append(body, view.Section{ID: "over", Title: "Over", Note: g.Text("they let nobody in")}.With(v.oldKeyTable(over)))
	}
	return v.inRoom(status, roomAccounts, "API keys", view.Head(keySentence(len(stands), ending),
		"A key is shown once, when it is made; kept is a hash, so nobody can show it again. It may do what its role may, and nothing else.", nil),
		v.accessTabs("/api-keys"), body...)
}

func keySentence(n, ending int) string {
	if n == 0 {
		return "No program has a key."
	}
	out := view.Spelled(int64(n), "key lets a program in", "keys let programs in")
	switch {
	case ending > 0:
		return out + "; " + lower(view.Spelled(int64(ending), "ends", "end")) + " within 30 days."
	case n == 1:
		return out + "."
	}
	return out + "; none ends soon."
}

func (v *visit) ends(k access.Key) bool {
	return k.Expires != nil && k.Expires.Sub(v.time.Now) < endsSoon
}

func (v *visit) keyTable(keys []access.Key) g.Node {
	if len(keys) == 0 {
		return view.Empty("A program needs a key to ask.", "Services ask whether they may process, and record what people chose. Make a key for each of them: then one can end without the others.")
	}
	var rows []g.Node
	for _, k := range keys {
		rows = append(rows, view.Row(g.Group{g.Text(k.Name), beginning(k)}, view.Text("Role", keyRole(k)), view.Cell("Ends", v.keyEnd(k)),
			view.Cell("Last used", v.keyUse(k)...), view.Cell("Made", g.Text(v.time.Date(k.Created)), why("by "+v.me(k.CreatedBy))),
			view.Act(view.Fold("Revoke", view.Form("/api-keys/"+k.ID+"/revoke", v.token,
				view.Button("sm stop", "Revoke "+k.Prefix+"…"))))))
	}
	return view.Table("stack", "Keys in force", []view.Column{{Name: "For"}, {Name: "Role"}, {Name: "Ends"}, {Name: "Last used"}, {Name: "Made"}, {Name: "Act", Hidden: true}}, view.Rows(rows...))
}

// beginning is how a key begins: what is left to recognise it by.
func beginning(k access.Key) g.Node { return h.Div(h.Class("path"), g.Text(k.Prefix+"…")) }

func (v *visit) keyEnd(k access.Key) g.Node {
	switch {
	case k.Expires == nil:
		return view.Badge(view.Idle, "never")
	case v.ends(k):
		return g.Group{view.Badge(view.Soon, v.time.Left(*k.Expires)), why(v.time.Date(*k.Expires))}
	}
	return g.Text(v.time.Date(*k.Expires))
}

func (v *visit) keyUse(k access.Key) []g.Node {
	last, used := k.Created, "never used"
	if k.LastUsed != nil {
		last, used = *k.LastUsed, v.time.Moment(*k.LastUsed)
	}
	if v.time.Now.Sub(last) > unused {
		return []g.Node{g.Text(used), why("not for 90 days: is it still needed?")}
	}
	return []g.Node{g.Text(used)}
}

func (v *visit) oldKeyTable(keys []access.Key) g.Node {
	var rows []g.Node
	for _, k := range keys {
		ended := view.Badge(view.Idle, "ended "+v.time.Date(k.Created))
		switch {
		case k.Revoked != nil:
			ended = view.Badge(view.Idle, "revoked "+v.time.Date(*k.Revoked))
		case k.Expires != nil:
			ended = view.Badge(view.Idle, "ended "+v.time.Date(*k.Expires))
		}
		used := "never used"
		if k.LastUsed != nil {
			used = v.time.Moment(*k.LastUsed)
		}
		rows = append(rows, view.Row(g.Group{g.Text(k.Name), beginning(k)}, view.Text("Role", keyRole(k)), view.Cell("Standing", ended), view.Text("Last used", used)))
	}
	return view.Table("stack", "Keys that are over", []view.Column{{Name: "For"}, {Name: "Role"}, {Name: "Standing"}, {Name: "Last used"}}, view.Rows(rows...))
}

// keyTerms are how long a key may be asked for, in days; "0" does not end.
func keyTerms() [][2]string {
	return [][2]string{{"90", "90 days"}, {"365", "A year"}, {"30", "30 days"}, {"0", "No end: until it is revoked"}}
}

func (v *visit) newKeyForm(in access.KeyInput) g.Node {
	var roles []view.Option
	for _, r := range access.KeyRoles() {
		if !v.mayGive(r) {
			continue
		}
		roles = append(roles, view.Option{Value: string(r), Label: view.Upper(roleName(r)), Hint: view.Upper(keyRoleHint(r)) + "."})
	}
	return view.Section{ID: "new", Title: "New key"}.With(view.Form("/api-keys", v.token,
		view.Field{ID: "name", Name: "name", Label: "What it is for", Required: true, Hint: "Everybody here sees it. Best the name of the one service that gets it."}.
			Input(h.Type("text"), h.Value(in.Name), h.AutoComplete("off"), h.MaxLength("100")),
		view.Options(view.Field{ID: "role", Name: "role", Label: "Role"}, string(in.Role), roles...),
		view.Field{ID: "expires", Name: "expires", Label: "Valid for"}.Select(strconv.Itoa(int(in.For/day)), keyTerms()...),
		v.keyLimits(in.Limits),
		view.Actions(view.Button("main-act", "Make the key"))))
}

// declared are the purposes and systems that a key can be for.
func (v *visit) declared() (out access.Limits) {
	for _, rule := range v.Purposes.Now().All() {
		out.Purposes = append(out.Purposes, rule.ID)
	}
	for _, one := range v.Catalog.Config().Systems {
		out.Systems = append(out.Systems, one.ID)
	}
	return out
}

// keyLimits asks which purposes and systems a key is for; folded, for most are for all.
func (v *visit) keyLimits(chosen access.Limits) g.Node {
	boxes := func(name, label, hint string, chosen, ids []string) g.Node {
		if len(ids) == 0 {
			return nil
		}
		options := make([]view.Option, len(ids))
		for i, id := range ids {
			options[i] = view.Option{Value: id, Label: id}
		}
		return view.Boxes(view.Field{ID: name, Name: name, Label: label, Hint: hint}, chosen, options...)
	}
	all := v.declared()
	if all.None() {
		return nil
	}
	return view.Fold("Only for some purposes or systems",
		boxes("purposes", "Purposes", "Of a service: it asks and tells for these, and is refused for others. None chosen is all.", chosen.Purposes, all.Purposes),
		boxes("systems", "Systems", "Only for purposes that are used in one of these. None chosen is all.", chosen.Systems, all.Systems))
}

// mayGive keeps a key from doing what its maker may not: reading the log.
func (v *visit) mayGive(r access.Role) bool { return r != access.Auditor || v.may(access.LedgerRead) }

// keyRole is the role of a key, and what of it alone it is for.
func keyRole(k access.Key) string {
	out := roleName(k.Role)
	for i, p := range k.Scope {
		out += []string{", only ", ", "}[min(i, 1)] + string(p)
	}
	if !k.Limits.None() {
		out += ", for " + k.Words()
	}
	return out
}

func keyRoleHint(r access.Role) string {
	switch r {
	case access.Service:
		return "asks for decisions, records consents, sends and takes events"
	case access.Developer:
		return "data map and purposes; sees nobody's data"
	case access.Auditor:
		return "reads the log, checkpoints and receipts"
	}
	return string(r)
}

func (v *visit) makeKey() error {
	form := v.r.PostForm
	days, err := strconv.Atoi(form.Get("expires"))
	if err != nil || days < 0 || days > 3650 {
		return v.apiKeysPage(http.StatusUnprocessableEntity, access.KeyInput{Name: form.Get("name")}, []view.Fault{{Field: "expires", Text: "Choose how long the key is valid."}})
	}
	in := access.KeyInput{Name: form.Get("name"), Role: access.Role(form.Get("role")), For: time.Duration(days) * day, Actor: v.Actor,
		Limits: access.Limits{Purposes: form["purposes"], Systems: form["systems"]}, Among: v.declared()}
	if !v.mayGive(in.Role) {
		return v.apiKeysPage(http.StatusForbidden, in, []view.Fault{{Field: "role", Text: "Your role does not read the log: you cannot make a key that does."}})
	}
	made, secret, err := v.Keys.Create(v.r.Context(), in)
	if err != nil {
		return mend(err, "name", func(status int, faults []view.Fault) error { return v.apiKeysPage(status, in, faults) })
	}
	return v.keyPage(made, secret)
}

// keyPage shows a key, this once.
func (v *visit) keyPage(k access.Key, secret string) error {
	until := "It does not end by itself."
	if k.Expires != nil {
		until = "It ends on " + v.time.Date(*k.Expires) + "."
	}
	shown := func(label, text string) g.Node {
		return h.Pre(h.Class("secret"), h.TabIndex("0"), h.Aria("label", label), h.Role("group"), g.Text(text))
	}
	return v.outside(http.StatusOK, "API key", view.Head("Copy the key for "+k.Name+" now.", "It is shown now and never again. "+until+" Who has it acts as "+roleName(k.Role)+": put it into a store of secrets, not into code.", nil),
		h.Div(h.Class("sec first"), shown("API key", secret)),
		view.Section{ID: "use", Title: "How it is used"}.With(shown("Example", fmt.Sprintf("curl -H 'Authorization: Bearer %s…' %s/v1/openapi.json", k.Prefix, v.Origin))),
		view.Actions(view.Link("main-act", "/api-keys", "I have it: back to the keys")))
}

// revokeKey ends a key. One that was ended meanwhile is what was wanted.
func (v *visit) revokeKey() error {
	if _, err := v.Keys.Revoke(v.r.Context(), v.r.PathValue("id"), v.Actor); err != nil && fault.KindOf(err) != fault.Conflict {
		return err
	}
	return v.seeOther("/api-keys")
}
