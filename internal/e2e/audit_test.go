package e2e_test

import (
	"encoding/json"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"partnerview/internal/usage"
)

// logLine is what a function prints about a request.
type logLine struct {
	Msg              string
	Audit            bool
	RequestID        string
	TraceID          string
	Route            string
	PartnerID        string
	KeyID            string
	AccountID        string
	AccountIDs       []string
	Product          string
	Records          int
	Status           int
	Stack            string
	DurationMs       float64
	ConsumedCapacity float64
}

// lines are the JSON lines that a kind of function has printed so far.
func (p *product) lines(t *testing.T, which func(logLine) bool) (found []logLine) {
	t.Helper()
	for text := range strings.Lines(p.Output.String()) {
		_, text, isFunction := strings.Cut(text, "Function | {")
		if !isFunction || !strings.HasSuffix(text, "\n") { // the last may not be there whole
			continue
		}
		var line logLine
		if err := json.Unmarshal([]byte("{"+text), &line); err != nil {
			t.Fatalf("a function prints what is not JSON: %s", text)
		}
		if which(line) {
			found = append(found, line)
		}
	}
	return found
}

// disclosure is an answer with data as its client has it: what the audit must tell.
type disclosure struct {
	request, route, partner string
	accounts, product       string
	records                 int
}

