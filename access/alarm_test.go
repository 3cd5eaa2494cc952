package access_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/ombudhq/ombud/access"
	"github.com/ombudhq/ombud/internal/db"
	"github.com/ombudhq/ombud/internal/fault"
)

// staff is a house with an admin and one signed-in person of each of these roles, and nothing left to review.
func staff(t *testing.T, roles ...access.Role) (*house, access.Caller, map[access.Role]access.Caller) {
	t.Helper()
	h := newHouse(t)
	h.admin()
	boss, _, _, _ := h.enrol("kari")
	in := map[access.Role]access.Caller{}
	for _, role := range append([]access.Role{access.Officer, access.Auditor}, roles...) {
		h.other(boss, string(role), role)
		in[role], _, _, _ = h.enrol(string(role))
	}
	for h.OpenAlarms() > 0 { // officer and auditor clear each other, as long as nobody else can
		open, err := h.Alarms(t.Context(), in[access.Auditor], false)
		must(t, err)
		by := in[access.Auditor]
		if "account:"+open[0].Account == by.Actor {
			by = in[access.Officer]
		}
		if _, err = h.Review(t.Context(), open[0].ID, "asked for by the board", by); err != nil {
			_, err = h.Review(t.Context(), open[0].ID, "asked for by the board", in[access.Officer])
		}
		must(t, err)
	}
	return h, boss, in
}

// TestBreakGlass: from the moment it is taken until its time is over, and no longer; with an alarm that another person
// closes, and only then.
func TestBreakGlass(t *testing.T) {
	h, _, in := staff(t, access.Developer)
	dev := in[access.Developer]
	_, err := h.Elevate(t.Context(), dev, "x", 0)
	h.wantKind("without words", err, fault.Invalid)
	_, err = h.Elevate(t.Context(), dev, "the shop is down, orders are lost", 2*time.Hour)
	h.wantKind("too long", err, fault.Invalid)
	for role, who := range in {
		if role != access.Developer {
			_, err := h.Elevate(t.Context(), who, "I want to see", 0)
			h.wantKind("as "+string(role), err, fault.Denied)
		}
	}
	before := h.place.ledger.Size()
	one, err := h.Elevate(t.Context(), dev, "the shop is down, orders are lost", 0)
	must(t, err)
	if h.OpenAlarms() != 1 || h.place.ledger.Size() != before+1 {
		t.Fatalf("%d alarms, %d entries", h.OpenAlarms(), h.place.ledger.Size()-before)
	}
	_, err = h.Elevate(t.Context(), dev, "the shop is down, orders are lost", 0)
	h.wantKind("twice", err, fault.Conflict)
	_, err = h.Review(t.Context(), one.ID, "all was in order", in[access.Auditor])
	h.wantKind("a review before its end", err, fault.Conflict)
	if _, ok := h.ElevatedUntil(dev); !ok {
		t.Error("it does not go on")
	}
	h.place.clock.Advance(30*time.Minute - time.Second)
	if _, ok := h.ElevatedUntil(dev); !ok {
		t.Error("it ended early")
	}
	h.place.clock.Advance(time.Second)
	if _, ok := h.ElevatedUntil(dev); ok { // before anybody swept
		t.Error("it goes on beyond its time")
	}
	h = h.again()
	must(t, h.Sweep(t.Context()))
	if kinds := h.kinds(); kinds[len(kinds)-1] != "session.ended" && kinds[len(kinds)-1] != "elevation.ended" {
		t.Errorf("the last entry is %s", kinds[len(kinds)-1])
	}
	_, err = h.Review(t.Context(), one.ID, "I looked at it myself", dev)
	h.wantKind("a review by themself", err, fault.Denied)
	for _, who := range []access.Caller{{}, {Role: access.Machine}, {Role: access.Admin, Session: "ses_1"}, {Role: access.Local}} {
		_, err := h.Review(t.Context(), one.ID, "all was in order", who)
		h.wantKind("a review by "+string(who.Role), err, fault.Denied)
	}
	got, err := h.Review(t.Context(), one.ID, "orders were brought back, nothing else was read", in[access.Auditor])
	must(t, err)
	if got.Reviewed == nil || got.Words.Why == "" || h.OpenAlarms() != 0 {
		t.Errorf("%+v, %d open", got, h.OpenAlarms())
	}
	canary(t, h.place.dir, "the shop is down")
	canary(t, h.place.dir, "orders were brought back")
}

