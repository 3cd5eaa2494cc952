package console

import (
	"cmp"
	"slices"
	"strings"

	g "maragu.dev/gomponents"

	"github.com/ombudhq/ombud/access"
	"github.com/ombudhq/ombud/catalog"
	"github.com/ombudhq/ombud/request"
	"github.com/ombudhq/ombud/web/console/view"
)

// Rooms of the rail.
const (
	roomHome     = "/"
	roomRequests = "/requests"
	roomMap      = "/map"
	roomPeople   = "/people"
	roomConsent  = "/consent"
	roomLog      = "/log"
	roomAccounts = "/accounts"
	roomUpkeep   = "/backups"
	roomAlarms   = "/alarms"
)

// desk is the work, as the person at the console sees it: what is open, what is theirs, what is late.
type desk struct {
	counts map[request.State]int // of every request
	open   []*request.Request    // next limit first
	mine   []*request.Request    // open or to review, and this person acts; next limit first
	late   []*request.Request
}

// closed counts the requests that are done, all every one.
func (d *desk) closed() int { return d.counts[request.Complete] + d.counts[request.Refused] }
func (d *desk) all() int    { return d.closed() + len(d.open) }

func (v *visit) desk() (*desk, error) {
	if !v.may(access.RequestRead) {
		return &desk{}, nil
	}
	waiting, err := v.Requests.List(v.r.Context(), request.Filter{Waiting: true})
	if err != nil {
		return nil, err
	}
	counts, err := v.Requests.Counts(v.r.Context())
	if err != nil {
		return nil, err
	}
	d := &desk{counts: counts}
	for _, r := range waiting {
		if r.State.Open() {
			d.open = append(d.open, r)
			if v.time.Days(r.Due) < 0 {
				d.late = append(d.late, r)
			}
		}
		if r.Who == you {
			d.mine = append(d.mine, r)
		}
	}
	soonest := func(a, b *request.Request) int { return cmp.Or(a.Due.Compare(b.Due), cmp.Compare(a.Ref, b.Ref)) }
	slices.SortStableFunc(d.open, soonest)
	slices.SortStableFunc(d.mine, soonest)
	return d, nil
}

// you is what the product calls whoever is at the console.
const you = "you"

// shell is the frame of a page in one of the rooms. d may be nil, where the frame must stand when nothing else does.
func (v *visit) shell(room, title string, d *desk, crumbs []view.Crumb, body ...g.Node) view.Shell {
	if d == nil {
		d = &desk{}
	}
	cfg := v.Catalog.Config()
	guesses := len(openGuesses(cfg))
	s := view.Shell{
		Title: title, Org: organization(cfg), Me: v.me(v.Actor), Crumbs: crumbs, Asset: v.assets.address, Body: append(v.banners(room), body...), New: v.may(access.RequestPlan),
		Rooms: v.open([]view.Room{
			{Href: roomHome, Name: "Home", Key: "h", Here: room == roomHome, Count: len(d.mine), Counted: "need you", Due: true},
			{Href: roomPeople, Name: "People", Key: "p", Here: room == roomPeople},
			{Href: roomRequests, Name: "Requests", Key: "r", Here: room == roomRequests, Count: len(d.open), Counted: "open"},
			{Href: roomMap, Name: "Data map", Key: "d", Here: room == roomMap, Count: guesses, Counted: "findings"},
			{Href: roomConsent, Name: "Consent", Key: "c", Here: room == roomConsent},
			{Href: roomLog, Name: "Log", Key: "l", Here: room == roomLog},
			{Href: v.accessRoom(), Name: "Access", Key: "a", Here: room == roomAccounts},
			{Href: roomUpkeep, Name: "Upkeep", Key: "u", Here: room == roomUpkeep},
			{Href: roomAlarms, Name: "Alarms", Key: "s", Here: room == roomAlarms, Count: v.Accounts.OpenAlarms(), Counted: "to look at", Due: v.may(access.AlarmReview)},
		}),
	}
	if v.caller.Session != "" {
		s.Token = v.token
	}
	return s
}

// open leaves the rooms that the visitor may enter. Home is where requests are.
func (v *visit) open(rooms []view.Room) []view.Room {
	return slices.DeleteFunc(rooms, func(r view.Room) bool {
		if r.Href == roomHome {
			return !v.may(access.RequestRead)
		}
		need := permissions["GET "+r.Href]
		return need != begun && !v.may(need)
	})
}

func organization(cfg *catalog.Config) string {
	if cfg.Organization.Name == "" {
		return "No organization named yet"
	}
	return cfg.Organization.Name
}

// me names an actor as a person reads it.
func me(actor string) string {
	if name, ok := strings.CutPrefix(actor, "local:"); ok {
		return name + ", on this machine"
	}
	return actor
}
