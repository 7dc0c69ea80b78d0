package e2e_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"partnerview/internal/dev/sample"
	"partnerview/internal/testkit/producttest"
)

// emptyProduct is one with an inbox and nothing in its tables, at the time of day. It ends with the
// test.
func emptyProduct(t *testing.T) *product {
	t.Helper()
	endpoint, err := engine.Listen()
	must(t, err)
	p := &product{root: pv.root, bin: pv.bin, spec: pv.spec}
	p.Product, err = producttest.Start(p.root, p.bin, endpoint, "--empty", "--inbox-pause", "1s")
	must(t, err)
	t.Cleanup(func() {
		must(t, p.Stop())
		if leaks := sample.Leaks(p.Output.String()); leaks != nil || strings.Contains(p.Output.String(), "7700900") {
			t.Errorf("the processes' logs hold %q", leaks)
		}
	})
	return p
}

// From an empty stack to what a partner sees, as docs/operating.md has it, with nothing imported by hand.
func TestFromNothingToWhatAPartnerSeesByUploadsAlone(t *testing.T) {
	needTools(t)
	p := emptyProduct(t)
	page, err := os.ReadFile(filepath.Join(p.root, "docs", "operating.md"))
	must(t, err)
	script := regexp.MustCompile("(?ms)^```sh inbox.sh\n(.*?)^```$").FindSubmatch(page)
	if script == nil || bytes.Contains(script[1], []byte("partnerctl import")) {
		t.Fatal("docs/operating.md has no block inbox.sh that imports nothing by hand")
	}
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, "sh", "-euc", string(script[1]))
	cmd.Dir = t.TempDir()
	must(t, os.Mkdir(filepath.Join(cmd.Dir, "build"), 0o755))
	cmd.Env = append(os.Environ(), "PATH="+p.bin+string(os.PathListSeparator)+os.Getenv("PATH"), "INBOX_URL="+p.InboxURL, "PARTNERVIEW_URL="+p.BaseURL,
		"DYNAMODB_ENDPOINT="+p.DynamodbEndpoint, "PARTNERS_TABLE="+p.Tables.Partners, "CUSTOMERS_TABLE="+p.Tables.Customers, "PRICELISTS_TABLE="+p.Tables.PriceLists,
		"USAGE_TABLE="+p.Tables.Usage, "TOTALS_TABLE="+p.Tables.Totals, "LEDGER_TABLE="+p.Tables.Ledger)
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v after\n%s\n%s", err, out, &p.Output)
	}
	for _, want := range []string{
		`["Quay Market",{"amount":"480.25","currency":"EUR",`,
		`["q-1","****0123","delivered","rated","0.08"]`,
		`["q-2","****0456","delivered","rated","0.04"]`,
		`["q-3","****0789",75,"0.08"]`,
		`[true,["sms",2,"0.12"],["voice",1,"0.08"]]`,
		`["sms","20`, `["voice","20`, `,true]`,
	} {
		if !strings.Contains(string(out), want) {
			t.Errorf("it does not say %s:\n%s", want, out)
		}
	}
}

// put uploads a file, and returns the status.
func (p *product) put(t *testing.T, key string, body []byte) int {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), "PUT", p.InboxURL+"/"+key, bytes.NewReader(body))
	must(t, err)
	response, err := http.DefaultClient.Do(r)
	must(t, err)
	response.Body.Close()
	return response.StatusCode
}

// keys are those of the inbox that begin so, in order.
func (p *product) keys(t *testing.T, prefix string) (all []string) {
	t.Helper()
	var list struct{ Contents []struct{ Key string } }
	must(t, xml.Unmarshal(p.fetch(t, "?list-type=2&prefix="+url.QueryEscape(prefix)), &list))
	for _, c := range list.Contents {
		all = append(all, c.Key)
	}
	return all
}

func (p *product) fetch(t *testing.T, at string) []byte {
	t.Helper()
	response, err := http.Get(p.InboxURL + at)
	must(t, err)
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	must(t, err)
	if response.StatusCode != 200 {
		t.Fatalf("GET %s: %d %s", at, response.StatusCode, text)
	}
	return text
}