// TestElevationOpensWhatItSays: an elevated caller is one for the gate, until it ends.
func TestElevationOpensWhatItSays(t *testing.T) {
	h, boss, _ := staff(t)
	h.other(boss, "dev", access.Developer)
	dev, token, _, _ := h.enrol("dev")
	may := func() bool { return access.Allowed(h.visit(token), access.RequestRead) == nil }
	if may() {
		t.Error("a developer sees requests")
	}
	_, err := h.Elevate(t.Context(), dev, "the shop is down, orders are lost", 0)
	must(t, err)
	if !may() || access.Allowed(h.visit(token), access.PackageRead) == nil {
		t.Error("an emergency opens something else than it says")
	}
	must(t, h.EndElevation(t.Context(), strings.TrimPrefix(dev.Actor, "account:"), dev))
	if may() {
		t.Error("it goes on")
	}
	_, err = h.Elevate(t.Context(), dev, "the shop is down again", 10*time.Minute)
	must(t, err)
	if h.place.clock.Advance(10 * time.Minute); may() { // nobody has swept
		t.Error("it goes on beyond its time")
	}
}

// TestAlarmsOfAccounts: whatever could make somebody another stands open for those who did not do it.
func TestAlarmsOfAccounts(t *testing.T) {
	h, boss, in := staff(t)
	made := h.other(boss, "ola", access.Support)
	_, _, _, _ = h.enrol("ola")
	_, err := h.SetRoles(t.Context(), made.ID, []access.Role{access.Support, access.Developer}, boss)
	must(t, err)
	_, link, err := h.Reset(t.Context(), made.ID, boss)
	must(t, err)
	_, _, err = h.SetupLink(t.Context(), made.ID, boss)
	must(t, err)
	_, err = h.SetupOf(t.Context(), link)
	h.wantKind("the former link", err, fault.NotFound)
	open, err := h.Alarms(t.Context(), in[access.Auditor], false)
	must(t, err)
	var kinds []string
	for _, one := range open {
		kinds = append(kinds, string(one.Kind))
		_, err := h.Review(t.Context(), one.ID, "I did that myself", boss)
		h.wantKind("the admin reviews", err, fault.Denied)
	}
	slices.Sort(kinds)
	if got := strings.Join(kinds, ", "); got != "account, reset, role, second factor, setup link" {
		t.Errorf("alarms: %s", got)
	}
	if seen, err := h.Alarms(t.Context(), boss, true); err != nil || seen[0].Words != nil {
		t.Errorf("an admin reads what others wrote: %v", err)
	}
	h = h.again()
	if h.OpenAlarms() != 5 {
		t.Errorf("%d after a restart", h.OpenAlarms())
	}
}

// TestNobodyReviewsThemself: neither what is about them, be they the only one who could, nor what they did.
func TestNobodyReviewsThemself(t *testing.T) {
	h := newHouse(t)
	h.admin()
	boss, _, _, _ := h.enrol("kari")
	officer := h.other(boss, "officer", access.Officer)
	who, _, _, _ := h.enrol("officer")
	open, err := h.Alarms(t.Context(), who, false)
	must(t, err)
	for _, one := range open {
		_, err := h.Review(t.Context(), one.ID, "I am who I am", who)
		if about := one.Account == officer.ID; about != (fault.KindOf(err) == fault.Denied) {
			t.Errorf("%s about %s: %v", one.Kind, one.Account, err)
		}
	}
	both := boss
	both.Also = string(access.Auditor)
	made := h.other(both, "ola", access.Support)
	open, err = h.Alarms(t.Context(), both, false)
	must(t, err)
	for _, one := range open {
		if one.Account == made.ID {
			_, err := h.Review(t.Context(), one.ID, "I made it, all is well", both)
			h.wantKind("who made it", err, fault.Denied)
		}
	}
}

