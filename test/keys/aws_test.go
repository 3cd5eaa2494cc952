package keys_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/kms/types"

	"github.com/ombudhq/ombud/internal/clock"
	"github.com/ombudhq/ombud/internal/fault"
	"github.com/ombudhq/ombud/internal/testkit/kmstest"
	"github.com/ombudhq/ombud/vault"
	"github.com/ombudhq/ombud/vault/awskms"
	"github.com/ombudhq/ombud/vault/vaulttest"
)

const region = "eu-central-1"

var credentials = aws.Credentials{AccessKeyID: "AKIDEXAMPLE", SecretAccessKey: "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", SessionToken: "a/session=="}

// verify signs the request again with the SDK and compares.
func verify(r *http.Request, body []byte) error {
	at, err := time.Parse("20060102T150405Z", r.Header.Get("X-Amz-Date"))
	if err != nil {
		return err
	}
	again, err := http.NewRequest(r.Method, "http://"+r.Host+r.URL.Path, bytes.NewReader(body))
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
	if !strings.Contains(signed, "content-length") {
		again.ContentLength = 0
	}
	sum := sha256.Sum256(body)
	if err := v4.NewSigner().SignHTTP(r.Context(), credentials, again, hex.EncodeToString(sum[:]), "kms", region, at); err != nil {
		return err
	}
	if got, want := r.Header.Get("Authorization"), again.Header.Get("Authorization"); got != want {
		return fmt.Errorf("got %s, want %s", got, want)
	}
	return nil
}

type eager struct{ clock.System }

func (eager) After(time.Duration) <-chan time.Time {
	c := make(chan time.Time, 1)
	c <- time.Time{}
	return c
}

func provider(t *testing.T, s *kmstest.Server, key, secret string) *awskms.Provider {
	t.Helper()
	p, err := awskms.New(awskms.Config{Region: region, Key: key, AccessKey: credentials.AccessKeyID, SecretKey: secret, Session: credentials.SessionToken,
		Endpoint: s.URL, HTTP: &http.Client{Timeout: time.Minute}, Clock: eager{}})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// Whatever the provider asks is signed as the SDK would have signed it.
func TestSignaturesAreThoseOfTheSDK(t *testing.T) {
	s := kmstest.Start(t)
	s.Verify = func(r *http.Request, body []byte) error {
		err := verify(r, body)
		if err != nil && !strings.HasSuffix(t.Name(), "other") {
			t.Log(err)
		}
		return err
	}
	n := 0
	vaulttest.Run(t, func(t *testing.T) vaulttest.Setup {
		n++
		a, b := fmt.Sprintf("a%d", n), fmt.Sprintf("b%d", n)
		s.AddKey(a)
		s.AddKey(b)
		again := func() vault.Provider { return provider(t, s, a, credentials.SecretAccessKey) }
		return vaulttest.Setup{Provider: again(), Again: again, Other: provider(t, s, b, credentials.SecretAccessKey), Keeps: true}
	})
	if _, err := provider(t, s, "a1", "another secret").Version(t.Context()); fault.KindOf(err) != fault.Denied {
		t.Errorf("another secret is let in: %v", err)
	}
}

// The SDK understands the service of the tests, and so the service is like AWS's.
func TestTheSDKUnderstandsTheService(t *testing.T) {
	s := kmstest.Start(t)
	s.AddKey("k")
	s.AddKey("other")
	c := kms.New(kms.Options{Region: region, BaseEndpoint: &s.URL,
		Credentials: aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
			return credentials, nil
		})})
	bound := map[string]string{"ombud": "x"}
	out, err := c.Encrypt(t.Context(), &kms.EncryptInput{KeyId: aws.String("k"), Plaintext: []byte("key"), EncryptionContext: bound})
	if err != nil {
		t.Fatal(err)
	}
	opened, err := c.Decrypt(t.Context(), &kms.DecryptInput{KeyId: aws.String("k"), CiphertextBlob: out.CiphertextBlob, EncryptionContext: bound})
	if err != nil || string(opened.Plaintext) != "key" {
		t.Fatalf("not opened: %v", err)
	}
	var invalid *types.InvalidCiphertextException
	if _, err := c.Decrypt(t.Context(), &kms.DecryptInput{KeyId: aws.String("k"), CiphertextBlob: out.CiphertextBlob}); !errors.As(err, &invalid) {
		t.Errorf("without the context: %v", err)
	}
	var incorrect *types.IncorrectKeyException
	if _, err := c.Decrypt(t.Context(), &kms.DecryptInput{KeyId: aws.String("other"), CiphertextBlob: out.CiphertextBlob}); !errors.As(err, &incorrect) {
		t.Errorf("by another key: %v", err)
	}
	for range 3 {
		if _, err := c.RotateKeyOnDemand(t.Context(), &kms.RotateKeyOnDemandInput{KeyId: aws.String("k")}); err != nil {
			t.Fatal(err)
		}
	}
	if st, err := c.GetKeyRotationStatus(t.Context(), &kms.GetKeyRotationStatusInput{KeyId: aws.String("k")}); err != nil || st.OnDemandRotationStartDate != nil {
		t.Errorf("status: %v", err)
	}
	list := kms.NewListKeyRotationsPaginator(c, &kms.ListKeyRotationsInput{KeyId: aws.String("k")})
	n := 0
	for list.HasMorePages() {
		page, err := list.NextPage(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		n += len(page.Rotations)
	}
	if n != 3 {
		t.Errorf("%d rotations", n)
	}
	var none *types.NotFoundException
	if _, err := c.Encrypt(t.Context(), &kms.EncryptInput{KeyId: aws.String("nobody"), Plaintext: []byte("key")}); !errors.As(err, &none) {
		t.Errorf("no key: %v", err)
	}
}
