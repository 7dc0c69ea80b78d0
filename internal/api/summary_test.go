package api_test

import (
	"context"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/shopspring/decimal"
	"pgregory.net/rapid"

	"partnerview/internal/api"
	"partnerview/internal/directory"
	"partnerview/internal/money"
	"partnerview/internal/pricing"
	"partnerview/internal/spreadsheet"
	"partnerview/internal/totals"
	"partnerview/internal/usage"
)

// shelf is a store of totals: days as they were counted, and months that are their sums. It
// fails whoever asks for what the viewer may not see.
type shelf struct {
	canned
	t         testing.TB
	customers []directory.Customer // of the viewer, narrowed to what it may see
	days      map[usage.Log]map[totals.Day]totals.Dated
	months    map[totals.AccountMonth]totals.Monthly // in place of the sums
	states    map[usage.Log]totals.LogState          // in place of what the days tell
	isReady   bool
	most      int // customers of the viewer

	mu         sync.Mutex    // a request reads side by side
	dayReads   []totals.Span // one for each log and call
	monthReads int           // months that were asked for
	logReads   int
}

func newShelf(t testing.TB, customers ...directory.Customer) *shelf {
	return &shelf{t: t, customers: customers, days: map[usage.Log]map[totals.Day]totals.Dated{}, isReady: true,
		months: map[totals.AccountMonth]totals.Monthly{}, states: map[usage.Log]totals.LogState{}}
}

func (s *shelf) put(account usage.AccountID, product usage.Product, day totals.Day, updated string, groups ...group) *shelf {
	log := usage.Log{Account: account, Product: product}
	d := totals.Dated{Log: log, Day: day, Sheet: totals.Sheet{}, UpdatedAt: at(updated)}
	for _, c := range s.customers {
		if c.Account == account {
			d.Zone = c.TimeZone
		}
	}
	for _, g := range groups {
		if g.amount != "" {
			g.Sums.Amount = *dec(g.amount)
		}
		d.Sheet[g.Group] = g.Sums
	}
	if s.days[log] == nil {
		s.days[log] = map[totals.Day]totals.Dated{}
	}
	s.days[log][day] = d
	return s
}

// change alters a day.
func (s *shelf) change(account usage.AccountID, product usage.Product, day totals.Day, to func(*totals.Dated)) {
	log := usage.Log{Account: account, Product: product}
	d := s.days[log][day]
	d.Log, d.Day = log, day
	to(&d)
	s.days[log][day] = d
}

type group struct {
	totals.Group
	totals.Sums
	amount string
}

func (s *shelf) Customer(_ context.Context, account usage.AccountID) (directory.Customer, error) {
	for _, c := range s.customers {
		if c.Account == account {
			return c, nil
		}
	}
	return canned{}.Customer(context.Background(), account)
}

func (s *shelf) EveryCustomer(_ context.Context, _ directory.Identity, q directory.CustomerQuery, _ []totals.Month) (page directory.CustomerPage, _ totals.Spending, isWhole bool, _ error) {
	if max(s.most, len(s.customers)) > q.Limit {
		return page, totals.Spending{}, false, nil
	}
	for _, c := range slices.Backward(s.customers) { // by name, which is not by account
		c.Products = slices.Clone(c.Products)
		page.Customers, page.Keys = append(page.Customers, c), append(page.Keys, string(c.Account))
	}
	return page, totals.Spending{}, true, nil
}

func (s *shelf) isSeen(log usage.Log) {
	for _, c := range s.customers {
		if c.Account == log.Account && slices.Contains(c.Products, log.Product) {
			return
		}
	}
	s.t.Errorf("%s is read, which the viewer may not see", log.Text())
}

func (s *shelf) DayTotals(_ context.Context, logs []usage.Log, from, to totals.Day) (days []totals.Dated, _ error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, log := range logs {
		s.isSeen(log)
		s.dayReads = append(s.dayReads, totals.Span{From: from, To: to})
		for day, d := range s.days[log] {
			if from <= day && day < to {
				days = append(days, d)
			}
		}
	}
	return days, nil
}

func (s *shelf) MonthTotals(_ context.Context, months []totals.AccountMonth) (map[totals.AccountMonth]totals.Monthly, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	found := map[totals.AccountMonth]totals.Monthly{}
	s.monthReads += len(months)
	for _, which := range months {
		if m, exists := s.months[which]; exists {
			found[which] = m
			continue
		}
		for _, product := range usage.Products() { // all of them, seen or not: they are one item
			var days []totals.Dated
			m := found[which]
			for day, d := range s.days[usage.Log{Account: which.Account, Product: product}] {
				if day.Month() == which.Month {
					days = append(days, d)
					m.Stale = m.Stale || d.Stale
					m.Zone = d.Zone
				}
			}
			if len(days) == 0 {
				continue
			}
			if m.Logs == nil {
				m.Logs = map[usage.Product]totals.MonthlyLog{}
			}
			m.Logs[product] = totals.SumMonth(slices.Values(days), now)
			found[which] = m
		}
	}
	return found, nil
}

func (s *shelf) LogTotals(_ context.Context, logs []usage.Log) (states []totals.LogState, _ error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.logReads++
	for _, log := range logs {
		s.isSeen(log)
		state, exists := s.states[log]
		for day, d := range s.days[log] {
			if state.FirstDay == "" || day < state.FirstDay {
				state.FirstDay = day
			}
			state.LastDay = max(state.LastDay, day)
			if d.UpdatedAt.After(state.UpdatedAt) {
				state.UpdatedAt = d.UpdatedAt
			}
			state.Stale = state.Stale || d.Stale
			exists = true
		}
		if state.Log = log; exists {
			states = append(states, state)
		}
	}
	return states, nil
}

func (s *shelf) TotalsReady(context.Context) (bool, error) { return s.isReady, nil }

// summed is a page of a summary.
type summed struct {
	Data []struct {
		Key                                                            map[string]*string
		Records                                                        int64
		Segments, DurationSeconds, ParticipantSeconds, BillableSeconds *int64
		Charged                                                        []struct {
			Currency, Amount string
			Records          int64
		}
		Unrated   int64
		UpdatedAt *string
	}
	Range    struct{ From, To *string }
	TimeZone *string
	Complete bool
	Pending  []struct {
		AccountID, Product, Day string
	}
	PendingCount *int
	AsOf         string
	NextCursor   *string
}

// rows are the page's, a line each: "acme/2026-11-03: 4, 5 segments, EUR 0.162 of 3, 1 unrated".
func (p summed) rows(by []string) string {
	var lines []string
	for _, r := range p.Data {
		var keys []string
		for _, name := range by {
			if v := r.Key[name]; v != nil {
				keys = append(keys, *v)
			} else {
				keys = append(keys, "null")
			}
		}
		line := fmt.Sprintf("%s: %d", strings.Join(keys, "/"), r.Records)
		for _, q := range []struct {
			n    *int64
			name string
		}{{r.Segments, "segments"}, {r.DurationSeconds, "seconds"}, {r.ParticipantSeconds, "of participants"}, {r.BillableSeconds, "billable"}} {
			if q.n != nil {
				line += fmt.Sprintf(", %d %s", *q.n, q.name)
			}
		}
		for _, c := range r.Charged {
			line += fmt.Sprintf(", %s %s of %d", c.Currency, c.Amount, c.Records)
		}
		if r.Unrated > 0 {
			line += fmt.Sprintf(", %d unrated", r.Unrated)
		}
		lines = append(lines, line)
	}
	return strings.Join(lines, "\n")
}

func (p summed) span() string { return deref(p.Range.From) + " " + deref(p.Range.To) }

func deref(s *string) string {
	if s == nil {
		return "null"
	}
	return *s
}

