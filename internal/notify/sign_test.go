package notify

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/ombudhq/ombud/internal/fault"
)

// The vector of Standard Webhooks.
const (
	knownSecret    = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
	knownID        = "msg_p5jXN8AQM9LWM0D4loKWxJek"
	knownBody      = `{"test": 2432232314}`
	knownSignature = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
)

var knownTime = time.Unix(1614265330, 0)

func secret(t testing.TB, text string) Secret {
	t.Helper()
	s, err := ParseSecret(text)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestKnownVector(t *testing.T) {
	h := Sign([]Secret{secret(t, knownSecret)}, knownID, knownTime, []byte(knownBody))
	if got := h.Get(HeaderSignature); got != knownSignature || h.Get(HeaderID) != knownID || h.Get(HeaderTimestamp) != "1614265330" {
		t.Errorf("%v", h)
	}
}

func TestVerify(t *testing.T) {
	mine := secret(t, knownSecret)
	other, text := NewSecret()
	if s := secret(t, text); string(s.key) != string(other.key) {
		t.Error("a new secret is not what its text says")
	}
	signed := func(secrets ...Secret) http.Header { return Sign(secrets, knownID, knownTime, []byte(knownBody)) }
	with := func(name, value string) http.Header {
		h := signed(mine)
		h.Set(name, value)
		return h
	}
	for name, c := range map[string]struct {
		header http.Header
		ours   []Secret
		body   string
		after  time.Duration
		ok     bool
	}{
		"signed":                   {header: signed(mine), ok: true},
		"both sides change":        {header: signed(other, mine), ok: true},
		"we have two":              {header: signed(mine), ours: []Secret{other, mine}, ok: true},
		"other versions beside":    {header: with(HeaderSignature, "v1a,AAAA v2,x nonsense "+knownSignature), ok: true},
		"at the limit":             {header: signed(mine), after: Tolerance, ok: true},
		"ahead at the limit":       {header: signed(mine), after: -Tolerance, ok: true},
		"replayed late":            {header: signed(mine), after: Tolerance + time.Second},
		"from the future":          {header: signed(mine), after: -Tolerance - time.Second},
		"of somebody else":         {header: signed(other)},
		"no secrets here":          {header: signed(mine), ours: []Secret{}},
		"another body":             {header: signed(mine), body: `{"test": 2432232315}`},
		"another id":               {header: with(HeaderID, "msg_x")},
		"another time":             {header: with(HeaderTimestamp, "1614265331")},
		"the same time, otherwise": {header: with(HeaderTimestamp, "+1614265330")},
		"no time":                  {header: with(HeaderTimestamp, "")},
		"a huge time":              {header: with(HeaderTimestamp, "99999999999999999999")},
		"no id":                    {header: with(HeaderID, "")},
		"a long id":                {header: with(HeaderID, strings.Repeat("x", 257))},
		"no signature":             {header: with(HeaderSignature, "")},
		"only a version":           {header: with(HeaderSignature, "v1,")},
		"a shorter signature":      {header: with(HeaderSignature, knownSignature[:20])},
		"another version":          {header: with(HeaderSignature, "v2"+knownSignature[2:])},
		"a wall of signatures":     {header: with(HeaderSignature, strings.Repeat("v1,AAAA ", 1000)+knownSignature)},
	} {
		t.Run(name, func(t *testing.T) {
			if c.ours == nil {
				c.ours = []Secret{mine}
			}
			if c.body == "" {
				c.body = knownBody
			}
			id, err := Verify(c.ours, c.header, []byte(c.body), knownTime.Add(c.after))
			if c.ok != (err == nil) || c.ok != (id == knownID) || !c.ok && fault.KindOf(err) != fault.Denied {
				t.Errorf("%q, %v", id, err)
			}
		})
	}
}

func TestSecretsAreJudgedAndDoNotPrint(t *testing.T) {
	for _, bad := range []string{"", "whsec_", "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "whsec_MfKQ9r8=", "whsec_!fKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
		"whsec_" + strings.Repeat("AAAA", 22)} {
		if _, err := ParseSecret(bad); fault.KindOf(err) != fault.Invalid || len(bad) > 6 && strings.Contains(err.Error(), bad) {
			t.Errorf("%q: %v", bad, err)
		}
	}
	s := secret(t, knownSecret)
	if text := fmt.Sprintf("%v %+v %#v %s", s, []Secret{s}, s, &s); strings.Contains(text, "MfKQ") || strings.Contains(text, "31") {
		t.Error(text)
	}
}

func FuzzVerify(f *testing.F) {
	f.Add(knownID, "1614265330", knownSignature, knownBody)
	f.Add("", "-1", "v1, v1,", "")
	s, _ := ParseSecret(knownSecret)
	f.Fuzz(func(t *testing.T, id, timestamp, signature, body string) {
		h := http.Header{}
		h.Set(HeaderID, id)
		h.Set(HeaderTimestamp, timestamp)
		h.Set(HeaderSignature, signature)
		if _, err := Verify([]Secret{s}, h, []byte(body), knownTime); err == nil && (body != knownBody || id != knownID) {
			t.Errorf("%q %q %q %q was taken", id, timestamp, signature, body)
		}
	})
}

// TestSigningMakesNoKeysAnew: what comes of a secret is kept, so that a signature takes its header's allocations alone.
func TestSigningMakesNoKeysAnew(t *testing.T) {
	secrets, body := []Secret{secret(t, knownSecret)}, []byte(knownBody)
	if n := testing.AllocsPerRun(100, func() { Sign(secrets, knownID, knownTime, body) }); n > 7 {
		t.Errorf("%v allocations", n)
	}
}
