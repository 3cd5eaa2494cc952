package app_test

import (
	"encoding/json"
	"strings"
	"testing"
)

// TestAliases: the endpoints of other designs are answered by our operations, for those who may call these, and nobody is
// named in an address but by their id.
func TestAliases(t *testing.T) {
	s, dir := consenting(t)
	defer s.stop()
	_, key := newKey(t, dir, "service")
	ask := func(bearer, method, path, body string, want int) string {
		t.Helper()
		code, _, out := s.do(method, path, body, "Authorization", "Bearer "+bearer, "Content-Type", "application/json")
		if code != want || strings.Contains(out, "ida@") || strings.Contains(out, "4712345678") {
			t.Errorf("%s %s: %d, want %d: %s", method, path, code, want, out)
		}
		return out
	}
	ask(key, "POST", "/consent/record", strings.Replace(saysYes, "%s", "", 1), 201)
	sub := s.decide("").Subject
	validate := "/consent/validate?user_id=" + sub + "&processing_purpose=letters&data_category=contact"
	if out := ask(key, "GET", validate, "", 200); !strings.Contains(out, `"allowed":true`) {
		t.Error(out)
	}
	ask(key, "POST", "/v1/consent/withdraw", `{"subject":{"email":"ida@example.com"},"purpose":"letters"}`, 200)
	ask(key, "POST", "/consent/withdraw", `{"subject":{"email":"ida@example.com"},"all":true}`, 200)
	if out := ask(key, "GET", strings.Replace(validate, "user_id", "subject", 1), "", 200); !strings.Contains(out, `"reason":"withdrawn"`) {
		t.Error(out)
	}
	for _, a := range []struct{ method, path, body, kind string }{
		{"GET", "/data-subject/access/" + sub, "", "access"},
		{"GET", "/v1/gdpr/data-export?subject=" + sub, "", "access"},
		{"POST", "/data-subject/erasure", `{"user_id":"` + sub + `"}`, "erasure"},
		{"POST", "/data-subject/erasure", `{"subject":{"email":"ida@example.com"}}`, "erasure"},
		{"DELETE", "/v1/gdpr/delete-account?subject_id=" + sub, "", "erasure"},
	} {
		ask(key, a.method, a.path, a.body, 403)
		want := map[string]int{"/data-subject/access/" + sub: 201}[a.path]
		if strings.Contains(a.body, "user_id") {
			want = 201
		}
		if want == 0 {
			want = 200 // the one that was begun
		}
		var r struct{ Request, Kind, Status string }
		if err := json.Unmarshal([]byte(ask(s.token, a.method, a.path, a.body, want)), &r); err != nil || r.Kind != a.kind || !strings.HasPrefix(r.Request, "dsr_") {
			t.Errorf("%s: %+v, %v", a.path, r, err)
		}
	}
	for _, path := range []string{"GET /data-subject/portability/" + sub, "GET /privacy/data-map/" + sub, "PUT /v1/users/profile"} {
		method, path, _ := strings.Cut(path, " ")
		if out := ask(key, method, path, "", 501); !strings.Contains(out, "not here yet") {
			t.Error(out)
		}
	}
}

// TestAliasesKeepIdentitiesOutOfAddresses, whatever they are for, and let nobody in who has no bearer.
func TestAliasesKeepIdentitiesOutOfAddresses(t *testing.T) {
	s, _ := consenting(t)
	defer s.stop()
	for _, path := range []string{
		"GET /data-subject/access/ida@example.com", "GET /data-subject/access/+4712345678", "GET /data-subject/access/4712345678",
		"GET /data-subject/portability/ida@example.com", "GET /privacy/data-map/ida%40example.com",
		"GET /consent/validate?subject=ida@example.com&purpose=letters&category=contact", "GET /consent/validate?email=ida@example.com",
		"GET /consent/validate?subject=sub_x&subject=sub_x&purpose=letters&category=contact", "GET /consent/validate?purpose=letters&category=contact",
		"GET /v1/gdpr/data-export?user_id=ida@example.com", "GET /v1/gdpr/data-export", "DELETE /v1/gdpr/delete-account?phone=4712345678",
		"POST /consent/record?email=ida@example.com", "PUT /v1/users/profile?email=ida@example.com", "POST /data-subject/erasure?user_id=ida@example.com",
	} {
		method, path, _ := strings.Cut(path, " ")
		code, _, body := s.do(method, path, "{}", "Authorization", "Bearer "+s.token, "Content-Type", "application/json")
		s.problem(path, body, "invalid", code, 400)
		if strings.Contains(body, "ida") || strings.Contains(body, "4712345678") {
			t.Errorf("%s: %s", path, body)
		}
		code, _, body = s.do(method, path, "{}")
		s.problem(path+" without a bearer", body, "unauthenticated", code, 401)
	}
	code, _, _ := s.do("GET", "/privacy/", "", "Authorization", "Bearer "+s.token)
	s.want("nothing is here", code, 404)
	_, _, body := s.v1("POST", "/requests", `{"kind":"access","subject":{"id":"sub_00000000000000000000000000"}}`)
	if !strings.Contains(body, "nobody is known") {
		t.Error(body)
	}
}
