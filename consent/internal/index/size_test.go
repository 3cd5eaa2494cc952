package index_test

import (
	"bytes"
	"encoding/binary"
	"math/rand/v2"
	"os"
	"runtime"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/ombudhq/ombud/consent/internal/index"
)

const purposes = 8

// fast is a key as good as random, made without hashing: the finaliser of splitmix64, twice.
func fast(i uint64) (k index.Key) {
	mix := func(z uint64) uint64 {
		z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
		z = (z ^ z>>27) * 0x94d049bb133111eb
		return z ^ z>>31
	}
	binary.BigEndian.PutUint64(k[:], mix(i*0x9e3779b97f4a7c15+1))
	binary.BigEndian.PutUint32(k[8:], uint32(mix(i^0xabcdef)))
	return k
}

// grown is an index of n people who came one after the other and chose purpose by purpose.
func grown(n int) *index.Index {
	x := index.New()
	for i := range n {
		for p := range purposes {
			x.Set(index.Number(i+1), p*3, index.Word(i*purposes+p+1))
		}
		x.Bind(fast(uint64(i)), index.Number(i+1))
	}
	return x
}

func heap() int {
	var m runtime.MemStats
	runtime.GC()
	runtime.GC()
	runtime.ReadMemStats(&m)
	return int(m.HeapAlloc)
}

// TestBytesPerPerson: 99 with eight purposes and an identity, 20 for each further one; grown or read back.
func TestBytesPerPerson(t *testing.T) {
	const n = 100_000
	before := heap()
	x := grown(n)
	person := float64(heap()-before) / n
	var b bytes.Buffer
	if err := x.Snapshot(index.Meta{}).Write(&b, plain); err != nil {
		t.Fatal(err)
	}
	before = heap()
	_, y, err := index.Read(bytes.NewReader(b.Bytes()), plain)
	if err != nil {
		t.Fatal(err)
	}
	read := float64(heap()-before) / n
	before = heap()
	for i := range 3 * n {
		x.Bind(fast(uint64(n+i)), index.Number(i/3+1))
	}
	identity := float64(heap()-before) / (3 * n)
	t.Logf("%.1f bytes a person, %.1f read from a snapshot, %.1f each further identity, snapshot %.1f", person, read, identity, float64(b.Len())/n)
	if person > 99 || read > 99 || identity > 20 {
		t.Error("too many")
	}
	runtime.KeepAlive([]any{x, y})
}

// TestNoAllocations: a decision leaves nothing for the garbage collector.
func TestNoAllocations(t *testing.T) {
	x := grown(1000)
	if n := testing.AllocsPerRun(100, func() {
		n, ok := x.Find(fast(7))
		_, w, there := x.Look(n, 3)
		if !ok || !there || w != 7*purposes+2 {
			t.Error(n, w)
		}
		for range x.Words(n) {
		}
	}); n != 0 {
		t.Error(n, "allocations")
	}
}

// people is the size of the benchmarks: OMBUD_INDEX_PEOPLE, or 200,000.
func people() int {
	if n, err := strconv.Atoi(os.Getenv("OMBUD_INDEX_PEOPLE")); err == nil {
		return n
	}
	return 200_000
}

// lookups are keys asked for, in an order that no cache foresees.
func lookups(n int) []index.Key {
	r := rand.New(rand.NewPCG(1, 2))
	keys := make([]index.Key, 1<<17)
	for i := range keys {
		keys[i] = fast(uint64(r.IntN(n)))
	}
	return keys
}

var sink uint64

func look(x *index.Index, keys []index.Key) {
	for i, k := range keys {
		n, _ := x.Find(k)
		_, w, _ := x.Look(n, i%purposes*3)
		sink += uint64(w)
	}
}

func handle(x *index.Index, numbers []index.Number) {
	for i, n := range numbers {
		_, w, _ := x.Look(n, i%purposes*3)
		sink += uint64(w)
	}
}

func probe(m map[index.Key]uint32, keys []index.Key) {
	for _, k := range keys {
		sink += uint64(m[k])
	}
}

// BenchmarkLook asks for the same random people by key, by handle and in one probe of a Go map from the keys, in
// turns; the ratios are medians of all turns.
func BenchmarkLook(b *testing.B) {
	n := people()
	x, m, keys := grown(n), map[index.Key]uint32{}, lookups(n)
	for i := range n {
		m[fast(uint64(i))] = uint32(i)
	}
	numbers := make([]index.Number, len(keys))
	for i, k := range keys {
		numbers[i], _ = x.Find(k)
	}
	runs := []func(){func() { look(x, keys) }, func() { handle(x, numbers) }, func() { probe(m, keys) }}
	took := make([][]float64, len(runs))
	for b.Loop() {
		for i, run := range runs {
			start := time.Now()
			run()
			took[i] = append(took[i], float64(time.Since(start).Nanoseconds())/float64(len(keys)))
		}
		slices.Reverse(runs)
		slices.Reverse(took)
	}
	if len(took[0])%2 == 1 {
		slices.Reverse(took)
	}
	median := func(s []float64) float64 { return slices.Sorted(slices.Values(s))[len(s)/2] }
	b.ReportMetric(median(took[0]), "ns/key")
	b.ReportMetric(median(took[1]), "ns/handle")
	b.ReportMetric(median(took[2]), "ns/map")
	b.ReportMetric(median(took[0])/median(took[2]), "key/map")
	b.ReportMetric(0, "ns/op")
}

// BenchmarkSnapshot writes and reads a snapshot in memory, without a cipher.
func BenchmarkSnapshot(b *testing.B) {
	x := grown(people())
	var file bytes.Buffer
	b.Run("write", func(b *testing.B) {
		for b.Loop() {
			file.Reset()
			if err := x.Snapshot(index.Meta{}).Write(&file, plain); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("read", func(b *testing.B) {
		for b.Loop() {
			if _, _, err := index.Read(bytes.NewReader(file.Bytes()), plain); err != nil {
				b.Fatal(err)
			}
		}
	})
}
func BenchmarkMiss(b *testing.B) {
	x := grown(people())
	var i uint64 = 1 << 40
	for b.Loop() {
		i++
		x.Find(fast(i))
	}
}
