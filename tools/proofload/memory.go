package main

import (
	"context"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"time"
)

// sample is how much of a process is resident, at a time since the load began.
type sample struct {
	at time.Duration
	kB float64
}

// memory samples the functions' processes.
type memory struct {
	mu  sync.Mutex
	all map[string]map[int][]sample // by function and process
}

const sampleEvery = 500 * time.Millisecond

// watch samples the children of a process until ctx ends.
func (m *memory) watch(ctx context.Context, parent int) {
	m.all = make(map[string]map[int][]sample)
	began := time.Now()
	for tick := time.NewTicker(sampleEvery); ; {
		select {
		case <-ctx.Done():
			tick.Stop()
			return
		case <-tick.C:
			m.take(parent, time.Since(began))
		}
	}
}

func (m *memory) take(parent int, at time.Duration) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, pid := range children(parent) {
		name, ok := functionOf(pid)
		kB := resident(pid)
		if !ok || kB == 0 {
			continue // it is no function, or has gone
		}
		if m.all[name] == nil {
			m.all[name] = make(map[int][]sample)
		}
		m.all[name][pid] = append(m.all[name][pid], sample{at, kB})
	}
}

// children are the processes that a process has started.
func children(parent int) (pids []int) {
	folders, _ := filepath.Glob("/proc/[0-9]*/stat") // the pattern is a good one
	for _, file := range folders {
		text, err := os.ReadFile(file)
		if err != nil {
			continue // it has gone
		}
		_, after, _ := strings.Cut(string(text), ") ") // the name may have spaces
		fields := strings.Fields(after)
		if len(fields) < 2 || fields[1] != strconv.Itoa(parent) {
			continue
		}
		if pid, err := strconv.Atoi(filepath.Base(filepath.Dir(file))); err == nil {
			pids = append(pids, pid)
		}
	}
	return pids
}

// functionOf is the function whose binary a process runs: build/host/GetUsageFunction/bootstrap.
func functionOf(pid int) (name string, ok bool) {
	binary, err := os.Readlink("/proc/" + strconv.Itoa(pid) + "/exe")
	if err != nil || filepath.Base(binary) != "bootstrap" {
		return "", false
	}
	return strings.TrimSuffix(filepath.Base(filepath.Dir(binary)), "Function"), true
}

// resident is how many kB of a process are in memory; 0 where it has gone.
func resident(pid int) float64 {
	text, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/status")
	if err != nil {
		return 0
	}
	_, after, _ := strings.Cut(string(text), "VmRSS:")
	line, _, _ := strings.Cut(after, "kB")
	kB, _ := strconv.ParseFloat(strings.TrimSpace(line), 64)
	return kB
}

// trend is what a function's processes take, and how that changes.
type trend struct {
	function     string
	processes    int
	kB, kBPerMin float64 // at the end, of the largest process; of all, at the mean
	restarted    bool    // whether a process has ended meanwhile
}

// trends are those of each function, over the part of the load behind warmUp.
func (m *memory) trends(warmUp, lasting time.Duration) (all []trend) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for name, processes := range m.all {
		t := trend{function: name, processes: len(processes)}
		slopes := 0.0
		for _, samples := range processes {
			last := samples[len(samples)-1]
			t.restarted = t.restarted || last.at < lasting-10*sampleEvery
			t.kB = max(t.kB, last.kB)
			slopes += slope(since(warmUp, samples))
		}
		t.kBPerMin = slopes / float64(len(processes))
		all = append(all, t)
	}
	return all
}

func since(at time.Duration, samples []sample) (later []sample) {
	for _, s := range samples {
		if s.at >= at {
			later = append(later, s)
		}
	}
	return later
}

// slope is that of the straight line nearest to samples, in kB a minute; 0 of fewer than two.
func slope(samples []sample) float64 {
	var n, sumX, sumY, sumXX, sumXY float64
	for _, s := range samples {
		x := s.at.Minutes()
		n, sumX, sumY, sumXX, sumXY = n+1, sumX+x, sumY+s.kB, sumXX+x*x, sumXY+x*s.kB
	}
	below := n*sumXX - sumX*sumX
	if below == 0 {
		return 0
	}
	return (n*sumXY - sumX*sumY) / below
}