// TestNewReviewersClearNobody: two accounts that an admin made for themself do not clear each other.
func TestNewReviewersClearNobody(t *testing.T) {
	h, boss, in := staff(t)
	var fakes []access.Caller
	for _, name := range []string{"fake-one", "fake-two"} {
		h.other(boss, name, access.Officer)
		c, _, _, _ := h.enrol(name)
		fakes = append(fakes, c)
	}
	open, err := h.Alarms(t.Context(), in[access.Auditor], false)
	must(t, err)
	for _, one := range open {
		for _, fake := range fakes {
			_, err := h.Review(t.Context(), one.ID, "all is in order", fake)
			h.wantKind("a new officer", err, fault.Denied)
		}
	}
	_, err = h.Review(t.Context(), open[0].ID, "nobody knows this person", in[access.Auditor])
	must(t, err)
}

// TestRankOfRoles: of every role and every two, only who has system_admin gives roles, to others alone, and each time it is
// an alarm; no role gives itself or another anything.
func TestRankOfRoles(t *testing.T) {
	h, boss, _ := staff(t)
	target := h.other(boss, "target", access.Support)
	roles := access.PeopleRoles()
	turn := 0
	for _, a := range roles {
		for _, b := range append([]access.Role{""}, roles...) {
			by := access.Caller{Actor: "account:acc_other", Role: a, Also: string(b), Session: "ses_1"}
			own := access.Caller{Actor: "account:" + target.ID, Role: a, Also: string(b), Session: "ses_1"}
			for _, given := range roles {
				open := h.OpenAlarms()
				_, err := h.SetRoles(t.Context(), target.ID, []access.Role{given}, own)
				h.wantKind("the own role", err, fault.Denied)
				if turn++; !by.Has(access.Admin) {
					_, err := h.SetRoles(t.Context(), target.ID, []access.Role{given}, by)
					h.wantKind(by.RoleNames()+" gives "+string(given), err, fault.Denied)
					_, _, err = h.Create(t.Context(), access.NewAccount{Name: "x", Role: given, By: by})
					h.wantKind(by.RoleNames()+" makes "+string(given), err, fault.Denied)
					continue
				}
				now, err := h.Get(t.Context(), target.ID)
				must(t, err)
				if len(now.Roles) == 1 && now.Role == given {
					continue
				}
				_, err = h.SetRoles(t.Context(), target.ID, []access.Role{given}, by)
				must(t, err)
				if h.OpenAlarms() != open+1 {
					t.Errorf("%s gave %s without an alarm", by.RoleNames(), given)
				}
			}
		}
	}
	for _, bad := range [][]access.Role{{}, {access.Service}, {access.Local}, {access.Support, access.Support}, {access.Support, "root"}} {
		_, err := h.SetRoles(t.Context(), target.ID, bad, boss)
		h.wantKind("bad roles", err, fault.Invalid)
	}
	t.Logf("%d grants", turn)
}

// TestSeveralRoles: an account has what its roles have, less what one of them is kept from, across a restart too.
func TestSeveralRoles(t *testing.T) {
	h, boss, _ := staff(t)
	_, _, err := h.Create(t.Context(), access.NewAccount{Name: "both", Role: access.Auditor, Also: []access.Role{access.Developer}, Password: password,
		Attributes: access.Attributes{Department: "it", Clearance: 2}, By: boss})
	must(t, err)
	_, token, _, _ := h.enrol("both")
	check := func() {
		t.Helper()
		c := h.visit(token)
		if access.Allowed(c, access.LedgerRead) != nil || access.Allowed(c, access.CatalogWrite) != nil || access.Allowed(c, access.RequestRead) == nil {
			t.Errorf("%+v", c)
		}
	}
	check()
	h = h.again()
	check()
	acc, err := h.Get(t.Context(), "both")
	must(t, err)
	_, err = h.SetRoles(t.Context(), acc.ID, []access.Role{access.Admin, access.Auditor}, boss)
	must(t, err)
	_, ok := h.Visit(token, true)
	if ok {
		t.Error("the session goes on")
	}
}

