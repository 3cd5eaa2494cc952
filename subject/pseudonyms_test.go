package subject_test

import (
	"strings"
	"testing"
	"time"

	"github.com/ombudhq/ombud/access"
	"github.com/ombudhq/ombud/internal/db"
	"github.com/ombudhq/ombud/internal/fault"
	"github.com/ombudhq/ombud/subject"
)

var (
	idaEmail = subject.Identity{Kind: "email", Value: "ida@example.com"}
	because  = "the fraud desk asks who ordered this"
)

func openPseudonyms(t *testing.T, w *world, p *subject.People) *subject.Pseudonyms {
	t.Helper()
	s, err := subject.OpenPseudonyms(t.Context(), w.db, w.vault, w.ledger, p, w.clock)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func pseudonymOf(t *testing.T, s *subject.Pseudonyms, in string, i subject.Identity) subject.Pseudonym {
	t.Helper()
	out, err := s.Make(t.Context(), subject.PseudonymInput{Subject: []subject.Identity{i}, Context: in, For: 24 * time.Hour, Actor: "service:key_1"})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func officer(name string) access.Caller {
	return access.Caller{Actor: "account:" + name, Role: access.Officer, Session: "signed in"}
}

func TestOnePseudonymForEachPersonAndContext(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		p := openPeople(t, w)
		s := openPseudonyms(t, w, p)
		bo := subject.Identity{Kind: "email", Value: "bo@example.com"}
		addPerson(t, w, p, idaEmail)
		addPerson(t, w, p, bo)
		first := pseudonymOf(t, s, "analytics", idaEmail)
		seen := map[string]bool{first.ID: true, pseudonymOf(t, s, "support", idaEmail).ID: true, pseudonymOf(t, s, "analytics", bo).ID: true}
		if len(seen) != 3 || pseudonymOf(t, s, "analytics", idaEmail) != first {
			t.Errorf("%d pseudonyms, and again %v", len(seen), first)
		}
		if inFiles(t, w, "ida@") {
			t.Error("the identity lies in the store")
		}
		w.clock.Advance(25 * time.Hour)
		if _, err := s.Ask(t.Context(), officer("kari"), first.ID, because); fault.KindOf(err) != fault.NotFound {
			t.Errorf("it did not expire: %v", err)
		}
		if next := pseudonymOf(t, s, "analytics", idaEmail); next.ID == first.ID {
			t.Error("an expired pseudonym came back")
		}
		for _, bad := range []subject.PseudonymInput{{}, {Subject: []subject.Identity{idaEmail}, Context: "two words"}, {Subject: []subject.Identity{idaEmail}, Context: "x", For: time.Second}} {
			if _, err := s.Make(t.Context(), bad); fault.KindOf(err) != fault.Invalid {
				t.Errorf("%v", err)
			}
		}
		_, err := s.Make(t.Context(), subject.PseudonymInput{Subject: []subject.Identity{{Kind: "email", Value: "nobody@example.com"}}, Context: "x"})
		if fault.KindOf(err) != fault.NotFound {
			t.Errorf("nobody has one: %v", err)
		}
	})
}

func TestWhoAPseudonymIsTakesTwo(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		p := openPeople(t, w)
		s := openPseudonyms(t, w, p)
		addPerson(t, w, p, idaEmail)
		psn := pseudonymOf(t, s, "analytics", idaEmail)
		kari, per := officer("kari"), officer("per")
		for _, who := range []access.Caller{
			{Actor: "account:a", Role: access.Admin, Session: "s"}, {Actor: "account:s", Role: access.Support, Session: "s"},
			{Actor: "service:k", Role: access.Service}, {Actor: "local:root", Role: access.Machine}, {},
		} {
			if _, err := s.Ask(t.Context(), who, psn.ID, because); fault.KindOf(err) != fault.Denied {
				t.Errorf("%s asks: %v", who.Role, err)
			}
		}
		if _, err := s.Ask(t.Context(), kari, psn.ID, "why"); fault.KindOf(err) != fault.Invalid {
			t.Errorf("without a reason: %v", err)
		}
		r, err := s.Ask(t.Context(), kari, psn.ID, because)
		if err != nil {
			t.Fatal(err)
		}
		if ids, err := s.Reveal(t.Context(), kari, r.ID); fault.KindOf(err) != fault.Waiting || ids != nil {
			t.Errorf("alone: %v", err)
		}
		if _, err := s.Approve(t.Context(), kari, r.ID); fault.KindOf(err) != fault.Denied {
			t.Errorf("she approves herself: %v", err)
		}
		if r, err = s.Approve(t.Context(), per, r.ID); err != nil || r.State() != "approved" {
			t.Fatalf("%v", err)
		}
		if _, err := s.Reveal(t.Context(), per, r.ID); fault.KindOf(err) != fault.Denied {
			t.Errorf("another looks: %v", err)
		}
		ids, err := s.Reveal(t.Context(), kari, r.ID)
		if err != nil || len(ids) != 1 || ids[0].Value != idaEmail.Value {
			t.Fatalf("%d identities, %v", len(ids), err)
		}
		if _, err := s.Reveal(t.Context(), kari, r.ID); fault.KindOf(err) != fault.Conflict {
			t.Errorf("twice: %v", err)
		}
		all, err := s.Resolutions(t.Context(), per)
		if err != nil || len(all) != 1 || all[0].State() != "shown" || all[0].Because != because || all[0].ApprovedBy != per.Actor {
			t.Errorf("%+v, %v", all, err)
		}
		if got := kinds(t, w); !strings.HasSuffix(got, "pseudonym.made pseudonym.asked pseudonym.approved pseudonym.revealed") {
			t.Errorf("entries: %s", got)
		}
		if inFiles(t, w, "fraud desk") {
			t.Error("the reason lies in the store in clear")
		}
	})
}

