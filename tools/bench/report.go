package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"runtime"
	"runtime/debug"
	"slices"
	"sync/atomic"
	"syscall"
	"time"

	"partnerview/internal/usage"
)

// cold prints what the functions' cold starts cost, next to a hello-world's.
func cold(ctx context.Context, starts int) error {
	answers, key, err := everything()
	if err != nil {
		return err
	}
	folder, err := os.MkdirTemp("", "partnerview-bench-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(folder)
	functions, err := build(ctx, folder, key)
	if err != nil {
		return err
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	server := &http.Server{Handler: answers}
	go func() { _ = server.Serve(listener) }() // ends with Close
	defer server.Close()
	daemon, err := newDaemon()
	if err != nil {
		return err
	}
	defer daemon.close()
	env := append(environment("http://"+listener.Addr().String()), "AWS_XRAY_DAEMON_ADDRESS="+daemon.address())

	for i := range starts + 1 {
		for _, f := range functions {
			if ctx.Err() != nil {
				return errors.New("interrupted")
			}
			s, err := coldStart(f, env)
			if err != nil {
				return err
			}
			if i > 0 { // the first brings the binary into the page cache
				f.starts = append(f.starts, s)
			}
		}
	}
	if daemon.segments.Load() == 0 {
		return errors.New("no trace came: X-Ray was not on")
	}
	fmt.Printf("Cold start: from exec to the first answer over the Runtime API, each function %d times. DynamoDB is canned answers\n", starts)
	fmt.Printf("on loopback; X-Ray is on and sampled; the binaries are in the page cache. getusage answers with %d records.\n", firstPage)
	fmt.Printf("Budget: %.1f × the hello-world, wall time.\n\n", coldBudget)
	fmt.Printf("%-14s %9s %9s %9s %9s %9s %10s %9s\n", "", "wall", "× hello", "CPU", "× hello", "peak MiB", "binary MB", "zip MB")
	for _, f := range functions {
		wall, cpu := ratios(f.starts, functions[0].starts, start.times)
		verdict := ""
		if f.name != hello {
			verdict = judgement(wall, coldBudget)
		}
		fmt.Printf("%-14s %9s %9.2f %9s %9.2f %9.1f %10.1f %9.1f  %s\n", f.name,
			ms(median(f.starts, func(s start) time.Duration { return s.wall })), wall, ms(median(f.starts, func(s start) time.Duration { return s.cpu })), cpu,
			float64(median(f.starts, func(s start) int64 { return s.peak }))/(1<<20), float64(f.binary)/1e6, float64(f.zipped)/1e6, verdict)
	}
	fmt.Println()
	return nil
}

func (s start) times() (wall, cpu time.Duration) { return s.wall, s.cpu }

// daemon stands where X-Ray's does, and counts what it is sent.
type daemon struct {
	conn     net.PacketConn
	segments atomic.Int64
}

func newDaemon() (*daemon, error) {
	conn, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	d := &daemon{conn: conn}
	go func() { // ends with close
		buffer := make([]byte, 64<<10)
		for {
			if _, _, err := conn.ReadFrom(buffer); err != nil {
				return
			}
			d.segments.Add(1)
		}
	}()
	return d, nil
}

func (d *daemon) address() string { return d.conn.LocalAddr().String() }

func (d *daemon) close() { _ = d.conn.Close() }

// cost is what one page took.
type cost struct {
	wall, cpu     time.Duration
	allocs, bytes int64
}

// work is something that is done over and over, and what it cost each round.
type work struct {
	name  string
	do    func() error
	costs []cost
}

func (c cost) times() (wall, cpu time.Duration) { return c.wall, c.cpu }

// blockTime is for how long one work is repeated before the next has its turn:
// long enough for it to collect its own garbage several times.
const blockTime = 200 * time.Millisecond

// warm prints what a page of 100 records costs, next to its floors. It leaves this
// process one CPU: a function of 256 MB has less, and what is done at the same
// time is then not passed off as less to do.
func warm(ctx context.Context, p usage.Product, value any, rounds int) error {
	page, err := newPage(p, value)
	if err != nil {
		return err
	}
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	defer debug.SetGCPercent(debug.SetGCPercent(gcPercent))
	works := []*work{
		{name: "page", do: func() error { _, err := page.answer(); return err }},
		{name: "floor", do: func() error {
			if err := page.bareCalls(); err != nil {
				return err
			}
			_, err := page.encode()
			return err
		}},
		{name: "lower floor", do: func() error {
			if err := page.bareQuery(names.Usage); err != nil {
				return err
			}
			_, err := page.encode()
			return err
		}},
	}
	repeats, err := calibrate(works[0])
	if err != nil {
		return err
	}
	for range rounds {
		for _, w := range works {
			if ctx.Err() != nil {
				return errors.New("interrupted")
			}
			c, err := measure(w.do, repeats)
			if err != nil {
				return err
			}
			w.costs = append(w.costs, c)
		}
	}
	fmt.Printf("Warm page of %d records (%s), %d rounds of %d pages:\n", recordsOnPage, p, rounds, repeats)
	fmt.Println("  page         all that functions/getusage does with an event: gateway.Handler, api.GetUsage, dynamo.Store; no network")
	fmt.Println("  floor        the SDK's two calls for it, to AttributeValues, and encoding/json of the same answer")
	fmt.Println("  lower floor  the same without the call for the price lists")
	fmt.Printf("Budget: page %.1f × the floor.\n\n", warmBudget)
	fmt.Printf("%-14s %9s %9s %9s %9s %9s %9s\n", "", "wall", "page is ×", "CPU", "page is ×", "allocs", "kB")
	for i, w := range works {
		wall, cpu := ratios(works[0].costs, w.costs, cost.times)
		verdict := ""
		if i > 0 {
			verdict = judgement(wall, warmBudget)
		}
		fmt.Printf("%-14s %9s %9.2f %9s %9.2f %9d %9d  %s\n", w.name,
			us(median(w.costs, func(c cost) time.Duration { return c.wall })), wall, us(median(w.costs, func(c cost) time.Duration { return c.cpu })), cpu,
			median(w.costs, func(c cost) int64 { return c.allocs }), median(w.costs, func(c cost) int64 { return c.bytes })/1000, verdict)
	}
	fmt.Println()
	return nil
}

// calibrate finds how often work fits into a block.
func calibrate(w *work) (int, error) {
	repeats := 10
	for {
		c, err := measure(w.do, repeats)
		if err != nil || c.wall*time.Duration(repeats) >= blockTime {
			return repeats, err
		}
		repeats *= 2
	}
}

// measure repeats work, and says what it costs once.
func measure(do func() error, repeats int) (cost, error) {
	runtime.GC()
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	began, cpu := time.Now(), cpuTime()
	for range repeats {
		if err := do(); err != nil {
			return cost{}, err
		}
	}
	c := cost{wall: time.Since(began) / time.Duration(repeats), cpu: (cpuTime() - cpu) / time.Duration(repeats)}
	runtime.ReadMemStats(&after)
	c.allocs = int64(after.Mallocs-before.Mallocs) / int64(repeats)
	c.bytes = int64(after.TotalAlloc-before.TotalAlloc) / int64(repeats)
	return c, nil
}

// cpuTime is what this process has used so far, user and system.
func cpuTime() time.Duration {
	var r syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &r); err != nil {
		return 0 // cannot happen: it is asked about itself
	}
	return time.Duration(r.Utime.Nano() + r.Stime.Nano())
}

// median is that of a field; of an even number, the upper of the two in the middle.
func median[T any, V int64 | float64 | time.Duration](all []T, field func(T) V) V {
	values := make([]V, len(all))
	for i, one := range all {
		values[i] = field(one)
	}
	slices.Sort(values)
	return values[len(values)/2]
}

// ratios are the medians of a over b, round by round: what else the machine does
// in a round slows both.
func ratios[T any](a, b []T, times func(T) (wall, cpu time.Duration)) (wall, cpu float64) {
	walls, cpus := make([]float64, len(a)), make([]float64, len(a))
	for i := range a {
		aWall, aCPU := times(a[i])
		bWall, bCPU := times(b[i])
		walls[i], cpus[i] = float64(aWall)/float64(bWall), float64(aCPU)/float64(bCPU)
	}
	same := func(v float64) float64 { return v }
	return median(walls, same), median(cpus, same)
}

func judgement(ratio, budget float64) string {
	if ratio > budget {
		return "over budget"
	}
	return "PASS"
}

func ms(d time.Duration) string { return fmt.Sprintf("%.2f ms", float64(d)/1e6) }

func us(d time.Duration) string { return fmt.Sprintf("%.0f µs", float64(d)/1e3) }
