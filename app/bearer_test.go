package app_test

import (
	"encoding/json"
	"strings"
	"testing"
)

// TestPeopleCallTheAPI: who signs in on the command line gets a bearer that is them over HTTP, with their role and no more; it
// ends with the session. Elevation, review and who a pseudonym is go the same way there and here.
func TestPeopleCallTheAPI(t *testing.T) {
	dir := t.TempDir()
	shop(t, dir)
	kari, ola := staff(t, dir)
	s := serve(t, dir)
	defer s.stop()
	typed(t, dir, "wrong\n123456\n", 3, "", "access", "token", "--name", "kari")
	bearer := typed(t, dir, kari(), 0, "bearer", "access", "token", "--name", "kari")
	code, _, _ := s.as(bearer, "GET", "/ledger/checkpoint", "")
	s.want("the log, which an officer reads", code, 200)
	code, _, body := s.as(bearer, "POST", "/consents/withdraw", `{"subject":{"email":"ida@example.com"},"all":true}`)
	s.problem("by hand", body, "denied", code, 403)
	code, _, _ = s.as(bearer, "POST", "/resolutions", `{"pseudonym":"psn_x"}`)
	s.want("without a reason", code, 403)
	code, _, _ = s.as(bearer, "POST", "/resolutions", `{"pseudonym":"psn_x"}`, "Justification", "the fraud desk asks")
	s.want("nobody's pseudonym", code, 404)
	code, _, _ = s.do("GET", "/?token="+bearer, "")
	s.want("it is in no address", code, 303)

	typed(t, dir, kari(), 3, "", "access", "elevate", "--name", "kari", "--because", "the shop is down")
	code, out, _ := command(t, dir, "", "access", "alarms", "--json")
	var open struct {
		Alarms []struct{ ID, Account string }
	}
	if err := json.Unmarshal([]byte(out), &open); code != 1 || err != nil || len(open.Alarms) == 0 {
		t.Fatalf("exit %d, %v: %s", code, err, out)
	}
	typed(t, dir, "", 3, "", "access", "review", open.Alarms[0].ID, "--found", "hired by the board")
	reviewed := 0
	for _, one := range open.Alarms {
		for _, who := range []struct {
			name  string
			types func() string
		}{{"kari", kari}, {"ola", ola}} {
			code, _, errs := command(t, dir, who.types(), "access", "review", one.ID, "--found", "hired by the board", "--name", who.name)
			if code == 0 {
				reviewed++
				break
			}
			if !strings.Contains(errs, "reviews what they did") && !strings.Contains(errs, "waits for a review") {
				t.Fatal(errs)
			}
		}
	}
	if reviewed != len(open.Alarms) {
		t.Errorf("%d of %d alarms were closed", reviewed, len(open.Alarms))
	}
	code, _, body = s.as(bearer, "GET", "/alarms", "")
	if code != 200 || strings.Contains(body, "alm_") {
		t.Errorf("%d: %s", code, body)
	}
}

// TestAuditorsKey: who reads the log lets a key do so; who is at the machine does not, nor whoever has another role.
func TestAuditorsKey(t *testing.T) {
	dir := t.TempDir()
	shop(t, dir)
	kari, _ := staff(t, dir)
	create := []string{"key", "create", "--name", "siem", "--role", "auditor"}
	typed(t, dir, "", 3, "", create...)
	typed(t, dir, "wrong\n123456\n", 3, "", append(create, "--as", "kari")...)
	key := typed(t, dir, kari(), 0, "key", append(create, "--as", "kari")...)
	if by := actors(t, dir, "key.created"); len(by) != 1 || !strings.HasPrefix(by[0], "account:") {
		t.Errorf("%v", by)
	}
	s := serve(t, dir)
	defer s.stop()
	code, _, _ := s.as(key, "GET", "/ledger/checkpoint", "")
	s.want("the log", code, 200)
}