// uploadResult is what stands under results/.
type uploadResult struct {
	Outcome, Error string
	Counts         struct{ Read, Written, Duplicate, Rejected int }
	LoadedBefore   *struct{ ID string }
	Rejected       []string
}

// results waits until so many imports of a key have ended, and tells them, in no order.
func (p *product) results(t *testing.T, key string, n int) (all []uploadResult) {
	t.Helper()
	for deadline := time.Now().Add(5 * time.Minute); ; time.Sleep(100 * time.Millisecond) {
		var ended []string
		for _, k := range p.keys(t, "results/"+key+".") {
			if strings.HasSuffix(k, ".json") {
				ended = append(ended, k)
			}
		}
		if len(ended) < n {
			if time.Now().After(deadline) {
				t.Fatalf("%d imports of %s have ended, want %d: %s", len(ended), key, n, &p.Output)
			}
			continue
		}
		for _, k := range ended {
			text := p.fetch(t, "/"+k)
			if strings.Contains(string(text), "7700") || strings.Contains(string(text), "900123") {
				t.Errorf("the result tells a number: %s", text)
			}
			var r uploadResult
			must(t, json.Unmarshal(text, &r))
			all = append(all, r)
		}
		return all
	}
}

// smsOf is a file of so many SMS of an account, within minutes of now.
func smsOf(account, id string, n int) []byte {
	var b bytes.Buffer
	at := time.Now().Add(-10 * time.Minute).UTC()
	for i := range n {
		fmt.Fprintf(&b, `{"accountId":%q,"product":"sms","id":"%s-%d","timestamp":%q,"direction":"outbound","status":"delivered","to":"+447700900123","country":"GB","segments":1}`+"\n",
			account, id, i, at.Add(time.Duration(i)*time.Millisecond).Format(time.RFC3339Nano))
	}
	return b.Bytes()
}

func gzipped(t *testing.T, parts ...[]byte) []byte {
	t.Helper()
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	for _, part := range parts {
		_, err := w.Write(part)
		must(t, err)
	}
	must(t, w.Close())
	return b.Bytes()
}

const pier = `partners: [{id: pier, name: Pier, customers: [{accountId: pier_kiosk}]}]
customers: [{accountId: pier_kiosk, name: Pier Kiosk, products: [sms], currency: EUR, billingMode: prepaid}]
priceLists: [{accountId: pier_kiosk, product: sms, effectiveFrom: 2026-01-01T00:00:00Z, currency: EUR, rates: [{direction: outbound, unitPrice: "0.01"}]}]
`

