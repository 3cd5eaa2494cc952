package awskms

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/ombudhq/ombud/internal/clock"
	"github.com/ombudhq/ombud/internal/fault"
	"github.com/ombudhq/ombud/internal/sigv4"
	"github.com/ombudhq/ombud/internal/testkit/kmstest"
	"github.com/ombudhq/ombud/vault"
	"github.com/ombudhq/ombud/vault/vaulttest"
)

// eager waits for nothing.
type eager struct{ clock.System }

func (eager) After(time.Duration) <-chan time.Time {
	c := make(chan time.Time, 1)
	c <- time.Time{}
	return c
}

func config(s *kmstest.Server, key string) Config {
	return Config{Region: "eu-central-1", Key: key, AccessKey: "AKIDEXAMPLE", SecretKey: "secret", Session: "session", Endpoint: s.URL,
		HTTP: &http.Client{Timeout: time.Minute}, Clock: eager{}}
}

func provider(t *testing.T, c Config) *Provider {
	t.Helper()
	p, err := New(c)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestAWSKMS(t *testing.T) {
	s := kmstest.Start(t)
	s.Slow = 3
	n := 0
	vaulttest.Run(t, func(t *testing.T) vaulttest.Setup {
		n += 2
		a, b := fmt.Sprintf("alias/ombud-%d", n), fmt.Sprintf("alias/ombud-%d", n+1)
		s.AddKey(a)
		s.AddKey(b)
		again := func() vault.Provider { return provider(t, config(s, a)) }
		return vaulttest.Setup{Provider: again(), Again: again, Other: provider(t, config(s, b)), Keeps: true}
	})
}

// To end what was wrapped before, a new key follows the former.
func TestAWSKMSFollowsAnotherKey(t *testing.T) {
	s := kmstest.Start(t)
	s.AddKey("old")
	s.AddKey("new")
	wrapped, err := provider(t, config(s, "old")).Wrap(t.Context(), []byte("key"), nil)
	if err != nil {
		t.Fatal(err)
	}
	c := config(s, "new")
	if _, err := provider(t, c).Unwrap(t.Context(), wrapped, nil); fault.KindOf(err) != fault.Integrity {
		t.Errorf("opened by another key: %v", err)
	}
	c.Previous = []string{"older", "old"}
	if got, err := provider(t, c).Unwrap(t.Context(), wrapped, nil); fault.KindOf(err) != fault.NotFound {
		t.Errorf("a previous key that is not there: %q %v", got, err)
	}
	c.Previous = []string{"old"}
	if got, err := provider(t, c).Unwrap(t.Context(), wrapped, nil); err != nil || string(got) != "key" {
		t.Errorf("not opened by the previous key: %v", err)
	}
}

func TestAWSKMSCountsManyRotations(t *testing.T) {
	s := kmstest.Start(t)
	s.AddKey("k")
	p := provider(t, config(s, "k"))
	for i := range 5 {
		if v, err := p.Rotate(t.Context()); err != nil || v != fmt.Sprint(i+2) {
			t.Fatalf("rotation %d: version %s, %v", i+1, v, err)
		}
	}
}

func TestAWSKMSErrors(t *testing.T) {
	s := kmstest.Start(t)
	p := provider(t, config(s, "k"))
	for exception, want := range map[string]fault.Kind{
		"AccessDeniedException": fault.Denied, "ExpiredTokenException": fault.Denied, "UnrecognizedClientException": fault.Denied,
		"NotFoundException": fault.NotFound, "DisabledException": fault.Unavailable, "KMSInvalidStateException": fault.Unavailable,
		"ThrottlingException": fault.Unavailable, "KMSInternalException": fault.Unavailable, "com.amazonaws.kms#IncorrectKeyException": fault.Integrity,
		"LimitExceededException": fault.Unavailable,
	} {
		s.Fail = exception
		_, err := p.Unwrap(t.Context(), []byte("wrapped"), nil)
		if fault.KindOf(err) != want {
			t.Errorf("%s: %v", exception, err)
		}
		for _, secret := range []string{"arn:", "1111", "AKID", "127.0.0.1"} {
			if strings.Contains(err.Error(), secret) {
				t.Errorf("%s: the error holds %s", exception, secret)
			}
		}
	}
	_, err := New(Config{Region: "EU", Key: "", Endpoint: "kms", Clock: eager{}})
	for _, want := range []string{"region:", "key:", "access_key:", "endpoint:"} {
		if fault.KindOf(err) != fault.Invalid || !strings.Contains(err.Error(), want) {
			t.Errorf("%s is not named: %v", want, err)
		}
	}
}

// TestSignatureVectors holds the signer to AWS's published suite for Signature Version 4, those without path and query.
func TestSignatureVectors(t *testing.T) {
	const token = "AQoDYXdzEPT//////////wEXAMPLEtc764bNrC9SAPBSM22wDOk4x4HIZ8j4FZTwdQWLWsKWHGBuFqwAeMicRXmxfpSPfIeoIYRqTflfKD8YUuwthAx7mSEI/qkPpKPi/kMcGdQrmGdeehM4IC1NtBmUpp2wUE8phUZampKsburEDy0KPkyQDYwT7WZ0wq5VSXDvp75YU9HFvlRd8Tx6q6fE8YQcHNVXAkiY9q6d+xo0rKwT38xVqr7ZD0u0iPPkUL64lIZbqBAz+scqKmlzm8FDrypNC9Yjc8fPOLn9FX9KSYvKTr4rvx3iSIlTJabIQwj2ICCR/oLxBA=="
	for _, v := range []struct {
		name, method    string
		header          [2]string
		body, session   string
		signed, wantSig string
	}{
		{"get-vanilla", "GET", [2]string{}, "", "", "host;x-amz-date", "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"},
		{"post-vanilla", "POST", [2]string{}, "", "", "host;x-amz-date", "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b"},
		{"post-header-key-sort", "POST", [2]string{"My-Header1", "value1"}, "", "", "host;my-header1;x-amz-date", "c5410059b04c1ee005303aed430f6e6645f61f4dc9e1461ec8f8916fdf18852c"},
		{"post-header-value-case", "POST", [2]string{"My-Header1", "VALUE1"}, "", "", "host;my-header1;x-amz-date", "cdbc9802e29d2942e5e10b5bccfdd67c5f22c7c4e8ae67b53629efa58b974b7d"},
		{"post-sts-header-before", "POST", [2]string{}, "", token, "host;x-amz-date;x-amz-security-token", "85d96828115b5dc0cfc3bd16ad9e210dd772bbebba041836c64533a82be05ead"},
		{"post-x-www-form-urlencoded", "POST", [2]string{"Content-Type", "application/x-www-form-urlencoded"}, "Param1=value1", "", "content-type;host;x-amz-date", "ff11897932ad3f4e8b18135d722051e5ac45fc38421b1da7b9d196a0fe09473a"},
		{"post-x-www-form-urlencoded-parameters", "POST", [2]string{"Content-Type", "application/x-www-form-urlencoded; charset=utf8"}, "Param1=value1", "", "content-type;host;x-amz-date", "1a72ec8f64bd914b0e42e42607c7fbce7fb2c7465f63e3092b3b0d39fa77a6fe"},
	} {
		req, err := http.NewRequest(v.method, "https://example.amazonaws.com/", strings.NewReader(v.body))
		if err != nil {
			t.Fatal(err)
		}
		if v.header[0] != "" {
			req.Header.Set(v.header[0], v.header[1])
		}
		s := sigv4.Signer{Access: "AKIDEXAMPLE", Secret: "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", Session: v.session, Region: "us-east-1", Service: "service"}
		s.Sign(req, []byte(v.body), time.Date(2015, 8, 30, 12, 36, 0, 0, time.UTC))
		want := "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, SignedHeaders=" + v.signed + ", Signature=" + v.wantSig
		if got := req.Header.Get("Authorization"); got != want {
			t.Errorf("%s: got %s", v.name, got)
		}
	}
}
