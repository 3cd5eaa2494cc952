package app

import (
	"encoding/json"
	"testing"

	"github.com/ombudhq/ombud/catalog"
	"github.com/ombudhq/ombud/ledger"
)

// TestAlarmsAreTold: an entry that raises, ends or closes an alarm is told to those who hear of alarms, without anybody's
// name or account, and to nobody else; of a service that does not hear, not to itself.
func TestAlarmsAreTold(t *testing.T) {
	a := &App{}
	a.targets.Store(&[]catalog.Target{{ID: "mailer"}, {ID: "pager", Hears: []string{"alarms"}}, {ID: "both", Hears: []string{"changes", "alarms"}}})
	row := func(kind, result, content string) ledger.Row {
		return ledger.Row{Kind: kind, Result: result, Actor: "account:acc_1", Content: json.RawMessage(content), Revision: 7}
	}
	for _, c := range []struct {
		row         ledger.Row
		event, kind string
		told        int
	}{
		{row("elevation.began", "alarm", `{"alarm":"alm_1","account":"acc_1","justification":"the shop of Ida is down"}`), "alarm.raised", "elevation", 2},
		{row("elevation.ended", "done", `{"alarm":"alm_1","account":"acc_1"}`), "alarm.ended", "elevation", 2},
		{row("alarm.reviewed", "done", `{"alarm":"alm_1","kind":"elevation","found":"all in order"}`), "alarm.reviewed", "elevation", 2},
		{row("account.changed", "done", `{"alarm":"alm_2","change":"reset","account":"acc_1"}`), "alarm.raised", "reset", 2},
		{row("account.changed", "done", `{"change":"password","account":"acc_1"}`), "", "", 0},
		{row("ledger.witness", "refused", `{"alarm":"alm_3","witness":"w"}`), "alarm.raised", "witness", 2},
		{row("ledger.witness", "ok", `{"witness":"w"}`), "", "", 0},
		{row("download.limited", "alarm", `{"alarm":"alm_4","account":"acc_1"}`), "alarm.raised", "downloads", 2},
		{row("propagation.alarm", "disabled", `{"target":"pager","propagation":"prp_1"}`), "alarm.raised", "propagation disabled", 1},
		{row("consent.given", "done", `{"purpose":"x"}`), "", "", 0},
		{ledger.Row{Kind: "elevation.began", Erased: true}, "", "", 0},
	} {
		m := alarmOf(c.row)
		if (m == nil) != (c.told == 0) {
			t.Errorf("%s: %+v", c.row.Kind, m)
			continue
		}
		if m == nil {
			continue
		}
		b, err := json.Marshal(m)
		var fields map[string]any
		if err != nil || json.Unmarshal(b, &fields) != nil {
			t.Fatal(err)
		}
		for name := range fields {
			switch name {
			case "event", "kind", "alarm", "target", "propagation", "at", "revision":
			default:
				t.Errorf("%s tells %s", c.row.Kind, name)
			}
		}
		if got := a.routeAlarm(m); m.Event != c.event || m.Kind != c.kind || len(got) != c.told || got[len(got)-1].Target != "both" {
			t.Errorf("%s: %+v to %+v", c.row.Kind, m, got)
		}
	}
}