// Each has its outcome, told in the result; of what was taken nothing is lost, and nothing is there twice.
func TestWhatCanGoWrongWithAnUploadIsToldInItsResult(t *testing.T) {
	p := emptyProduct(t)
	at := time.Now().Format(time.RFC3339)
	if out, complaint, code := p.partnerctlAt(t, at, pier, "apply", "-f", "-"); code != 0 {
		t.Fatalf("apply: %s%s", out, complaint)
	}
	key := p.createKey(t, at, "pier", "--expires", "1h").Key
	records := 0 // that must be there by now
	check := func(t *testing.T) {
		t.Helper()
		var s struct {
			Complete bool
			Data     []struct {
				Records int
				Charged []struct{ Amount string }
			}
		}
		p.read(t, key, "/customers/pier_kiosk/summary?from="+time.Now().AddDate(0, 0, -2).Format(time.DateOnly), &s)
		if len(s.Data) != 1 || s.Data[0].Records != records || !s.Complete || s.Data[0].Charged[0].Amount != fmt.Sprint(float64(records)/100) {
			t.Errorf("the summary is %+v, want %d records", s, records)
		}
	}

	t.Run("the same file twice", func(t *testing.T) {
		file := smsOf("pier_kiosk", "same", 20)
		for n := range 2 {
			p.put(t, "native/same.ndjson", file)
			p.results(t, "native/same.ndjson", n+1)
		}
		before := 0
		for _, r := range p.results(t, "native/same.ndjson", 2) {
			if r.LoadedBefore != nil {
				before++
			}
			if r.Outcome != "done" || r.Counts.Written != 20 {
				t.Errorf("the result is %+v", r)
			}
		}
		if before != 1 {
			t.Errorf("%d of the two say that the bytes were loaded before", before)
		}
		records += 20
		check(t)
	})
	t.Run("two files at once for one account", func(t *testing.T) {
		var both sync.WaitGroup
		for _, name := range []string{"one", "two"} {
			both.Go(func() { p.put(t, "native/"+name+".ndjson", smsOf("pier_kiosk", name, 500)) })
		}
		both.Wait()
		for _, name := range []string{"one", "two"} {
			if r := p.results(t, "native/"+name+".ndjson", 1)[0]; r.Outcome != "done" || r.Counts.Written != 500 {
				t.Errorf("%s: the result is %+v", name, r)
			}
		}
		records += 1000
		check(t)
	})
	t.Run("a folder that is none", func(t *testing.T) {
		if status := p.put(t, "natives/x.ndjson", smsOf("pier_kiosk", "none", 1)); status != 403 {
			t.Errorf("the upload is answered %d", status)
		}
		p.put(t, "native/deeper/x.ndjson", smsOf("pier_kiosk", "none", 1))
		if r := p.results(t, "native/deeper/x.ndjson", 1)[0]; r.Outcome != "failed" || !strings.Contains(r.Error, "account=ID") {
			t.Errorf("the result is %+v", r)
		}
		p.isPutAside(t, "native/deeper/x.ndjson")
		check(t)
	})
	t.Run("an unknown account in every line", func(t *testing.T) {
		p.put(t, "native/unknown.ndjson", smsOf("nobody_here", "u", 10))
		r := p.results(t, "native/unknown.ndjson", 1)[0]
		if r.Outcome != "rejected" || r.Counts.Rejected != 10 || len(r.Rejected) != 1 {
			t.Fatalf("the result is %+v", r)
		}
		if list := string(p.fetch(t, "/"+r.Rejected[0])); strings.Count(list, "\n") != 10 || strings.Contains(list, "7700") {
			t.Errorf("the list of rejected lines is %s", list)
		}
		check(t)
	})
	t.Run("a gzipped file that was cut short", func(t *testing.T) {
		whole := gzipped(t, smsOf("pier_kiosk", "cut", 300))
		p.put(t, "native/cut.ndjson.gz", whole[:len(whole)-10])
		r := p.results(t, "native/cut.ndjson.gz", 1)[0]
		if r.Outcome != "failed" || r.Error == "" {
			t.Errorf("the result is %+v", r)
		}
		p.isPutAside(t, "native/cut.ndjson.gz")
		p.put(t, "native/cut.ndjson.gz", whole)
		for _, r := range p.results(t, "native/cut.ndjson.gz", 2) {
			if r.Outcome != "failed" && r.Counts.Written != 300 {
				t.Errorf("the whole file's result is %+v", r)
			}
		}
		records += 300
		check(t)
	})
	t.Run("a gzip bomb", func(t *testing.T) {
		if testing.Short() {
			t.Skip("not in make quick: it unpacks 2 GB")
		}
		line := append(bytes.Repeat([]byte(" "), 1<<16-1), '\n')
		const size = 16 << 20 // of a part, which is packed once: that is slow with -race
		part := gzipped(t, bytes.Repeat(line, size/len(line)))
		p.put(t, "native/bomb.ndjson.gz", bytes.Repeat(part, 1+(2<<30)/size))
		if r := p.results(t, "native/bomb.ndjson.gz", 1)[0]; r.Outcome != "failed" || !strings.Contains(r.Error, "more than 2048 MiB") {
			t.Errorf("the result is %+v", r)
		}
		p.isPutAside(t, "native/bomb.ndjson.gz")
		check(t)
	})
}

// isPutAside asks that a file stands under failed/, and no more where it was.
func (p *product) isPutAside(t *testing.T, key string) {
	t.Helper()
	aside := func() bool { return len(p.keys(t, key)) == 0 && len(p.keys(t, "failed/"+key)) == 1 }
	if !eventually(aside) { // the result is written first
		t.Errorf("there are %q and %q", p.keys(t, key), p.keys(t, "failed/"+key))
	}
}
