package redis

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/ombudhq/ombud/internal/clock"
	"github.com/ombudhq/ombud/internal/event"
	"github.com/ombudhq/ombud/internal/fault"
	"github.com/ombudhq/ombud/internal/testkit/redistest"
)

var bg = context.Background()

const epoch = int64(1) << epochBits

var tomorrow = time.Now().Add(24 * time.Hour).UTC().Truncate(time.Second)

// world is the truth: what is allowed of whom, and the entries that made it so.
type world struct {
	t       *testing.T
	mu      sync.Mutex
	epoch   int64
	entries []event.Entry
	states  map[string]map[string]time.Time
	changed chan struct{}
	late    int64 // the state includes so many entries less than there are
	asked   int
	clock   *clock.Fake
	server  *redistest.Server
	redis   *Client
	mirror  *Mirror
}

func newWorld(t *testing.T) *world {
	w := &world{t: t, epoch: epoch, states: map[string]map[string]time.Time{}, changed: make(chan struct{}), clock: clock.NewFake(time.Now()), server: redistest.New(t)}
	w.redis = client(t, w.server)
	w.mirror = w.another(bytes.Repeat([]byte{7}, 32))
	return w
}

func (w *world) another(key []byte) *Mirror {
	m, err := New(Config{Client: w.redis, Clock: w.clock, Key: key, Since: w.since, Changed: w.next, Head: w.head, State: w.state, Subjects: w.all,
		Who: func(e event.Entry) ([]string, bool) { return []string{e.Value.(string)}, e.Value == "everybody" }})
	if err != nil {
		w.t.Fatal(err)
	}
	return m
}

// set says what is allowed of a subject from now on.
func (w *world) set(subject string, purposes map[string]time.Time) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.states[subject] = purposes
	w.entries = append(w.entries, event.Entry{Revision: w.epoch + int64(len(w.entries)) + 1, Value: subject})
	close(w.changed)
	w.changed = make(chan struct{})
}

func (w *world) since(_ context.Context, after int64, limit int) (out []event.Entry, err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, e := range w.entries {
		if e.Revision > after && len(out) < limit {
			out = append(out, e)
		}
	}
	return out, nil
}

func (w *world) next() <-chan struct{} {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.changed
}

func (w *world) head() int64 {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.epoch + int64(len(w.entries))
}

func (w *world) state(_ context.Context, subject string) (State, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.asked++
	return State{Revision: w.epoch + int64(len(w.entries)) - w.late, Purposes: w.states[subject]}, nil
}

func (w *world) all(context.Context) iter.Seq2[string, error] {
	return func(yield func(string, error) bool) {
		w.mu.Lock()
		subjects := make([]string, 0, len(w.states))
		for s := range w.states {
			subjects = append(subjects, s)
		}
		w.mu.Unlock()
		for _, s := range subjects {
			if !yield(s, nil) {
				return
			}
		}
	}
}

// sync mirrors what there is, now.
func (w *world) sync() {
	w.t.Helper()
	if err := w.mirror.catchUp(bg); err != nil {
		w.t.Fatal(err)
	}
}

// stored is what a service reads of a subject; nil when there is no key.
func (w *world) stored(subject string) map[string]string {
	w.t.Helper()
	text, err := w.redis.Get(bg, "ombud:consent:"+Token(w.mirror.c.Key, subject)).Result()
	if err != nil {
		return nil
	}
	var v struct {
		Revision int64
		Purposes map[string]string
	}
	if err := json.Unmarshal([]byte(text), &v); err != nil || v.Revision < epoch {
		w.t.Errorf("%q: %v", text, err)
	}
	return v.Purposes
}

func (w *world) want(subject string, want map[string]string) {
	w.t.Helper()
	if diff := cmp.Diff(want, w.stored(subject)); diff != "" {
		w.t.Errorf("%s: %s", subject, diff)
	}
}

func (w *world) keys() int {
	w.t.Helper()
	keys, err := w.redis.Keys(bg, "*").Result()
	if err != nil {
		w.t.Fatal(err)
	}
	for _, k := range keys {
		if strings.Contains(k, "sub_") {
			w.t.Errorf("%s names a subject", k)
		}
	}
	return len(keys)
}

type until = map[string]time.Time

