package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"partnerview/internal/operator"
	"partnerview/tools/bulk"
	"partnerview/tools/procstat"
)

// maxMemory is what partnerctl may take, whatever the size of a file.
const maxMemory = 100 << 20

// rate is so many lines in some time.
type rate struct {
	lines int
	took  time.Duration
}

func (r rate) perSecond() float64 { return float64(r.lines) / r.took.Seconds() }

// measured loads everything, a file at a time, between two halves of a minimal
// loop, so that what else the machine does slows both alike.
func (b *bench) measured(ctx context.Context) error {
	s, err := b.newStage(ctx, "measured")
	if err != nil {
		return err
	}
	defer s.end()
	half := min(max(b.load.Records()/40, 1000), b.load.Records()/2)
	loop, err := s.minimalLoop(ctx, 0, half)
	if err != nil {
		return err
	}
	rates := make([]rate, len(b.load.Files()))
	engineBefore, cpu, peak := cpuTime(s.engine.PID()), time.Duration(0), int64(0)
	for i, f := range b.load.Files() {
		u, err := s.load1(ctx, f)
		if err != nil {
			return err
		}
		rates[i], peak, cpu = rate{f.Lines, u.wall}, max(peak, u.memory), cpu+u.cpu
	}
	engineCPU := cpuTime(s.engine.PID()) - engineBefore
	again, err := s.minimalLoop(ctx, half, half)
	if err != nil {
		return err
	}
	loop = rate{loop.lines + again.lines, loop.took + again.took}

	fmt.Printf("%-18s %10s %9s %9s %12s\n", "", "lines", "seconds", "a second", "× SDK loop")
	show := func(name string, r rate) {
		fmt.Printf("%-18s %10d %9.1f %9.0f %12.2f\n", name, r.lines, r.took.Seconds(), r.perSecond(), r.perSecond()/loop.perSecond())
	}
	show("SDK loop", loop)
	var whole rate
	for i, f := range b.load.Files() {
		show(f.Name, rates[i])
		whole = rate{whole.lines + rates[i].lines, whole.took + rates[i].took}
	}
	show("all files", whole)
	fmt.Printf("\npartnerctl took %d MB at most, and %.1f s of processor time for all files; the engine took %.1f s.\n", peak>>20, cpu.Seconds(), engineCPU.Seconds())
	if err := errors.Join(s.compare(ctx), s.totals(ctx)); err != nil {
		return err
	}
	if peak > maxMemory {
		return fmt.Errorf("partnerctl took %d MB of memory, more than %d MB", peak>>20, maxMemory>>20)
	}
	return nil
}

// spent is what a load took.
type spent struct {
	wall, cpu time.Duration
	memory    int64 // bytes that were resident at most
}

// load1 loads one file as an operator does.
func (s *stage) load1(ctx context.Context, f bulk.File) (spent, error) {
	cmd := s.partnerctl(ctx, "import", "usage", "--format", f.Format, f.Name, "--output", "json")
	var out, errOut bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errOut
	begun := time.Now()
	if err := cmd.Start(); err != nil {
		return spent{}, err
	}
	ended := make(chan struct{})
	peak := make(chan int64)
	go func() { // ends with the process
		most := int64(0)
		for {
			most = max(most, procstat.PeakMemory(cmd.Process.Pid))
			select {
			case <-ended:
				peak <- most
				return
			case <-time.After(50 * time.Millisecond):
			}
		}
	}()
	err := cmd.Wait()
	u := spent{wall: time.Since(begun), cpu: cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()}
	close(ended)
	if u.memory = <-peak; err != nil {
		return u, fmt.Errorf("import of %s: %w\n%s", f.Name, err, errOut.Bytes())
	}
	return u, addsUp(out.Bytes(), f)
}

// addsUp checks a summary: every line of the file was written.
func addsUp(out []byte, f bulk.File) error {
	var c operator.UsageCounts
	if err := json.Unmarshal(out, &c); err != nil {
		return err
	}
	if c.Read != f.Lines || c.Written+c.Duplicate != f.Lines || c.Rejected != 0 {
		return fmt.Errorf("import of %s: of %d lines %d were read, %d written, %d duplicate, %d rejected", f.Name, f.Lines, c.Read, c.Written, c.Duplicate, c.Rejected)
	}
	return nil
}

// minimalLoop writes records as they will be in the end, 25 a call and one call
// after the other: what the least program over the SDK would do. The import that
// follows, or went before, puts them there too.
func (s *stage) minimalLoop(ctx context.Context, first, n int) (rate, error) {
	table := s.tables["UsageTable"]
	begun := time.Now()
	for from := first; from < first+n; from += 25 {
		var puts []types.WriteRequest
		for number := from; number < min(from+25, first+n); number++ {
			puts = append(puts, types.WriteRequest{PutRequest: &types.PutRequest{Item: itemOf(s.bench.load.Attributes(number))}})
		}
		out, err := s.db.BatchWriteItem(ctx, &dynamodb.BatchWriteItemInput{RequestItems: map[string][]types.WriteRequest{table: puts}})
		if err != nil {
			return rate{}, err
		}
		if len(out.UnprocessedItems) > 0 {
			return rate{}, fmt.Errorf("the engine left items unprocessed")
		}
	}
	return rate{n, time.Since(begun)}, nil
}

// isNumber tells which attributes are numbers.
func isNumber(name string) bool {
	switch name {
	case "segments", "durationSeconds", "participants", "participantSeconds", "expiresAt":
		return true
	}
	return false
}

func itemOf(attributes map[string]string) map[string]types.AttributeValue {
	it := make(map[string]types.AttributeValue, len(attributes))
	for name, text := range attributes {
		if isNumber(name) {
			it[name] = &types.AttributeValueMemberN{Value: text}
		} else {
			it[name] = &types.AttributeValueMemberS{Value: text}
		}
	}
	return it
}