// askSummary asks for a summary at a time, and for whatever holds of each.
func askSummary(t testing.TB, s store, when time.Time, viewer directory.Viewer, target string, accept ...string) *httptest.ResponseRecorder {
	t.Helper()
	e := env()
	e.Now = func() time.Time { return when }
	r := httptest.NewRequest("GET", target, nil)
	r.Header["Accept"] = accept
	w := httptest.NewRecorder()
	api.GetSummary(e, s).ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), viewerKey{}, viewer)))
	if t, isTest := t.(*testing.T); isTest {
		keepsContract(t, r, w)
	}
	return w
}

func summaryAt(t testing.TB, s store, when time.Time, viewer directory.Viewer, target string) (page summed) {
	t.Helper()
	w := askSummary(t, s, when, viewer, target)
	if w.Code != 200 {
		t.Fatalf("GET %s: %d %s", target, w.Code, w.Body)
	}
	must(t, json.Unmarshal(w.Body.Bytes(), &page))
	by := groupsOf(target)
	for _, r := range page.Data {
		sum := r.Unrated
		for i, c := range r.Charged {
			if sum += c.Records; i > 0 && r.Charged[i-1].Currency >= c.Currency {
				t.Errorf("GET %s: the currencies of %v are in no order", target, r)
			}
		}
		if sum != r.Records || len(r.Key) != len(by) || r.UpdatedAt == nil {
			t.Errorf("GET %s by %v: %+v does not add up", target, by, r)
		}
		for _, name := range by {
			if _, exists := r.Key[name]; !exists {
				t.Errorf("GET %s: a key has no %s", target, name)
			}
		}
	}
	if isComplete := page.PendingCount != nil && *page.PendingCount == 0; page.Complete != isComplete ||
		page.PendingCount != nil && len(page.Pending) != min(100, *page.PendingCount) {
		t.Errorf("GET %s is complete: %v, with %v and %d pending", target, page.Complete, page.PendingCount, len(page.Pending))
	}
	return page
}

func groupsOf(target string) []string {
	u, err := url.Parse(target)
	if err != nil {
		panic(err)
	}
	return u.Query()["groupBy"]
}

var (
	acmeRetail = directory.Customer{Account: "acme_retail", Name: "Acme Retail", Products: usage.Products(), Currency: "EUR", TimeZone: "Europe/Berlin"}
	bAndB      = directory.Customer{Account: "b&b", Name: "B&B", Products: []usage.Product{usage.SMS, usage.Voice}, Currency: "USD", TimeZone: "Europe/Berlin"}
	zulu       = directory.Customer{Account: "Zulu", Name: "Aaa", Products: []usage.Product{usage.Voice}, Currency: "EUR", TimeZone: "Europe/Berlin"}
)

// threeCustomers have usage of every kind.
func threeCustomers(t testing.TB) *shelf {
	return newShelf(t, acmeRetail, bAndB, zulu).
		put("acme_retail", usage.SMS, "2026-11-03", "2026-11-04T02:00:00Z",
			group{totals.Group{Direction: "outbound", Status: "delivered", Country: "GB", Price: pricing.Rated, Currency: "EUR"}, totals.Sums{Records: 2, Segments: 3}, "0.162"},
			group{totals.Group{Direction: "outbound", Status: "failed", Price: pricing.Free, Currency: "EUR"}, totals.Sums{Records: 1, Segments: 1}, "0"},
			group{totals.Group{Direction: "outbound", Status: "sent", Country: "DE", Price: pricing.Recorded, Currency: "CHF"}, totals.Sums{Records: 1, Segments: 1}, "0.0412"},
			group{totals.Group{Price: pricing.Unrated}, totals.Sums{Records: 1}, ""}).
		put("acme_retail", usage.Voice, "2026-11-03", "2026-11-04T02:00:01Z",
			group{totals.Group{Direction: "outbound", Status: "completed", Country: "GB", Price: pricing.Rated, Currency: "EUR"}, totals.Sums{Records: 1, DurationSeconds: 61, BillableSeconds: 120}, "0.029"}).
		put("acme_retail", usage.Video, "2026-10-31", "2026-11-01T02:00:00Z",
			group{totals.Group{Status: "completed", Price: pricing.Rated, Currency: "EUR"}, totals.Sums{Records: 1, DurationSeconds: 90, ParticipantSeconds: 250, BillableSeconds: 250}, "0.016667"}).
		put("acme_retail", usage.Messaging, "2026-11-04", "2026-11-05T02:00:00Z",
											group{totals.Group{Direction: "inbound", Status: "received", Channel: "whatsapp", Price: pricing.Unrated}, totals.Sums{Records: 1}, ""},
											group{totals.Group{Direction: "inbound", Status: "received", Channel: "rcs", Price: pricing.Unrated}, totals.Sums{Records: 2}, ""}).
		put("acme_retail", usage.SMS, "2026-11-05", "2026-11-19T02:00:00Z"). // it has lost its last record
		put("acme_retail", usage.SMS, "2025-12-04", "2025-12-05T02:00:00Z",
			group{totals.Group{Direction: "outbound", Price: pricing.Recorded, Currency: "CHF"}, totals.Sums{Records: 1, Segments: 1}, "1"}).
		put("b&b", usage.SMS, "2026-11-03", "2026-11-18T02:00:00Z",
			group{totals.Group{Direction: "outbound", Status: "delivered", Country: "GB", Price: pricing.Rated, Currency: "USD"}, totals.Sums{Records: 1, Segments: 1}, "0.1"}).
		put("Zulu", usage.Voice, "2026-11-20", "2026-11-20T11:00:00Z",
			group{totals.Group{Direction: "inbound", Status: "no_answer", Price: pricing.Free, Currency: "EUR"}, totals.Sums{Records: 2}, ""})
}

