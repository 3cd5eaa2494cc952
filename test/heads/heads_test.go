package heads_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"github.com/johannesboyne/gofakes3"
	"github.com/johannesboyne/gofakes3/backend/s3mem"

	"github.com/ombudhq/ombud/internal/bucket"
	"github.com/ombudhq/ombud/internal/fault"
	"github.com/ombudhq/ombud/internal/testkit/s3test"
)

const region = "eu-north-1"

var credentials = aws.Credentials{AccessKeyID: "AKIDEXAMPLE", SecretAccessKey: "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", SessionToken: "a/session=="}

// verify signs a request again with the SDK and compares.
func verify(r *http.Request, body []byte) error {
	at, err := time.Parse("20060102T150405Z", r.Header.Get("X-Amz-Date"))
	if err != nil {
		return err
	}
	again, err := http.NewRequest(r.Method, "http://"+r.Host+r.URL.RequestURI(), bytes.NewReader(body))
	if err != nil {
		return err
	}
	_, signed, _ := strings.Cut(r.Header.Get("Authorization"), "SignedHeaders=")
	signed, _, _ = strings.Cut(signed, ",")
	for name := range strings.SplitSeq(signed, ";") {
		if name != "host" && name != "x-amz-date" && name != "x-amz-security-token" {
			again.Header[http.CanonicalHeaderKey(name)] = r.Header.Values(name)
		}
	}
	again.ContentLength = 0
	sum := sha256.Sum256(body)
	signer := v4.NewSigner(func(o *v4.SignerOptions) { o.DisableURIPathEscaping = true }) // as the SDK's S3 client does
	if err := signer.SignHTTP(r.Context(), credentials, again, hex.EncodeToString(sum[:]), "s3", region, at); err != nil {
		return err
	}
	if got, want := r.Header.Get("Authorization"), again.Header.Get("Authorization"); got != want {
		return fmt.Errorf("%s %s: got %s, want %s", r.Method, r.URL, got, want)
	}
	return nil
}

// signedOnly lets through what is signed as the SDK would have signed it.
func signedOnly(t *testing.T, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err == nil {
			err = verify(r, body)
		}
		if err != nil {
			t.Error(err)
			w.WriteHeader(http.StatusForbidden)
			return
		}
		r.Body = io.NopCloser(bytes.NewReader(body))
		next.ServeHTTP(w, r)
	})
}

// servers are one of others, and the double that the product's tests use.
func servers(t *testing.T) map[string]http.Handler {
	backend := s3mem.New()
	if err := backend.CreateBucket("heads"); err != nil {
		t.Fatal(err)
	}
	return map[string]http.Handler{"gofakes3": gofakes3.New(backend).Server(), "s3test": s3test.Start(t)}
}

// TestAServerOfOthers: what heads need of a bucket works on a server that knows nothing of Ombud, and the double that the
// product's own tests use does the same.
func TestAServerOfOthers(t *testing.T) {
	for name, server := range servers(t) {
		t.Run(name, func(t *testing.T) {
			h := httptest.NewServer(signedOnly(t, server))
			defer h.Close()
			b, err := bucket.New(bucket.Config{Bucket: "heads", Prefix: "fjordly/a b+c", Endpoint: h.URL, Region: region,
				Access: credentials.AccessKeyID, Secret: credentials.SecretAccessKey, Session: credentials.SessionToken})
			if err != nil {
				t.Fatal(err)
			}
			hold(t, b)
		})
	}
}

func hold(t *testing.T, b *bucket.Bucket) {
	t.Helper()
	ctx := t.Context()
	if all, err := b.List(ctx, "", 0); err != nil || len(all) != 0 {
		t.Errorf("an empty bucket: %v, %v", all, err)
	}
	if _, err := b.Get(ctx, "0001/æ/1"); fault.KindOf(err) != fault.NotFound {
		t.Errorf("what is not there: %v", err)
	}
	for range 2 { // the second time as after an answer that was lost
		if err := b.Put(ctx, "0001/æ/1", []byte("first")); err != nil {
			t.Errorf("put: %v", err)
		}
	}
	if err := b.Put(ctx, "0001/æ/1", []byte("other")); fault.KindOf(err) != fault.Conflict {
		t.Errorf("replaced: %v", err)
	}
	if body, err := b.Get(ctx, "0001/æ/1"); err != nil || string(body) != "first" {
		t.Errorf("%q, %v", body, err)
	}
	const many = 1100 // more than a page holds
	for i := range many {
		if err := b.Put(ctx, fmt.Sprintf("0002/%04d", i), []byte("x")); err != nil {
			t.Fatal(err)
		}
	}
	all, err := b.List(ctx, "0002/", 0)
	if err != nil || len(all) != many || all[0].Key != "0002/0000" || all[many-1].Key != "0002/1099" || all[7].Size != 1 {
		t.Errorf("%d objects, %v", len(all), err)
	}
	if one, err := b.List(ctx, "0002/", 1); err != nil || len(one) != 1 || one[0].Key != "0002/0000" {
		t.Errorf("%v, %v", one, err)
	}
}
