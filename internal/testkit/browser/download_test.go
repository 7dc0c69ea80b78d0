package browser

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"
)

// linesOf is a list as one file: all of its pages, with the line of the columns' names once.
func linesOf(t *testing.T, site Site, path string, query url.Values) string {
	t.Helper()
	address, err := url.Parse(site.URL + path + "?" + query.Encode())
	if err != nil {
		t.Fatal(err)
	}
	var all string
	for {
		request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, address.String(), nil)
		if err != nil {
			t.Fatal(err)
		}
		request.Header.Set("Authorization", "Bearer "+site.Key)
		request.Header.Set("Accept", "text/csv")
		response, err := http.DefaultClient.Do(request)
		if err != nil {
			t.Fatal(err)
		}
		page, err := io.ReadAll(response.Body)
		response.Body.Close()
		if err != nil || response.StatusCode != http.StatusOK {
			t.Fatalf("%s: %d %v", address, response.StatusCode, err)
		}
		_, records, _ := strings.Cut(string(page), "\r\n")
		if all == "" {
			records = string(page)
		}
		all += records
		next := regexp.MustCompile(`<([^>]*)>; rel="next"`).FindStringSubmatch(response.Header.Get("Link"))
		if next == nil {
			return all
		}
		if address, err = address.Parse(next[1]); err != nil {
			t.Fatal(err)
		}
	}
}

// Where the file that a person downloads is to go: in a browser that hands it over at the end; in one
// that lets it be written into, where it is here a file of the origin's own; on a disk that takes for ever.
const (
	keepsBlob = `window.showSaveFilePicker = undefined;
const make = URL.createObjectURL;
URL.createObjectURL = (blob) => { window.saved = blob; return make.call(URL, blob); };
0`
	keepsFile = `window.showSaveFilePicker = async ({suggestedName}) => {
  window.suggested = suggestedName;
  window.kept = await (await navigator.storage.getDirectory()).getFileHandle('test.csv', {create: true});
  return window.kept;
};
0`
	keepsNothing = `window.showSaveFilePicker = async () => ({
  createWritable: async () => ({write: () => new Promise(() => {}), close: async () => {}, abort: async () => {}}),
});
0`
)

func TestADownloadIsEveryPageOfWhatIsOnScreen(t *testing.T) {
	onStage(t, func(t *testing.T, s *Stage, p *person) {
		p.site.Account = "edo_travel"
		p.signsIn(p.log("sms") + "?direction=outbound&order=asc")
		want := linesOf(t, p.site, usagePath(p.site, "sms"), url.Values{"direction": {"outbound"}, "order": {"asc"}, "limit": {"500"}})
		lines := strings.Count(want, "\r\n") - 1
		if lines < 1_500 {
			t.Fatalf("there are but %d lines", lines)
		}
		is := func(how, got string) {
			t.Helper()
			if got != want {
				t.Errorf("%s: the file has %d bytes, not %d", how, len(got), len(want))
			}
		}
		p.must(p.Eval(keepsBlob, nil))
		s.Inject(Fault{Match: "cursor=", Status: http.StatusServiceUnavailable, Code: "unavailable", Times: 1}) // passes by itself
		p.clicks("button", "Download CSV")
		p.sees(".toast", fmt.Sprintf("%d,%03d messages saved as usage-edo_travel-sms.csv", lines/1000, lines%1000))
		p.misses(".download", "")
		is("by a blob", value[string](p, "window.saved.text()"))

		p.must(p.Eval(keepsFile, nil))
		s.Inject(Fault{Match: "cursor=", Status: http.StatusInternalServerError, Code: "internal", Times: 1})
		p.settles()
		p.clicks("button", "Download CSV")
		p.sees(".download [role=alert]", "Something went wrong")
		p.sees(".download", "500 messages so far. Read up to ")
		p.clicks(".download button", "Try again")
		p.sees(".toast", "messages saved as")
		is("into a file", value[string](p, "window.kept.getFile().then((file) => file.text())"))
		p.tells("the name that is suggested", "window.suggested", "usage-edo_travel-sms.csv")
	})
}

func TestTheCustomersThatAreFoundAreDownloaded(t *testing.T) {
	onStage(t, func(t *testing.T, _ *Stage, p *person) {
		p.signsIn("#/customers?product=voice")
		p.must(p.Eval(keepsBlob, nil))
		want := linesOf(t, p.site, "customers", url.Values{"product": {"voice"}, "limit": {"100"}})
		p.clicks("button", "Download CSV")
		p.sees(".toast", fmt.Sprintf("%d customers saved as customers.csv", strings.Count(want, "\r\n")-1))
		if got := value[string](p, "window.saved.text()"); got != want {
			t.Errorf("the file is %q, not %q", got, want)
		}
	})
}