// What FORMATS.md, section 5, says of rows: each by an example.
func TestSummariesAsPromised(t *testing.T) {
	const one = "/customers/acme_retail/summary?"
	const october, november = "2026-10-01 2026-11-01", "2026-11-01 2026-11-21"
	for _, c := range []struct{ claim, target, span, want string }{
		{"one row for all, of the running month up to today", "/customers/acme_retail/summary", november, ": 9, 5 segments, 61 seconds, 120 billable, CHF 0.0412 of 1, EUR 0.191 of 4, 4 unrated"},
		{"of all customers", "/summary", november, ": 12, 6 segments, 61 seconds, 120 billable, CHF 0.0412 of 1, EUR 0.191 of 6, USD 0.1 of 1, 4 unrated"},
		{"from is in it, to is not", one + "from=2026-10-31&to=2026-11-03", "2026-10-31 2026-11-03", ": 1, 90 seconds, 250 of participants, 250 billable, EUR 0.016667 of 1"},
		{"a day by itself", one + "from=2026-11-03&to=2026-11-04&groupBy=product", "2026-11-03 2026-11-04", "sms: 5, 5 segments, CHF 0.0412 of 1, EUR 0.162 of 3, 1 unrated\nvoice: 1, 61 seconds, 120 billable, EUR 0.029 of 1"},
		{"from alone goes up to today", one + "from=2026-11-04&groupBy=day", "2026-11-04 2026-11-21", "2026-11-04: 3, 3 unrated"},
		{"from may be in the future", one + "from=2027-01-01", "2027-01-01 2027-01-02", ""},
		{"400 days", one + "from=2025-12-04&to=2027-01-08&groupBy=month", "2025-12-04 2027-01-08", "2025-12: 1, 1 segments, CHF 1 of 1\n2026-10: 1, 90 seconds, 250 of participants, 250 billable, EUR 0.016667 of 1\n2026-11: 9, 5 segments, 61 seconds, 120 billable, CHF 0.0412 of 1, EUR 0.191 of 4, 4 unrated"},
		{"no records: no rows", one + "from=2026-09-01&to=2026-10-01", "2026-09-01 2026-10-01", ""},
		{"a day without records is no row", one + "from=2026-11-05&to=2026-11-06&groupBy=day", "2026-11-05 2026-11-06", ""},
		{"days and products ascending", one + "from=2026-10-31&groupBy=day&groupBy=product", "2026-10-31 2026-11-21",
			"2026-10-31/video: 1, 90 seconds, 250 of participants, 250 billable, EUR 0.016667 of 1\n2026-11-03/sms: 5, 5 segments, CHF 0.0412 of 1, EUR 0.162 of 3, 1 unrated\n" +
				"2026-11-03/voice: 1, 61 seconds, 120 billable, EUR 0.029 of 1\n2026-11-04/messaging: 3, 3 unrated"},
		{"products as they are listed, though sms comes before video by its letters", one + "from=2026-10-31&groupBy=product&groupBy=month", "2026-10-31 2026-11-21",
			"sms/2026-11: 5, 5 segments, CHF 0.0412 of 1, EUR 0.162 of 3, 1 unrated\nvoice/2026-11: 1, 61 seconds, 120 billable, EUR 0.029 of 1\n" +
				"video/2026-10: 1, 90 seconds, 250 of participants, 250 billable, EUR 0.016667 of 1\nmessaging/2026-11: 3, 3 unrated"},
		{"words by their letters, null last", one + "groupBy=direction", november, "inbound: 3, 3 unrated\noutbound: 5, 5 segments, 61 seconds, 120 billable, CHF 0.0412 of 1, EUR 0.191 of 4\nnull: 1, 0 segments, 1 unrated"},
		{"by status", one + "groupBy=status&product=sms", november, "delivered: 2, 3 segments, EUR 0.162 of 2\nfailed: 1, 1 segments, EUR 0 of 1\nsent: 1, 1 segments, CHF 0.0412 of 1\nnull: 1, 0 segments, 1 unrated"},
		{"by country", one + "groupBy=country&product=sms", november, "DE: 1, 1 segments, CHF 0.0412 of 1\nGB: 2, 3 segments, EUR 0.162 of 2\nnull: 2, 1 segments, EUR 0 of 1, 1 unrated"},
		{"by channel", one + "groupBy=channel&product=messaging", november, "rcs: 2, 2 unrated\nwhatsapp: 1, 1 unrated"},
		{"by the price's status", one + "groupBy=priceStatus", november, "free: 1, 1 segments, EUR 0 of 1\nrated: 3, 3 segments, 61 seconds, 120 billable, EUR 0.191 of 3\nrecorded: 1, 1 segments, CHF 0.0412 of 1\nunrated: 4, 0 segments, 4 unrated"},
		{"by three", one + "groupBy=country&groupBy=priceStatus&groupBy=product&product=sms", november,
			"DE/recorded/sms: 1, 1 segments, CHF 0.0412 of 1\nGB/rated/sms: 2, 3 segments, EUR 0.162 of 2\nnull/free/sms: 1, 1 segments, EUR 0 of 1\nnull/unrated/sms: 1, 0 segments, 1 unrated"},
		{"products repeat", one + "product=voice&product=messaging&product=voice", november, ": 4, 61 seconds, 120 billable, EUR 0.029 of 1, 3 unrated"},
		{"customers bytewise", "/summary?groupBy=customer", november,
			"Zulu: 2, 0 seconds, 0 billable, EUR 0 of 2\nacme_retail: 9, 5 segments, 61 seconds, 120 billable, CHF 0.0412 of 1, EUR 0.191 of 4, 4 unrated\nb&b: 1, 1 segments, USD 0.1 of 1"},
		{"a customer without the product is no row", "/summary?groupBy=customer&product=sms", november, "acme_retail: 5, 5 segments, CHF 0.0412 of 1, EUR 0.162 of 3, 1 unrated\nb&b: 1, 1 segments, USD 0.1 of 1"},
		{"customers last", "/summary?groupBy=product&groupBy=customer", november, "sms/acme_retail: 5, 5 segments, CHF 0.0412 of 1, EUR 0.162 of 3, 1 unrated\nsms/b&b: 1, 1 segments, USD 0.1 of 1\n" +
			"voice/Zulu: 2, 0 seconds, 0 billable, EUR 0 of 2\nvoice/acme_retail: 1, 61 seconds, 120 billable, EUR 0.029 of 1\nmessaging/acme_retail: 3, 3 unrated"},
		{"whole months", one + "from=2026-10-01&to=2026-11-01", october, ": 1, 90 seconds, 250 of participants, 250 billable, EUR 0.016667 of 1"},
		{"days that changed, with those that were emptied", one + "groupBy=day&updatedSince=2026-11-05T00:00:00Z", "null null", "2026-11-04: 3, 3 unrated\n2026-11-05: 0"},
		{"in the days that are asked for", one + "groupBy=day&updatedSince=2026-11-05T00:00:00Z&from=2026-11-05&to=2026-11-06", "2026-11-05 2026-11-06", "2026-11-05: 0"},
		{"a changed day of a customer comes whole, and no other's", "/summary?groupBy=customer&groupBy=day&groupBy=product&updatedSince=2026-11-04T02:15:00Z", "null null",
			"Zulu/2026-11-20/voice: 2, 0 seconds, 0 billable, EUR 0 of 2\nacme_retail/2026-11-04/messaging: 3, 3 unrated\nacme_retail/2026-11-05/sms: 0\nb&b/2026-11-03/sms: 1, 1 segments, USD 0.1 of 1"},
		{"a changed day of all customers is of all of them", "/summary?groupBy=day&updatedSince=2026-11-17T00:00:00Z", "null null",
			"2026-11-03: 7, 6 segments, 61 seconds, 120 billable, CHF 0.0412 of 1, EUR 0.191 of 4, USD 0.1 of 1, 1 unrated\n2026-11-05: 0\n2026-11-20: 2, 0 seconds, 0 billable, EUR 0 of 2"},
		{"ten minutes before updatedSince count", "/summary?groupBy=day&updatedSince=2026-11-20T11:10:00Z", "null null", "2026-11-20: 2, 0 seconds, 0 billable, EUR 0 of 2"},
		{"more do not", "/summary?groupBy=day&updatedSince=2026-11-20T11:10:01Z", "null null", ""},
		{"ever since, more than 400 days", one + "groupBy=day&product=sms&updatedSince=0001-01-01T00:00:00Z&from=2020-01-01&to=2030-01-01", "2020-01-01 2030-01-01",
			"2025-12-04: 1, 1 segments, CHF 1 of 1\n2026-11-03: 5, 5 segments, CHF 0.0412 of 1, EUR 0.162 of 3, 1 unrated\n2026-11-05: 0"},
	} {
		t.Run(c.claim, func(t *testing.T) {
			page := summaryAt(t, threeCustomers(t), now, north, c.target)
			if diff := cmp.Diff(c.want, page.rows(groupsOf(c.target))); diff != "" {
				t.Errorf("GET %s: %s", c.target, diff)
			}
			if page.span() != c.span || deref(page.TimeZone) != "Europe/Berlin" || page.AsOf != "2026-11-20T12:00:00.000Z" || !page.Complete {
				t.Errorf("GET %s is of %s in %s as of %s, complete %v; want %s", c.target, page.span(), deref(page.TimeZone), page.AsOf, page.Complete, c.span)
			}
		})
	}
}

// A quantity is null where no record of the row has it, be the product's or not.
func TestASummaryToTheLetter(t *testing.T) {
	w := askSummary(t, threeCustomers(t), now, north, "/customers/acme_retail/summary?groupBy=day&groupBy=channel&from=2026-11-03&to=2026-11-04&product=sms&product=messaging")
	want := `{"data":[{"key":{"day":"2026-11-03","channel":null},"records":5,"segments":5,"durationSeconds":null,"participantSeconds":null,"billableSeconds":null,` +
		`"charged":[{"currency":"CHF","amount":"0.0412","records":1},{"currency":"EUR","amount":"0.162","records":3}],"unrated":1,"updatedAt":"2026-11-04T02:00:00.000Z"}],` +
		`"range":{"from":"2026-11-03","to":"2026-11-04"},"timeZone":"Europe/Berlin","complete":true,"pending":[],"pendingCount":0,"asOf":"2026-11-20T12:00:00.000Z","nextCursor":null}`
	if diff := cmp.Diff(want, w.Body.String()); diff != "" {
		t.Error(diff)
	}
}

