package client

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// Problem is a refusal of the server (RFC 9457). Code is stable; Faults name everything that is wrong, and no value that
// was sent.
type Problem struct {
	Status int     `json:"status"`
	Code   string  `json:"code"` // invalid, unauthenticated, denied, not-found, conflict, waiting, unavailable …
	Detail string  `json:"detail"`
	Next   string  `json:"next"` // what can be done
	Faults []Fault `json:"errors"`

	after time.Duration // Retry-After
}

// Fault is one thing that is wrong, and where.
type Fault struct {
	Where   string `json:"where"` // a JSON pointer into the body, or query., path. or header. and a parameter; "" is all of it
	Message string `json:"message"`
}

func (p *Problem) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "ombud: %d %s: %s", p.Status, p.Code, p.Detail)
	for _, f := range p.Faults {
		b.WriteString("; ")
		if f.Where != "" {
			b.WriteString(f.Where + ": ")
		}
		b.WriteString(f.Message)
	}
	return b.String()
}

const (
	maxAnswer = 8 << 20 // bytes
	tries     = 4       // of a write
)

// problemOf reads a refusal.
func problemOf(resp *http.Response) error {
	p := &Problem{}
	b, _ := io.ReadAll(io.LimitReader(resp.Body, 1<<20)) // what of it came
	if json.Unmarshal(b, p) != nil || p.Code == "" {
		*p = Problem{Code: "unknown", Detail: "what answers is not Ombud"}
	}
	p.Status = resp.StatusCode
	if s, err := strconv.Atoi(resp.Header.Get("Retry-After")); err == nil {
		p.after = time.Duration(min(max(s, 0), 2)) * time.Second
	}
	return p
}

// request prepares a request. It may be sent again by the transport while the server has not begun to answer.
func (c *Client) request(ctx context.Context, method, path string, in any) (*http.Request, error) {
	var body io.Reader
	if in != nil {
		b, err := json.Marshal(in)
		if err != nil {
			return nil, fmt.Errorf("client: %w", err)
		}
		body = bytes.NewReader(b)
	}
	r, err := http.NewRequestWithContext(ctx, method, c.cfg.URL+path, body)
	if err != nil {
		return nil, fmt.Errorf("client: %w", err)
	}
	r.Header.Set("Authorization", "Bearer "+c.cfg.Key)
	r.Header.Set("Content-Type", "application/json")
	r.Header["Idempotency-Key"] = []string{} // for the transport alone: it is not sent
	return r, nil
}

// read asks once.
func (c *Client) read(ctx context.Context, method, path string, in, out any) error {
	r, err := c.request(ctx, method, path, in)
	if err != nil {
		return err
	}
	return c.do(r, out)
}

// do sends a request and reads its answer, in the time that a try has.
func (c *Client) do(r *http.Request, out any) error {
	ctx, cancel := context.WithTimeout(r.Context(), c.cfg.Timeout)
	defer cancel()
	resp, err := c.http.Do(r.WithContext(ctx))
	if err != nil {
		return fmt.Errorf("client: %w", err)
	}
	defer resp.Body.Close()
	if resp.StatusCode < 200 || resp.StatusCode > 299 {
		return problemOf(resp)
	}
	c.head.keep(resp.Header.Get("Ombud-Checkpoint"))
	b, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer))
	if err != nil {
		return fmt.Errorf("client: %w", err)
	}
	if out == nil {
		return nil
	}
	if err := json.Unmarshal(b, out); err != nil {
		return errors.New("client: what answers is not Ombud")
	}
	return nil
}

// write acts once, however often it has to be sent: every try carries the same Idempotency-Key.
func (c *Client) write(ctx context.Context, path, kind, idempotency string, in, out any) error {
	if idempotency == "" {
		idempotency = rand.Text()
	}
	pause := 100 * time.Millisecond
	for try := 1; ; try++ {
		r, err := c.request(ctx, http.MethodPost, path, in)
		if err != nil {
			return err
		}
		r.Header.Set("Content-Type", kind)
		r.Header.Set("Idempotency-Key", idempotency)
		err = c.do(r, out)
		again, after := retryable(err)
		if !again || try == tries || ctx.Err() != nil {
			return err
		}
		select {
		case <-c.clock.After(max(pause, after)):
		case <-ctx.Done():
			return err
		}
		pause *= 3
	}
}

// retryable tells whether the same may go better later, and when the server would be asked.
func retryable(err error) (bool, time.Duration) {
	var p *Problem
	if !errors.As(err, &p) {
		return err != nil, 0
	}
	switch p.Status {
	case http.StatusTooManyRequests, http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		return true, p.after
	case http.StatusConflict: // the first try is still being answered
		return p.after > 0, p.after
	}
	return false, 0
}