func TestADownloadIsCancelledAndEndsWithTheSignIn(t *testing.T) {
	onStage(t, func(t *testing.T, s *Stage, p *person) {
		p.site.Account = "edo_travel"
		p.signsIn(p.log("sms"))
		p.must(p.Eval(keepsBlob, nil))
		hold := make(chan struct{})
		defer close(hold)
		s.Inject(Fault{Match: "limit=500", Hold: hold})
		begins := func() {
			t.Helper()
			held := s.Held()
			p.settles()
			p.clicks("button", "Download CSV")
			p.sees(".download", "Downloading usage-edo_travel-sms.csv")
			waitUntil(t, "the request", func() bool { return s.Held() > held })
		}
		begins()
		p.clicks("#menu a", "Overview") // it goes on beside other views
		p.isOnOverview()
		p.sees(".download", "")
		p.goesBack()
		p.sees("h1", "SMS")
		p.clicks("button", "Download CSV")
		p.sees(".toast", "Another download is under way.")
		p.must(p.Eval("document.querySelector('.download button:last-child').focus()", nil))
		p.entersUntil("!document.querySelector('.download')")
		waitUntil(t, "the end of the request", func() bool { return s.AtWork() == 0 })

		begins()
		p.clicks("button", "Sign out")
		p.sees("h1", "Sign in")
		p.misses(".download", "")
		waitUntil(t, "the end of the request", func() bool { return s.AtWork() == 0 })
		p.tells("what was saved", "window.saved", "undefined")
	})
}

// A download of 100,000 records lets no process of the browser grow by 200 MB.
func TestALongDownloadDoesNotFillTheTab(t *testing.T) {
	if testing.Short() {
		t.Skip("starts browsers of its own")
	}
	for _, kind := range Kinds() {
		t.Run(string(kind), func(t *testing.T) {
			needs(t, kind)
			programs, err := Find(kind, os.Getenv)
			if err != nil {
				t.Fatal(err)
			}
			own, err := Start(kind, programs)
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(own.Close)
			s, site := stage(t, "")
			p := opens(t, own, site, desk)
			p.signsIn(p.log("sms"))
			for how, keeps := range map[string]string{"by a blob": keepsBlob, "into a file": keepsFile} {
				p.must(p.Eval(keeps, nil))
				s.InventLines(200)
				before := own.memory(t)
				most := map[int]int{}
				p.clicks("button", "Download CSV")
				for done := false; !done; time.Sleep(100 * time.Millisecond) {
					for pid, now := range own.memory(t) {
						most[pid] = max(most[pid], now-before[pid])
					}
					done = p.evaluates("!document.querySelector('.download')") == "true"
				}
				p.sees(".toast", "100,000 messages saved")
				p.settles()
				for pid, grown := range most {
					if grown > 200<<20 {
						t.Errorf("%s: process %d grew by %d MB", how, pid, grown>>20)
					}
					t.Logf("%s: process %d grew by %d MB", how, pid, grown>>20)
				}
			}
		})
	}
}

// memory is what each process of the browser has for itself, in bytes: of those that have its home, and of
// their children, of which some have no environment.
func (b *Browser) memory(t *testing.T) map[int]int {
	t.Helper()
	folders, err := filepath.Glob("/proc/[0-9]*")
	if err != nil {
		t.Fatal(err)
	}
	parents, sizes, own := map[int]int{}, map[int]int{}, map[int]bool{0: false, 1: false}
	number := func(status []byte, field string) int {
		found := regexp.MustCompile(`(?m)^` + field + `:\s+(\d+)`).FindSubmatch(status)
		if found == nil {
			return 0
		}
		n, _ := strconv.Atoi(string(found[1]))
		return n
	}
	for _, folder := range folders {
		status, err := os.ReadFile(filepath.Join(folder, "status"))
		if err != nil {
			continue // it has gone
		}
		pid, _ := strconv.Atoi(filepath.Base(folder))
		parents[pid], sizes[pid] = number(status, "PPid"), number(status, "RssAnon")<<10
		environment, _ := os.ReadFile(filepath.Join(folder, "environ"))
		own[pid] = bytes.Contains(environment, []byte("HOME="+b.folder+"\x00"))
	}
	for pid := range sizes {
		of := pid
		for of > 1 && !own[of] {
			of = parents[of]
		}
		if !own[of] {
			delete(sizes, pid)
		}
	}
	return sizes
}
