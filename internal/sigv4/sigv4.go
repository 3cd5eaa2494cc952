// Package sigv4 signs requests as AWS Signature Version 4 asks, which every S3-compatible store and the key service of AWS
// understand.
package sigv4

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
)

const stamp = "20060102T150405Z"

// Signer signs for one service in one region.
type Signer struct {
	Access, Secret, Session string
	Region, Service         string
}

// Sign adds the headers that let a request in: date, session, hash of the body, and signature. The path is signed as it is
// sent: S3 asks for that, and other services are called at "/".
func (s Signer) Sign(req *http.Request, body []byte, now time.Time) {
	at := now.UTC().Format(stamp)
	req.Header.Set("X-Amz-Date", at)
	if s.Service == "s3" {
		req.Header.Set("X-Amz-Content-Sha256", hashOf(body))
	}
	if s.Session != "" {
		req.Header.Set("X-Amz-Security-Token", s.Session)
	}
	canonical, signed := canonicalRequest(req, body)
	scope := strings.Join([]string{at[:8], s.Region, s.Service, "aws4_request"}, "/")
	text := strings.Join([]string{"AWS4-HMAC-SHA256", at, scope, hashOf([]byte(canonical))}, "\n")
	key := []byte("AWS4" + s.Secret)
	for part := range strings.SplitSeq(scope, "/") {
		key = hmacSHA256(key, part)
	}
	req.Header.Set("Authorization", "AWS4-HMAC-SHA256 Credential="+s.Access+"/"+scope+", SignedHeaders="+signed+
		", Signature="+hex.EncodeToString(hmacSHA256(key, text)))
}

// canonicalRequest is what is signed: path, query in order, and all headers in order, each with its values trimmed.
func canonicalRequest(req *http.Request, body []byte) (canonical, signed string) {
	headers := map[string]string{"host": req.Host}
	for name, values := range req.Header {
		for i, v := range values {
			values[i] = strings.Join(strings.Fields(v), " ")
		}
		headers[strings.ToLower(name)] = strings.Join(values, ",")
	}
	var names []string
	for name := range headers {
		names = append(names, name)
	}
	slices.Sort(names)
	signed = strings.Join(names, ";")
	path := req.URL.EscapedPath()
	if path == "" {
		path = "/"
	}
	lines := []string{req.Method, path, canonicalQuery(req.URL.Query())}
	for _, name := range names {
		lines = append(lines, name+":"+headers[name])
	}
	return strings.Join(append(lines, "", signed, hashOf(body)), "\n"), signed
}

// canonicalQuery is a query as it is signed, and as it should be sent.
func canonicalQuery(q url.Values) string { return strings.ReplaceAll(q.Encode(), "+", "%20") }

func hashOf(b []byte) string {
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}

func hmacSHA256(key []byte, text string) []byte {
	h := hmac.New(sha256.New, key)
	h.Write([]byte(text))
	return h.Sum(nil)
}