// TestJustification holds for the one thing and a while, in one session, and is in the log.
func TestJustification(t *testing.T) {
	h, boss, in := staff(t)
	dpo := in[access.Officer]
	err := h.Justify(t.Context(), dpo, "/people/sub_1", "short")
	h.wantKind("too short", err, fault.Invalid)
	must(t, h.Justify(t.Context(), dpo, "/people/sub_1", "complaint 12/2026 of the authority"))
	if h.WhyOf(dpo, "/people/sub_1") == "" || h.WhyOf(dpo, "/people/sub_2") != "" || h.WhyOf(in[access.Auditor], "/people/sub_1") != "" {
		t.Error("it holds for something else, or for somebody else")
	}
	why := dpo.Calling(access.Call{Justification: h.WhyOf(dpo, "/people/sub_1")})
	must(t, access.Allowed(why, access.PersonRead))
	h.other(boss, "second", access.Officer)
	second, token, _, _ := h.enrol("second")
	must(t, h.Justify(t.Context(), second, "/people/sub_1", "complaint 13/2026 of the authority"))
	h.place.clock.Advance(14 * time.Minute)
	if h.visit(token); h.WhyOf(second, "/people/sub_1") == "" {
		t.Error("it ends early")
	}
	if h.place.clock.Advance(time.Minute); h.WhyOf(second, "/people/sub_1") != "" {
		t.Error("it holds for ever")
	}
	canary(t, h.place.dir, "complaint 12/2026")
}

// TestAlarmOfTheProgram: one for each thing it saw, however often; about nobody, for a reviewer to close.
func TestAlarmOfTheProgram(t *testing.T) {
	h, boss, in := staff(t)
	raise := func(why string) (id string) {
		t.Helper()
		must(t, h.place.db.Write(t.Context(), func(tx *db.Tx) (err error) {
			id, err = h.AlarmOf(t.Context(), tx, access.AlarmWitness, why)
			return err
		}))
		return id
	}
	first := raise("the witness a refuses: 403")
	if again, other := raise("the witness a refuses: 403"), raise("the witness b refuses: 403"); again != first || other == first || h.OpenAlarms() != 2 {
		t.Errorf("%s, %s, %s: %d open", first, again, other, h.OpenAlarms())
	}
	if open, err := h.Alarms(t.Context(), boss, false); err != nil || open[0].Account != "" || open[0].Words != nil {
		t.Errorf("%+v, %v", open, err)
	}
	_, err := h.Review(t.Context(), first, "agreed with them on a new start", in[access.Auditor])
	must(t, err)
	if raise("the witness a refuses: 403") == first || h.OpenAlarms() != 2 {
		t.Error("one that was reviewed is raised again as itself")
	}
}

// TestAloneWithAnAlarm: while there is no account, who is at the machine closes what the program raised; from the first account
// on they do not.
func TestAloneWithAnAlarm(t *testing.T) {
	h := newHouse(t)
	raise := func(why string) (id string) {
		t.Helper()
		must(t, h.place.db.Write(t.Context(), func(tx *db.Tx) (err error) {
			id, err = h.AlarmOf(t.Context(), tx, access.AlarmWitness, why)
			return err
		}))
		return id
	}
	_, err := h.Review(t.Context(), raise("the witness a refuses: 403"), "agreed with them on a new start", local)
	must(t, err)
	if h.OpenAlarms() != 0 {
		t.Error("it is open")
	}
	second := raise("the witness b refuses: 403")
	h.admin()
	for _, by := range []access.Caller{local, {Actor: "local:ida", Role: access.Machine}} {
		_, err = h.Review(t.Context(), second, "agreed with them on a new start", by)
		h.wantKind(string(by.Role), err, fault.Denied)
	}
}
