package inbox_test

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"
	"time"

	"partnerview/internal/dynamo"
	"partnerview/internal/inbox"
	"partnerview/internal/testkit/dynamotest"
)

// loadsMuch is in the environment of a process that TestAnotherImport is the whole of.
const loadsMuch = "PARTNERVIEW_TEST_IMPORT"

type muchOrders struct {
	Endpoint string
	Tables   dynamo.Tables
	State    inbox.State
}

// endless lends a file of gigabytes that stands nowhere, and forgets what is written.
type endless struct{ file func() io.Reader }

func (e endless) Open(ctx, string, string, string) (io.ReadCloser, error) {
	return io.NopCloser(e.file()), nil
}
func (endless) Put(ctx, string, string, []byte) error          { return nil }
func (endless) Move(ctx, string, string, string, string) error { return nil }
func (endless) Delete(ctx, string, string, string) error       { return nil }

// gigabytes are 2 GiB of records, with -race a sixteenth of it, whose texts have most of a mebibyte, behind 200,000 lines that are rejected.
func gigabytes() io.Reader {
	text := strings.Repeat("never kept ", 80_000)
	read, write := io.Pipe()
	go func() {
		w := bufio.NewWriter(write)
		w.Write(native(1))
		for n := range 200_000 {
			fmt.Fprintf(w, `{"id":"r-%d","accountId":"nobody_here"}`+"\n", n)
		}
		for n := range large / len(text) {
			fmt.Fprintf(w, `{"id":"l-%d","accountId":"acme_retail","product":"sms","timestamp":"2026-11-02T10:00:00Z","direction":"outbound","content":%q}`+"\n", n, text)
		}
		w.Flush()
		write.Close()
	}()
	return read
}

// bomb unpacks to 4 GiB of one line.
func bomb() io.Reader {
	member := packed(make([]byte, 64<<20))
	return io.MultiReader(bytes.NewReader(packed(native(3))), repeated(member, 64))
}

func repeated(text []byte, times int) io.Reader {
	all := make([]io.Reader, times)
	for i := range all {
		all[i] = bytes.NewReader(text)
	}
	return io.MultiReader(all...)
}

// TestAnotherImport is another process, where one is asked for: it imports a file of gigabytes, and tells what
// that came to and how much of it was resident at most, in kB.
func TestAnotherImport(t *testing.T) {
	orders, asked := os.LookupEnv(loadsMuch)
	if !asked {
		return
	}
	var o muchOrders
	must(t, json.Unmarshal([]byte(orders), &o))
	file := gigabytes
	if strings.HasSuffix(o.State.Key, ".gz") {
		file = bomb
	}
	i := &inbox.Inbox{Files: endless{file}, Store: dynamo.NewStore(dynamotest.ClientOf(t, o.Endpoint), o.Tables), Now: func() time.Time { return now },
		Log: slog.New(slog.NewTextHandler(io.Discard, nil))}
	answer, err := i.Call(t.Context(), o.State)
	must(t, err)
	status, err := os.ReadFile("/proc/self/status")
	must(t, err)
	_, peak, _ := strings.Cut(string(status), "VmHWM:")
	text, err := json.Marshal(answer)
	must(t, err)
	fmt.Printf("\nended: %s %s\n", strings.Fields(peak)[0], text)
}

// As the template has it: GOGC=400 and GOMEMLIMIT=200MiB, of 1,769 MB.
func TestAnImportTakesNoMoreMemoryWhateverTheSizeOfItsFile(t *testing.T) {
	if testing.Short() {
		t.Skip("not in make quick: it reads gigabytes; make test has it")
	}
	if _, err := os.Stat("/proc/self/status"); err != nil {
		t.Skip("NOT TESTED: only Linux tells how much memory a process takes")
	}
	for key, want := range map[string]struct {
		outcome inbox.Outcome
		error   string
	}{
		"native/large.ndjson":   {inbox.Done, ""},
		"native/bomb.ndjson.gz": {inbox.Failed, "the file unpacks to more than 2048 MiB"},
	} {
		t.Run(key, func(t *testing.T) {
			tables := engine.NewTables(t)
			s := stageOn(t, dynamo.NewStore(engine.Client(t), tables))
			orders, err := json.Marshal(muchOrders{engine.Endpoint(t), tables, s.begins(key, nil)})
			must(t, err)
			cmd := exec.Command(os.Args[0], "-test.run=^TestAnotherImport$")
			cmd.Env = append(os.Environ(), loadsMuch+"="+string(orders), "GOGC=400", "GOMEMLIMIT=200MiB")
			cmd.Stderr = os.Stderr
			out, err := cmd.Output()
			must(t, err)
			_, ended, found := strings.Cut(string(out), "\nended: ")
			if !found {
				t.Fatalf("it says %s", out)
			}
			peak, text, _ := strings.Cut(ended, " ")
			kB, err := strconv.Atoi(peak)
			must(t, err)
			var answer inbox.State
			must(t, json.Unmarshal([]byte(strings.Split(text, "\n")[0]), &answer))
			t.Logf("%s took %d MB at most and came to %s", key, kB>>10, answer.Counts)
			if kB > mostMB<<10 || answer.Outcome != want.outcome || !strings.Contains(answer.Error, want.error) {
				t.Errorf("%d MB, %+v", kB>>10, answer)
			}
		})
	}
}
