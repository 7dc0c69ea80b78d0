package main

import (
	"os"
	"os/exec"
	"testing"
	"time"
)

// burning, in the environment, makes the test binary a program that uses a core until
// it is killed, for a minute at most.
const burning = "BENCH_BURNS=yes"

func TestMain(m *testing.M) {
	if os.Getenv("BENCH_BURNS") != "" {
		for began := time.Now(); time.Since(began) < time.Minute; {
			continue
		}
		return
	}
	os.Exit(m.Run())
}

// burn starts a program that uses a core of its own until the test ends.
func burn(t *testing.T, on cores) *exec.Cmd {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = []string{burning, "GOMAXPROCS=1"}
	if err := startOn(cmd, on.functions, on.own); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	return cmd
}

// twoCores are any of this machine's.
func twoCores(t *testing.T) cores {
	t.Helper()
	allowed, err := allowedCores()
	if err != nil {
		t.Fatal(err)
	}
	return cores{allowed[len(allowed)-1], allowed[0]}
}
