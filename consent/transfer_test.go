package consent_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/ombudhq/ombud/consent"
	"github.com/ombudhq/ombud/internal/db"
	"github.com/ombudhq/ombud/internal/fault"
	"github.com/ombudhq/ombud/ledger"
	"github.com/ombudhq/ombud/subject"
)

const lines = `{"event":"given","subject":{"email":"a@example.com"},"purpose":"letters","method":"web_form","notice":{"id":"letters","version":"3"},"at":"2026-10-01T08:00:00Z"}
{"event":"given","subject":{"email":"b@example.com"},"purpose":"letters","method":"implied","notice":{"id":"letters","version":"3"}}

{"event":"withdrawn","subject":{"email":"A@example.com"},"purpose":"letters","reason":"moved"}
{"event":"given","subject":{"email":"a@example.com"},"purpose":"letters","method":"web_form","notice":{"id":"letters","version":"3"}}
{"event":"given","subject":{"email":"c@example.com"},"purpose":"letters","methods":"api"}
not json
{"event":"given","subject":{"email":"d@example.com"},"purpose":"letters","method":"api","notice":{"id":"letters","version":"3"},"at":"2025-10-01T08:00:00Z"}
`

func TestImportKeepsThePersonsOrderAndTellsWhatItRefused(t *testing.T) {
	w := newWorld(t, letters())
	got, err := w.Import(t.Context(), strings.NewReader(lines), consent.ImportInput{Source: "old system", Actor: "test"})
	if err != nil {
		t.Fatal(err)
	}
	if got.Lines != 8 || got.Recorded != 2 || len(got.Refused) != 5 {
		t.Errorf("%+v", got)
	}
	for i, want := range []int{2, 5, 6, 7, 8} {
		if got.Refused[i].Line != want {
			t.Errorf("line %d is refused, not %d", got.Refused[i].Line, want)
		}
	}
	var out bytes.Buffer
	if n, err := w.Export(t.Context(), &out); n != 2 || err != nil {
		t.Fatalf("%d lines, %v", n, err)
	}
	again := newWorld(t, letters())
	if got, err := again.Import(t.Context(), &out, consent.ImportInput{Source: "export", Actor: "test"}); err != nil || got.Recorded != 2 || len(got.Refused) != 0 {
		t.Errorf("the export comes back as %+v, %v", got, err)
	}
}

// TestCategoriesOfSomePurposesTravel: what was withdrawn of some purposes is withdrawn of those where the export is read, too.
func TestCategoriesOfSomePurposesTravel(t *testing.T) {
	other := letters()
	other.ID, other.Notices[0].ID = "offers", "offers"
	w := newWorld(t, letters(), other)
	in := yes()
	w.record(in)
	in.Purpose, in.Notice.ID = "offers", "offers"
	w.record(in)
	w.withdraw(consent.WithdrawInput{Subject: ida, Categories: []string{"contact"}, Within: []string{"offers"}})
	var out bytes.Buffer
	if n, err := w.Export(t.Context(), &out); n != 3 || err != nil {
		t.Fatalf("%d lines, %v", n, err)
	}
	there := newWorld(t, letters(), other)
	if got, err := there.Import(t.Context(), &out, consent.ImportInput{Source: "export", Actor: "test"}); err != nil || got.Recorded != 3 {
		t.Fatalf("%+v, %v", got, err)
	}
	there.expect("letters", "contact", true, consent.Consented)
	there.expect("offers", "contact", false, consent.NotCovered)
}

// TestCategoriesOfSomePurposesAgain: nor does it become more where it is done again after a restore.
func TestCategoriesOfSomePurposesAgain(t *testing.T) {
	w := newWorld(t, letters())
	w.record(yes())
	body, err := json.Marshal(map[string]any{"keys": []subject.Key{w.people.Key(ida[0])}, "narrowed": []string{"letters"}, "categories": []string{"contact"}, "within": []string{"letters"}})
	if err == nil {
		err = w.db.Write(t.Context(), func(tx *db.Tx) error {
			return w.Again(t.Context(), tx, ledger.Act{Kind: consent.WithdrawalKept, Body: body})
		})
	}
	var out bytes.Buffer
	if err == nil {
		_, err = w.Export(t.Context(), &out)
	}
	if err != nil || !strings.Contains(out.String(), `"categories":["contact"],"within":["letters"]`) {
		t.Errorf("%v: %s", err, &out)
	}
}

