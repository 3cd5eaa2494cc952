package notify

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/ombudhq/ombud/internal/clock"
	"github.com/ombudhq/ombud/internal/dial"
	"github.com/ombudhq/ombud/internal/event"
	"github.com/ombudhq/ombud/internal/fault"
)

const (
	attemptLimit = 15 * time.Second // for a whole attempt
	bodyLimit    = 64 << 10         // read of an answer, so that its connection can be used again
)

// Endpoint is where webhooks of one target go, as ombud.yaml says it.
type Endpoint struct {
	URL string
	// Secrets sign, each with a signature of its own: one, or two while the other side changes from one to the next.
	Secrets []string
	// Bearer is a key the service asks for besides, sent as Authorization; empty for none.
	Bearer string
	// Private allows addresses of one's own networks and of this machine, and plain http.
	Private bool
	// Peer says by which certificate the service is known, and which one we show it.
	Peer dial.Peer
}

var contentType = []string{event.CloudEventType}

// Client makes the connections of all webhooks. They are used again; nothing is followed, no proxy is asked.
type Client struct {
	clock           clock.Clock
	agent           []string // as a header has it
	public, private *http.Client
}

// NewClient makes a client; agent says in each request who we are, such as "ombud/1.2".
func NewClient(c clock.Clock, agent string) *Client {
	way := dial.Way{Attempt: attemptLimit, Answer: bodyLimit + 1}
	open := way
	open.Private = true
	return &Client{clock: c, agent: []string{agent}, public: dial.Plain(way), private: dial.Plain(open)}
}

// Close ends the connections that nobody uses.
func (c *Client) Close() {
	c.public.CloseIdleConnections()
	c.private.CloseIdleConnections()
}

// Webhook is the bus to one endpoint.
type Webhook struct {
	client  *Client
	http    *http.Client
	request *http.Request // without header and body
	bearer  string
	secrets []Secret
}

var _ event.Bus = (*Webhook)(nil)

// Webhook makes the bus to an endpoint. Everything that is wrong with it is named at once, as fault.Invalid.
func (c *Client) Webhook(e Endpoint) (*Webhook, error) {
	wrong := e.faults()
	w := &Webhook{client: c, http: c.public, bearer: e.Bearer}
	if e.Private {
		w.http = c.private
	}
	if !e.Peer.Empty() {
		var err error
		var bad *fault.Error
		if w.http, err = dial.Client(dial.Way{Private: e.Private, Peer: e.Peer, Attempt: attemptLimit, Answer: bodyLimit + 1}); errors.As(err, &bad) {
			wrong = append(wrong, bad.Details...)
		}
	}
	for i, text := range e.Secrets {
		s, err := ParseSecret(text)
		if err != nil {
			wrong = append(wrong, fault.Detail{Where: fmt.Sprintf("secrets[%d]", i), Message: err.Error()})
		}
		w.secrets = append(w.secrets, s)
	}
	var err error
	if w.request, err = http.NewRequest(http.MethodPost, e.URL, nil); err != nil && len(wrong) == 0 {
		wrong = append(wrong, fault.Detail{Where: "url", Message: "is no URL of a request"})
	}
	if len(wrong) > 0 {
		return nil, fault.New(fault.Invalid, "this is no address for webhooks").With(wrong...)
	}
	return w, nil
}

// faults judges what can be seen before anybody is asked for an address.
func (e Endpoint) faults() (wrong []fault.Detail) {
	add := func(where, message string) {
		wrong = append(wrong, fault.Detail{Where: where, Message: message})
	}
	u, err := url.Parse(e.URL)
	switch {
	case err != nil || u.Host == "" || u.Opaque != "":
		add("url", "is no URL with a host")
	case u.User != nil:
		add("url", "holds a name or a password; a key goes into bearer")
	case u.Scheme != "https" && (u.Scheme != "http" || !e.Private):
		add("url", "must begin with https; http is for private addresses only")
	}
	if n := len(e.Secrets); n < 1 || n > 2 {
		add("secrets", "one is needed, and two are the most")
	}
	if strings.ContainsFunc(e.Bearer, func(c rune) bool { return c <= ' ' || c > '~' }) {
		add("bearer", "holds a character that no header can")
	}
	return wrong
}

// Send posts the message, signed. A Failure says why it was not taken.
func (w *Webhook) Send(ctx context.Context, m event.Message) error {
	body, err := m.CloudEvent()
	if err != nil {
		return &event.Failure{Kind: "not composed", Refused: true}
	}
	res, err := w.http.Transport.RoundTrip(w.post(ctx, m, body)) // a client would copy the headers for where it is sent on to
	if err != nil {
		return &event.Failure{Kind: kindOf(err)}
	}
	_, _ = io.Copy(io.Discard, io.LimitReader(res.Body, bodyLimit)) // the status is the answer
	_ = res.Body.Close()
	return w.judge(res)
}

func (w *Webhook) post(ctx context.Context, m event.Message, body []byte) *http.Request {
	req := w.request.WithContext(ctx)
	req.Header = w.header(m, body)
	req.ContentLength = int64(len(body))
	req.GetBody = func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(body)), nil }
	req.Body, _ = req.GetBody()
	return req
}

func (w *Webhook) header(m event.Message, body []byte) http.Header {
	h := Sign(w.secrets, m.ID, w.client.clock.Now(), body)
	h["Content-Type"], h["User-Agent"] = contentType, w.client.agent
	if strings.HasPrefix(m.Type, "consent.") {
		h["X-Consent-Event-Id"] = h[canonicalID]
	}
	if w.bearer != "" {
		h["Authorization"] = []string{"Bearer " + w.bearer}
	}
	return h
}

// judge reads the status as Standard Webhooks does: 2xx is taken, 410 is the end, everything else is tried again.
func (w *Webhook) judge(res *http.Response) error {
	s := res.StatusCode
	if s >= 200 && s < 300 {
		return nil
	}
	f := &event.Failure{Kind: "http " + strconv.Itoa(s), Gone: s == http.StatusGone, RetryAfter: w.retryAfter(res.Header.Get("Retry-After"))}
	switch s { // the message is at fault; with all others, the target
	case http.StatusBadRequest, http.StatusConflict, http.StatusRequestEntityTooLarge, http.StatusUnprocessableEntity:
		f.Refused = true
	}
	return f
}

// retryAfter reads seconds or a date; anything else is no wish.
func (w *Webhook) retryAfter(text string) time.Duration {
	if n, err := strconv.ParseUint(text, 10, 31); err == nil {
		return time.Duration(n) * time.Second
	}
	if at, err := http.ParseTime(text); err == nil {
		return max(0, at.Sub(w.client.clock.Now()))
	}
	return 0
}

// kindOf tells why there was no answer, without the address or anything else the error may hold.
func kindOf(err error) string {
	var dns *net.DNSError
	var certificate *tls.CertificateVerificationError
	var authority x509.UnknownAuthorityError
	var timeout interface{ Timeout() bool }
	switch {
	case errors.Is(err, dial.ErrAddress):
		return "address refused"
	case errors.As(err, &timeout) && timeout.Timeout():
		return "timeout"
	case errors.As(err, &dns):
		return "name not found"
	case errors.As(err, &certificate), errors.As(err, &authority), errors.Is(err, dial.ErrPeer):
		return "certificate"
	case errors.Is(err, syscall.ECONNREFUSED):
		return "connection refused"
	}
	return "no answer"
}