// As lines it is the same, a line a currency; what a row has once is in its first line alone.
func TestSummaryLinesToTheLetter(t *testing.T) {
	const header = "customer,day,month,product,direction,status,country,channel,priceStatus,records,segments,durationSeconds,participantSeconds,billableSeconds,currency,amount,chargedRecords,unrated,updatedAt\r\n"
	for _, c := range []struct{ target, file, want string }{
		{"/customers/acme_retail/summary?groupBy=day&groupBy=product", "summary-acme_retail-2026-11-01-2026-11-21.csv", header +
			",2026-11-03,,sms,,,,,,5,5,,,,CHF,0.0412,1,1,2026-11-04T02:00:00.000Z\r\n" +
			",2026-11-03,,sms,,,,,,,,,,,EUR,0.162,3,,2026-11-04T02:00:00.000Z\r\n" +
			",2026-11-03,,voice,,,,,,1,,61,,120,EUR,0.029,1,0,2026-11-04T02:00:01.000Z\r\n" +
			",2026-11-04,,messaging,,,,,,3,,,,,,,,3,2026-11-05T02:00:00.000Z\r\n"},
		{"/summary?groupBy=priceStatus&groupBy=customer&groupBy=month&product=voice", "summary-2026-11-01-2026-11-21.csv", header +
			"Zulu,,2026-11,,,,,,free,2,,0,,0,EUR,0,2,0,2026-11-20T11:00:00.000Z\r\nacme_retail,,2026-11,,,,,,rated,1,,61,,120,EUR,0.029,1,0,2026-11-04T02:00:01.000Z\r\n"},
		{"/customers/acme_retail/summary?groupBy=country&groupBy=direction&groupBy=status&product=sms", "summary-acme_retail-2026-11-01-2026-11-21.csv", header +
			",,,,outbound,sent,DE,,,1,1,,,,CHF,0.0412,1,0,2026-11-04T02:00:00.000Z\r\n,,,,outbound,delivered,GB,,,2,3,,,,EUR,0.162,2,0,2026-11-04T02:00:00.000Z\r\n" +
			",,,,outbound,failed,,,,1,1,,,,EUR,0,1,0,2026-11-04T02:00:00.000Z\r\n,,,,,,,,,1,0,,,,,,,1,2026-11-04T02:00:00.000Z\r\n"},
		{"/summary?groupBy=day&groupBy=channel&product=sms&product=messaging&updatedSince=2026-11-05T00:00:00Z&from=2026-11-04", "summary-2026-11-04.csv", header +
			",2026-11-04,,,,,,rcs,,2,,,,,,,,2,2026-11-05T02:00:00.000Z\r\n,2026-11-04,,,,,,whatsapp,,1,,,,,,,,1,2026-11-05T02:00:00.000Z\r\n,2026-11-05,,,,,,,,0,,,,,,,,0,2026-11-19T02:00:00.000Z\r\n"},
		{"/summary?from=2020-01-01&to=2020-01-02", "summary-2020-01-01-2020-01-02.csv", header},
	} {
		w := askSummary(t, threeCustomers(t), now, north, c.target, "text/csv")
		if diff := cmp.Diff(c.want, w.Body.String()); diff != "" {
			t.Errorf("GET %s: %s", c.target, diff)
		}
		h := w.Header()
		if got := h.Get("Content-Disposition"); got != `attachment; filename="`+c.file+`"` {
			t.Errorf("GET %s is kept as %s", c.target, got)
		}
		if h.Get("Complete") != "true" || h.Get("Pending-Count") != "0" || h.Get("As-Of") != "2026-11-20T12:00:00.000Z" {
			t.Errorf("GET %s has the headers %v", c.target, h)
		}
	}
	s := threeCustomers(t)
	s.change("b&b", usage.SMS, "2026-11-03", func(d *totals.Dated) { d.Stale = true })
	if h := askSummary(t, s, now, north, "/summary", "text/csv").Header(); h.Get("Complete") != "false" || h.Get("Pending-Count") != "1" {
		t.Errorf("of a day that is being counted the headers are %v", h)
	}
	s.isReady = false
	if h := askSummary(t, s, now, north, "/summary", "text/csv").Header(); h.Get("Complete") != "false" || h.Values("Pending-Count") != nil {
		t.Errorf("before totals are ready the headers are %v", h)
	}
	if h := askSummary(t, s, now, north, "/summary").Header(); h.Values("Complete") != nil || h.Values("As-Of") != nil {
		t.Errorf("JSON has the headers %v", h)
	}
}

// sameLines holds the lines of a page against its JSON, and sums over a column against the
// rows: it is in no line twice.
func sameLines(t *rapid.T, w *httptest.ResponseRecorder, page summed, by []string) {
	lines, err := csv.NewReader(w.Body).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	cell := func(line []string, column string) string { return line[slices.Index(lines[0], column)] }
	n := 1
	for _, r := range page.Data {
		for i := range max(1, len(r.Charged)) {
			line := lines[n]
			n++
			for _, name := range lines[0][:9] {
				want := ""
				if slices.Contains(by, name) && r.Key[name] != nil {
					want = *r.Key[name]
				}
				if got := spreadsheet.Unguard(cell(line, name)); got != want {
					t.Fatalf("line %d: %s is %q, want %q", n, name, got, want)
				}
			}
			once := map[string]*int64{"records": &r.Records, "unrated": &r.Unrated, "segments": r.Segments, "durationSeconds": r.DurationSeconds, "participantSeconds": r.ParticipantSeconds, "billableSeconds": r.BillableSeconds}
			for name, v := range once {
				want := ""
				if v != nil && i == 0 {
					want = fmt.Sprint(*v)
				}
				if got := cell(line, name); got != want {
					t.Fatalf("line %d: %s is %q, want %q", n, name, got, want)
				}
			}
			want := []string{"", "", ""}
			if len(r.Charged) > 0 {
				c := r.Charged[i]
				want = []string{c.Currency, c.Amount, fmt.Sprint(c.Records)}
			}
			if got := []string{cell(line, "currency"), cell(line, "amount"), cell(line, "chargedRecords")}; !slices.Equal(got, want) || cell(line, "updatedAt") != *r.UpdatedAt {
				t.Fatalf("line %d: %v is charged, want %v", n, got, want)
			}
		}
	}
	if n != len(lines) {
		t.Fatalf("%d lines too many: %q", len(lines)-n, lines[n:])
	}
	if got := w.Header().Get("Complete"); got != fmt.Sprint(page.Complete) || w.Header().Get("As-Of") != page.AsOf || (w.Header().Get("Link") != "") != (page.NextCursor != nil) {
		t.Fatalf("complete %v as of %s has the headers %v", page.Complete, page.AsOf, w.Header())
	}
}

func TestBadParametersOfSummariesAreNamedEach(t *testing.T) {
	for target, parameters := range map[string][]string{
		"/summary?to=2026-11-03":                                               {"to"},
		"/summary?from=2026-11-03&to=2026-11-03":                               {"to"},
		"/summary?from=2026-11-04&to=2026-11-03":                               {"to"},
		"/summary?from=2026-11-03T00:00:00Z":                                   {"from"},
		"/summary?from=2026-02-29":                                             {"from"},
		"/summary?from=0000-12-31":                                             {"from"},
		"/summary?from=2026-11-03&to=9999-12-31":                               {"to"},
		"/summary?from=2025-01-01&to=2026-02-06":                               {"from"}, // 401 days
		"/summary?from=2025-10-16":                                             {"from"}, // 401 up to today
		"/summary?groupBy=weather":                                             {"groupBy"},
		"/summary?groupBy=Day":                                                 {"groupBy"},
		"/summary?groupBy=day&groupBy=day":                                     {"groupBy"},
		"/summary?groupBy=day&groupBy=month":                                   {"groupBy"},
		"/summary?groupBy=customer&groupBy=day&groupBy=product&groupBy=status": {"groupBy"},
		"/customers/acme_retail/summary?groupBy=customer":                      {"groupBy"},
		"/summary?product=fax":                                                 {"product"},
		"/summary?updatedSince=2026-11-03T00:00:00Z":                           {"updatedSince"},
		"/summary?updatedSince=2026-11-03T00:00:00Z&groupBy=month":             {"updatedSince"},
		"/summary?updatedSince=2026-11-03&groupBy=day":                         {"updatedSince"},
		"/summary?limit=0":                                                     {"limit"},
		"/summary?limit=1001":                                                  {"limit"},
		"/summary?cursor=AAAA":                                                 {"cursor"},
		"/summary?order=asc":                                                   {"order"},
		"/summary?to=x&from=y&limit=z&groupBy=w&product=v&updatedSince=u":      {"from", "groupBy", "limit", "product", "to", "updatedSince", "updatedSince"}, // is no time, and lacks groupBy=day
	} {
		t.Run(target, func(t *testing.T) {
			s := threeCustomers(t)
			wantProblem(t, askSummary(t, s, now, north, target), 400, "invalid_parameter", parameters...)
			if len(s.dayReads)+s.monthReads+s.logReads > 0 {
				t.Error("totals are read for it")
			}
		})
	}
}

