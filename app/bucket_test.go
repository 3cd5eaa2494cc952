package app

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/ombudhq/ombud/catalog"
	"github.com/ombudhq/ombud/consent"
	"github.com/ombudhq/ombud/internal/fault"
	"github.com/ombudhq/ombud/internal/testkit/s3test"
)

// TestRestoreFromABucketAlone: with data directory and folder of the heads lost, a backup and the bucket are enough, and what
// was withdrawn stays so.
func TestRestoreFromABucketAlone(t *testing.T) {
	s := s3test.Start(t)
	t.Setenv("AWS_ACCESS_KEY_ID", "A")
	t.Setenv("AWS_SECRET_ACCESS_KEY", "the-secret-of-the-bucket")
	t.Setenv("HEADS_AT", s.URL)
	h := newHistory(t, 7)
	h.close()
	h.must(os.WriteFile(filepath.Join(h.dir, "ombud.yaml"), []byte(historyConfig+"heads: \"s3://heads/fjordly?endpoint=${HEADS_AT}\"\n"), 0o600))
	h.open()
	p := h.people[0]
	h.now++
	_, err := h.say(p, p.ids, "letters", h.a.Consents.Revision())
	h.must(err)
	h.backUp()
	_, err = h.a.Consents.Withdraw(t.Context(), consent.WithdrawInput{Subject: p.ids, All: true, Actor: "test"})
	h.must(err)
	for _, w := range h.a.warnings {
		t.Errorf("a bucket is no other place: %s", w)
	}
	h.restore() // into a new directory, whose folder of heads is not there yet
	if v := h.a.Consents.Decide(h.a.Consents.Find(p.ids[0]), "letters", "contact", false); v.Reason != consent.WasWithdrawn {
		t.Errorf("%v, %s", v.Allowed, v.Reason)
	}
	h.must(h.a.Checkpoint(t.Context()))
	if keys := strings.Join(s.Keys(), " "); !strings.Contains(keys, "fjordly/epochs/0002") || !strings.Contains(keys, "fjordly/0002/checkpoints/") {
		t.Errorf("the new epoch is not in the bucket: %s", keys)
	}
	h.close()
	h.open()
	h.close()
}

func TestHeadsThatAreNone(t *testing.T) {
	t.Setenv("AWS_ACCESS_KEY_ID", "")
	t.Setenv("AWS_SECRET_ACCESS_KEY", "")
	for _, head := range []string{"s3://heads", "ftp://host/dir", "s3://user:word@heads/x", "s3:///x", "s3://heads?endpoint=nowhere", "s3://${NOT_SET_ANYWHERE}/x"} {
		_, err := Config{DataDir: t.TempDir()}.headsOf(&catalog.Config{Heads: []string{head}})
		if fault.KindOf(err) != fault.Invalid || strings.Contains(err.Error(), "word") {
			t.Errorf("%s: %v", head, err)
		}
	}
}
