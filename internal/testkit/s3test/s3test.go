// Package s3test is a bucket that speaks the part of S3 that Ombud uses: conditional put, get, list in pages of three, and
// a lock that lets nothing be replaced. test/heads holds it to a server of others.
package s3test

import (
	"encoding/xml"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
)

// Server holds one bucket, "heads". Change Fail with Break and Mend.
type Server struct {
	URL string

	mu      sync.Mutex
	objects map[string][]byte
	failing int // how many of the next calls fail; -1 is all
}

// Start starts a server that ends with its test.
func Start(t testing.TB) *Server {
	s := &Server{objects: map[string][]byte{}}
	h := httptest.NewServer(s)
	t.Cleanup(h.Close)
	s.URL = h.URL
	return s
}

// Break lets the next n calls fail, all for -1; Break(0) mends.
func (s *Server) Break(n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.failing = n
}

// Keys are the keys of all objects, in order.
func (s *Server) Keys() (out []string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for k := range s.objects {
		out = append(out, k)
	}
	slices.Sort(out)
	return out
}

// Set replaces an object, as nobody could who goes by the lock; nil removes it.
func (s *Server) Set(key string, body []byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.objects[key] = body; body == nil {
		delete(s.objects, key)
	}
}

// Object is what lies under a key.
func (s *Server) Object(key string) []byte {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.objects[key]
}

// ServeHTTP answers as a store does.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	key, ok := strings.CutPrefix(r.URL.Path, "/heads")
	key = strings.TrimPrefix(key, "/")
	switch {
	case s.failing != 0:
		s.failing = max(s.failing-1, -1)
		w.WriteHeader(http.StatusServiceUnavailable)
	case !ok || !strings.HasPrefix(r.Header.Get("Authorization"), "AWS4-HMAC-SHA256 "):
		w.WriteHeader(http.StatusForbidden)
	case r.Method == http.MethodPut:
		s.put(w, r, key)
	case key == "":
		s.list(w, r)
	case s.objects[key] == nil:
		w.WriteHeader(http.StatusNotFound)
	default:
		_, _ = w.Write(s.objects[key])
	}
}

func (s *Server) put(w http.ResponseWriter, r *http.Request, key string) {
	body, err := io.ReadAll(r.Body)
	switch {
	case err != nil || r.Header.Get("Content-Md5") == "":
		w.WriteHeader(http.StatusBadRequest)
	case r.Header.Get("If-None-Match") != "*":
		w.WriteHeader(http.StatusForbidden)
	case s.objects[key] != nil:
		w.WriteHeader(http.StatusPreconditionFailed)
	default:
		s.objects[key] = body
	}
}

const perPage = 3

func (s *Server) list(w http.ResponseWriter, r *http.Request) {
	type object struct {
		Key  string
		Size int
	}
	out := struct {
		XMLName               xml.Name `xml:"ListBucketResult"`
		IsTruncated           bool
		NextContinuationToken string `xml:",omitempty"`
		Contents              []object
	}{}
	q := r.URL.Query()
	var keys []string
	for k := range s.objects {
		if strings.HasPrefix(k, q.Get("prefix")) && k > q.Get("continuation-token") {
			keys = append(keys, k)
		}
	}
	slices.Sort(keys)
	size := perPage
	if most, err := strconv.Atoi(q.Get("max-keys")); err == nil {
		size = min(size, most)
	}
	for _, k := range keys[:min(len(keys), size)] {
		out.Contents = append(out.Contents, object{k, len(s.objects[k])})
		out.NextContinuationToken = k
	}
	out.IsTruncated = len(keys) > size
	_ = xml.NewEncoder(w).Encode(out)
}