// A day begins and ends with its customer's. Over customers of several zones, the days that
// are asked for without saying so are such that today is over nowhere.
func TestTheRunningMonthIsTheCustomers(t *testing.T) {
	turn := at("2026-11-30T23:30:00Z")
	for _, c := range []struct {
		when  time.Time
		zones []directory.TimeZone
		want  string
	}{
		{turn, []directory.TimeZone{""}, "2026-11-01 2026-12-01 UTC"},
		{turn, []directory.TimeZone{"UTC"}, "2026-11-01 2026-12-01 UTC"},
		{turn, []directory.TimeZone{"Europe/Berlin"}, "2026-12-01 2026-12-02 Europe/Berlin"},
		{turn, []directory.TimeZone{"America/New_York"}, "2026-11-01 2026-12-01 America/New_York"},
		{turn, []directory.TimeZone{"Pacific/Kiritimati"}, "2026-12-01 2026-12-02 Pacific/Kiritimati"},
		{turn, []directory.TimeZone{"Asia/Tokyo", "Asia/Tokyo"}, "2026-12-01 2026-12-02 Asia/Tokyo"},
		{turn, []directory.TimeZone{"Asia/Tokyo", "Pacific/Pago_Pago"}, "2026-11-01 2026-12-02 null"},
		{turn, []directory.TimeZone{"", "Etc/UTC"}, "2026-11-01 2026-12-02 null"},
		{turn, nil, "2026-11-01 2026-12-02 null"},
		{at("2026-12-01T08:00:00Z"), []directory.TimeZone{"America/Los_Angeles"}, "2026-12-01 2026-12-02 America/Los_Angeles"},
		{at("2026-12-01T07:59:59Z"), []directory.TimeZone{"America/Los_Angeles"}, "2026-11-01 2026-12-01 America/Los_Angeles"},
	} {
		s := newShelf(t)
		for i, zone := range c.zones {
			one := acmeRetail
			one.Account, one.TimeZone = usage.AccountID(fmt.Sprintf("acc-%d", i)), zone
			s.customers = append(s.customers, one)
		}
		targets := []string{"/summary"}
		if len(c.zones) == 1 {
			targets = append(targets, "/customers/acc-0/summary")
		}
		for _, target := range targets {
			viewer := north
			viewer.Account = "acc-0"
			page := summaryAt(t, s, c.when, viewer, target)
			if got := page.span() + " " + deref(page.TimeZone); got != c.want {
				t.Errorf("at %v, %s of customers in %q is of %s, want %s", c.when, target, c.zones, got, c.want)
			}
		}
	}
	s := threeCustomers(t)
	s.customers[0].TimeZone = "Europe/Nowhere"
	wantProblem(t, askSummary(t, s, now, north, "/summary"), 500, "internal")
}

// The pages of a summary belong together: the first says of which days they are, and as of
// when, whatever the clock says at the last.
func TestACursorKeepsTheRangeAndAsOf(t *testing.T) {
	s := threeCustomers(t)
	for _, target := range []string{"/summary?groupBy=customer&limit=1", "/summary?groupBy=customer&groupBy=day&limit=1&updatedSince=2026-11-01T00:00:00Z"} {
		first := summaryAt(t, s, now, north, target)
		later := now.AddDate(0, 2, 0)
		second := summaryAt(t, s, later, north, target+"&cursor="+*first.NextCursor)
		if first.span() != second.span() || first.AsOf != second.AsOf || second.AsOf != "2026-11-20T12:00:00.000Z" {
			t.Errorf("%s is of %s as of %s, its second page of %s as of %s", target, first.span(), first.AsOf, second.span(), second.AsOf)
		}
		for _, other := range []string{strings.Replace(target, "groupBy=customer", "groupBy=product", 1), target + "&product=sms", strings.Replace(target, "/summary", "/customers/acme_retail/summary", 1)} {
			if strings.Contains(other, "acme_retail") {
				other = strings.Replace(other, "groupBy=customer", "groupBy=product", 1)
			}
			wantProblem(t, askSummary(t, s, later, north, other+"&cursor="+*first.NextCursor), 400, "invalid_parameter", "cursor")
		}
	}
	// Whoever makes a cursor gets no further with it than by asking.
	filters := url.Values{"groupBy": {"customer"}}
	for _, key := range []string{"", "x", "2026-11-20T12:00:00.000Z\x002026-11-01\x002026-11-21", "2026-11-20T12:00:00.000Z\x002026-11-01\x002026-11-21\x00a\x00b", "yesterday\x002026-11-01\x002026-11-21\x00a",
		"2026-11-20T12:00:00.000Z\x002026-11-21\x002026-11-01\x00a", "2026-11-20T12:00:00.000Z\x002020-11-01\x002026-11-21\x00a", "2026-11-20T12:00:00.000Z\x00\x00\x00a", "2026-11-20T12:00:00.000Z\x002026-11-xx\x002026-11-21\x00a"} {
		target := "/summary?groupBy=customer&cursor=" + api.Seal("/summary", filters, key)
		wantProblem(t, askSummary(t, s, now, north, target), 400, "invalid_parameter", "cursor")
	}
	sealed := api.Seal("/summary", filters, "2026-11-20T12:00:00.000Z\x002026-11-01\x002026-11-21\x00acme_retail")
	if page := summaryAt(t, s, now, north, "/summary?groupBy=customer&cursor="+sealed); page.rows([]string{"customer"}) != "b&b: 1, 1 segments, USD 0.1 of 1" {
		t.Errorf("the page behind a customer is %+v", page)
	}
}

