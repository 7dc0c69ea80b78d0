package main

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// userHZ is the unit of processor time in /proc/stat: 100 a second on all that Go
// runs on.
const userHZ = 10 * time.Millisecond

// snapshot is what the machine has counted since it began, and what of it was this
// program with all processes that it has started and that have ended.
type snapshot struct {
	at      time.Time
	used    time.Duration         // of all cores, by programs, and stolen
	stolen  time.Duration         // of all cores, by other machines on the same host
	idle    map[int]time.Duration // by core
	own     time.Duration
	running int // processes that run or wait for a core, this one among them
}

// look takes a snapshot. Only Linux has /proc/stat.
func look() (snapshot, error) {
	text, err := os.ReadFile("/proc/stat")
	if err != nil {
		return snapshot{}, fmt.Errorf("what else the machine does cannot be read: %w", err)
	}
	s, err := parseStat(string(text))
	s.at, s.own = time.Now(), processorTime(syscall.RUSAGE_SELF)+processorTime(syscall.RUSAGE_CHILDREN)
	return s, err
}

// parseStat reads /proc/stat: proc(5). The time of interrupts is left out: it is what
// our own packets on loopback cost too.
func parseStat(text string) (snapshot, error) {
	s := snapshot{idle: map[int]time.Duration{}}
	for line := range strings.Lines(text) {
		fields := strings.Fields(line)
		switch {
		case len(fields) == 2 && fields[0] == "procs_running":
			s.running, _ = strconv.Atoi(fields[1])
		case len(fields) > 8 && fields[0] == "cpu":
			s.stolen = ticks(fields[8])
			s.used = ticks(fields[1]) + ticks(fields[2]) + ticks(fields[3]) + s.stolen
		case len(fields) > 8 && strings.HasPrefix(fields[0], "cpu"):
			core, err := strconv.Atoi(fields[0][len("cpu"):])
			if err != nil {
				return s, fmt.Errorf("/proc/stat has a line %q", line)
			}
			s.idle[core] = ticks(fields[4])
		}
	}
	if len(s.idle) == 0 {
		return s, fmt.Errorf("/proc/stat tells of no core")
	}
	return s, nil
}

func ticks(field string) time.Duration {
	n, _ := strconv.ParseInt(field, 10, 64) // the kernel writes numbers
	return time.Duration(n) * userHZ
}

// processorTime is what this process, or those that it has waited for, have used so
// far, user and system.
func processorTime(whose int) time.Duration {
	var r syscall.Rusage
	if err := syscall.Getrusage(whose, &r); err != nil {
		return 0 // cannot happen: it is asked about itself
	}
	return time.Duration(r.Utime.Nano() + r.Stime.Nano())
}

// others is which part of all cores was used by others between two snapshots, and
// which part of that was stolen from the whole machine.
func others(from, to snapshot) (foreign, stolen float64) {
	all := float64(to.at.Sub(from.at)) * float64(len(to.idle))
	if all <= 0 {
		return 0, 0
	}
	return max(0, float64(to.used-from.used-(to.own-from.own))/all), float64(to.stolen-from.stolen) / all
}

// loadAverage is /proc/loadavg's text, "7.71 6.99 7.41": of one, five and fifteen
// minutes. It is told beside a refusal and never its reason: it knows minutes that
// have passed, such as those of the build.
func loadAverage() string {
	text, err := os.ReadFile("/proc/loadavg")
	fields := strings.Fields(string(text))
	if err != nil || len(fields) < 3 {
		return "unknown"
	}
	return strings.Join(fields[:3], " ")
}
