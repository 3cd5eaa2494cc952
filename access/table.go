package access

import (
	"crypto/sha256"
	"maps"
	"math"
	"strings"
	"sync/atomic"
	"time"
)

// digest is the SHA-256 of a bearer.
type digest [sha256.Size]byte

// admitted is a bearer in force.
type admitted struct {
	caller  Caller
	expires int64        // Unix seconds; never when it does not
	used    atomic.Int64 // Unix seconds, 0 never
	stored  int64        // the use that the store knows; only Flush touches it
}

const never = math.MaxInt64

func newAdmitted(c Caller, expires, used time.Time) *admitted {
	a := &admitted{caller: c, expires: never}
	if !expires.IsZero() {
		a.expires = expires.Unix()
	}
	if !used.IsZero() {
		a.stored = used.Unix()
		a.used.Store(a.stored)
	}
	return a
}

// Caller tells who comes with a bearer; false for one that was never given out, has expired, or was revoked. Known or
// not, it takes the same way: one hash and one lookup. It takes no lock and allocates nothing.
func (k *Keys) Caller(bearer string) (Caller, bool) { return k.CallerAt(bearer, k.clock.Now()) }

// CallerAt is Caller for who has just read the clock.
func (k *Keys) CallerAt(bearer string, at time.Time) (Caller, bool) {
	a := (*k.table.Load())[hash(bearer)]
	if a == nil {
		return Caller{}, false
	}
	now := at.Unix()
	if now >= a.expires {
		return Caller{}, false
	}
	if a.used.Load() != now { // else many at once would fight for one cache line
		a.used.Store(now)
	}
	return a.caller, true
}

// hash copies the bearer to the stack: as bytes it would be allocated. What is longer than any of ours is nobody's.
func hash(bearer string) digest {
	var b [128]byte
	return sha256.Sum256(b[:copy(b[:], bearer)])
}

// Admit gives out a bearer that is known to this process only, until it ends: the token of a start.
func (k *Keys) Admit(bearer string, c Caller) {
	k.replace(func(t map[digest]*admitted) { t[hash(bearer)] = newAdmitted(c, time.Time{}, time.Time{}) })
}

// Stands tells whether a caller would be let in again: for answers that take long, like a stream of changes.
func (k *Keys) Stands(c Caller) bool {
	now := k.clock.Now().Unix()
	for _, a := range *k.table.Load() {
		if a.caller.Same(c) && now < a.expires {
			return true
		}
	}
	return false
}

// replace puts a changed copy of the table into the place of the table.
func (k *Keys) replace(change func(map[digest]*admitted)) {
	k.mu.Lock()
	defer k.mu.Unlock()
	next := maps.Clone(*k.table.Load())
	change(next)
	k.table.Store(&next)
}

// prefixLength is how much of a key is shown for ever: enough to tell keys apart, 36 of 256 bits.
const prefixLength = len(mark) + 6

func prefixOf(key string) string { return strings.Clone(key[:prefixLength]) }
