package event

import (
	"encoding/json"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/ombudhq/ombud/internal/fault"
)

func by(subject string, deadline time.Duration, targets ...string) []Delivery {
	all := to(subject, targets...)
	for i := range all {
		all[i].Deadline = time.Now().Add(deadline)
	}
	return all
}

func TestAcknowledged(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		b := running(t, newSource(), "crm")
		b.source.add(by("sub_1", day, "crm"))
		synctest.Wait()
		id := b.receivers["crm"].got[0].ID
		first, err := b.Ack(bg, id)
		if err != nil || first.State != Acted || first.Received.IsZero() {
			t.Fatalf("%+v, %v", first, err)
		}
		pass(time.Hour)
		again, err := b.Ack(bg, id)
		if diff := cmp.Diff(first, again); diff != "" || err != nil {
			t.Errorf("again: %v\n%s", err, diff)
		}
		if _, err := b.Ack(bg, "prp_00000000000000000000000000"); fault.KindOf(err) != fault.NotFound {
			t.Errorf("unknown: %v", err)
		}
		pass(10 * day)
		if len(b.alarms) != 0 || b.status("crm").Acted != 1 {
			t.Errorf("alarms %v, %+v", b.alarms, b.status("crm"))
		}
	})
}

// TestAcknowledgedWhilePending: the answer got lost on its way, the target acted all the same. It is not sent again.
func TestAcknowledgedWhilePending(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		b := running(t, newSource(), "crm")
		v := b.receivers["crm"]
		v.answers(down)
		b.source.add(by("sub_1", day, "crm"), by("sub_1", day, "crm"))
		synctest.Wait()
		if p, err := b.Ack(bg, v.tries[0].ID); err != nil || p.State != Acted {
			t.Fatal(p, err)
		}
		v.answers(nil)
		pass(time.Hour)
		if got := v.revisions(); len(got) != 1 || got[0] != 2 {
			t.Errorf("got %v", got)
		}
	})
}

func TestMissedDeadlineAlarmsOnce(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		b := running(t, newSource(), "crm", "mailer")
		b.receivers["mailer"].answers(refuses)
		b.source.add(by("sub_1", day, "crm", "mailer"), by("sub_2", 3*day, "crm"), to("sub_3", "crm"))
		pass(day - time.Minute)
		if len(b.alarms) != 0 {
			t.Fatalf("early: %v", b.alarms)
		}
		pass(2 * time.Minute)
		if b.kinds()[Late] != 2 {
			t.Fatalf("%v", b.alarms)
		}
		late := b.list(Filter{Target: "crm", Late: true})
		if len(late) != 1 || late[0].Subject != "sub_1" || b.status("crm").Late != 1 || b.status("mailer").Late != 1 {
			t.Errorf("%+v", late)
		}
		if _, err := b.Ack(bg, late[0].ID); err != nil {
			t.Fatal(err)
		}
		if p, err := b.Get(bg, late[0].ID); err != nil || p.State != Acted || !p.Late || len(b.list(Filter{Target: "crm", Late: true})) != 0 {
			t.Errorf("%+v, %v", p, err)
		}
		pass(4 * day)
		if b.kinds()[Late] != 3 {
			t.Errorf("%v", b.alarms)
		}
	})
}

func TestKeptNinetyDaysAfterTheEnd(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		b := running(t, newSource(), "crm", "mailer")
		b.receivers["mailer"].answers(func(Message) error { return &Failure{Kind: "http 410", Gone: true} })
		b.source.add(to("sub_1", "crm", "mailer"), by("sub_2", 20*day, "crm"))
		pass(90*day - 2*time.Hour)
		if n := len(b.list(Filter{})); n != 3 {
			t.Errorf("%d rows before", n)
		}
		pass(4 * time.Hour)
		if n := len(b.list(Filter{})); n != 2 { // one still waits to be sent, one waited for an acknowledgement
			t.Errorf("%d rows after", n)
		}
		pass(20 * day)
		if all := b.list(Filter{}); len(all) != 1 || all[0].State != Pending {
			t.Errorf("at the end: %+v", all)
		}
	})
}

func TestListPages(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		b := running(t, newSource(), "crm", "mailer")
		for range 7 {
			b.source.add(to("sub_1", "crm", "mailer"))
			pass(time.Second)
		}
		seen := map[string]bool{}
		f := Filter{Target: "crm", State: Received, Limit: 3}
		for pages := 0; pages < 5; pages++ {
			page := b.list(f)
			for _, p := range page {
				if seen[p.ID] || p.Target != "crm" {
					t.Errorf("%+v", p)
				}
				seen[p.ID] = true
				f.Before = p.ID
			}
			if len(page) < 3 {
				break
			}
		}
		if len(seen) != 7 {
			t.Errorf("%d seen", len(seen))
		}
	})
}

func TestTimeToReceived(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		b := running(t, newSource(), "crm")
		v := b.receivers["crm"]
		v.answers(func(m Message) error { time.Sleep(time.Duration(m.Revision-1<<40) * time.Millisecond); return nil })
		b.source.add(to("sub_old", "crm"))
		pass(31 * day)
		for range 98 {
			b.source.add(to("sub_1", "crm"))
			pass(time.Second)
		}
		if s := b.status("crm"); s.P50 != 50*time.Millisecond || s.P99 != 99*time.Millisecond {
			t.Errorf("p50 %v, p99 %v", s.P50, s.P99)
		}
	})
}

func TestCloudEvent(t *testing.T) {
	at := time.Date(2026, 1, 2, 3, 4, 5, 678e6, time.UTC)
	m := Message{ID: "prp_1", Source: "urn:ombud", Type: "consent.given", Subject: "sub_\"1", Revision: 1<<40 + 7, Deadline: at.Add(day),
		Payload: Payload{Time: at, Correlation: "R-1", Data: json.RawMessage(`{"a":1}`)}}
	b, err := m.CloudEvent()
	want := `{"specversion":"1.0","id":"prp_1","source":"urn:ombud","type":"consent.given","subject":"sub_\"1","time":"2026-01-02T03:04:05.678Z",` +
		`"datacontenttype":"application/json","sequence":"0001099511627783","correlationid":"R-1","deadline":"2026-01-03T03:04:05.678Z","data":{"a":1}}`
	if string(b) != want || err != nil {
		t.Errorf("%v\n%s\n%s", err, b, want)
	}
	m.Data = json.RawMessage(`{broken`)
	if _, err := m.CloudEvent(); err == nil {
		t.Error("broken data was taken")
	}
}