func TestASummaryHasLimits(t *testing.T) {
	many := func(n int, products ...usage.Product) *shelf {
		s := newShelf(t)
		for i := range n {
			s.customers = append(s.customers, directory.Customer{Account: usage.AccountID(fmt.Sprintf("acc-%04d", i)), Products: products, TimeZone: "Europe/Berlin"})
		}
		return s
	}
	all := usage.Products()
	for _, c := range []struct {
		claim, target string
		s             *shelf
		refused       string // the parameter that is to blame
	}{
		{"2,000 customers", "/summary?groupBy=customer", many(2000, all...), ""},
		{"2,001 customers", "/summary?groupBy=customer", many(2001, all...), "query"},
		{"60,000 days", "/summary?groupBy=day&from=2026-09-01&to=2026-10-01", many(500, all...), ""},
		{"more by two customers", "/summary?groupBy=day&from=2026-09-01&to=2026-10-01", many(501, all...), "groupBy"},
		{"more by a day", "/summary?groupBy=day&from=2026-09-01&to=2026-10-02", many(500, all...), "groupBy"},
		{"products that they do not have do not count", "/summary?groupBy=day&from=2026-09-01&to=2026-10-01", many(2000, usage.SMS), ""},
		{"products that are not asked for do not count", "/summary?groupBy=day&from=2026-09-01&to=2026-10-01&product=sms", many(2000, all...), ""},
		{"whole months do not count", "/summary?groupBy=customer&groupBy=month&groupBy=product&from=2026-01-01&to=2026-11-01", many(2000, all...), ""},
		{"nor does the running month", "/summary?groupBy=priceStatus", many(2000, all...), ""},
		{"days before whole months do", "/summary?groupBy=month&from=2026-09-16&to=2026-11-01", many(1001, all...), "groupBy"},
		{"days behind them do", "/summary?groupBy=month&from=2026-09-01&to=2026-10-16", many(1001, all...), "groupBy"},
		{"days of a part of a month do", "/summary?from=2026-09-02&to=2026-09-30", many(600, all...), "groupBy"},
		{"what is unchanged does not count", "/summary?groupBy=customer&groupBy=day&updatedSince=2026-11-01T00:00:00Z", many(2000, all...), ""},
	} {
		t.Run(c.claim, func(t *testing.T) {
			c.s.t = t
			w := askSummary(t, c.s, now, north, c.target)
			if c.refused == "" && w.Code != 200 {
				t.Errorf("GET %s: %d %s", c.target, w.Code, w.Body)
			}
			if c.refused != "" {
				wantProblem(t, w, 400, "invalid_parameter", c.refused)
			}
			if c.refused != "" && len(c.s.dayReads)+c.s.monthReads > 0 {
				t.Error("it is refused when it has been read")
			}
		})
	}
}

// Whole months are read as months: one item each, and no day. What a month cannot tell is
// read of its days.
func TestWholeMonthsAreReadAsMonths(t *testing.T) {
	november := totals.AccountMonth{Account: "acme_retail", Month: "2026-11"}
	const one = "/customers/acme_retail/summary?from=2026-10-01&to=2026-12-01&groupBy=month&groupBy=product"
	const want = "2026-10/video: 1, 90 seconds, 250 of participants, 250 billable, EUR 0.016667 of 1\n2026-11/sms: 5, 5 segments, CHF 0.0412 of 1, EUR 0.162 of 3, 1 unrated\n" +
		"2026-11/voice: 1, 61 seconds, 120 billable, EUR 0.029 of 1\n2026-11/messaging: 3, 3 unrated"
	retained := at("2027-12-01T00:00:00Z")
	for _, c := range []struct {
		claim, target string
		change        func(*shelf)
		months        int
		days          string // the spans that are read, of each log
		want          string // empty: want
		pending       string // product and day
	}{
		{"two months", one, func(*shelf) {}, 2, "", "", ""},
		{"the running month up to today is one too", "/customers/acme_retail/summary?groupBy=product", func(*shelf) {}, 1, "", strings.ReplaceAll(want[strings.Index(want, "2026-11"):], "2026-11/", ""), ""},
		{"days before it are days", strings.Replace(one, "10-01", "09-28", 1), func(*shelf) {}, 2, "2026-09-28–2026-10-01 4", "", ""},
		{"days behind it are days", strings.Replace(strings.Replace(one, "10-01", "09-01", 1), "12-01", "11-04", 1), func(*shelf) {}, 2, "2026-11-01–2026-11-04 4",
			strings.ReplaceAll(want, "\n2026-11/messaging: 3, 3 unrated", ""), ""},
		{"what is counted by no month is days", strings.Replace(one, "product", "country", 1), func(*shelf) {}, 0, "2026-10-01–2026-12-01 4",
			"2026-10/null: 1, 90 seconds, 250 of participants, 250 billable, EUR 0.016667 of 1\n2026-11/DE: 1, 1 segments, CHF 0.0412 of 1\n" +
				"2026-11/GB: 3, 3 segments, 61 seconds, 120 billable, EUR 0.191 of 3\n2026-11/null: 5, 1 segments, EUR 0 of 1, 4 unrated", ""},
		{"one that is being counted is read of its days, which are named", one, func(s *shelf) {
			s.change("acme_retail", usage.Voice, "2026-11-03", func(d *totals.Dated) { d.Stale = true })
		}, 2, "2026-11-01–2026-12-01 4", "", "voice 2026-11-03"},
		{"a day that was opened and not counted yet has no row", one, func(s *shelf) {
			s.days[usage.Log{Account: "acme_retail", Product: usage.SMS}]["2026-11-09"] = totals.Dated{Log: usage.Log{Account: "acme_retail", Product: usage.SMS}, Day: "2026-11-09", Zone: "Europe/Berlin", Stale: true}
		}, 2, "2026-11-01–2026-12-01 4", "", "sms 2026-11-09"},
		{"one that is marked though none of its days is, is exact", one, func(s *shelf) { s.months[november] = totals.Monthly{Zone: "Europe/Berlin", Stale: true} }, 2, "2026-11-01–2026-12-01 4", "", ""},
		{"one of another zone", one, func(s *shelf) { s.months[november] = totals.Monthly{Zone: "UTC"} }, 2, "2026-11-01–2026-12-01 4", "", ""},
		{"days past their retention are no rows", one, func(s *shelf) {
			for product, ends := range map[usage.Product]time.Time{usage.SMS: now, usage.Voice: now.Add(time.Second)} {
				s.change("acme_retail", product, "2026-11-03", func(d *totals.Dated) { d.ExpiresAt = ends })
			}
			log := totals.MonthlyLog{LastDay: "2026-11-03", ExpiresAt: now}
			s.months[november] = totals.Monthly{Zone: "Europe/Berlin", Logs: map[usage.Product]totals.MonthlyLog{usage.SMS: log}}
		}, 2, "2026-11-01–2026-12-01 4", strings.ReplaceAll(want, "2026-11/sms: 5, 5 segments, CHF 0.0412 of 1, EUR 0.162 of 3, 1 unrated\n", ""), ""},
		{"what is retained long enough counts", one, func(s *shelf) {
			s.change("acme_retail", usage.SMS, "2026-11-03", func(d *totals.Dated) { d.ExpiresAt = retained })
		}, 2, "", "", ""},
		{"a running month with records of the future", "/customers/acme_retail/summary?groupBy=product", func(s *shelf) {
			s.put("acme_retail", usage.Voice, "2026-11-28", "2026-11-20T10:00:00Z", group{totals.Group{Price: pricing.Unrated}, totals.Sums{Records: 7}, ""})
		}, 1, "2026-11-01–2026-11-21 4", strings.ReplaceAll(want[strings.Index(want, "2026-11"):], "2026-11/", ""), ""},
	} {
		t.Run(c.claim, func(t *testing.T) {
			s := threeCustomers(t)
			c.change(s)
			page := summaryAt(t, s, now, north, c.target)
			if c.want == "" {
				c.want = want
			}
			if diff := cmp.Diff(c.want, page.rows(groupsOf(c.target))); diff != "" {
				t.Error(diff)
			}
			spans := map[string]int{}
			for _, span := range s.dayReads {
				spans[string(span.From+"–"+span.To)]++
			}
			var read []string
			for span, n := range spans {
				read = append(read, fmt.Sprint(span, " ", n))
			}
			if got := strings.Join(read, ", "); got != c.days || s.monthReads != c.months {
				t.Errorf("it reads %d months and the days %s; want %d and %s", s.monthReads, got, c.months, c.days)
			}
			var pending []string
			for _, p := range page.Pending {
				pending = append(pending, p.Product+" "+p.Day)
			}
			if got := strings.Join(pending, ", "); got != c.pending {
				t.Errorf("pending is %s, want %s", got, c.pending)
			}
		})
	}
}