// TestTheAuditIsExactlyWhatClientsWereShown asks for all kinds of things, some of
// them at the same time, and compares the audit lines with the answers that held
// data: none is missing, none is there twice, and each says who saw what of whom.
func TestTheAuditIsExactlyWhatClientsWereShown(t *testing.T) {
	const list, one, page, record = "GET /customers", "GET /customers/{accountId}", "GET /customers/{accountId}/usage/{product}", "GET /customers/{accountId}/usage/{product}/{recordId}"
	const summary, ofOne, logs = "GET /summary", "GET /customers/{accountId}/summary", "GET /customers/{accountId}/usage"
	audited := func() []logLine { return pv.lines(t, func(l logLine) bool { return l.Audit }) }
	before := len(audited())

	var mu sync.Mutex
	want, refused := []disclosure(nil), 0
	ask := func(partner, path, route, account, product string) {
		a := pv.get(t, pv.Key(t, partner), path)
		mu.Lock()
		defer mu.Unlock()
		if a.status != http.StatusOK {
			refused++
			return
		}
		s := disclosure{request: a.header.Get("x-amzn-RequestId"), route: route, partner: partner, accounts: account, product: product, records: 1}
		if route != one && route != record {
			var body struct {
				Data []struct {
					AccountID string
					Key       struct{ Customer string }
				}
				NextCursor string
			}
			if err := json.Unmarshal([]byte(a.body), &body); err != nil {
				t.Error(err)
			}
			s.records = len(body.Data)
			if route == list {
				var accounts []string
				for _, c := range body.Data {
					accounts = append(accounts, c.AccountID)
				}
				s.accounts = strings.Join(accounts, " ")
			}
			if route == summary { // of all, or by customer up to where the page ends
				last := ""
				if n := len(body.Data); n > 0 && body.NextCursor != "" {
					last = body.Data[n-1].Key.Customer
				}
				var accounts []string
				for _, account := range slices.Sorted(maps.Keys(grantsOfSample(t)[partner])) {
					if last == "" || account <= last {
						accounts = append(accounts, account)
					}
				}
				s.accounts = strings.Join(accounts, " ")
			}
		}
		want = append(want, s)
	}
	var requests sync.WaitGroup
	for _, partner := range []string{"northwind", "southbank", "westmarch", "newhaven"} { // one of them suspended
		requests.Go(func() {
			for _, query := range []string{"", "?limit=1", "?search=e&limit=100", "?search=nobody+at+all", "?product=voice", "?limit=0", "?x=1"} {
				ask(partner, "/customers"+query, list, "", "")
			}
			for _, query := range []string{"", "?groupBy=customer&groupBy=product&limit=3&from=2026-10-01&to=2026-12-01", "?groupBy=month&product=voice", "?groupBy=customer", "?limit=0"} {
				ask(partner, "/summary"+query, summary, "", "")
			}
			for _, account := range []string{"mueller_soehne", "harbourline_freight", "pearl&dhow", "no_such_account"} {
				ask(partner, customerPath(account), one, account, "")
				ask(partner, customerPath(account)+"/usage", logs, account, "")
				ask(partner, customerPath(account)+"/summary?groupBy=product&from=2026-10-01&to=2026-12-01", ofOne, account, "")
				ask(partner, customerPath(account)+"/summary?from=2030-01-01&to=2030-02-01", ofOne, account, "")
				ask(partner, customerPath(account)+"/summary?groupBy=customer", ofOne, account, "")
				for _, product := range usage.Products() {
					path := customerPath(account) + "/usage/" + string(product)
					for _, query := range []string{"", "?limit=7&order=asc", "?status=nothing", "?from=2030-01-01", "?limit=501"} {
						ask(partner, path+query, page, account, string(product))
					}
					ask(partner, path+"/no-such-record", record, account, string(product))
				}
			}
		})
	}
	for _, product := range usage.Products() {
		log, partner := middling(t, product)
		var first usagePage
		path := logPath(log)
		a := pv.read(t, pv.Key(t, partner), path+"?limit=2", &first)
		mu.Lock()
		want = append(want, disclosure{a.header.Get("x-amzn-RequestId"), page, partner, string(log.Account), string(product), 2})
		mu.Unlock()
		ask(partner, path+"?limit=2&cursor="+url.QueryEscape(first.NextCursor), page, string(log.Account), string(product))
		ask(partner, path+"/"+first.Data[0].ID, record, string(log.Account), string(product))
	}
	requests.Wait()
	if len(want) < 80 || refused < 80 {
		t.Fatalf("%d answers held data, %d were refused: too few of either to show anything", len(want), refused)
	}

	var got []disclosure
	eventually(func() bool { return len(audited()) >= before+len(want) })
	for _, l := range audited()[before:] {
		got = append(got, disclosure{l.RequestID, l.Route, l.PartnerID, strings.Join(l.AccountIDs, " "), l.Product, l.Records})
		if l.KeyID == "" || l.Stack == "" {
			t.Errorf("an audit line lacks the key or the stack: %+v", l)
		}
	}
	byRequest := func(a, b disclosure) int { return strings.Compare(a.request, b.request) }
	slices.SortFunc(want, byRequest)
	slices.SortFunc(got, byRequest)
	if diff := cmp.Diff(want, got, cmp.AllowUnexported(disclosure{})); diff != "" {
		t.Errorf("what clients were shown (-) and the audit (+) differ:\n%s", diff)
	}
	// A line of another that came too late to be compared would be one too many.
	time.Sleep(300 * time.Millisecond)
	if n := len(audited()) - before; n != len(want) {
		t.Errorf("%d audit lines for %d answers", n, len(want))
	}
}

// The line of a request tells what an operator asks about it first.
func TestTheLogTellsWhatARequestTook(t *testing.T) {
	log, partner := middling(t, usage.SMS)
	var units float64
	var a answer
	for _, s := range pv.Proxy.During(func() { a = pv.get(t, pv.Key(t, partner), logPath(log)+"?limit=100") }) {
		if s.Function == "GetUsageFunction" {
			units += s.Units
		}
	}
	id := a.header.Get("x-amzn-RequestId")
	var found []logLine
	if !eventually(func() bool {
		found = pv.lines(t, func(l logLine) bool { return l.Msg == "request" && l.RequestID == id })
		return len(found) == 1
	}) {
		t.Fatalf("%d lines for request %s", len(found), id)
	}
	line := found[0]
	if line.PartnerID != partner || line.AccountID != string(log.Account) || line.Product != "sms" || line.Records != 100 || line.Status != 200 || line.DurationMs <= 0 || line.TraceID == "" {
		t.Errorf("the line is %+v", line)
	}
	if units == 0 || line.ConsumedCapacity != units {
		t.Errorf("the line says that it consumed %v units, DynamoDB says %v", line.ConsumedCapacity, units)
	}
}
