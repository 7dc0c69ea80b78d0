// Package procstat reads what Linux tells of a live process.
package procstat

import (
	"fmt"
	"os"
	"strconv"
	"strings"
)

// PeakMemory is how many bytes of a process were resident at most; 0 where it has gone. The
// figure of wait4 is no use, since a process inherits the peak of the one that started it.
func PeakMemory(pid int) int64 {
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0
	}
	_, after, _ := strings.Cut(string(status), "VmHWM:")
	line, _, _ := strings.Cut(after, " kB")
	kB, _ := strconv.ParseInt(strings.TrimSpace(line), 10, 64)
	return kB << 10
}