// A hidden product has its sums in the same item of a month, and its own marks there.
func TestASummaryTellsNothingOfHiddenProducts(t *testing.T) {
	hidden := func(t *testing.T) *shelf {
		s := threeCustomers(t)
		// The store has what the viewer may see; the item of the month has all.
		s.customers = []directory.Customer{acmeRetail, zulu}
		s.customers[0].Products = []usage.Product{usage.Voice}
		return s
	}
	const want = "2026-11: 1, 61 seconds, 120 billable, EUR 0.029 of 1"
	for _, c := range []struct{ target, want string }{
		{"/customers/acme_retail/summary?groupBy=month", want},
		{"/customers/acme_retail/summary?groupBy=month&from=2026-10-01&to=2026-12-01", want},
		{"/customers/acme_retail/summary?groupBy=month&groupBy=product&product=sms&product=voice", strings.Replace(want, ":", "/voice:", 1)},
		{"/customers/acme_retail/summary?product=sms", ""},
		{"/customers/acme_retail/summary?groupBy=country&product=sms", ""},
		{"/customers/acme_retail/summary?groupBy=day&product=messaging&updatedSince=2020-01-01T00:00:00Z", ""},
		{"/customers/acme_retail/summary?groupBy=day&updatedSince=2026-11-19T00:00:00Z", ""}, // SMS was emptied then
		{"/customers/acme_retail/summary?groupBy=day&groupBy=status", "2026-11-03/completed: 1, 61 seconds, 120 billable, EUR 0.029 of 1"},
		{"/summary?groupBy=customer", "Zulu: 2, 0 seconds, 0 billable, EUR 0 of 2\nacme_retail: 1, 61 seconds, 120 billable, EUR 0.029 of 1"},
		{"/summary?groupBy=priceStatus", "free: 2, 0 seconds, 0 billable, EUR 0 of 2\nrated: 1, 61 seconds, 120 billable, EUR 0.029 of 1"},
	} {
		s := hidden(t)
		page := summaryAt(t, s, now, narrow, c.target)
		if diff := cmp.Diff(c.want, page.rows(groupsOf(c.target))); diff != "" || !page.Complete {
			t.Errorf("GET %s, complete %v: %s", c.target, page.Complete, diff)
		}
		if strings.Contains(c.target, "month") && *page.Data[0].UpdatedAt != "2026-11-04T02:00:01.000Z" {
			t.Errorf("GET %s tells when others changed: %s", c.target, *page.Data[0].UpdatedAt)
		}
		// That a hidden product is being counted makes the same answer.
		s = hidden(t)
		s.change("acme_retail", usage.SMS, "2026-11-03", func(d *totals.Dated) { d.Stale = true })
		if diff := cmp.Diff(page, summaryAt(t, s, now, narrow, c.target)); diff != "" {
			t.Errorf("GET %s tells that a hidden product is being counted: %s", c.target, diff)
		}
	}
	// Nor does the end of its retention make the store read more.
	s := hidden(t)
	s.change("acme_retail", usage.SMS, "2026-11-03", func(d *totals.Dated) { d.ExpiresAt = now.Add(-1) })
	s.put("acme_retail", usage.SMS, "2026-11-29", "2026-11-04T02:00:00Z", group{totals.Group{Price: pricing.Unrated}, totals.Sums{Records: 1}, ""})
	if page := summaryAt(t, s, now, narrow, "/customers/acme_retail/summary?groupBy=month"); page.rows([]string{"month"}) != want || len(s.dayReads) > 0 {
		t.Errorf("for a hidden product's sake the days %v are read", s.dayReads)
	}
	// Not even the viewer's own rights of a minute ago count where the customer has lost the product.
	s = threeCustomers(t)
	s.customers[0].Products = []usage.Product{usage.Voice}
	if page := summaryAt(t, s, now, north, "/customers/acme_retail/summary?groupBy=product"); page.rows([]string{"product"}) != "voice: 1, 61 seconds, 120 billable, EUR 0.029 of 1" {
		t.Errorf("a product that was taken away is shown: %+v", page.Data)
	}
	none := directory.Viewer{Identity: northwind, Account: "acme_retail"}
	if page := summaryAt(t, newShelf(t, directory.Customer{Account: "acme_retail"}), now, none, "/customers/acme_retail/summary"); len(page.Data) != 0 || !page.Complete {
		t.Errorf("who may see no product is shown %+v", page)
	}
	for _, path := range []string{"/summary", "/usage"} {
		wantProblem(t, ask(t, untouchable{}, north, "/customers/other"+path), 404, "customer_not_found")
		wantProblem(t, ask(t, untouchable{}, directory.Viewer{Identity: northwind}, "/customers/acme_retail"+path), 404, "customer_not_found")
		wantProblem(t, ask(t, untouchable{}, nil, "/customers/acme_retail"+path), 500, "internal")
	}
	wantProblem(t, ask(t, untouchable{}, nil, "/summary"), 500, "internal")
	wantProblem(t, ask(t, untouchable{}, directory.Viewer{}, "/summary"), 500, "internal")
	wantProblem(t, ask(t, acme(t), directory.Viewer{Identity: northwind, Account: "gone"}, "/customers/gone/summary"), 404, "customer_not_found")
}

// What is being counted is named, of the page's rows alone, and a hundred of them.
func TestPendingDaysAreNamed(t *testing.T) {
	s := newShelf(t, acmeRetail, bAndB)
	for i := range 150 {
		for _, account := range []usage.AccountID{"acme_retail", "b&b"} {
			s.put(account, usage.SMS, totals.Day("2026-05-01").Add(i), "2026-11-01T00:00:00Z", group{totals.Group{Price: pricing.Unrated}, totals.Sums{Records: 1}, ""})
			s.change(account, usage.SMS, totals.Day("2026-05-01").Add(i), func(d *totals.Dated) { d.Stale = true })
		}
	}
	for target, want := range map[string]int{
		"/summary?from=2026-05-01&to=2026-11-01&groupBy=day":                                   200 + 100, // 200 rows, but there are 150 days
		"/summary?from=2026-05-01&to=2026-11-01&groupBy=day&limit=20":                          40,
		"/summary?from=2026-05-01&to=2026-11-01&groupBy=customer&limit=1":                      150,
		"/summary?from=2026-05-01&to=2026-06-01":                                               62,
		"/summary?from=2026-05-01&to=2026-05-03&groupBy=status":                                4,
		"/customers/acme_retail/summary?from=2026-05-01&to=2026-11-01&limit=1":                 150,
		"/customers/acme_retail/summary?from=2026-01-01&to=2026-05-01":                         0,
		"/summary?groupBy=day&updatedSince=2026-10-01T00:00:00Z&from=2026-09-20&to=2026-10-01": 2 * 8,
	} {
		page := summaryAt(t, s, now, north, target)
		if *page.PendingCount != want {
			t.Errorf("GET %s: %d are pending, want %d", target, *page.PendingCount, want)
		}
		if !slices.IsSortedFunc(page.Pending, func(a, b struct{ AccountID, Product, Day string }) int {
			return strings.Compare(a.AccountID+a.Day, b.AccountID+b.Day)
		}) {
			t.Errorf("GET %s: pending has no order", target)
		}
	}
}

// A day that was opened and never counted has nothing to tell, and is pending all the same.
func TestADayThatWasNeverCountedIsNoRow(t *testing.T) {
	s := threeCustomers(t)
	log := usage.Log{Account: "Zulu", Product: usage.Voice}
	s.put("Zulu", usage.Voice, "2026-11-19", "2026-11-20T11:00:00Z")
	s.customers[2].Products = []usage.Product{usage.Voice, usage.Video}
	s.days[usage.Log{Account: "Zulu", Product: usage.Video}] = map[totals.Day]totals.Dated{}
	s.change("Zulu", usage.Video, "2026-11-20", func(d *totals.Dated) { d.Zone, d.Stale = "Europe/Berlin", true })
	page := summaryAt(t, s, now, north, "/summary?groupBy=customer&groupBy=day&groupBy=product&updatedSince=2026-11-20T11:00:00Z")
	if got, want := page.rows(groupsOf("/summary?groupBy=customer&groupBy=day&groupBy=product")), "Zulu/2026-11-19/voice: 0\nZulu/2026-11-20/voice: 2, 0 seconds, 0 billable, EUR 0 of 2"; got != want || *page.PendingCount != 1 {
		t.Errorf("%s: the rows are\n%s, want\n%s, and %d are pending", log.Text(), got, want, *page.PendingCount)
	}
}

