package bench

import (
	"context"
	"fmt"
	"os"
	"runtime"
	"runtime/pprof"
	"slices"
	"strconv"
	"syscall"
	"testing"
	"time"

	"github.com/ombudhq/ombud/plan"
)

func cpuNow() time.Duration {
	var r syscall.Rusage
	syscall.Getrusage(syscall.RUSAGE_SELF, &r)
	return time.Duration(r.Utime.Nano() + r.Stime.Nano())
}

func TestZY(t *testing.T) {
	engine := os.Getenv("ZY")
	if engine == "" {
		t.Skip()
	}
	n, loops := 20000, 6000
	if s := os.Getenv("ZYN"); s != "" {
		n, _ = strconv.Atoi(s)
	}
	if s := os.Getenv("ZYL"); s != "" {
		loops, _ = strconv.Atoi(s)
	}
	s := startServers(t, "fsync=on", "synchronous_commit=on", "full_page_writes=on", "shared_buffers=2GB", "max_wal_size=16GB", "checkpoint_timeout=1h", "autovacuum=off")
	defer runtime.KeepAlive(make([]byte, 32<<20))
	p := newShop(t, s, engine, n)
	x := newExpert(t, p)
	defer x.close()
	w := p.world(t)
	ctx := context.Background()
	e := &encoder{}
	var wall [2][]time.Duration
	var cpu [2]time.Duration
	var ms [2]uint64
	one := func(side, i int) {
		who := n/2 + 1 + i*37%(n/2)
		if side == 0 {
			if _, err := x.access(ctx, email(who)); err != nil {
				t.Fatal(err)
			}
			return
		}
		q := plan.Question{Request: fmt.Sprint("access-", i), Kind: plan.Access, People: []plan.Person{person(who)}}
		if _, _, err := w.Engine.Export(ctx, q, e, nil); err != nil {
			t.Fatal(err)
		}
	}
	for i := range 300 {
		one(0, i)
		one(1, i)
	}
	const block = 50
	if os.Getenv("ZYPROF") != "" {
		f, _ := os.Create(os.Getenv("ZYPROF"))
		runtime.SetCPUProfileRate(1000)
		pprof.StartCPUProfile(f)
		for i := range loops {
			one(1, i)
		}
		pprof.StopCPUProfile()
		return
	}
	for b := range loops / block {
		for k := range 2 {
			side := (b + k) % 2
			var m0, m1 runtime.MemStats
			runtime.ReadMemStats(&m0)
			c := cpuNow()
			for i := range block {
				st := time.Now()
				one(side, b*block+i)
				wall[side] = append(wall[side], time.Since(st))
			}
			cpu[side] += cpuNow() - c
			runtime.ReadMemStats(&m1)
			ms[side] += m1.Mallocs - m0.Mallocs
		}
	}
	for side := range 2 {
		slices.Sort(wall[side])
		l := len(wall[side])
		var sum time.Duration
		for _, d := range wall[side] {
			sum += d
		}
		fmt.Printf("side %d: q10 %v median %v mean %v cpu %v mallocs %d\n", side, wall[side][l/10], wall[side][l/2], sum/time.Duration(l), cpu[side]/time.Duration(l), ms[side]/uint64(l))
	}
	fmt.Printf("ratio q10 %.2f median %.2f\n", float64(wall[1][len(wall[1])/10])/float64(wall[0][len(wall[0])/10]), float64(wall[1][len(wall[1])/2])/float64(wall[0][len(wall[0])/2]))
}
