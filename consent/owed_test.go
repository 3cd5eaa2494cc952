package consent_test

import (
	"strings"
	"testing"

	"github.com/ombudhq/ombud/consent"
)

// A file of years opens no erasure for every no in it, unless somebody asks for that; a no that is said to us does.
func TestHistoryOwesNothingUnlessAsked(t *testing.T) {
	file := strings.Join([]string{
		`{"event":"given","subject":{"email":"ida@example.com"},"purpose":"letters","method":"web_form","notice":{"id":"letters","version":"3"},"at":"2026-10-01T10:00:00Z"}`,
		`{"event":"withdrawn","subject":{"email":"ida@example.com"},"purpose":"letters","at":"2026-10-02T10:00:00Z"}`,
	}, "\n")
	for name, in := range map[string]consent.ImportInput{
		"history": {Source: "old system", Actor: "test"},
		"asked":   {Source: "old system", Actor: "test", Erase: true},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, letters())
			got, err := w.Import(t.Context(), strings.NewReader(file), in)
			if err != nil || got.Recorded != 2 || got.Ended != 1 {
				t.Fatalf("import: %+v, %v", got, err)
			}
			owed, err := w.Owed(t.Context(), 0, 10)
			if err != nil || (len(owed) == 1) != in.Erase {
				t.Errorf("owed %+v, %v", owed, err)
			}
		})
	}
}
