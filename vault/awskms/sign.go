package awskms

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"slices"
	"strings"
	"time"
)

const stamp = "20060102T150405Z"

// signer signs requests with AWS Signature Version 4, for one service in one region.
type signer struct {
	access, secret, session string
	region, service         string
}

// sign adds the headers that let a request in: date, session and signature. The path must be "/" and there must be no query.
func (s signer) sign(req *http.Request, body []byte, now time.Time) {
	at := now.UTC().Format(stamp)
	req.Header.Set("X-Amz-Date", at)
	if s.session != "" {
		req.Header.Set("X-Amz-Security-Token", s.session)
	}
	canonical, signed := canonicalRequest(req, body)
	scope := strings.Join([]string{at[:8], s.region, s.service, "aws4_request"}, "/")
	sum := sha256.Sum256([]byte(canonical))
	text := strings.Join([]string{"AWS4-HMAC-SHA256", at, scope, hex.EncodeToString(sum[:])}, "\n")
	key := []byte("AWS4" + s.secret)
	for part := range strings.SplitSeq(scope, "/") {
		key = hmacSHA256(key, part)
	}
	req.Header.Set("Authorization", "AWS4-HMAC-SHA256 Credential="+s.access+"/"+scope+", SignedHeaders="+signed+
		", Signature="+hex.EncodeToString(hmacSHA256(key, text)))
}

// canonicalRequest is what is signed: all headers, in order, each with its values trimmed.
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
	lines := []string{req.Method, "/", ""}
	for _, name := range names {
		lines = append(lines, name+":"+headers[name])
	}
	sum := sha256.Sum256(body)
	return strings.Join(append(lines, "", signed, hex.EncodeToString(sum[:])), "\n"), signed
}

func hmacSHA256(key []byte, text string) []byte {
	h := hmac.New(sha256.New, key)
	h.Write([]byte(text))
	return h.Sum(nil)
}