func TestApprovalsDoNotLast(t *testing.T) {
	w := newWorld(t)
	p := openPeople(t, w)
	s := openPseudonyms(t, w, p)
	addPerson(t, w, p, idaEmail)
	r, err := s.Ask(t.Context(), officer("kari"), pseudonymOf(t, s, "analytics", idaEmail).ID, because)
	if err == nil {
		_, err = s.Approve(t.Context(), officer("per"), r.ID)
	}
	w.clock.Advance(2 * time.Hour)
	if _, late := s.Reveal(t.Context(), officer("kari"), r.ID); err != nil || fault.KindOf(late) != fault.Conflict {
		t.Errorf("an old approval: %v, %v", err, late)
	}
}

// While there is no account, whoever has the machine is alone.
func TestWhoAPseudonymIsWhenNobodyElseIsThere(t *testing.T) {
	w := newWorld(t)
	p := openPeople(t, w)
	s := openPseudonyms(t, w, p)
	addPerson(t, w, p, idaEmail)
	me := access.Caller{Actor: "local:root", Role: access.Local}
	r, err := s.Ask(t.Context(), me, pseudonymOf(t, s, "analytics", idaEmail).ID, because)
	if err != nil {
		t.Fatal(err)
	}
	if ids, err := s.Reveal(t.Context(), me, r.ID); err != nil || len(ids) != 1 {
		t.Errorf("%v", err)
	}
}

func TestForgottenPeopleHaveNoPseudonym(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		p := openPeople(t, w)
		s := openPseudonyms(t, w, p)
		ida := addPerson(t, w, p, idaEmail)
		other := subject.Identity{Kind: "email", Value: "bo@example.com"}
		addPerson(t, w, p, other)
		gone, stays := pseudonymOf(t, s, "analytics", idaEmail), pseudonymOf(t, s, "analytics", other)
		pseudonymOf(t, s, "support", idaEmail)
		r, err := s.Ask(t.Context(), officer("kari"), gone.ID, because)
		if err != nil {
			t.Fatal(err)
		}
		rows := func() (n int) {
			err := w.db.Read(t.Context(), func(tx *db.Tx) error { return tx.QueryRow(t.Context(), "select count(*) from pseudonyms").Scan(&n) })
			if err != nil {
				t.Fatal(err)
			}
			return n
		}
		// The key alone is enough, as after a restore of an older store.
		if err := w.vault.Shred(ida.Slot()); err != nil {
			t.Fatal(err)
		}
		if _, err := s.Ask(t.Context(), officer("kari"), gone.ID, because); fault.KindOf(err) != fault.NotFound || rows() != 3 {
			t.Errorf("it leads to her still: %v", err)
		}
		err = w.db.Write(t.Context(), func(tx *db.Tx) error {
			_, err := p.Forget(t.Context(), tx, ida)
			return err
		})
		if err != nil || rows() != 1 {
			t.Errorf("%d rows, %v", rows(), err)
		}
		if _, err := s.Approve(t.Context(), officer("per"), r.ID); fault.KindOf(err) != fault.NotFound {
			t.Errorf("approved for nobody: %v", err)
		}
		if all, err := s.Resolutions(t.Context(), officer("per")); err != nil || all[0].Because != "forgotten" {
			t.Errorf("%+v, %v", all, err)
		}
		if _, err := s.Ask(t.Context(), officer("kari"), stays.ID, because); err != nil {
			t.Errorf("another lost theirs: %v", err)
		}
	})
}

func TestTokensOfValues(t *testing.T) {
	w := newWorld(t)
	s := openPseudonyms(t, w, openPeople(t, w))
	token := func(in, kind, value string) string {
		t.Helper()
		out, err := s.Token(in, kind, value)
		if err != nil || strings.Contains(out, value) {
			t.Errorf("%s: %v", out, err)
		}
		return out
	}
	mail := token("shop", "email", "Ida@Example.com")
	if mail != token("shop", "email", " ida@example.com ") || mail == token("mail", "email", "ida@example.com") || !strings.HasSuffix(mail, "@pseudonym.invalid") {
		t.Errorf("the token of an e-mail is %s", mail)
	}
	ip := token("shop", "ip", "192.0.2.7")
	if ip != token("shop", "ip", "::ffff:192.0.2.7") || ip == token("shop", "ip", "192.0.2.8") {
		t.Error("the tokens of addresses")
	}
	w.clock.Advance(31 * 24 * time.Hour)
	if ip == token("shop", "ip", "192.0.2.7") || mail != token("shop", "email", "ida@example.com") {
		t.Error("the token of an address stays, or that of an e-mail does not")
	}
	for _, bad := range [][3]string{{"a b", "email", "x@y"}, {"a", "email", "x"}, {"a", "ip", "1.2.3"}, {"a", "name", "x"}} {
		if out, err := s.Token(bad[0], bad[1], bad[2]); fault.KindOf(err) != fault.Invalid || out != "" {
			t.Errorf("%v: %v", bad, err)
		}
	}
}

// kinds are those of all entries, in order.
func kinds(t *testing.T, w *world) string {
	t.Helper()
	var out []string
	err := w.db.Read(t.Context(), func(tx *db.Tx) error {
		rows, err := tx.Query(t.Context(), "select kind from ledger_entries order by id")
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var k string
			if err := rows.Scan(&k); err != nil {
				return err
			}
			out = append(out, k)
		}
		return rows.Err()
	})
	if err != nil {
		t.Fatal(err)
	}
	return strings.Join(out, " ")
}
