package client

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"strings"
	"time"
)

// fromNow is a revision that no server has reached: its stream begins with "everybody", and goes on from there.
const fromNow = 1<<53 - 1

// beat is the newest head of the stream.
type beat struct {
	heard time.Time // our time when it was sent, or earlier
	sent  time.Time // the server's time when it was sent; zero when it does not tell
}

// fresh is true while nothing that the server told more than two seconds ago is missing. The wall clock counts too: a machine
// that slept does not count the time of its sleep otherwise.
func (b *beat) fresh(now time.Time) bool {
	return b != nil && now.Sub(b.heard) <= stale && now.Round(0).Sub(b.heard.Round(0)) <= stale
}

// serverTime is the server's clock now, or a little more.
func (b *beat) serverTime(now time.Time) time.Time {
	if b == nil || b.sent.IsZero() {
		return now
	}
	return b.sent.Add(now.Sub(b.heard))
}

// change is an event of the stream.
type change struct {
	Revision int64     `json:"revision"`
	Subject  string    `json:"subject"` // "" is everybody
	At       time.Time `json:"at"`      // of a head
}

var errLate = errors.New("what it tells comes late")

// follow hears the changes until ctx ends, from stream to stream.
func (c *Client) follow(ctx context.Context) {
	const shortest, longest = 100 * time.Millisecond, 2 * time.Second
	from, pause := int64(fromNow), shortest
	for ctx.Err() == nil {
		err := c.hear(ctx, &from)
		if ctx.Err() != nil {
			return
		}
		c.streamFailed(err)
		if p := (*Problem)(nil); errors.As(err, &p) && (p.Status == http.StatusUnauthorized || p.Status == http.StatusForbidden) {
			c.beat.Store(nil) // whoever may not ask may not go on with old answers
		}
		if pause = min(2*pause, longest); c.beat.Load().fresh(c.clock.Now()) {
			pause = shortest
		}
		select {
		case <-c.clock.After(pause/2 + rand.N(pause/2)):
		case <-ctx.Done():
		}
	}
}

// hear follows one stream to its end.
func (c *Client) hear(ctx context.Context, from *int64) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	began := c.clock.Now()
	r, err := c.request(ctx, http.MethodGet, fmt.Sprintf("/v1/changes?from=%d", *from), nil)
	if err != nil {
		return err
	}
	go c.watch(ctx, cancel)
	resp, err := c.http.Do(r)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK || !strings.HasPrefix(resp.Header.Get("Content-Type"), "text/event-stream") {
		return problemOf(resp)
	}
	var first beat // of this stream: it was sent after we began
	return events(resp.Body, func(kind string, e change) error {
		*from = e.Revision
		switch {
		case kind == "change" && e.Subject == "":
			c.heard.note(e.Revision)
		case kind == "change":
			c.heard.note(e.Revision, c.subject(e.Subject))
		case kind == "head":
			if first.heard.IsZero() {
				first = beat{began, e.At}
			}
			return c.alive(first, e.At)
		}
		return nil
	})
}

// alive notes a head. How late it is, is known by the server's clock: as much time has passed here as there, at least.
func (c *Client) alive(first beat, at time.Time) error {
	now := c.clock.Now()
	b := &beat{heard: now, sent: at}
	if sent := first.heard.Add(at.Sub(first.sent)); !at.IsZero() && sent.Before(now) {
		b.heard = sent
	}
	c.beat.Store(b)
	if !b.fresh(now) {
		return errLate
	}
	return nil
}

// watch ends a stream that is silent.
func (c *Client) watch(ctx context.Context, cancel context.CancelFunc) {
	for {
		select {
		case <-c.clock.After(stale):
			if !c.beat.Load().fresh(c.clock.Now()) {
				cancel()
				return
			}
		case <-ctx.Done():
			return
		}
	}
}

// events reads server-sent events.
func events(r io.Reader, each func(kind string, e change) error) error {
	lines := bufio.NewScanner(r)
	var kind, data string
	for lines.Scan() {
		name, value, _ := strings.Cut(lines.Text(), ":")
		value = strings.TrimPrefix(value, " ")
		switch name {
		case "event":
			kind = value
		case "data":
			data = value
		case "":
			if err := dispatch(kind, data, each); err != nil {
				return err
			}
			kind, data = "", ""
		}
	}
	if lines.Err() != nil {
		return lines.Err()
	}
	return io.ErrUnexpectedEOF
}

func dispatch(kind, data string, each func(string, change) error) error {
	if data == "" {
		return nil
	}
	var e change
	if json.Unmarshal([]byte(data), &e) != nil || e.Revision <= 0 {
		return errors.New("an event that is none of ours")
	}
	return each(kind, e)
}
