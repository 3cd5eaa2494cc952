package consent_test

import (
	"strings"
	"testing"
	"time"

	"github.com/ombudhq/ombud/consent"
	"github.com/ombudhq/ombud/internal/fault"
	"github.com/ombudhq/ombud/subject"
)

// TestHistoryShowsWhatWasShown: the words of a version stay readable after ombud.yaml has others.
func TestHistoryShowsWhatWasShown(t *testing.T) {
	w := newWorld(t, letters())
	first := w.record(yes())
	w.clock.Advance(time.Hour)
	changed := letters()
	changed.Notices[0].Text = "Other words, same version"
	w.declare(changed)
	w.record(yes())
	w.clock.Advance(time.Hour)
	no := w.withdraw(consent.WithdrawInput{Subject: ida, Purpose: "letters", Reason: "too many"})
	got, err := w.History(t.Context(), w.Find(ida...))
	if err != nil || len(got) != 3 {
		t.Fatalf("%d events, %v", len(got), err)
	}
	if got[0].Text != "Send me trips and offers" || got[1].Text != "Other words, same version" || got[1].Renews != first.ID || got[2].Reason != "too many" {
		t.Errorf("%+v", got)
	}
	for at, want := range map[time.Duration]consent.Status{30 * time.Minute: consent.Given, 3 * time.Hour: consent.Withdrawn} {
		st, err := w.StateAt(t.Context(), w.Find(ida...), first.Recorded.Add(at))
		if err != nil || len(st) != 1 || st[0].Status != want {
			t.Errorf("after %v: %+v, %v", at, st, err)
		}
	}
	if st, _ := w.StateAt(t.Context(), w.Find(ida...), first.Recorded.Add(-time.Second)); len(st) != 0 {
		t.Errorf("before the first: %+v", st)
	}
	if no.Revision != got[2].Revision {
		t.Errorf("%d is not %d", no.Revision, got[2].Revision)
	}
	if _, err := w.History(t.Context(), w.Find()); fault.KindOf(err) != fault.NotFound {
		t.Errorf("got %v", err)
	}
}

