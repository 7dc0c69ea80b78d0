package engine

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"partnerview/internal/dev/template"
)

// root is the repository's: where make ci puts node_modules.
const root = "../../../.."

// With this variable set, the test binary is a program that starts an engine,
// tells its process id and address, and does nothing more.
const asParent = "ENGINE_TEST_AS_PARENT"

func TestMain(m *testing.M) {
	if os.Getenv(asParent) != "" {
		e, err := Start(context.Background(), root, "", 0)
		if err != nil {
			os.Exit(1)
		}
		fmt.Println(e.PID(), strings.TrimPrefix(e.Endpoint, "http://"))
		select {}
	}
	os.Exit(m.Run())
}

func start(t *testing.T) *Engine {
	t.Helper()
	e, err := Start(t.Context(), root, "", 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(e.Stop)
	return e
}

func answers(t *testing.T, e *Engine) {
	t.Helper()
	response, err := http.Get(e.Endpoint)
	if err != nil {
		t.Fatalf("the engine does not answer: %v, %v", err, e.Err())
	}
	response.Body.Close()
}

func TestStopLeavesNoProcessAndNoPort(t *testing.T) {
	e := start(t)
	e.Stop()
	if syscall.Kill(e.PID(), 0) == nil {
		t.Errorf("process %d lives on", e.PID())
	}
	if serves(strings.TrimPrefix(e.Endpoint, "http://")) {
		t.Errorf("%s is still open", e.Endpoint)
	}
	if err := e.Err(); err != nil {
		t.Errorf("an engine that was stopped says that it ended by itself: %v", err)
	}
	e.Stop()
}

func TestAnEngineThatDiesSaysSo(t *testing.T) {
	e := start(t)
	e.Kill()
	if err := e.Err(); err == nil || !strings.Contains(err.Error(), "killed") {
		t.Errorf("Err() = %v, want one that says it was killed", err)
	}
}

func TestAnEngineEndsWithTheProcessThatStartedIt(t *testing.T) {
	parent := exec.Command(os.Args[0])
	parent.Env = append(os.Environ(), asParent+"=yes")
	stdout, err := parent.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := parent.Start(); err != nil {
		t.Fatal(err)
	}
	line, err := bufio.NewReader(stdout).ReadString('\n')
	parent.Process.Kill()
	parent.Wait()
	if err != nil {
		t.Fatal(err)
	}
	var pid int
	var address string
	if _, err := fmt.Sscan(line, &pid, &address); err != nil {
		t.Fatal(err)
	}
	for deadline := time.Now().Add(10 * time.Second); serves(address); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(deadline) {
			syscall.Kill(pid, syscall.SIGKILL)
			t.Fatalf("process %d outlived the one that started it", pid)
		}
	}
}

func TestTablesInAFolderOutliveTheEngine(t *testing.T) {
	folder := filepath.Join(t.TempDir(), "store")
	wanted := []template.Table{{ID: "Kept", Name: "Kept", Key: template.Key{Partition: "k"}, Attributes: map[string]string{"k": "S"}}}
	for i, want := range []int{1, 0} {
		e, err := Start(t.Context(), root, folder, 0)
		if err != nil {
			t.Fatal(err)
		}
		tables := NewTables(e.Endpoint)
		made, err := tables.Create(t.Context(), wanted)
		tables.Close()
		e.Stop()
		if made != want || err != nil {
			t.Errorf("start %d: %d tables are made (%v), want %d", i+1, made, err, want)
		}
	}
}

func TestWhatIsMissingIsToldInOneLineWithTheWayOut(t *testing.T) {
	t.Run("Node", func(t *testing.T) {
		t.Setenv("PATH", t.TempDir())
		fails(t, root, errNoNode)
	})
	t.Run("dynalite", func(t *testing.T) { fails(t, t.TempDir(), errNoDynalite) })
}

func TestATakenPortIsTold(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	_, err = Start(t.Context(), root, "", taken.Addr().(*net.TCPAddr).Port)
	if err == nil || !strings.Contains(err.Error(), "address already in use") {
		t.Errorf("Start = %v, want one that says that the address is in use", err)
	}
}

func TestAStartThatIsCalledOffLeavesNothing(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := Start(ctx, root, "", 0); err == nil {
		t.Error("it started")
	}
}

func fails(t *testing.T, root string, want error) {
	t.Helper()
	if _, err := Start(t.Context(), root, "", 0); !errors.Is(err, want) || strings.Contains(err.Error(), "\n") {
		t.Errorf("Start = %v, want one line, %v", err, want)
	}
}

func serves(address string) bool {
	conn, err := net.Dial("tcp", address)
	if err == nil {
		conn.Close()
	}
	return err == nil
}

// dynalite throws when a connection breaks in the middle of a request, as when
// an import is interrupted.
func TestAClientThatGoesAwayDoesNotEndTheEngine(t *testing.T) {
	e := start(t)
	answers(t, e)
	for range 20 {
		conn, err := net.Dial("tcp", strings.TrimPrefix(e.Endpoint, "http://"))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := fmt.Fprint(conn, "POST / HTTP/1.1\r\nHost: engine\r\nX-Amz-Target: DynamoDB_20120810.Query\r\nContent-Length: 100\r\n\r\n{"); err != nil {
			t.Fatal(err)
		}
		if err := conn.(*net.TCPConn).SetLinger(0); err != nil {
			t.Fatal(err)
		}
		conn.Close()
	}
	time.Sleep(100 * time.Millisecond)
	answers(t, e)
}