// TestWhereAWithdrawalIsWithin: names of purposes that are not there, or that stand where one is named, are refused.
func TestWhereAWithdrawalIsWithin(t *testing.T) {
	w := newWorld(t, letters())
	w.record(yes())
	size := w.ledger.Size()
	for _, line := range []string{
		`{"event":"withdrawn","subject":{"email":"ida@example.com"},"all":true,"within":["letters","nowhere"]}`,
		`{"event":"withdrawn","subject":{"email":"ida@example.com"},"all":true,"within":[]}`,
		`{"event":"withdrawn","subject":{"email":"ida@example.com"},"purpose":"letters","within":["letters"]}`,
		`{"event":"given","subject":{"email":"ida@example.com"},"purpose":"letters","method":"web_form","notice":{"id":"letters","version":"3"},"within":["letters"]}`,
	} {
		got, err := w.Import(t.Context(), strings.NewReader(line), consent.ImportInput{Source: "old system", Actor: "test"})
		if err != nil || len(got.Refused) != 1 || len(got.Refused[0].Faults) != 1 || !strings.HasPrefix(got.Refused[0].Faults[0].Where, "within") {
			t.Errorf("%s: %+v, %v", line, got, err)
		}
	}
	if w.ledger.Size() != size {
		t.Error("what was refused left something")
	}
}

// TestALineIsOneAct: a second act behind the first, here a no, is never passed over.
func TestALineIsOneAct(t *testing.T) {
	w := newWorld(t, letters())
	given, _, _ := strings.Cut(lines, "\n")
	for _, behind := range []string{`{"event":"withdrawn","subject":{"email":"a@example.com"},"all":true}`, "}", "x"} {
		got, err := w.Import(t.Context(), strings.NewReader(given+behind), consent.ImportInput{Source: "old system", Actor: "test"})
		if err != nil || got.Recorded != 0 || len(got.Refused) != 1 || len(got.Refused[0].Faults) != 1 {
			t.Errorf("%s behind it: %+v, %v", behind, got, err)
		}
	}
}

// lined is lines without an end, that stop is called after.
type lined struct {
	stop func()
	n    int
}

func (l *lined) Read(p []byte) (int, error) {
	if l.n++; l.n == 20 {
		l.stop()
	}
	given, _, _ := strings.Cut(lines, "\n")
	return copy(p, given+"\n"), nil
}

// TestAnInterruptedImportSaysHowFarItCame: once, with what stays recorded.
func TestAnInterruptedImportSaysHowFarItCame(t *testing.T) {
	w := newWorld(t, letters())
	ctx, stop := context.WithCancel(t.Context())
	got, err := w.Import(ctx, &lined{stop: stop}, consent.ImportInput{Source: "old system", Actor: "test"})
	if want := fmt.Sprintf("interrupted: %d acts of it are recorded, and stay", got.Recorded); fault.KindOf(err) != fault.Unavailable || !strings.HasPrefix(err.Error(), want+"\n") || strings.Contains(err.Error(), "canceled") {
		t.Errorf("%+v, %v", got, err)
	}
}

// TestWhoToldUsIsShown: of what was not said to us, history and receipt say who told us, and when it was said.
func TestWhoToldUsIsShown(t *testing.T) {
	w := newWorld(t, letters())
	ids := []subject.Identity{{Kind: "email", Value: "a@example.com"}}
	given, _, _ := strings.Cut(lines, "\n")
	no := `{"event":"withdrawn","subject":{"email":"a@example.com"},"purpose":"letters","at":"2026-10-02T08:00:00Z"}`
	if _, err := w.Import(t.Context(), strings.NewReader(given+"\n"+no), consent.ImportInput{Source: "old system", Actor: "test"}); err != nil {
		t.Fatal(err)
	}
	said := time.Date(2026, 10, 1, 8, 0, 0, 0, time.UTC)
	got, err := w.History(t.Context(), w.Find(ids...))
	if err != nil || len(got) != 2 {
		t.Fatalf("%+v, %v", got, err)
	}
	for i, e := range got {
		if e.Source != "old system" || !e.Said.Equal(said.AddDate(0, 0, i)) {
			t.Errorf("event %d: %q, %v", i, e.Source, e.Said)
		}
	}
	file, err := w.Receipt(t.Context(), got[0].ConsentID)
	if err != nil {
		t.Fatal(err)
	}
	r, err := consent.VerifyReceipt(file, w.vault.PublicKey())
	if err != nil || r.Events[0].Source != "old system" || !r.Events[0].Said.Equal(said) {
		t.Errorf("%+v, %v", r.Events, err)
	}
}