func TestMirrorFollows(t *testing.T) {
	w := newWorld(t)
	w.server.Start()
	w.set("sub_1", until{"newsletter": tomorrow, "research": {}, "ads": tomorrow.Add(time.Hour), "old": w.clock.Now().Add(-time.Second)})
	w.set("sub_2", until{"newsletter": {}})
	w.sync()
	stamp := tomorrow.Format("2006-01-02T15:04:05.000Z")
	w.want("sub_1", map[string]string{"newsletter": stamp, "research": "", "ads": tomorrow.Add(time.Hour).Format("2006-01-02T15:04:05.000Z")})
	w.want("sub_2", map[string]string{"newsletter": ""})
	if at := w.redis.PExpireTime(bg, w.mirror.key("sub_1")).Val(); at != time.Duration(tomorrow.UnixMilli())*time.Millisecond {
		t.Errorf("expires at %v, want %v", at, tomorrow.UnixMilli())
	}
	if ttl := w.redis.PTTL(bg, w.mirror.key("sub_2")).Val(); ttl != -1 {
		t.Errorf("what has no end ends in %v", ttl)
	}
	w.set("sub_1", until{"research": {}})
	w.set("sub_2", nil) // withdrawn, or erased
	w.sync()
	w.want("sub_1", map[string]string{"research": ""})
	if ttl := w.redis.PTTL(bg, w.mirror.key("sub_1")).Val(); ttl != -1 {
		t.Errorf("the old end stayed: %v", ttl)
	}
	w.want("sub_2", nil)
	if n := w.keys(); n != 2 { // sub_1 and the head
		t.Errorf("%d keys", n)
	}
}

// TestOlderNeverReplacesNewer: a write that was late on its way changes nothing, neither a value nor what was deleted.
func TestOlderNeverReplacesNewer(t *testing.T) {
	w := newWorld(t)
	w.server.Start()
	w.set("sub_1", until{"newsletter": {}})
	w.set("sub_2", until{"newsletter": {}})
	stale := map[string]State{}
	for _, s := range []string{"sub_1", "sub_2"} {
		stale[s], _ = w.state(bg, s)
	}
	w.set("sub_1", until{"research": {}})
	w.set("sub_2", nil)
	w.sync()
	if err := w.mirror.write(bg, stale, epoch+2); err != nil {
		t.Fatal(err)
	}
	w.want("sub_1", map[string]string{"research": ""})
	w.want("sub_2", nil)
	if head, _ := w.mirror.head(bg); head != epoch+4 {
		t.Errorf("the head went back to %d", head-epoch)
	}
	w.redis.Del(bg, w.mirror.headKey()) // the value alone must be enough
	if err := w.mirror.write(bg, map[string]State{"sub_1": stale["sub_1"]}, 0); err != nil {
		t.Fatal(err)
	}
	w.want("sub_1", map[string]string{"research": ""})
}

// TestStateBehindItsEntryIsNotWritten: an index that has not seen the entry yet would keep what was withdrawn.
func TestStateBehindItsEntryIsNotWritten(t *testing.T) {
	w := newWorld(t)
	w.server.Start()
	w.set("sub_1", until{"newsletter": {}})
	w.sync()
	w.set("sub_1", nil)
	w.late = 1
	if err := w.mirror.catchUp(bg); !errors.Is(err, errBehind) {
		t.Error(err)
	}
	w.late = 0
	w.sync()
	w.want("sub_1", nil)
}

func TestRebuildRemovesWhatIsStale(t *testing.T) {
	w := newWorld(t)
	w.server.Start()
	for i := range 2*batch + 10 {
		w.set(fmt.Sprintf("sub_%d", i), until{"newsletter": {}})
	}
	w.sync()
	head := w.mirror.headKey()
	w.redis.Set(bg, "ombud:consent:stranger", `{"revision":5,"purposes":{"x":""}}`, 0)
	w.redis.Set(bg, "ombud:consent:broken", `not json`, 0)
	w.redis.Set(bg, w.mirror.key("sub_3"), "[]", 0)
	w.redis.Set(bg, "somebody:else", "1", 0)
	if err := w.mirror.Rebuild(bg); err != nil {
		t.Fatal(err)
	}
	if n := w.keys(); n != 2*batch+10+2 || w.redis.Exists(bg, head, "somebody:else").Val() != 2 {
		t.Errorf("%d keys", n)
	}
	w.want("sub_3", map[string]string{"newsletter": ""})
	other := w.another(bytes.Repeat([]byte{8}, 32))
	if err := other.Rebuild(bg); err != nil || w.keys() != 2*(2*batch+10)+2 {
		t.Errorf("with another key: %v, %d keys", err, w.keys())
	}
	w.set("sub_0", nil)
	if err := other.Rebuild(bg); err != nil || w.keys() != 2*batch+9+2 {
		t.Errorf("the keys of the old key stay: %v, %d keys", err, w.keys())
	}
}

