package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"
)

// quotaPeriod is how often a quota is given anew. Of what is usual it is the short one
// (Linux's default is 100 ms): a function waits for the next period once its part is
// used up, so that the period, not the quota, would otherwise be what one answer costs.
const quotaPeriod = 20 * time.Millisecond

// group is a control group of our own with a quota of processor time.
type group struct {
	version int
	folder  string
}

// newGroup makes one below the first hierarchy that has the controller cpu and lets us,
// of those that mountinfo, proc_pid_mountinfo(5), lists.
func newGroup(mountinfo string) (*group, error) {
	mounted, err := os.ReadFile(mountinfo)
	if err != nil {
		return nil, fmt.Errorf("control groups cannot be found: %w", err)
	}
	faults := []error{errors.New("no control group with a quota can be had")}
	for _, g := range hierarchies(string(mounted)) {
		g.folder = filepath.Join(g.folder, fmt.Sprintf("partnerview-bench-%d", os.Getpid()))
		if err := os.Mkdir(g.folder, 0o700); err != nil {
			faults = append(faults, err)
			continue
		}
		if err := g.free(); err != nil {
			faults = append(faults, err, g.close())
			continue
		}
		return &g, nil
	}
	return nil, errors.Join(faults...)
}

// hierarchies are those that may have the controller cpu, version 2 first.
func hierarchies(mountinfo string) []group {
	var found []group
	for line := range strings.Lines(mountinfo) {
		before, after, _ := strings.Cut(line, " - ")
		where, what := strings.Fields(before), strings.Fields(after)
		if len(where) < 5 || len(what) < 3 {
			continue
		}
		switch {
		case what[0] == "cgroup2":
			found = append(found, group{2, where[4]})
		case what[0] == "cgroup" && slices.Contains(strings.Split(what[2], ","), "cpu"):
			found = append(found, group{1, where[4]})
		}
	}
	slices.SortStableFunc(found, func(a, b group) int { return b.version - a.version })
	return found
}

func (g *group) String() string {
	return fmt.Sprintf("cgroup v%d, periods of %s", g.version, quotaPeriod)
}

func (g *group) take(pid int) error { return g.set("cgroup.procs", strconv.Itoa(pid)) }

func (g *group) limit(share float64) error {
	period := quotaPeriod.Microseconds()
	part := int64(share * float64(period))
	if g.version == 2 {
		return g.set("cpu.max", fmt.Sprintf("%d %d", part, period))
	}
	return g.set("cpu.cfs_quota_us", strconv.FormatInt(part, 10))
}

func (g *group) free() error {
	if g.version == 2 {
		return g.set("cpu.max", fmt.Sprintf("max %d", quotaPeriod.Microseconds()))
	}
	if err := g.set("cpu.cfs_period_us", strconv.FormatInt(quotaPeriod.Microseconds(), 10)); err != nil {
		return err
	}
	return g.set("cpu.cfs_quota_us", "-1")
}

func (g *group) close() error { return os.Remove(g.folder) }

// set writes what is a file already: one that is not there is a controller that this
// group does not have.
func (g *group) set(file, value string) error {
	f, err := os.OpenFile(filepath.Join(g.folder, file), os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	_, err = f.WriteString(value)
	return errors.Join(err, f.Close())
}