// TestAFileIsOneHistory: a yes behind a no comes back where both say when; not where a no was said elsewhere, and never
// after an erasure.
func TestAFileIsOneHistory(t *testing.T) {
	act := func(event, at string) string {
		return `{"event":"` + event + `","subject":{"email":"ida@example.com"},"purpose":"letters","at":"2026-` + at + `T08:00:00Z"` +
			map[string]string{"given": `,"method":"web_form","notice":{"id":"letters","version":"3"}`}[event] + "}\n"
	}
	w := newWorld(t, letters())
	load := func(again string, want int) {
		t.Helper()
		file := act("given", "10-01") + act("withdrawn", "10-02") + act("given", again)
		if got, err := w.Import(t.Context(), strings.NewReader(file), consent.ImportInput{Source: "old system", Actor: "test"}); err != nil || got.Recorded != want {
			t.Errorf("%+v, %v", got, err)
		}
	}
	load("10-02", 2)
	w.expect("letters", "contact", false, consent.WasWithdrawn)
	w = newWorld(t, letters())
	load("10-03", 3)
	w.expect("letters", "contact", true, consent.Consented)
	twice := act("given", "10-01") + act("withdrawn", "10-02") + act("given", "10-03") + act("withdrawn", "10-04")
	for file, why := range map[string]consent.Reason{twice + act("given", "10-04"): consent.WasWithdrawn, twice + act("given", "10-05"): consent.Consented} {
		w := newWorld(t, letters())
		if _, err := w.Import(t.Context(), strings.NewReader(file), consent.ImportInput{Source: "old system", Actor: "test"}); err != nil {
			t.Fatal(err)
		}
		w.expect("letters", "contact", why == consent.Consented, why)
	}
	var out bytes.Buffer
	if _, err := w.Export(t.Context(), &out); err != nil || strings.Count(out.String(), `"at":"2026-10-0`) != 3 {
		t.Errorf("%v: %s", err, out.String())
	}
	w.withdraw(consent.WithdrawInput{Subject: ida, All: true})
	load("10-03", 1)
	w.expect("letters", "contact", false, consent.WasWithdrawn)
	w = newWorld(t, letters())
	w.erase(subject.Erasure{})
	load("10-03", 1)
	w.expect("letters", "contact", false, consent.WasErased)
}

func TestReceiptVerifiesWithoutUsAndOnlyAsItWasSigned(t *testing.T) {
	w := newWorld(t, letters())
	c := w.record(yes())
	file, err := w.Receipt(t.Context(), c.ID)
	if err != nil {
		t.Fatal(err)
	}
	r, err := consent.VerifyReceipt(file, w.vault.PublicKey())
	if err != nil || r.RecordID != c.ID || r.Notice.Text != "Send me trips and offers" || r.Controllers[0].Name != "Fjordly AS" {
		t.Fatalf("%+v, %v", r, err)
	}
	if strings.Contains(string(file), "ida@") || !consent.IsReceipt(file) {
		t.Error("the receipt names the person, or nobody would know it for one")
	}
	for _, change := range [][2]string{{`"given"`, `"taken"`}, {"letters", "lettres"}, {`"meta": "`, `"meta": "x`}} {
		if forged := strings.Replace(string(file), change[0], change[1], 1); forged == string(file) {
			t.Errorf("nothing to change: %s", change[0])
		} else if _, err := consent.VerifyReceipt([]byte(forged), w.vault.PublicKey()); fault.KindOf(err) != fault.Integrity {
			t.Errorf("%s: %v", change[0], err)
		}
	}
	for _, id := range []string{"", "con_x", "con_00000000000000000000000001", c.ID[:len(c.ID)-1] + "z"} {
		if _, err := w.Receipt(t.Context(), id); fault.KindOf(err) != fault.NotFound {
			t.Errorf("%q: %v", id, err)
		}
	}
}

// TestImportSaysWhatIsWrong: with a line, by the name of its field, and no value of it; a line that is too long ends the file, and
// what was recorded before it is said. A mark that some programs begin a file with is none.
func TestImportSaysWhatIsWrong(t *testing.T) {
	w := newWorld(t, letters())
	yes := `{"event":"given","subject":{"email":"a@example.com"},"purpose":"letters","method":"web_form","notice":{"id":"letters","version":"3"}}` + "\r\n"
	file := "\ufeff" + yes + `{"event":"given","secret":1}` + "\n" + `{"event":7}` + "\n" + `{"event":"given","at":"secret"}` + "\n[]\n{secret\n"
	got, err := w.Import(t.Context(), strings.NewReader(file), consent.ImportInput{Source: "old system", Actor: "test"})
	if err != nil || got.Recorded != 1 || len(got.Refused) != 5 {
		t.Fatalf("%+v, %v", got, err)
	}
	for i, want := range []string{"has a field", "must be string", "a time is written", "one object", "not JSON"} {
		if f := got.Refused[i].Faults; len(f) != 1 || !strings.Contains(f[0].Message, want) || strings.Contains(f[0].Message, "secret") {
			t.Errorf("of line %d is said %+v, not %q", got.Refused[i].Line, f, want)
		}
	}
	_, err = w.Import(t.Context(), strings.NewReader(yes+strings.Repeat("x", 2<<20)), consent.ImportInput{Source: "old system", Actor: "test"})
	if fault.KindOf(err) != fault.Invalid || !strings.Contains(err.Error(), "line 2 is longer") || !strings.Contains(err.Error(), "1 are recorded") {
		t.Errorf("a long line: %v", err)
	}
}
