package app_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestPoliciesNarrowOverHTTP: a policy of the company holds from the moment its file is there, forbids what is shipped, and
// one with a fault leaves the former ones in force.
func TestPoliciesNarrowOverHTTP(t *testing.T) {
	dir := t.TempDir()
	shop(t, dir)
	file, own := filepath.Join(dir, "ombud.yaml"), filepath.Join(dir, "policies", "own.cedar")
	write := func(path, text string) {
		t.Helper()
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Mkdir(filepath.Dir(own), 0o700); err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	write(file, string(b)+"access: {policies: policies}\n")
	s := serve(t, dir)
	defer s.stop()
	_, auditor := newKey(t, dir, "auditor")
	ask := func(what string, want int, headers ...string) {
		t.Helper()
		code, _, _ := s.as(auditor, "GET", "/ledger/checkpoint", "", headers...)
		s.want(what, code, want)
	}
	ask("without a policy of our own", 200)
	write(own, `forbid (principal, action == Action::"ledger.read", resource) unless { context.purpose == "audit" && context.justified };`)
	ask("forbidden", 403)
	ask("for a purpose, and with a word why", 200, "Purpose", "audit", "Justification", "yearly audit of the log")
	ask("for a purpose, and why is too short", 403, "Purpose", "audit", "Justification", "x")
	write(own, `permit (principal, action, resource);`)
	ask("a fault leaves the former ones", 403)
	write(own, `forbid (principal, action == Action::"ledger.read", resource) unless { context.ip.isInRange(ip("127.0.0.0/8")) };`)
	ask("from here", 200)
	write(own, `forbid (principal, action == Action::"ledger.read", resource) when { context.ip.isInRange(ip("127.0.0.0/8")) };`)
	ask("not from here", 403)
	_, service := newKey(t, dir, "service")
	write(own, `forbid (principal in Role::"service", action == Action::"decision.ask", resource) when { context.ip.isLoopback() };`)
	ask("another role", 200)
	const question = `{"subject":{"email":"x@example.com"},"purpose":"p","category":"contact"}`
	code, _, _ := s.as(service, "POST", "/decisions", question)
	s.want("decisions too", code, 403)
	write(own, `forbid (principal, action == Action::"ledger.read", resource);`)
	ask("forbidden again", 403)
	stream := s.stream(service)
	if line, open := stream(question); !open || !strings.Contains(line, "unknown-purpose") {
		t.Errorf("a stream: %s", line)
	}
	write(own, `forbid (principal, action == Action::"decision.ask", resource);`)
	ask("another policy, which somebody has met", 200)
	if line, open := stream(question); open {
		t.Errorf("a stream goes on by the former policies: %s", line)
	}
}

// TestPoliciesAskWhereAThingLies: a policy of the company forbids by place, owner and jurisdiction, by what ombud.yaml and the
// requests say of the one thing that is asked for.
func TestPoliciesAskWhereAThingLies(t *testing.T) {
	dir := t.TempDir()
	shop(t, dir)
	file, own := filepath.Join(dir, "ombud.yaml"), filepath.Join(dir, "policies", "own.cedar")
	must(t, os.Mkdir(filepath.Dir(own), 0o700))
	b, err := os.ReadFile(file)
	must(t, err)
	must(t, os.WriteFile(file, []byte(strings.Replace(string(b), "connector: sqlite", "connector: sqlite\n    location: EU", 1)+"access: {policies: policies}\n"), 0o600))
	s := serve(t, dir)
	defer s.stop()
	_, _, body := s.v1("POST", "/requests", `{"kind":"erasure","subject":{"email":"ida@example.com"}}`)
	ref := decode(t, body).Ref
	for _, c := range []struct {
		when string
		want int
	}{
		{`resource.place == "US"`, 200}, {`resource.place == "EU"`, 403}, {`resource.place like "*EU*"`, 403}, {`resource.jurisdiction like "*eu*"`, 403},
		{`resource.jurisdiction == "uk"`, 200}, {`resource.owner like "local:*"`, 403}, {`resource.owner == ""`, 200},
	} {
		must(t, os.WriteFile(own, []byte(`forbid (principal, action == Action::"request.read", resource) when { `+c.when+` };`), 0o600))
		code, _, _ := s.v1("GET", "/requests/"+ref, "")
		s.want(c.when, code, c.want)
	}
	code, _, _ := s.v1("GET", "/data-map", "")
	s.want("another action", code, 200)
}
