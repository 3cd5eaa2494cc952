package redis

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	goredis "github.com/redis/go-redis/v9"
)

// put replaces or deletes a subject's key, unless something newer is there or was there. A value nobody can read is older
// than all. KEYS: the key, the head. ARGV: the revision, the value or "", when it expires in milliseconds or 0.
const put = `
local revision = tonumber(ARGV[1])
if revision < tonumber(redis.call('GET', KEYS[2]) or '0') then return 0 end
local old = redis.call('GET', KEYS[1])
if old then
  local ok, value = pcall(cjson.decode, old)
  if ok and type(value) == 'table' and type(value.revision) == 'number' and value.revision > revision then return 0 end
end
if ARGV[2] == '' then return redis.call('DEL', KEYS[1]) end
if ARGV[3] == '0' then redis.call('SET', KEYS[1], ARGV[2]) else redis.call('SET', KEYS[1], ARGV[2], 'PXAT', ARGV[3]) end
return 1`

// advance moves the head, never back.
const advance = `
if tonumber(ARGV[1]) > tonumber(redis.call('GET', KEYS[1]) or '0') then redis.call('SET', KEYS[1], ARGV[1]) end
return 1`

// drop deletes a key that was not written at the revision or later.
const drop = `
local ok, value = pcall(cjson.decode, redis.call('GET', KEYS[1]) or 'null')
if ok and type(value) == 'table' and type(value.revision) == 'number' and value.revision >= tonumber(ARGV[1]) then return 0 end
return redis.call('DEL', KEYS[1])`

// headKey cannot be a subject's: no token has a colon.
func (m *Mirror) headKey() string { return m.c.Prefix + ":head" }

func (m *Mirror) key(subject string) string { return m.c.Prefix + Token(m.c.Key, subject) }

// head is the revision up to which Redis knows everything; 0 when it knows nothing.
func (m *Mirror) head(ctx context.Context) (int64, error) {
	n, err := m.c.Client.Get(ctx, m.headKey()).Int64()
	if errors.Is(err, goredis.Nil) {
		return 0, nil
	}
	return n, err
}

// write puts states and moves the head, in one transaction of Redis: half of it is never seen, nor kept.
func (m *Mirror) write(ctx context.Context, states map[string]State, head int64) error {
	now := m.c.Clock.Now()
	_, err := m.c.Client.TxPipelined(ctx, func(p goredis.Pipeliner) error {
		for subject, s := range states {
			value, until, err := s.encode(now)
			if err != nil {
				return err
			}
			p.Eval(ctx, put, []string{m.key(subject), m.headKey()}, s.Revision, value, until)
		}
		if head > 0 {
			p.Eval(ctx, advance, []string{m.headKey()}, head)
		}
		return nil
	})
	if err != nil {
		return err
	}
	m.reached(head, len(states))
	return nil
}

// encode gives the value and when it expires. What ended already is left out.
func (s State) encode(now time.Time) (value string, until int64, err error) {
	purposes := map[string]string{}
	for id, end := range s.Purposes {
		switch {
		case end.IsZero():
			purposes[id] = ""
		case end.After(now):
			purposes[id] = end.UTC().Format("2006-01-02T15:04:05.000Z")
			if ms := end.UnixMilli(); until == 0 || ms < until {
				until = ms
			}
		}
	}
	if len(purposes) == 0 {
		return "", 0, nil
	}
	b, err := json.Marshal(struct {
		Revision int64             `json:"revision"`
		Purposes map[string]string `json:"purposes"`
	}{s.Revision, purposes})
	if err != nil {
		return "", 0, fmt.Errorf("writing a state: %w", err)
	}
	return string(b), until, nil
}

// Rebuild writes everybody anew and removes what should not be there. It may run beside Run, and again after it was broken
// off; readers find the old value or the new one meanwhile.
func (m *Mirror) Rebuild(ctx context.Context) error {
	began := m.c.Head()
	states := map[string]State{}
	for subject, err := range m.c.Subjects(ctx) {
		if err != nil {
			return fmt.Errorf("walking the subjects: %w", err)
		}
		s, err := m.c.State(ctx, subject)
		if err != nil {
			return fmt.Errorf("reading a state: %w", err)
		}
		if s.Revision < began {
			return errBehind
		}
		states[subject] = s
		if len(states) == batch {
			if err := m.write(ctx, states, 0); err != nil {
				return err
			}
			clear(states)
		}
	}
	if err := m.write(ctx, states, 0); err != nil {
		return err
	}
	if err := m.removeBefore(ctx, began); err != nil {
		return err
	}
	return m.write(ctx, nil, max(began, 1)) // 0 would say that nothing is known
}

// clear deletes all there is.
func (m *Mirror) clear(ctx context.Context) error {
	if err := m.removeBefore(ctx, 1<<53); err != nil {
		return err
	}
	return m.c.Client.Del(ctx, m.headKey()).Err()
}

// removeBefore deletes keys that were not written at the revision or later.
func (m *Mirror) removeBefore(ctx context.Context, revision int64) error {
	var cursor uint64
	for {
		keys, next, err := m.c.Client.Scan(ctx, cursor, escape(m.c.Prefix)+"*", batch).Result()
		if err != nil {
			return err
		}
		if _, err := m.c.Client.Pipelined(ctx, func(p goredis.Pipeliner) error {
			for _, k := range keys {
				if k != m.headKey() {
					p.Eval(ctx, drop, []string{k}, revision)
				}
			}
			return nil
		}); err != nil {
			return err
		}
		if cursor = next; cursor == 0 {
			return nil
		}
	}
}

// escape takes the meaning from the signs of a pattern.
func escape(prefix string) string {
	var b []byte
	for i := range len(prefix) {
		switch prefix[i] {
		case '*', '?', '[', ']', '\\', '^':
			b = append(b, '\\')
		}
		b = append(b, prefix[i])
	}
	return string(b)
}