// TestRedisThatLostItsDataIsWrittenAnew, also when it speaks of another life of the store.
func TestRedisThatLostItsDataIsWrittenAnew(t *testing.T) {
	for name, lose := range map[string]func(w *world){
		"flushed": func(w *world) { w.redis.FlushAll(bg) },
		"our store was put back": func(w *world) {
			w.epoch = 2 * epoch
			w.redis.Set(bg, w.mirror.key("sub_9"), fmt.Sprintf(`{"revision":%d,"purposes":{"x":""}}`, epoch+9), 0)
		},
		"another store": func(w *world) {
			w.redis.Set(bg, w.mirror.key("sub_1"), fmt.Sprintf(`{"revision":%d,"purposes":{"x":""}}`, epoch+99), 0)
			w.redis.Set(bg, w.mirror.headKey(), epoch+100, 0)
		},
		"everybody": func(w *world) {
			w.redis.Del(bg, w.mirror.key("sub_1"))
			w.set("everybody", nil)
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.server.Start()
			w.set("sub_1", until{"newsletter": {}})
			w.set("sub_2", until{"newsletter": {}})
			w.sync()
			lose(w)
			w.sync()
			w.want("sub_1", map[string]string{"newsletter": ""})
			w.want("sub_2", map[string]string{"newsletter": ""})
			if n := w.keys(); n != 3 {
				t.Errorf("%d keys", n)
			}
		})
	}
}

// TestDeadRedisDelaysNobody: what happens while it is away costs nothing, is told as behind, and is caught up with one write
// for each subject.
func TestDeadRedisDelaysNobody(t *testing.T) {
	w := newWorld(t)
	w.server.Start()
	w.set("sub_1", until{"newsletter": {}})
	w.sync()
	ctx, cancel := context.WithCancel(bg)
	ended := make(chan struct{})
	go func() { w.mirror.Run(ctx); close(ended) }()
	t.Cleanup(func() {
		cancel()
		<-ended
		if w.mirror.Status().Running {
			t.Error("it says that it runs, and does not")
		}
	})
	w.server.Kill()
	w.until("it is noticed", func() bool { w.clock.Advance(lookAgain); return w.mirror.Status().Error == "no connection" })
	for i := range 300 {
		w.set(fmt.Sprintf("sub_%d", i%3), until{"newsletter": {}, fmt.Sprint("n", i): {}})
	}
	w.clock.Advance(time.Hour)
	if s := w.mirror.Status(); s.Behind < time.Hour || s.Revision != epoch+1 || !s.Running {
		t.Errorf("%+v", s)
	}
	w.mu.Lock()
	w.asked = 0
	w.states["sub_9"] = until{} // known, and nothing is allowed
	w.mu.Unlock()
	w.server.Start()
	w.until("it is caught up", func() bool { w.clock.Advance(lastWait); return w.mirror.Status().Behind == 0 })
	w.want("sub_2", map[string]string{"newsletter": "", "n299": ""})
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.asked > 8 { // rebuilt, for this server keeps nothing; entry by entry it would be 300
		t.Errorf("%d states were read", w.asked)
	}
}

func (w *world) until(what string, f func() bool) {
	w.t.Helper()
	limit := time.After(2 * time.Minute)
	for !f() {
		select {
		case <-time.After(time.Millisecond):
		case <-limit:
			w.t.Fatalf("waiting until %s: %+v", what, w.mirror.Status())
		}
	}
}

func TestEntriesOfOneSubjectAreOneWrite(t *testing.T) {
	w := newWorld(t)
	w.server.Start()
	w.set("sub_1", nil)
	w.sync()
	for i := range batch {
		w.set("sub_1", until{fmt.Sprint(i): {}})
	}
	w.asked = 0
	w.sync()
	if w.asked != 1 {
		t.Errorf("%d states were read", w.asked)
	}
}

func TestAddressIsInNoError(t *testing.T) {
	if _, err := Connect("http://user:hunter2@example.com"); fault.KindOf(err) != fault.Invalid || strings.Contains(err.Error(), "hunter2") {
		t.Error(err)
	}
}
