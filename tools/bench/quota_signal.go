package main

import (
	"errors"
	"sync"
	"syscall"
	"time"
)

// signalPeriod is how often a process is let run again: a shorter one would be mostly
// the delay of signals.
const signalPeriod = 100 * time.Millisecond

// signals stops and continues a process, where there is no control group to be had.
// It is coarser than a quota: the process loses its part of a period in which it has
// nothing to do.
type signals struct {
	pid   int
	stop  chan struct{}
	ended sync.WaitGroup
}

func (s *signals) String() string { return "SIGSTOP and SIGCONT, periods of " + signalPeriod.String() }

func (s *signals) take(pid int) error { s.pid = pid; return nil }

// limit lets the process run for its part of each period. What a late signal gave it
// is taken from the periods that follow.
func (s *signals) limit(share float64) error {
	if err := s.free(); err != nil || share >= 1 {
		return err
	}
	s.stop = make(chan struct{})
	s.ended.Go(func() { alternate(s.pid, share, s.stop) }) // ends with free
	return nil
}

// alternate stops and continues a process until it is told to end, and leaves it
// running.
func alternate(pid int, share float64, stop <-chan struct{}) {
	defer func() { _ = syscall.Kill(pid, syscall.SIGCONT) }()
	began, ran := time.Now(), time.Duration(0)
	wait := func(d time.Duration) bool {
		select {
		case <-stop:
			return false
		case <-time.After(d):
			return true
		}
	}
	for {
		from := time.Now()
		if syscall.Kill(pid, syscall.SIGCONT) != nil || !wait(time.Duration(share*float64(signalPeriod))) {
			return // it has gone, or is free again
		}
		if syscall.Kill(pid, syscall.SIGSTOP) != nil {
			return
		}
		ran += time.Since(from)
		if !wait(time.Duration(float64(ran)/share) - time.Since(began)) {
			return
		}
	}
}

func (s *signals) free() error {
	if s.stop != nil {
		close(s.stop)
		s.ended.Wait()
		s.stop = nil
	}
	if s.pid == 0 { // which would be all processes of this group
		return nil
	}
	if err := syscall.Kill(s.pid, syscall.SIGCONT); !errors.Is(err, syscall.ESRCH) {
		return err
	}
	return nil
}

func (s *signals) close() error {
	s.pid = 0 // it has ended, and its number may be another's
	return s.free()
}
