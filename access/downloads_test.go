package access_test

import (
	"testing"
	"time"

	"github.com/ombudhq/ombud/access"
	"github.com/ombudhq/ombud/internal/fault"
)

// TestDownloadsAreLimited: for each person, over a restart, until the while is over; the limit is one alarm.
func TestDownloadsAreLimited(t *testing.T) {
	h, _, in := staff(t, access.Support)
	who, limit := in[access.Support], access.Downloads{Most: 3, In: time.Hour}
	h.SetDownloads(limit)
	for range 3 {
		must(t, h.TakeAway(t.Context(), who))
	}
	for range 2 {
		err := h.TakeAway(t.Context(), who)
		h.wantKind("the fourth", err, fault.Busy)
		if fault.RetryAfter(err) != "3600" {
			t.Errorf("asked to wait %s seconds", fault.RetryAfter(err))
		}
	}
	must(t, h.TakeAway(t.Context(), in[access.Officer]))
	open, err := h.Alarms(t.Context(), in[access.Auditor], false)
	if err != nil || len(open) != 1 || open[0].Kind != access.AlarmDownloads || "account:"+open[0].Account != who.Actor {
		t.Errorf("%+v, %v", open, err)
	}
	_, err = h.Review(t.Context(), open[0].ID, "I was in a hurry", who)
	h.wantKind("a review by themself", err, fault.Denied)
	h = h.again()
	h.SetDownloads(limit)
	h.wantKind("after a restart", h.TakeAway(t.Context(), who), fault.Busy)
	h.place.clock.Advance(time.Hour)
	must(t, h.TakeAway(t.Context(), who))
}
