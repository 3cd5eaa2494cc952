package api

import (
	"bytes"
	"maps"
	"math/bits"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/ombudhq/ombud/consent"
	"github.com/ombudhq/ombud/purpose"
)

// TestSpecial: the first byte of eight that is marked is the first that is special, whatever each is at each place.
func TestSpecial(t *testing.T) {
	is := func(c int) bool { return c < 0x20 || c >= 0x80 || c == '"' || c == '\\' }
	for at := range 8 {
		for c := range 256 {
			for behind := range 256 {
				b := []byte("e-mail@x")
				b[at] = byte(c)
				want := 8
				if is(c) {
					want = at
				}
				if at < 7 {
					if b[at+1] = byte(behind); want == 8 && is(behind) {
						want = at + 1
					}
				}
				if got := bits.TrailingZeros64(special(string(b))) / 8; got != want {
					t.Fatalf("%q: %d, want %d", b, got, want)
				}
			}
		}
	}
}

// TestBodiesAreNotKept: nothing of a body is left in a buffer that was given back, whatever was answered from it.
func TestBodiesAreNotKept(t *testing.T) {
	for _, length := range []int64{-1, 1000} {
		r := httptest.NewRequest(http.MethodPost, "/", strings.NewReader(strings.Repeat("ida@", 250)))
		r.ContentLength = length
		b, err := body(r, maxQuestion)
		if err != nil || b.Len() != 1000 {
			t.Fatal(b.Len(), err)
		}
		b.Reset()
		whole := append(b.AvailableBuffer(), "answer"...)
		whole = whole[:cap(whole)]
		release(b)
		if i := bytes.Index(whole, []byte("ida@")); i >= 0 {
			t.Errorf("length %d: left at %d", length, i)
		}
	}
}

// FuzzQuick: what the quick way reads, of a question or of a batch, the strict one reads too, and the same.
func FuzzQuick(f *testing.F) {
	for _, text := range []string{
		`{"subject":{"email":"ida@example.com"},"purpose":"letters","category":"contact"}`,
		`{"subject":{"email":"ida@example.com"},"purpose":"letters","category":"contact","min_revision":7}`,
		`{"subject":{"":"x"},"purpose":"letters","category":"contact"}`, `{"subject":{"email":""},"purpose":"","category":""}`,
		`{"subject":{"email":"i\u0064a"},"purpose":"letters","category":"contact"}`, `{"subject":{"email":"ida","email":"kim"},"purpose":"a","category":"b"}`,
		` {"purpose": "letters", "category": "contact", "signals": {"gpc": true}, "min_revision": 12, "subject": {"id": "sub_1"}} `,
		`{"subject":{"email":"ida"},"purpose":"a","category":"b"}}`, `{"subject":{"email":"ida"},"purpose":"a","purpose":"b","category":"c"}`,
	} {
		f.Add([]byte(text))
		f.Add([]byte(`{"decisions":[` + text + `,` + text + `],"min_revision":3}`))
		f.Add([]byte(`{"min_revision":3,"decisions": [` + text + `]}`))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		var one question
		if (&quick{b: string(b)}).question(&one) {
			var want question
			if err := strict(b, &want); err != nil || !alike(one, want) {
				t.Errorf("%q: %+v, %+v, %v", b, one, want, err)
			}
		}
		list, least, ok := (&quick{b: string(b)}).batch(nil)
		if !ok || len(list) == 0 {
			return
		}
		var all batch
		if err := strict(b, &all); err != nil || len(all.Decisions) != len(list) {
			t.Fatalf("%q: %d, %d, %v", b, len(list), len(all.Decisions), err)
		}
		for i, raw := range all.Decisions {
			var want question
			if err := strict(raw, &want); err != nil || !alike(list[i], want) {
				t.Errorf("%q: %+v, %+v, %v", raw, list[i], want, err)
			}
			all.MinRevision = max(all.MinRevision, want.MinRevision)
		}
		if least != all.MinRevision {
			t.Errorf("%q: revision %d, %d", b, least, all.MinRevision)
		}
	})
}

// alike tells whether a question read quickly is the one that was read strictly.
func alike(q, strictly question) bool {
	subject := map[string]string{}
	if q.one[0].Kind != "" {
		subject[q.one[0].Kind] = q.one[0].Value
	}
	return maps.Equal(subject, strictly.Subject) && q.Purpose == strictly.Purpose && q.Category == strictly.Category &&
		q.Signals == strictly.Signals && q.MinRevision == strictly.MinRevision
}

// TestRoomsAreNotKept: questions of one batch are never in the room that the next one gets, also where it was malformed.
func TestRoomsAreNotKept(t *testing.T) {
	const good = `{"subject":{"email":"ida@example.com"},"purpose":"letters","category":"contact"}`
	for _, body := range []string{`{"decisions":[` + good + `,` + good + `]}`, `{"decisions":[` + good + `,{]}`, `{"decisions":[` + good + `],"min_revision":-1}`} {
		room := make([]question, 0, 8)
		questions, _, _ := parseBatch([]byte(body), room)
		kept := &room
		leave(kept, questions)
		for i, q := range room[:cap(room)] {
			if q.one[0].Kind != "" || q.Purpose != "" {
				t.Errorf("%s: question %d is left: %+v", body, i, q)
			}
		}
	}
}

// TestMostAnswersAreWrittenAsOthers: the quick way to write a yes of a consent gives what the one for any answer does.
func TestMostAnswersAreWrittenAsOthers(t *testing.T) {
	v := consent.Verdict{Allowed: true, Basis: purpose.Consent, Reason: consent.Consented, Consent: 1<<40 + 7}
	if got, want := string(appendDecision(nil, nil, v)), string(appendOther(nil, v))+`null,"revision":0}`; got != want {
		t.Errorf("%s\n%s", got, want)
	}
}
