package vault

import (
	"bytes"
	"fmt"
	"sync"
	"testing"
)

// TestNoNonceTwice: many who seal at once share message keys, each of them for so many messages, and never a nonce.
func TestNoNonceTwice(t *testing.T) {
	const writers, each = 4, inSeries
	v := open(t, t.TempDir())
	var all [writers][][]byte
	var wait sync.WaitGroup
	for w := range writers {
		wait.Go(func() {
			for range each {
				all[w] = append(all[w], v.Seal("l", nil, []byte("plain")))
			}
		})
	}
	wait.Wait()
	nonces, series := map[string]bool{}, map[string]int{}
	for _, sealed := range all {
		for _, b := range sealed {
			nonce := string(b[1 : 1+xaesNonce])
			if series[nonce[:12]]++; nonces[nonce] || series[nonce[:12]] > inSeries {
				t.Fatalf("a nonce repeats, or begins %d", series[nonce[:12]])
			}
			nonces[nonce] = true
		}
	}
	if len(series) != writers {
		t.Errorf("%d messages are of %d series", len(nonces), len(series))
	}
}

// TestSeriesIsXAES: what is sealed in a series opens one by one, and what was sealed one by one opens among it, in any order.
func TestSeriesIsXAES(t *testing.T) {
	key := [32]byte{1}
	alone, inRow, header := newXAES(&key), newSeries(&key), []byte{firstVersion}
	var sealed [][]byte
	for i := range 50 {
		plain := fmt.Append(nil, i)
		sealed = append(sealed, alone.sealAs(header, nil, plain), inRow.sealAs(header, nil, plain), newSeries(&key).sealAs(header, nil, plain))
	}
	for _, step := range []int{1, 3, 7} {
		for at, n := 0, 0; n < len(sealed); at, n = (at+step)%len(sealed), n+1 {
			b, want := sealed[at][1:], fmt.Append(nil, at/3)
			for range 1 + n%3 { // in a row: the second time the key is kept, the third it is there
				got, err := inRow.openBehind(nil, nil, b)
				if other, err2 := alone.openBehind(nil, nil, b); err != nil || err2 != nil || !bytes.Equal(got, want) || !bytes.Equal(other, want) {
					t.Fatalf("message %d: %q %v, %q %v", at, got, err, other, err2)
				}
			}
			changed := bytes.Clone(b)
			changed[n%len(b)] ^= 1
			if _, err := inRow.openBehind(nil, nil, changed); err == nil {
				t.Fatalf("message %d was changed and opens", at)
			}
		}
	}
}
