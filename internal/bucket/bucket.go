// Package bucket keeps small objects in an S3-compatible store, each written once: what is there is never replaced. It
// knows four calls: put what is not there, get, list, and nothing else. Where the bucket locks objects by default, they are
// locked; nothing here could remove them.
package bucket

import (
	"bytes"
	"context"
	"crypto/md5" // stores that lock objects ask for it, against damage on the way
	"encoding/base64"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/ombudhq/ombud/internal/clock"
	"github.com/ombudhq/ombud/internal/dial"
	"github.com/ombudhq/ombud/internal/fault"
	"github.com/ombudhq/ombud/internal/sigv4"
)

// Config says which bucket, and who calls.
type Config struct {
	Bucket, Prefix          string // the prefix ends without a slash
	Endpoint                string // https://…; "" is AWS in the region
	Region                  string // "" is us-east-1
	Access, Secret, Session string
	Clock                   clock.Clock // nil is the system's
}

// Bucket is safe for concurrent use.
type Bucket struct {
	c      Config
	root   *url.URL
	client *http.Client
	signer sigv4.Signer
}

const (
	tries   = 4
	maxBody = 256 << 20
	attempt = 10 * time.Second
)

// New makes one; fault.Invalid names what is missing. Nothing is called yet.
func New(c Config) (*Bucket, error) {
	if c.Region == "" {
		c.Region = "us-east-1"
	}
	if c.Clock == nil {
		c.Clock = clock.System{}
	}
	if c.Bucket == "" || c.Access == "" || c.Secret == "" {
		return nil, fault.New(fault.Invalid, "a bucket needs a name and the keys of whoever writes to it").
			Then("Set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY.")
	}
	at := c.Endpoint
	if at == "" {
		at = "https://s3." + c.Region + ".amazonaws.com"
	}
	root, err := url.Parse(strings.TrimRight(at, "/"))
	if err != nil || root.Scheme != "https" && root.Scheme != "http" || root.Host == "" || root.User != nil || root.RawQuery != "" {
		return nil, fault.New(fault.Invalid, "the endpoint of the bucket is no address")
	}
	way := dial.Way{Private: c.Endpoint != "", Attempt: attempt, Answer: maxBody} // a named endpoint may be one's own
	return &Bucket{c, root.JoinPath(c.Bucket), dial.Plain(way),
		sigv4.Signer{Access: c.Access, Secret: c.Secret, Session: c.Session, Region: c.Region, Service: "s3"}}, nil
}

// Name is how people are shown the bucket.
func (b *Bucket) Name() string { return "s3://" + b.c.Bucket + "/" + b.c.Prefix }

// Put writes an object that is not there yet. One that is there with this very content is as good; with another it is
// fault.Conflict. What fails on the way is tried again a few times: fault.Unavailable after that.
func (b *Bucket) Put(ctx context.Context, key string, body []byte) error {
	sum := md5.Sum(body)
	head := http.Header{"If-None-Match": {"*"}, "Content-Md5": {base64.StdEncoding.EncodeToString(sum[:])}, "Content-Type": {"text/plain; charset=utf-8"}}
	_, code, err := b.call(ctx, http.MethodPut, key, nil, head, body)
	if code != http.StatusPreconditionFailed && code != http.StatusConflict {
		return err
	}
	there, err := b.Get(ctx, key)
	if err != nil {
		return err
	}
	if !bytes.Equal(there, body) {
		return fault.New(fault.Conflict, "the bucket holds another object in this place")
	}
	return nil
}

// Get reads an object; fault.NotFound when it is not there.
func (b *Bucket) Get(ctx context.Context, key string) ([]byte, error) {
	body, _, err := b.call(ctx, http.MethodGet, key, nil, nil, nil)
	return body, err
}

// Object is one of a list.
type Object struct {
	Key  string
	Size int64
}

// page is an answer of ListObjectsV2.
type page struct {
	IsTruncated           bool
	NextContinuationToken string
	Contents              []Object
}

// List gives up to most objects whose keys begin so, in order of keys; all for 0.
func (b *Bucket) List(ctx context.Context, begin string, most int) (out []Object, err error) {
	prefix := b.key("")
	q := url.Values{"list-type": {"2"}, "prefix": {prefix + begin}}
	if most > 0 {
		q.Set("max-keys", strconv.Itoa(most))
	}
	for {
		body, _, err := b.call(ctx, http.MethodGet, "", q, nil, nil)
		if err != nil {
			return nil, err
		}
		var p page
		if err := xml.Unmarshal(body, &p); err != nil {
			return nil, fault.Wrap(fault.Unavailable, err, "the bucket does not answer as one")
		}
		for _, o := range p.Contents {
			out = append(out, Object{strings.TrimPrefix(o.Key, prefix), o.Size})
		}
		if most > 0 && len(out) >= most {
			return out[:most], nil
		}
		if !p.IsTruncated || p.NextContinuationToken == "" {
			return out, nil
		}
		q.Set("continuation-token", p.NextContinuationToken)
	}
}

func (b *Bucket) key(name string) string {
	if b.c.Prefix == "" {
		return name
	}
	return b.c.Prefix + "/" + name
}

// call asks until there is an answer that stands, or it has been tried often enough.
func (b *Bucket) call(ctx context.Context, method, key string, q url.Values, head http.Header, body []byte) (answer []byte, code int, err error) {
	for n := range tries {
		if n > 0 {
			select {
			case <-b.c.Clock.After(time.Duration(1<<n) * 100 * time.Millisecond):
			case <-ctx.Done():
				return nil, 0, fault.Wrap(fault.Unavailable, ctx.Err(), "interrupted")
			}
		}
		answer, code, err = b.once(ctx, method, key, q, head, body)
		if err == nil && code < http.StatusInternalServerError && code != http.StatusTooManyRequests {
			break
		}
	}
	switch {
	case err != nil:
		return nil, 0, fault.Wrap(fault.Unavailable, err, "the bucket cannot be reached")
	case code == http.StatusNotFound:
		return nil, code, fault.New(fault.NotFound, "the bucket, or the object in it, is not there")
	case code >= http.StatusMultipleChoices:
		return nil, code, fault.New(fault.Unavailable, "the bucket refuses with status %d", code).Then("Whoever writes heads needs GetObject, PutObject and ListBucket.")
	}
	return answer, code, nil
}

func (b *Bucket) once(ctx context.Context, method, key string, q url.Values, head http.Header, body []byte) ([]byte, int, error) {
	at := *b.root
	if key != "" {
		at = *b.root.JoinPath(b.key(key))
	}
	at.RawQuery = strings.ReplaceAll(q.Encode(), "+", "%20")
	req, err := http.NewRequestWithContext(ctx, method, at.String(), bytes.NewReader(body))
	if err != nil {
		return nil, 0, fmt.Errorf("asking a bucket: %w", err)
	}
	for name, values := range head {
		req.Header[name] = values
	}
	b.signer.Sign(req, body, b.c.Clock.Now())
	res, err := b.client.Do(req)
	if err != nil {
		var u *url.Error
		if errors.As(err, &u) {
			err = u.Err // without the address
		}
		return nil, 0, err
	}
	defer res.Body.Close()
	answer, err := io.ReadAll(res.Body)
	return answer, res.StatusCode, err
}
