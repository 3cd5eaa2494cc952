package plan

import (
	"context"
	"errors"
	"slices"
	"sync"
)

// recentBytes is how large a journal may be, sealed, whose chunks stay in memory while its run goes on:
// keys of some 100,000 rows, which in memory take eight times that.
const recentBytes = 2 << 20

// recent is what a run still knows of the journal it has just written, so that it need not read it again,
// and what is under way: the journal itself becomes durable while the stores' transactions act, and before
// any of them commits; a chunk is marked while the next one goes on, the last one in the commit that closes the
// run. A run that is cut off before its mark is written does the chunk again, which changes nothing.
type recent struct {
	chunks []chunk
	size   int // of them, sealed
	mu     sync.Mutex
	heads  []head
	unsaid []marked   // chunks that are done, which the journal does not say
	marks  int        // under way; systems act side by side, so one waits while another begins, which no WaitGroup allows
	calm   *sync.Cond // of mu: a mark has ended
	failed error
}

// remember keeps what is written, unless it has become too much.
func (j *journal) remember(chunks []chunk, sealed []sealedChunk) {
	if !j.begun && j.small {
		j.recent = &recent{}
		j.recent.calm = sync.NewCond(&j.recent.mu)
	}
	r := j.recent
	if r == nil {
		return
	}
	for i, c := range chunks {
		r.size += len(sealed[i].body)
		idle := c.beginning() == idle
		r.chunks, r.heads = append(r.chunks, c), append(r.heads, head{ordinal: c.ordinal, system: c.system, done: idle, idle: idle})
	}
	if r.size > recentBytes {
		j.recent = nil
	}
}

func (r *recent) allHeads() []head {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.heads)
}

// marked is a chunk committed in its store, with rows acted per act.
type marked struct {
	ordinal int
	acted   []int64
}

// mark says that a chunk is done: at once in a journal that is read again, else when say is called.
func (j *journal) mark(ctx context.Context, m marked) error {
	r := j.recent
	if r == nil {
		return j.done(ctx, m)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	for i := range r.heads {
		if r.heads[i].ordinal == m.ordinal {
			r.heads[i].done, r.heads[i].acted = true, m.acted
		}
	}
	r.unsaid = append(r.unsaid, m)
	return nil
}

// say begins to write the marks that are not written yet; see settle.
func (j *journal) say(ctx context.Context) {
	r := j.recent
	if r == nil {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	list := r.unsaid
	if r.unsaid = nil; len(list) == 0 {
		return
	}
	r.marks++
	go func() {
		err := j.done(context.WithoutCancel(ctx), list...)
		r.mu.Lock()
		defer r.mu.Unlock()
		if err != nil {
			r.failed = err
		}
		r.marks--
		r.calm.Broadcast()
	}()
}

// settle waits until every mark is durable.
func (j *journal) settle(ctx context.Context) error {
	j.say(ctx)
	_, err := j.rest()
	return err
}

// rest waits until every mark under way is durable, and gives those that are not.
func (j *journal) rest() ([]marked, error) {
	if j.recent == nil {
		return nil, nil
	}
	unsaid, err := j.recent.settled()
	return unsaid, errors.Join(err, j.durable())
}

func (r *recent) settled() ([]marked, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for r.marks > 0 {
		r.calm.Wait()
	}
	return r.unsaid, r.failed
}
