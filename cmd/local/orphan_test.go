package main

import (
	"bufio"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

// Whatever becomes of the program that started it, nothing of the product stays:
// not the gateway, not the engine, not a function that waits for work.
func TestNothingIsLeftWhenTheProgramThatStartedItIsGone(t *testing.T) {
	t.Setenv("DYNAMODB_ENDPOINT", "")
	binary := filepath.Join(t.TempDir(), "local")
	if out, err := exec.CommandContext(t.Context(), "go", "build", "-o", binary, ".").CombinedOutput(); err != nil {
		t.Fatalf("go build: %v\n%s", err, out)
	}
	for claim, c := range map[string]struct {
		arguments []string
		end       func(*exec.Cmd, *os.File)
	}{
		"its input ends, as when its parent is killed": {[]string{"--until-eof"}, func(_ *exec.Cmd, input *os.File) { input.Close() }},
		"it is killed itself":                          {nil, func(local *exec.Cmd, _ *os.File) { local.Process.Kill() }},
	} {
		t.Run(claim, func(t *testing.T) {
			stdin, input, err := os.Pipe()
			if err != nil {
				t.Fatal(err)
			}
			defer input.Close()
			ready := filepath.Join(t.TempDir(), "ready.json")
			local := exec.Command(binary, append([]string{"--listen", "127.0.0.1:0", "--empty", "--ready-file", ready}, c.arguments...)...)
			local.Stdin = stdin
			if err := local.Start(); err != nil {
				t.Fatal(err)
			}
			stdin.Close()
			ended := make(chan struct{})
			go func() {
				defer close(ended)
				_ = local.Wait() // killed or not, it is gone
			}()
			t.Cleanup(func() {
				_ = local.Process.Kill()
				<-ended
			})
			url := baseURL(t, ready, ended)
			if status := get(t, url+"/", ""); status != 200 {
				t.Fatalf("the page: %d", status)
			}
			children := descendants(t, local.Process.Pid)
			if len(children) < 2 {
				t.Fatalf("it started %d processes, want the engine and a function at least", len(children))
			}
			c.end(local, input)
			// A function under way may take as long as a call to the engine may.
			for deadline := time.Now().Add(time.Minute); ; time.Sleep(20 * time.Millisecond) {
				left := slices.DeleteFunc(slices.Clone(children), func(pid int) bool { return !lives(t, pid) })
				if len(left) == 0 {
					break
				}
				if time.Now().After(deadline) {
					t.Fatalf("processes %v live on", left)
				}
			}
			<-ended
		})
	}
}

// baseURL waits until the product serves.
func baseURL(t *testing.T, readyFile string, ended <-chan struct{}) string {
	t.Helper()
	for deadline := time.Now().Add(3 * time.Minute); time.Now().Before(deadline); time.Sleep(20 * time.Millisecond) {
		var ready struct{ BaseURL string }
		if text, err := os.ReadFile(readyFile); err == nil && json.Unmarshal(text, &ready) == nil {
			return ready.BaseURL
		}
		select {
		case <-ended:
			t.Fatal("it ended by itself")
		default:
		}
	}
	t.Fatal("it does not serve")
	return ""
}

// processes are all of this machine: parents, and those that are more than an
// entry, by process.
func processes(t *testing.T) (parent map[int]int) {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), "ps", "-A", "-o", "pid=,ppid=,stat=").Output()
	if err != nil {
		t.Fatalf("ps: %v", err)
	}
	parent = make(map[int]int)
	for lines := bufio.NewScanner(strings.NewReader(string(out))); lines.Scan(); {
		fields := strings.Fields(lines.Text())
		if len(fields) != 3 || fields[2][0] == 'Z' { // a zombie has ended
			continue
		}
		pid, err := strconv.Atoi(fields[0])
		if err != nil {
			t.Fatalf("ps says %q", lines.Text())
		}
		if parent[pid], err = strconv.Atoi(fields[1]); err != nil {
			t.Fatalf("ps says %q", lines.Text())
		}
	}
	return parent
}

// descendants are the processes that a process has started, and theirs.
func descendants(t *testing.T, of int) (pids []int) {
	t.Helper()
	parent := processes(t)
	for pid := range parent {
		for up := parent[pid]; up != 0; up = parent[up] {
			if up == of {
				pids = append(pids, pid)
				break
			}
		}
	}
	return pids
}

func lives(t *testing.T, pid int) bool {
	_, found := processes(t)[pid]
	return found
}
