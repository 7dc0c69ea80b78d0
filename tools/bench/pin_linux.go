package main

import (
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strconv"

	"golang.org/x/sys/unix"
)

// allowedCores are those that this process may use.
func allowedCores() ([]int, error) {
	var set unix.CPUSet
	if err := unix.SchedGetaffinity(0, &set); err != nil {
		return nil, fmt.Errorf("sched_getaffinity: %w", err)
	}
	var cores []int
	for core := range 1024 { // as many as a set has
		if set.IsSet(core) {
			cores = append(cores, core)
		}
	}
	return cores, nil
}

// keepOn keeps all threads of this process on one core, and those that they begin.
func keepOn(core int) error {
	threads, err := os.ReadDir("/proc/self/task")
	if err != nil {
		return err
	}
	for _, thread := range threads {
		id, err := strconv.Atoi(thread.Name())
		if err != nil {
			return err
		}
		if err := pin(id, core); err != nil {
			return err
		}
	}
	return nil
}

// startOn starts a process on one core: it inherits that of the thread that starts
// it, before its first instruction. The thread is then back on own.
func startOn(cmd *exec.Cmd, core, own int) error {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	if err := pin(0, core); err != nil {
		return err
	}
	started := cmd.Start()
	if err := pin(0, own); err != nil {
		return err
	}
	return started
}

// pin keeps a thread, 0 is the caller's, on one core.
func pin(thread, core int) error {
	var set unix.CPUSet
	set.Set(core)
	if err := unix.SchedSetaffinity(thread, &set); err != nil {
		return fmt.Errorf("sched_setaffinity to core %d: %w", core, err)
	}
	return nil
}
