package plan

import (
	"context"
	"errors"
	"slices"
	"sync"
)

// recentRows is how many rows a journal may have whose chunks stay in memory while its run goes on.
const recentRows = 5000

// recent is what a run still knows of the small journal it has just written, so that it need not read
// it again, and what is under way: the journal itself becomes durable while the stores' transactions
// act, and before any of them commits; a chunk is marked while the next one, or the look, goes on. A run
// that is cut off before its mark is written does the chunk again, which changes nothing.
type recent struct {
	chunks []chunk
	mu     sync.Mutex
	heads  []head
	marks  int        // under way; systems act side by side, so one waits while another begins, which no WaitGroup allows
	calm   *sync.Cond // of mu: a mark has ended
	failed error
}

// remember keeps a journal that is written in one go, when it is small.
func (j *journal) remember(chunks []chunk) {
	rows := 0
	for _, c := range chunks {
		rows += c.size()
	}
	if rows > recentRows {
		return
	}
	j.recent = &recent{chunks: chunks}
	j.recent.calm = sync.NewCond(&j.recent.mu)
	for _, c := range chunks {
		j.recent.heads = append(j.recent.heads, head{ordinal: c.ordinal, system: c.system, done: c.beginning() == idle, idle: c.beginning() == idle})
	}
}

func (r *recent) allHeads() []head {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.heads)
}

// mark says that a chunk is done: at once in a journal that is read again, else soon; see settle.
func (j *journal) mark(ctx context.Context, ordinal int, acted []int64) error {
	r := j.recent
	if r == nil {
		return j.done(ctx, ordinal, acted)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	for i := range r.heads {
		if r.heads[i].ordinal == ordinal {
			r.heads[i].done, r.heads[i].acted = true, acted
		}
	}
	r.marks++
	go func() {
		err := j.done(ctx, ordinal, acted)
		r.mu.Lock()
		defer r.mu.Unlock()
		if err != nil {
			r.failed = err
		}
		r.marks--
		r.calm.Broadcast()
	}()
	return nil
}

// settle waits until every mark is durable.
func (j *journal) settle() error {
	if j.recent == nil {
		return nil
	}
	if err := j.recent.settled(); err != nil {
		return errors.Join(err, j.durable())
	}
	return j.durable()
}

func (r *recent) settled() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	for r.marks > 0 {
		r.calm.Wait()
	}
	return r.failed
}