// Until all that there was is counted, nobody knows what is yet to be.
func TestBeforeTheTotalsAreReadyNothingIsComplete(t *testing.T) {
	for _, target := range []string{"/summary", "/summary?groupBy=customer&groupBy=country", "/customers/acme_retail/summary?groupBy=day&updatedSince=2026-01-01T00:00:00Z", "/summary?from=2020-01-01&to=2020-02-01"} {
		s := threeCustomers(t)
		s.isReady = false
		page := summaryAt(t, s, now, north, target)
		if page.Complete || page.PendingCount != nil {
			t.Errorf("GET %s is complete %v, pending %v", target, page.Complete, page.PendingCount)
		}
		s.isReady = true
		if page := summaryAt(t, s, now, north, target); !page.Complete || *page.PendingCount != 0 {
			t.Errorf("GET %s of counted totals is complete %v, pending %v", target, page.Complete, page.PendingCount)
		}
	}
	// More months than can be looked at are told as they were counted, and not as complete.
	s := newShelf(t)
	for i := range 1000 {
		s.customers = append(s.customers, directory.Customer{Account: usage.AccountID(fmt.Sprintf("acc-%04d", i)), Products: usage.Products()})
		s.months[totals.AccountMonth{Account: s.customers[i].Account, Month: "2026-10"}] = totals.Monthly{Stale: true,
			Logs: map[usage.Product]totals.MonthlyLog{usage.SMS: {Sheet: totals.Sheet{{Price: pricing.Unrated}: {Records: 1}}, LastDay: "2026-10-01", UpdatedAt: now}}}
	}
	page := summaryAt(t, s, now, north, "/summary?from=2026-10-01&to=2026-11-01")
	if len(s.dayReads) > 60_000/31 || page.Complete || page.PendingCount != nil || len(page.Data) != 1 || page.Data[0].Records != 1000-60_000/31/4 {
		t.Errorf("of a thousand months that are being counted %d logs are read, complete %v: %+v", len(s.dayReads), page.Complete, page.Data)
	}
}

// However a summary is paged, its rows are those of one page, which are the sums of the days.
func TestPagesHaveTheRowsOfOnePage(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		customers := []directory.Customer{acmeRetail, bAndB, zulu}
		s := newShelf(t, customers...)
		words := func(name string, of ...string) string { return rapid.SampledFrom(of).Draw(rt, name) }
		for range rapid.IntRange(0, 40).Draw(rt, "days") {
			c := rapid.SampledFrom(customers).Draw(rt, "customer")
			day := totals.Day("2026-09-28").Add(rapid.IntRange(0, 50).Draw(rt, "day"))
			var groups []group
			for range rapid.IntRange(0, 4).Draw(rt, "groups") {
				g := group{totals.Group{Direction: usage.Direction(words("direction", "", "inbound", "outbound")), Status: usage.Status(words("status", "", "failed", "sent")),
					Country: usage.Country(words("country", "", "DE", "GB")), Price: pricing.Unrated}, totals.Sums{Records: rapid.Int64Range(1, 3).Draw(rt, "records")}, ""}
				if rapid.Bool().Draw(rt, "priced") {
					g.Price, g.Currency = pricing.Rated, money.Currency(words("currency", "EUR", "USD"))
					g.Amount = decimal.New(rapid.Int64Range(0, 1000).Draw(rt, "amount"), -3)
				}
				groups = append(groups, g)
			}
			product := rapid.SampledFrom(c.Products).Draw(rt, "product")
			s.put(c.Account, product, day, "2026-11-19T00:00:00Z", groups...)
			if rapid.IntRange(0, 9).Draw(rt, "stale") == 0 {
				s.change(c.Account, product, day, func(d *totals.Dated) { d.Stale = true })
			}
		}
		dimensions := []string{"customer", "day", "product", "direction", "status", "country", "priceStatus"}
		if rapid.Bool().Draw(rt, "by months") {
			dimensions = []string{"customer", "month", "product", "priceStatus"}
		}
		dimensions = rapid.Permutation(dimensions).Draw(rt, "dimensions")[:rapid.IntRange(0, 3).Draw(rt, "groups")]
		query := "/summary?from=2026-10-01&to=2026-11-20"
		var by []totals.Dimension
		for _, d := range dimensions {
			query += "&groupBy=" + d
			by = append(by, totals.Dimension(d))
		}
		if changes := slices.Contains(dimensions, "day") && rapid.Bool().Draw(rt, "changes"); changes {
			query += "&updatedSince=2026-11-01T00:00:00Z"
		}
		whole := summaryAt(t, s, now, north, query+"&limit=1000")
		if !strings.Contains(query, "updatedSince") {
			var sheets []totals.Dated
			for _, days := range s.days {
				for day, d := range days {
					if "2026-10-01" <= day && day < "2026-11-20" {
						sheets = append(sheets, d)
					}
				}
			}
			var keys []string
			for _, r := range totals.Rows(sheets, by, false) {
				keys = append(keys, fmt.Sprint(strings.Join(r.Key[:len(by)], "/"), " ", r.Sums.Records))
			}
			var got []string
			for _, r := range whole.Data {
				var values []string
				for _, d := range dimensions {
					value := ""
					if r.Key[d] != nil {
						value = *r.Key[d]
					}
					values = append(values, value)
				}
				got = append(got, fmt.Sprint(strings.Join(values, "/"), " ", r.Records))
			}
			if diff := cmp.Diff(keys, got); diff != "" {
				rt.Fatalf("%s is not the sum of its days: %s", query, diff)
			}
		}
		limit := rapid.IntRange(1, 5).Draw(rt, "limit")
		var paged summed
		pending := map[string]bool{}
		for cursor, pages := "", 0; ; pages++ {
			target := fmt.Sprintf("%s&limit=%d", query, limit)
			if cursor != "" {
				target += "&cursor=" + cursor
			}
			page := summaryAt(t, s, now.Add(time.Duration(pages)*time.Hour), north, target)
			paged.Data = append(paged.Data, page.Data...)
			sameLines(rt, askSummary(t, s, now.Add(time.Duration(pages)*time.Hour), north, target, "text/csv"), page, dimensions)
			for _, p := range page.Pending {
				pending[fmt.Sprint(p)] = true
			}
			if page.NextCursor == nil {
				break
			}
			if len(page.Data) != limit || pages > 1000 {
				rt.Fatalf("%s has %d rows and goes on", target, len(page.Data))
			}
			cursor = *page.NextCursor
		}
		if diff := cmp.Diff(whole.rows(dimensions), paged.rows(dimensions)); diff != "" {
			rt.Fatalf("%s by %d: %s", query, limit, diff)
		}
		for _, p := range whole.Pending {
			if !pending[fmt.Sprint(p)] {
				rt.Fatalf("%s by %d: %v is pending on no page", query, limit, p)
			}
		}
	})
}

// A page of rows by customer reads no more customers than it shows, or little more.
func TestAPageByCustomerReadsNoFurther(t *testing.T) {
	s := newShelf(t)
	for i := range 200 {
		account := usage.AccountID(fmt.Sprintf("acc-%04d", i))
		s.customers = append(s.customers, directory.Customer{Account: account, Products: []usage.Product{usage.SMS}})
		s.put(account, usage.SMS, "2026-11-03", "2026-11-04T00:00:00Z", group{totals.Group{Price: pricing.Unrated}, totals.Sums{Records: 1}, ""})
	}
	summaryAt(t, s, now, north, "/summary?groupBy=customer&limit=10")
	if s.monthReads != 11 {
		t.Errorf("a page of 10 customers reads %d months", s.monthReads)
	}
	summaryAt(t, s, now, north, "/summary?groupBy=customer&groupBy=day&limit=10")
	if len(s.dayReads) > 15 {
		t.Errorf("a page of 10 days reads %d logs", len(s.dayReads))
	}
}