func TestExpiryIsTold(t *testing.T) {
	w := newWorld(t, letters())
	c := w.record(yes())
	if list := w.EndingBefore(c.ValidUntil.Add(time.Minute)); len(list) != 1 || list[0].ConsentID != c.ID {
		t.Errorf("%+v", list)
	}
	w.clock.Set(c.ValidUntil.Add(time.Hour))
	for range 2 {
		if err := w.Expire(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	got, err := w.History(t.Context(), w.Find(ida...))
	if err != nil || len(got) != 2 || got[1].Kind != "consent.expired" || !got[1].Automatic || got[1].Consents[0] != c.ID {
		t.Errorf("%+v, %v", got, err)
	}
	st, err := w.StateAt(t.Context(), w.Find(ida...), w.clock.Now())
	if err != nil || st[0].Status != consent.Expired {
		t.Errorf("%+v, %v", st, err)
	}
}

func TestChangesTellWhatToForget(t *testing.T) {
	w := newWorld(t, letters())
	c := w.record(yes())
	f := w.Follow(c.Revision)
	list, more := f.Next()
	if len(list) != 1 || list[0].Subject != c.Subject || list[0].Purposes[0] != "letters" {
		t.Errorf("%+v", list)
	}
	w.withdraw(consent.WithdrawInput{Subject: ida, All: true})
	<-more
	if list, _ := f.Next(); len(list) != 1 || list[0].Revision != w.Revision() {
		t.Errorf("%+v", list)
	}
	from := w.Revision()
	w.restart()
	if list, _ := w.Follow(from - 1).Next(); len(list) != 1 || list[0].Subject != "" {
		t.Errorf("after a restart %+v", list)
	}
	if list, _ := w.Follow(w.Revision() + 7).Next(); len(list) != 1 || list[0].Subject != "" {
		t.Errorf("from the future %+v", list)
	}
}

// TestChangesOfRules: what changes for everybody is heard by those who have seen the newest revision too.
func TestChangesOfRules(t *testing.T) {
	w := newWorld(t, letters())
	c := w.record(yes())
	f := w.Follow(c.Revision)
	_, more := f.Next()
	everybody := func(what string, list []consent.Change) {
		t.Helper()
		if len(list) == 0 || list[len(list)-1].Subject != "" || list[len(list)-1].Revision != c.Revision {
			t.Errorf("%s: %+v", what, list)
		}
	}
	w.PurposesChanged()
	<-more
	list, more := f.Next()
	everybody("who follows", list)
	list, _ = w.Follow(c.Revision).Next()
	everybody("who comes again", list)
	w.Place("Ombud AS", []string{"us-ca"})
	<-more
	list, _ = f.Next()
	everybody("another law", list)
}

func TestAwait(t *testing.T) {
	w := newWorld(t, letters())
	c := w.record(yes())
	if err := w.Await(t.Context(), c.Revision, time.Second); err != nil {
		t.Error(err)
	}
	if err := w.Await(t.Context(), c.Revision+1, time.Millisecond); fault.KindOf(err) != fault.Unavailable {
		t.Errorf("got %v", err)
	}
}

// TestWeeksCountPeopleOnce: a renewal is no second yes, and a restart counts nothing twice.
func TestWeeksCountPeopleOnce(t *testing.T) {
	w := newWorld(t, letters())
	w.record(yes())
	w.record(yes())
	w.clock.Advance(7 * 24 * time.Hour)
	w.withdraw(consent.WithdrawInput{Subject: ida, All: true})
	w.withdraw(consent.WithdrawInput{Subject: ida, All: true})
	check := func(want ...consent.Count) {
		t.Helper()
		for i, week := range w.Weeks("letters", 3) {
			if week.Count != want[i] || week.From.Weekday() != time.Monday {
				t.Errorf("the week of %v: %+v", week.From, week.Count)
			}
		}
	}
	check(consent.Count{}, consent.Count{Yes: 1}, consent.Count{No: 1})
	w.restart()
	check(consent.Count{}, consent.Count{Yes: 1}, consent.Count{No: 1})
	if err := w.SaveSnapshot(t.Context()); err != nil {
		t.Fatal(err)
	}
	w.restart()
	check(consent.Count{}, consent.Count{Yes: 1}, consent.Count{No: 1})
	if by, people := w.Overviews(); people != 1 || by["letters"] != (consent.Overview{Ended: 1}) {
		t.Errorf("%+v of %d", by, people)
	}
}

func TestTheErasedAreCountedNoMore(t *testing.T) {
	w := newWorld(t, letters())
	c := w.record(yes())
	w.erase(subject.Erasure{})
	if by, people := w.Overviews(); people != 0 || by["letters"].Yes != 0 {
		t.Errorf("%+v of %d", by, people)
	}
	if list := w.EndingBefore(c.ValidUntil.Add(time.Hour)); len(list) != 0 {
		t.Errorf("%+v", list)
	}
}

// TestImportedActsCountWhenTheyWereSaid: a file of old choices is no rush of this week.
func TestImportedActsCountWhenTheyWereSaid(t *testing.T) {
	w := newWorld(t, letters())
	line := `{"event":"given","subject":{"email":"a@example.com"},"purpose":"letters","method":"api","notice":{"id":"letters","version":"3"},"at":"2026-11-03T08:00:00Z"}` + "\n"
	if _, err := w.Import(t.Context(), strings.NewReader(line), consent.ImportInput{Source: "old", Actor: "test"}); err != nil {
		t.Fatal(err)
	}
	weeks := w.Weeks("letters", 3)
	if weeks[0].Yes != 1 || weeks[2].Yes != 0 {
		t.Errorf("%+v", weeks)
	}
}
