package app

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/ombudhq/ombud/catalog"
	"github.com/ombudhq/ombud/internal/event"
	"github.com/ombudhq/ombud/ledger"
)

// alarmed is what a service is told of an alarm: that there is one, of which kind and since when. It names nobody; who may
// review it finds the rest here.
type alarmed struct {
	Event       string    `json:"event"` // alarm.raised, alarm.ended or alarm.reviewed
	Kind        string    `json:"kind"`
	Alarm       string    `json:"alarm,omitempty"`
	Target      string    `json:"target,omitempty"` // of a propagation that failed
	Propagation string    `json:"propagation,omitempty"`
	At          time.Time `json:"at"`
	Revision    int64     `json:"revision"`
}

// kindsOfAlarms are those of entries that raise one, where the entry's content does not say.
var kindsOfAlarms = map[string]string{
	"elevation.began": "elevation", "account.created": "account", ledger.KindWitness: "witness", "download.limited": "downloads",
}

// alarmOf is what an entry tells of an alarm; nil where it tells of none, or cannot be read any more.
func alarmOf(row ledger.Row) *alarmed {
	out := &alarmed{Event: "alarm.raised", Kind: kindsOfAlarms[row.Kind], At: row.Time, Revision: row.Revision}
	var c struct{ Alarm, Kind, Change, Target, Propagation string }
	if row.Erased || json.Unmarshal(row.Content, &c) != nil {
		return nil
	}
	out.Alarm = c.Alarm
	switch row.Kind {
	case "propagation.alarm":
		out.Kind, out.Target, out.Propagation = "propagation "+row.Result, c.Target, c.Propagation
		return out
	case "alarm.reviewed":
		out.Event, out.Kind = row.Kind, c.Kind
	case "elevation.ended":
		out.Event, out.Kind = "alarm.ended", "elevation"
	case "account.changed":
		out.Kind = c.Change
	}
	if c.Alarm == "" || out.Kind == "" {
		return nil
	}
	return out
}

// routeAlarm gives an alarm to those who hear of alarms; that one of them does not hear is not told to itself.
func (a *App) routeAlarm(m *alarmed) (out []event.Delivery) {
	about := m.Alarm
	if about == "" {
		about = m.Propagation
	}
	for _, target := range *a.targets.Load() {
		if target.Told(catalog.Alarms) && target.ID != m.Target {
			out = append(out, event.Delivery{Target: target.ID, Type: m.Event, Subject: about})
		}
	}
	return out
}

// composeAlarm makes what a service is told of an alarm; nil where the entry at a revision tells of none.
func (a *App) composeAlarm(ctx context.Context, revision int64) (*event.Payload, error) {
	rows, err := a.Ledger.Since(ctx, revision&(1<<40-1)-1, 1)
	if err != nil || len(rows) == 0 || rows[0].Revision != revision {
		return nil, err
	}
	m := alarmOf(rows[0])
	if m == nil {
		return nil, nil
	}
	data, err := json.Marshal(m)
	if err != nil {
		return nil, fmt.Errorf("composing an alarm: %w", err)
	}
	return &event.Payload{Time: m.At, Data: data}, nil
}

func orNothing(p *event.Payload) event.Payload {
	if p == nil {
		return event.Payload{}
	}
	return *p
}
