package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"runtime"
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
	fmt.Printf("Cold start: exec to the first answer over the Runtime API; %d starts of each. X-Ray is on and sampled (%d segments came),\n", starts, daemon.segments.Load())
	fmt.Printf("DynamoDB is canned answers on loopback, the binaries are in the page cache. Budget: %.1f × the hello-world.\n\n", coldBudget)
	fmt.Printf("%-14s %9s %9s %9s %9s %9s %10s %9s\n", "", "wall", "× hello", "CPU", "× hello", "peak MiB", "binary MB", "zip MB")
	floorWall, floorCPU := functions[0].median()
	for _, f := range functions {
		wall, cpu := f.median()
		verdict := ""
		if f.name != hello {
			verdict = judgement(ratio(wall, floorWall), coldBudget)
		}
		fmt.Printf("%-14s %9s %9.2f %9s %9.2f %9.1f %10.1f %9.1f  %s\n", f.name, ms(wall), ratio(wall, floorWall), ms(cpu), ratio(cpu, floorCPU),
			float64(f.peak())/(1<<20), float64(f.binary)/1e6, float64(f.zipped)/1e6, verdict)
	}
	fmt.Println()
	return nil
}

func (f *function) median() (wall, cpu time.Duration) {
	return median(f.starts, func(s start) time.Duration { return s.wall }), median(f.starts, func(s start) time.Duration { return s.cpu })
}

func (f *function) peak() int64 { return median(f.starts, func(s start) int64 { return s.peak }) }

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

// blockTime is for how long one work is repeated before the next has its turn:
// long enough for it to collect its own garbage.
const blockTime = 100 * time.Millisecond

// warm prints what a page of 100 records costs, next to its floors.
func warm(ctx context.Context, p usage.Product, value any, rounds int) error {
	page, err := newPage(p, value)
	if err != nil {
		return err
	}
	works := []*work{
		{name: "page", do: func() error { _, err := page.answer(); return err }},
		{name: "floor", do: func() error {
			if err := page.bareCalls(); err != nil {
				return err
			}
			_, err := page.encode()
			return err
		}},
		{name: "strict floor", do: func() error {
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
	fmt.Printf("Warm page of %d records (%s), in this process: %d rounds of %d pages each.\n\n", recordsOnPage, p, rounds, repeats)
	fmt.Printf("%-14s %9s %9s %9s %9s %9s %9s\n", "", "wall", "page ×", "CPU", "page ×", "allocs", "kB")
	pageWall, pageCPU := works[0].median()
	for i, w := range works {
		wall, cpu := w.median()
		verdict := ""
		if i > 0 {
			verdict = judgement(ratio(pageWall, wall), warmBudget)
		}
		fmt.Printf("%-14s %9s %9.2f %9s %9.2f %9d %9d  %s\n", w.name, us(wall), ratio(pageWall, wall), us(cpu), ratio(pageCPU, cpu),
			median(w.costs, func(c cost) int64 { return c.allocs }), median(w.costs, func(c cost) int64 { return c.bytes })/1000, verdict)
	}
	fmt.Println()
	return nil
}

func (w *work) median() (wall, cpu time.Duration) {
	return median(w.costs, func(c cost) time.Duration { return c.wall }), median(w.costs, func(c cost) time.Duration { return c.cpu })
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
func median[T any, V int64 | time.Duration](all []T, field func(T) V) V {
	values := make([]V, len(all))
	for i, one := range all {
		values[i] = field(one)
	}
	slices.Sort(values)
	return values[len(values)/2]
}

func ratio(a, b time.Duration) float64 { return float64(a) / float64(b) }

func judgement(ratio, budget float64) string {
	if ratio > budget {
		return "over budget"
	}
	return "PASS"
}

func ms(d time.Duration) string { return fmt.Sprintf("%.2f ms", float64(d)/1e6) }

func us(d time.Duration) string { return fmt.Sprintf("%.0f µs", float64(d)/1e3) }
