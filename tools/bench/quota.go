package main

import "fmt"

// fullCore is the memory, in MB, at which Lambda gives a function one core; less has
// its part of it: https://docs.aws.amazon.com/lambda/latest/dg/configuration-memory.html
const fullCore = 1769

// share is the part of a core that a function of so many MB has.
func share(memoryMB int) float64 { return min(1, float64(memoryMB)/fullCore) }

// quota holds one process at a time to a part of a core.
type quota interface {
	// String says how: "cgroup v1, periods of 20 ms".
	String() string
	// take takes a process in, which has a whole core until limit is called.
	take(pid int) error
	// limit holds it to a part of a core from now on.
	limit(share float64) error
	// free gives it the whole core again. It can then be ended.
	free() error
	// close undoes what was set up; no process may be in it.
	close() error
}

// newQuota is the best that this machine has and lets us use: cgroup v2, cgroup v1,
// and signals, which every Linux has. Where signals are all, why says what was tried.
func newQuota() (q quota, why string) {
	group, err := newGroup("/proc/self/mountinfo")
	if err == nil {
		return group, ""
	}
	return &signals{}, fmt.Sprint(err)
}
