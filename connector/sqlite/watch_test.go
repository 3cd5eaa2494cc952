package sqlite

import (
	"runtime"
	"sync/atomic"
	"testing"
	"time"
)

// TestReceiverEndsAsTheTimerLooks: a statement whose receiver is done at that moment goes on.
func TestReceiverEndsAsTheTimerLooks(t *testing.T) {
	if runtime.GOMAXPROCS(0) == 1 {
		t.Skip("two do not meet on one processor")
	}
	for range 20_000 {
		w := &watch{limit: time.Hour, stop: func(error) { t.Error("it was ended") }}
		w.timer = time.AfterFunc(w.limit, func() {})
		begun, ended := make(chan struct{}), make(chan error, 1)
		var end atomic.Bool
		go func() {
			ended <- w.outside(func() error {
				for close(begun); !end.Load(); {
				}
				return nil
			})
		}()
		<-begun
		end.Store(true)
		w.look()
		<-ended
		w.timer.Stop()
		if t.Failed() {
			return
		}
	}
}
