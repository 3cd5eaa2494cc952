package subject_test

import (
	"testing"

	"github.com/ombudhq/ombud/internal/db"
	"github.com/ombudhq/ombud/internal/fault"
	"github.com/ombudhq/ombud/subject"
)

func openPeople(t *testing.T, w *world) *subject.People {
	t.Helper()
	p, err := subject.OpenPeople(t.Context(), w.db, w.vault, w.clock)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func addPerson(t *testing.T, w *world, p *subject.People, ids ...subject.Identity) (n subject.Number) {
	t.Helper()
	err := w.db.Write(t.Context(), func(tx *db.Tx) (err error) {
		if n, err = p.Add(t.Context(), tx, false); err == nil {
			_, err = p.Bind(t.Context(), tx, n, ids)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func resolve(t *testing.T, w *world, p *subject.People, ids ...subject.Identity) (n subject.Number, unknown []subject.Identity, err error) {
	t.Helper()
	err = w.db.Read(t.Context(), func(tx *db.Tx) (err error) {
		n, unknown, err = p.Resolve(t.Context(), tx, ids)
		return err
	})
	return n, unknown, err
}

func TestPeopleAreFoundByAnyIdentity(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		p := openPeople(t, w)
		email, customer := subject.Identity{Kind: "email", Value: "Ida@Example.com"}, subject.Identity{Kind: "customer", Value: "17"}
		ida := addPerson(t, w, p, email, customer)
		other := addPerson(t, w, p, subject.Identity{Kind: "email", Value: "ida+shop@example.com"})
		if n, unknown, err := resolve(t, w, p, subject.Identity{Kind: "email", Value: " ida@example.COM "}, subject.Identity{Kind: "phone", Value: "1"}); n != ida || len(unknown) != 1 || err != nil {
			t.Errorf("%d, %v, %v", n, unknown, err)
		}
		if n, _, _ := resolve(t, w, p, subject.Identity{Kind: "customer", Value: "ida@example.com"}); n != 0 {
			t.Error("another kind led to her")
		}
		_, _, err := resolve(t, w, p, email, subject.Identity{Kind: "email", Value: "ida+shop@example.com"})
		if fault.KindOf(err) != fault.Conflict {
			t.Errorf("two people were joined: %v", err)
		}
		if ida == other {
			t.Error("two people have one number")
		}
		ids, err := p.Identities(t.Context(), ida)
		if err != nil || len(ids) != 2 || ids[1].Value+ids[0].Value != "Ida@Example.com17" {
			t.Errorf("%d identities, %v", len(ids), err)
		}
		if inFiles(t, w, "xample.com") {
			t.Error("the identity lies in the store")
		}
	})
}

func TestIDsComeBack(t *testing.T) {
	w := newWorld(t)
	p := openPeople(t, w)
	for _, n := range []subject.Number{1, 2, 1<<32 - 1} {
		if back, ok := p.Number(p.ID(n)); !ok || back != n {
			t.Errorf("%d came back as %d", n, back)
		}
	}
	if _, ok := p.Number("sub_00000000000000000000000001"); ok {
		t.Error("a guessed id is somebody's")
	}
}

func TestForgetLeavesNothingThatLeadsToThePerson(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		p := openPeople(t, w)
		email := subject.Identity{Kind: "email", Value: "ida@example.com"}
		ida := addPerson(t, w, p, email)
		err := w.db.Write(t.Context(), func(tx *db.Tx) error {
			bound, err := p.Forget(t.Context(), tx, ida)
			if len(bound) != 1 || bound[0].Key != p.Key(email) {
				t.Errorf("%v", bound)
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		if n, _, _ := resolve(t, w, p, email); n != 0 {
			t.Error("the identity still leads to her")
		}
		if _, erased, ok, err := p.Since(t.Context(), ida); err != nil || !ok || erased.IsZero() {
			t.Errorf("%v %v", ok, err)
		}
		if again := addPerson(t, w, p, email); again == ida {
			t.Error("her number was given again")
		}
	})
}

func TestKeysAreThoseOfTheCanonicalForm(t *testing.T) {
	w := newWorld(t)
	p := openPeople(t, w)
	key := func(v string) subject.Key { return p.Key(subject.Identity{Kind: "email", Value: v}) }
	for a, b := range map[string]string{"A@B.c": " a@b.C\t", "ÅSE@b.c": "åse@b.c"} {
		if key(a) != key(b) {
			t.Errorf("%q and %q differ", a, b)
		}
	}
	for a, b := range map[string]string{"a.b@c.d": "ab@c.d", "\u212a@b.c": "k@b.c", "a": "a b"} {
		if key(a) == key(b) {
			t.Errorf("%q and %q are one", a, b)
		}
	}
	i := subject.Identity{Kind: "email", Value: "Name@Example.com"}
	if n := testing.AllocsPerRun(100, func() { p.Key(i) }); n > 0 {
		t.Errorf("%v allocations", n)
	}
}
