package main

import (
	"fmt"
	"os"
	"testing"
	"time"
)

// coreTime is how long a process has had a core, and has waited for one while it could
// run, by the scheduler's own account.
type coreTime struct{ ran, waited time.Duration }

func scheduled(t *testing.T, pid int) coreTime {
	t.Helper()
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/schedstat", pid))
	if err != nil {
		t.Fatal(err)
	}
	var a coreTime
	if _, err := fmt.Sscan(string(text), (*int64)(&a.ran), (*int64)(&a.waited)); err != nil {
		t.Fatal(err)
	}
	return a
}

// prefer has a group served before all else on the machine, as far as its quota goes:
// what other tests do is then not taken for the quota's doing.
func prefer(t *testing.T, g *group) {
	t.Helper()
	file, most := "cpu.shares", "262144"
	if g.version == 2 {
		file, most = "cpu.weight", "10000"
	}
	if err := g.set(file, most); err != nil {
		t.Fatal(err)
	}
}

// It is the machine's own scheduler that is asked; where it has control groups, they
// are what is tried.
func TestAQuotaHoldsWithinATenth(t *testing.T) {
	q, why := newQuota()
	if why != "" {
		t.Log("quotas are held by signals:", why)
	}
	defer func() {
		if err := q.close(); err != nil {
			t.Error(err)
		}
	}()
	if g, ok := q.(*group); ok {
		prefer(t, g)
	}
	cmd := burn(t, twoCores(t))
	if err := q.take(cmd.Process.Pid); err != nil {
		t.Fatal(err)
	}
	for _, memory := range []int{128, 256, 512} {
		if err := q.limit(share(memory)); err != nil {
			t.Fatal(err)
		}
		time.Sleep(5 * quotaPeriod) // what was left of the whole core is used up
		began, before := time.Now(), scheduled(t, cmd.Process.Pid).ran
		time.Sleep(2 * time.Second)
		part := float64(scheduled(t, cmd.Process.Pid).ran-before) / float64(time.Since(began))
		if want := share(memory); part < 0.9*want || part > 1.1*want {
			t.Errorf("%d MB have %.1f %% of a core, and are to have %.1f %%", memory, 100*part, 100*want)
		}
	}
	if err := q.free(); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Process.Kill()
	_ = cmd.Wait()
}

// A process that waits for a core, behind what else the machine does, had its part too,
// and cannot be stopped while it waits.
func TestSignalsHoldAQuotaWithinATenth(t *testing.T) {
	q, cmd := &signals{}, burn(t, twoCores(t))
	defer func() {
		if err := q.close(); err != nil {
			t.Error(err)
		}
	}()
	if err := q.take(cmd.Process.Pid); err != nil {
		t.Fatal(err)
	}
	began, before := time.Now(), scheduled(t, cmd.Process.Pid)
	if err := q.limit(share(256)); err != nil {
		t.Fatal(err)
	}
	time.Sleep(6 * time.Second)
	after, all := scheduled(t, cmd.Process.Pid), float64(time.Since(began))
	ran := float64(after.ran-before.ran) / all
	could := ran + float64(after.waited-before.waited)/all
	if err := q.free(); err != nil {
		t.Fatal(err)
	}
	if want := share(256); could < 0.9*want || ran > 1.1*want {
		t.Errorf("it had %.1f %% of a core, and could have had %.1f %%; it is to have %.1f %%", 100*ran, 100*could, 100*want)
	}
}

func TestHierarchiesWithAControllerOfProcessorsAreFound(t *testing.T) {
	mountinfo := "36 25 0:31 / /sys/fs/cgroup/cpu,cpuacct rw,nosuid - cgroup cgroup rw,cpu,cpuacct\n" +
		"37 25 0:32 / /sys/fs/cgroup/memory rw,nosuid - cgroup cgroup rw,memory\n" +
		"38 25 0:33 / /sys/fs/cgroup/unified rw,nosuid shared:5 - cgroup2 cgroup2 rw\n" +
		"39 25 0:34 / /sys/fs/cgroup/cpuset rw,nosuid - cgroup cgroup rw,cpuset\n"
	found := fmt.Sprint(hierarchies(mountinfo))
	if want := "[{2 /sys/fs/cgroup/unified} {1 /sys/fs/cgroup/cpu,cpuacct}]"; found != want {
		t.Errorf("%s, want %s", found, want)
	}
}

func TestAPriceIsThatOfWholeMilliseconds(t *testing.T) {
	if got, want := perMillion(512, 2100*time.Microsecond), 0.20+1e6*0.003*0.5*0.0000133334; got < want-1e-9 || got > want+1e-9 {
		t.Errorf("%v, want %v", got, want)
	}
}
