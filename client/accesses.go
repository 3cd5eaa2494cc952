package client

import (
	"context"
	"crypto/rand"
	"fmt"
	"slices"
	"sync"
	"time"
)

const (
	oneBatch = 100         // access events of one request
	gather   = time.Second // at most, before they are sent
)

// Access tells what was seen of a person, for which purpose. It names fields, never values.
type Access struct {
	Subject    string   `json:"subject,omitempty"` // sub_… of a decision; no identity
	Purpose    string   `json:"purpose"`
	Categories []string `json:"categories,omitempty"`
	Fields     []string `json:"fields,omitempty"`
	Stripped   []string `json:"stripped,omitempty"` // what Minimise left out
}

// Counts of access events since New.
type Counts struct {
	Delivered int64
	Dropped   int64 // there was no room for them
	Refused   int64 // the server would not have them
	Waiting   int
}

// accesses is the queue of access events.
type accesses struct {
	mu      sync.Mutex
	waiting []cloudEvent
	open    int // the first of them, which are being sent
	counts  Counts
	last    error // why the last request failed, until one succeeds
	wake    chan struct{}
}

// cloudEvent is CloudEvents 1.0 in JSON.
type cloudEvent struct {
	SpecVersion string    `json:"specversion"`
	ID          string    `json:"id"`
	Source      string    `json:"source"`
	Type        string    `json:"type"`
	Subject     string    `json:"subject,omitempty"`
	Time        time.Time `json:"time"`
	ContentType string    `json:"datacontenttype"`
	Data        Access    `json:"data"`
}

// outcome is what the server made of one event.
type outcome struct {
	Problem *Problem `json:"problem"`
}

// Accessed queues an access event. It never waits: events go out in batches, and one that finds no room is counted in
// Counts, and in the errors of Err and Close.
func (c *Client) Accessed(a Access) {
	e := cloudEvent{
		SpecVersion: "1.0", ID: rand.Text(), Source: "/services/" + c.cfg.Service, Type: "data.accessed", Subject: a.Subject,
		Time: c.clock.Now().UTC(), ContentType: jsonType, Data: a,
	}
	q := &c.accesses
	q.mu.Lock()
	defer q.mu.Unlock()
	if len(q.waiting) >= c.cfg.Accesses {
		q.counts.Dropped++
		return
	}
	q.waiting = append(q.waiting, e)
	if len(q.waiting)%oneBatch == 0 {
		select {
		case q.wake <- struct{}{}:
		default:
		}
	}
}

// Counts tells what became of the access events.
func (c *Client) Counts() Counts {
	q := &c.accesses
	q.mu.Lock()
	defer q.mu.Unlock()
	q.counts.Waiting = len(q.waiting)
	return q.counts
}

// err tells what was lost, and why.
func (q *accesses) err() error {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.counts.Dropped == 0 && q.counts.Refused == 0 && q.last == nil {
		return nil
	}
	err := fmt.Errorf("client: access events: %d delivered, %d dropped, %d refused, %d waiting",
		q.counts.Delivered, q.counts.Dropped, q.counts.Refused, len(q.waiting))
	if q.last != nil {
		err = fmt.Errorf("%w: %w", err, q.last)
	}
	return err
}

// deliver sends what waits until ctx ends.
func (c *Client) deliver(ctx context.Context) {
	for ctx.Err() == nil {
		select {
		case <-c.accesses.wake:
		case <-c.clock.After(gather):
		case <-ctx.Done():
			return
		}
		c.flush(ctx)
	}
}

// flush sends all that waits, or up to what cannot be sent now. A batch stays the same until it is answered: its tries are
// one request.
func (c *Client) flush(ctx context.Context) {
	for q := &c.accesses; ; {
		some := q.batch()
		if len(some) == 0 {
			return
		}
		var out []outcome
		err := c.write(ctx, "/v1/events", "application/cloudevents-batch+json", some[0].ID, some, &out)
		if again, _ := retryable(err); again {
			q.failed(err)
			return
		}
		q.answered(out, err)
	}
}

func (q *accesses) batch() []cloudEvent {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.open == 0 {
		q.open = min(oneBatch, len(q.waiting))
	}
	return slices.Clone(q.waiting[:q.open])
}

func (q *accesses) failed(err error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.last = err
}

// answered counts what became of a batch: all of it was refused, with an error, or some.
func (q *accesses) answered(out []outcome, err error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	refused := 0
	for _, o := range out {
		if o.Problem != nil {
			refused++
			err = o.Problem
		}
	}
	if len(out) == 0 && err != nil {
		refused = q.open
	}
	q.last = err
	q.counts.Refused += int64(refused)
	q.counts.Delivered += int64(q.open - refused)
	q.waiting, q.open = slices.Delete(q.waiting, 0, q.open), 0
}
