package dynamo

import (
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"syscall"
)

// thisProcess names this process so that another one on this machine can tell whether it
// is still there, and no other machine mistakes it for one of its own: host, the boot's
// random id, the spaces in which processes are counted and timed, and the process with the
// time of its start, since numbers are used again. Empty: it cannot be told, as on a
// system without /proc, and in Lambda, whose machines are copies of each other.
func (s *Store) thisProcess() string {
	machine := s.thisMachine()
	if machine == "" {
		return ""
	}
	start, _, err := processStart("self")
	if err != nil {
		return ""
	}
	return fmt.Sprintf("%s %d %s", machine, os.Getpid(), start)
}

// thisMachine is this one where processes of it can be told apart: a function's too, where the
// engine is on this machine, for then the function is.
func (s *Store) thisMachine() string {
	if os.Getenv("AWS_LAMBDA_RUNTIME_API") != "" && !s.engineIsHere() {
		return ""
	}
	host, err := os.Hostname()
	if err != nil || host == "" {
		return ""
	}
	boot, err := os.ReadFile("/proc/sys/kernel/random/boot_id")
	if err != nil {
		return ""
	}
	processes, err := os.Readlink("/proc/self/ns/pid")
	if err != nil {
		return ""
	}
	times, _ := os.Readlink("/proc/self/ns/time") // a kernel before 5.6 has none
	return strings.Join(strings.Fields(host+" "+string(boot)+" "+processes+" "+times), "|")
}

// processIsGone reports whether a process was surely on this machine and is no more.
func (s *Store) processIsGone(process string) bool {
	fields := strings.Fields(process)
	if len(fields) != 3 || fields[0] != s.thisMachine() {
		return false
	}
	pid, err := strconv.Atoi(fields[1])
	if err != nil {
		return false
	}
	if running, err := os.FindProcess(pid); err == nil {
		err = running.Signal(syscall.Signal(0))
		_ = running.Release()
		if errors.Is(err, os.ErrProcessDone) {
			return true
		}
	}
	start, dead, err := processStart(fields[1])
	return err == nil && (start != fields[2] || dead)
}

// processStart reads when a process of /proc began, in the kernel's units, and whether it
// has ended and only its parent does not know yet. Another user's may not be readable.
func processStart(pid string) (start string, dead bool, err error) {
	stat, err := os.ReadFile("/proc/" + pid + "/stat")
	if err != nil {
		return "", false, err
	}
	// pid (name) state …: the name may hold anything. Threads are the 20th field, the start
	// the 22nd.
	fields := strings.Fields(string(stat[strings.LastIndexByte(string(stat), ')')+1:]))
	if len(fields) < 20 {
		return "", false, fmt.Errorf("/proc/%s/stat has %d fields", pid, len(fields))
	}
	state, threads := fields[0], fields[17]
	return fields[19], state == "X" || state == "Z" && (threads == "0" || threads == "1"), nil
}
