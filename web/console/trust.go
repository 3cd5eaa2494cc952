package console

import (
	"net/http"

	g "maragu.dev/gomponents"

	"github.com/ombudhq/ombud/access"
	"github.com/ombudhq/ombud/web/console/view"
)

// trust are the rooms of who keeps the keys to everybody's data: what programs and roles may, who looked at whom, what stands
// outside, what can be brought back.
func trust() map[string]func(*visit) error {
	return map[string]func(*visit) error{
		"GET /roles":                  (*visit).roles,
		"GET /api-keys":               (*visit).apiKeys,
		"POST /api-keys":              (*visit).makeKey,
		"POST /api-keys/{id}/revoke":  (*visit).revokeKey,
		"GET /log/looks":              (*visit).looks,
		"POST /log/looks":             (*visit).looksOf,
		"GET /log/checkpoints":        (*visit).checkpoints,
		"POST /log/verify":            (*visit).verify,
		"GET /log/checkpoint":         (*visit).checkpointFile,
		"GET /log/key":                (*visit).publicKeyFile,
		"GET /backups":                (*visit).backups,
		"POST /backups/{name}/verify": (*visit).verifyBackup,
		"GET /encryption":             (*visit).encryption,
	}
}

// tabs lead to the pages of a room that the visitor may enter; a single one needs no tab.
func (v *visit) tabs(label, here string, pages ...view.Room) g.Node {
	for i := range pages {
		pages[i].Here = pages[i].Href == here
	}
	if pages = v.open(pages); len(pages) < 2 {
		return nil
	}
	return view.Tabs(label, pages...)
}

// accessPages are those of the room about who may do what.
func accessPages() []view.Room {
	return []view.Room{{Href: roomAccounts, Name: "Accounts"}, {Href: "/api-keys", Name: "API keys"}, {Href: "/roles", Name: "Roles"}}
}

func (v *visit) accessTabs(here string) g.Node { return v.tabs("Access", here, accessPages()...) }

func (v *visit) logTabs(here string) g.Node {
	return v.tabs("Log", here, view.Room{Href: roomLog, Name: "Entries"}, view.Room{Href: "/log/looks", Name: "Who looked"}, view.Room{Href: "/log/checkpoints", Name: "Checkpoints"})
}

func (v *visit) upkeepTabs(here string) g.Node {
	return v.tabs("Upkeep", here, view.Room{Href: roomUpkeep, Name: "Backups"}, view.Room{Href: "/encryption", Name: "Encryption keys"})
}

// accessRoom is the first page of that room for the visitor. Who keeps neither accounts nor keys, and reads no log, finds what
// their role may do through their own account: then it is no room of theirs.
func (v *visit) accessRoom() string {
	for _, p := range v.open(accessPages()) {
		if p.Href != "/roles" || v.may(access.LedgerRead) {
			return p.Href
		}
	}
	return roomAccounts
}

// inRoom shows a page of a room: its heading, its tabs, and what stands below.
func (v *visit) inRoom(status int, room, title string, head, tabs g.Node, body ...g.Node) error {
	d, err := v.desk()
	if err != nil {
		return err
	}
	if status == 0 {
		status = http.StatusOK
	}
	return v.show(status, v.shell(room, title, d, nil, append([]g.Node{head, tabs}, body...)...))
}
