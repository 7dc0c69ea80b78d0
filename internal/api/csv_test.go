package api_test

import (
	"context"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"partnerview/internal/api"
	"partnerview/internal/dev/sample"
	"partnerview/internal/directory"
	"partnerview/internal/masking"
	"partnerview/internal/money"
	"partnerview/internal/pricing"
	"partnerview/internal/spreadsheet"
	"partnerview/internal/totals"
	"partnerview/internal/usage"
)

// The form of an answer is the caller's to choose, as RFC 9110 has it.
func TestAcceptChoosesTheForm(t *testing.T) {
	const asJSON, asCSV, none = "application/json", "text/csv; charset=utf-8; header=present", "application/problem+json"
	for accept, want := range map[string]string{
		"": asJSON, "*/*": asJSON, "application/json": asJSON, "application/*": asJSON, "text/csv": asCSV, "text/*": asCSV, "TEXT/CSV": asCSV,
		"text/csv; charset=utf-8; header=present": asCSV, "application/json;charset=utf-8": asJSON,
		"text/html": none, "application/xml": none, "text/csvx": none, "json": none, "application/problem+json": none, "/": none,
		"text/csv, */*":                          asCSV, // named more closely
		"text/csv, */*;q=0.1":                    asCSV,
		"text/csv;q=0.1, */*":                    asJSON,
		"application/json, text/csv":             asJSON, // both alike
		"text/csv, application/json":             asJSON,
		"text/csv, application/json;q=0.9":       asCSV,
		"text/csv;q=0.5,application/json;q=0.51": asJSON,
		"text/csv;q=0":                           none,
		"text/csv;q=0, application/json;q=0.000": none,
		"text/csv;q=0, */*":                      asJSON,
		"application/json;q=0, */*":              asCSV,
		"application/json;q=0, text/*;q=0.3":     asCSV,
		"text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8": asJSON,
		"text/html, image/gif, image/jpeg, *; q=.2, */*; q=.2":            asJSON,
		" text/csv ; q = 1 ": asCSV, ", text/csv,,": asCSV,
		"text/csv;q=2": none, "text/csv;q=": none, "text/csv;q=NaN": none, "text/csv;q=x, application/json": asJSON,
	} {
		for _, path := range []string{"/customers", "/customers/acme_retail/usage/sms", "/customers/acme_retail/summary", "/summary"} {
			w := ask(t, canned{}, north, path, accept)
			if got := w.Header().Get("Content-Type"); got != want {
				t.Errorf("GET %s with Accept: %s is answered as %s, want %s", path, accept, got, want)
			}
			if want == none {
				wantProblem(t, w, http.StatusNotAcceptable, "not_acceptable")
			}
			if vary := w.Header().Values("Vary"); !slices.Equal(vary, []string{"Accept"}) {
				t.Errorf("GET %s with Accept: %s varies by %q", path, accept, vary)
			}
		}
	}
	if w := ask(t, canned{}, north, "/customers", "text/html", "text/csv;q=0.1"); w.Header().Get("Content-Type") != asCSV {
		t.Errorf("two Accept headers are answered as %s", w.Header().Get("Content-Type"))
	}
}

// One record, one customer and who one is are no lists, and have no lines.
func TestWhatIsNoListIsNoCSV(t *testing.T) {
	for _, path := range []string{"/customers/acme_retail", "/customers/acme_retail/usage", "/customers/acme_retail/usage/sms/u-1", "/me"} {
		wantProblem(t, ask(t, canned{}, north, path, "text/csv"), http.StatusNotAcceptable, "not_acceptable")
		if w := ask(t, canned{}, north, path, "text/csv, application/json;q=0.1"); w.Code != http.StatusOK {
			t.Errorf("GET %s is answered with %d", path, w.Code)
		}
	}
}

// What cannot be answered in the caller's form is not read, not audited, and does not
// tell whether there is something behind it.
func TestTheFormIsJudgedAfterTheRightAndBeforeTheRead(t *testing.T) {
	wantProblem(t, ask(t, canned{}, narrow, "/customers/acme_retail/usage/sms", "text/html"), http.StatusNotFound, "product_not_found")
	wantProblem(t, ask(t, canned{}, north, "/customers/acme_retail/usage/fax", "text/html"), http.StatusNotFound, "product_not_found")
	wantProblem(t, ask(t, canned{}, north, "/customers/other", "text/html"), http.StatusNotFound, "customer_not_found")
	wantProblem(t, ask(t, canned{}, north, "/customers?limit=0", "text/html"), http.StatusBadRequest, "invalid_parameter", "limit")
	wantProblem(t, ask(t, canned{}, north, "/customers?limit=0", "text/csv"), http.StatusBadRequest, "invalid_parameter", "limit")
	for _, path := range []string{"/customers", "/customers/acme_retail", "/customers/acme_retail/usage", "/customers/acme_retail/usage/sms", "/customers/acme_retail/usage/sms/u-1", "/customers/acme_retail/summary", "/summary", "/me"} {
		wantProblem(t, ask(t, nil, north, path, "text/html"), http.StatusNotAcceptable, "not_acceptable")
	}
}

// The lines are written out here as FORMATS.md has them: every column, in order.
func TestLinesToTheLetter(t *testing.T) {
	s := acme(t)
	const price = ",priceStatus,amount,currency,reason,unitPrice,unit,quantity,setupFee,incrementFirst,incrementNext,billableSeconds,rate,effectiveFrom,roundingScale,roundingMode\r\n"
	const record = "id,product,timestamp,direction,status,statusAt,errorCode,from,to,country,"
	const base = "/customers/acme_retail/usage/"
	for _, c := range []struct{ target, file, want string }{
		{"/customers", "customers.csv", "accountId,name,products,currency,timeZone,billingMode,remainingCredit,creditLimit,creditAsOf,spend\r\n" +
			"acme_retail,Acme Retail <b>GmbH</b> & Söhne,sms;voice;video;messaging,EUR,Europe/Berlin,prepaid,1520.73,,2026-11-20T00:00:00.000Z,\r\n"},
		{"/customers?search=nobody", "customers.csv", "accountId,name,products,currency,timeZone,billingMode,remainingCredit,creditLimit,creditAsOf,spend\r\n"},
		{base + "sms", "usage-acme_retail-sms.csv", record + "operator,segments" + price +
			"u-4,sms,2026-11-05T10:00:00.000Z,,,,,,,,,,unrated,,,quantity_unknown,,,,,,,,,,,\r\n" +
			"u-2,sms,2026-11-04T10:00:00.000Z,outbound,failed,,43,,,,,1,free,0,EUR,status,,,,,,,,,,,\r\n" +
			"u-1,sms,2026-11-03T10:00:00.120Z,outbound,delivered,2026-11-03T10:00:05.000Z,,****,****0123,GB,23401,2,rated,0.162,EUR,,0.081,segment,2,0,,,,direction=outbound;country=GB,2026-01-01T00:00:00.000Z,6,half-up\r\n" +
			"u-3,sms,2025-12-04T10:00:00.000Z,outbound,sent,,,,,,,1,recorded,0.0412,SGD,no_price_list,,,,,,,,,,,\r\n"},
		{base + "voice", "usage-acme_retail-voice.csv", record + "operator,durationSeconds" + price +
			"c-1,voice,2026-11-03T10:00:00.000Z,outbound,completed,,,****0147,****0456,GB,,61,rated,0.029,EUR,,0.012,minute,61,0.005,60,60,120,direction=outbound;country=GB,2026-01-01T00:00:00.000Z,6,half-up\r\n"},
		{base + "video", "usage-acme_retail-video.csv", record + "durationSeconds,participants,participantSeconds" + price +
			"v-1,video,2026-11-03T10:00:00.000Z,,completed,,,,,,90,3,250,rated,0.016667,EUR,,0.004,participant-minute,250,0,1,1,250,,2026-01-01T00:00:00.000Z,6,half-up\r\n"},
		{base + "messaging", "usage-acme_retail-messaging.csv", record + "channel,category" + price +
			"m-1:1,messaging,2026-11-03T10:00:00.000Z,inbound,received,,,****0199,,,whatsapp,service,unrated,,,no_price_list,,,,,,,,,,,\r\n"},
	} {
		w := ask(t, s, north, c.target, "text/csv")
		if diff := cmp.Diff(c.want, w.Body.String()); diff != "" || w.Code != http.StatusOK {
			t.Errorf("GET %s: %d %s", c.target, w.Code, diff)
		}
		wantHeaders(t, w, "text/csv; charset=utf-8; header=present")
		if got := w.Header().Get("Content-Disposition"); got != `attachment; filename="`+c.file+`"` {
			t.Errorf("GET %s is kept as %s", c.target, got)
		}
	}
}

// Each page has its header line, and says in Link where the next one is.
func TestPagesOfLinesFollowEachOther(t *testing.T) {
	s := acme(t)
	const path = "/customers/acme_retail/usage/sms"
	var ids []string
	for query := "?limit=1&order=asc"; query != ""; {
		w := ask(t, s, north, path+query, "text/csv")
		lines, err := csv.NewReader(w.Body).ReadAll()
		must(t, err)
		if len(lines) == 0 || lines[0][0] != "id" {
			t.Fatalf("GET %s%s: %q", path, query, lines)
		}
		for _, line := range lines[1:] {
			ids = append(ids, line[0])
		}
		query, _, _ = strings.Cut(strings.TrimPrefix(w.Header().Get("Link"), "<"), ">")
	}
	if want := []string{"u-3", "u-1", "u-2", "u-4"}; !slices.Equal(ids, want) {
		t.Errorf("page by page the records are %q, want %q", ids, want)
	}
	page := ask(t, s, north, path+"?limit=1").Header().Get("Link") // a cursor is of a list, not of a form
	if lines := ask(t, s, north, path+"?limit=1", "text/csv").Header().Get("Link"); lines != page {
		t.Errorf("after a page of lines comes %s, and after one of JSON %s", lines, page)
	}
}

// drawn is a store with whatever a test has drawn, such as no importer would take.
type drawn struct {
	canned
	customers []directory.Customer
	spending  totals.Spending
	records   []usage.Record
	list      pricing.List
}

func (d drawn) CustomersWithMonths(context.Context, directory.Identity, directory.CustomerQuery, []totals.Month) (directory.CustomerPage, totals.Spending, error) {
	return directory.CustomerPage{Customers: d.customers}, d.spending, nil
}

func (d drawn) Log(context.Context, usage.Log, usage.Query) (usage.Page, error) {
	return usage.Page{Records: d.records}, nil
}

func (d drawn) PriceLists(_ context.Context, log usage.Log, _ time.Time) ([]*pricing.Indexed, bool, error) {
	indexed, err := pricing.Index(log.Product, d.list)
	return []*pricing.Indexed{indexed}, false, err
}

// What a program reads from the lines is what it reads from the JSON of the same page,
// cell by field.
func TestLinesSayWhatTheJSONSays(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		d, product := drawPage(rt)
		sameAsJSON(rt, d, "/customers", customerCells)
		sameAsJSON(rt, d, "/customers/acme_retail/usage/"+string(product), func(e map[string]any) map[string]any { return recordCells(e) })
	})
}

// object is a JSON object as read; a missing or null one has no fields.
func object(v any) map[string]any {
	o, _ := v.(map[string]any)
	return o
}

func customerCells(e map[string]any) map[string]any {
	credit := object(e["remainingCredit"])
	return map[string]any{
		"accountId": e["accountId"], "name": e["name"], "products": e["products"], "currency": e["currency"], "timeZone": e["timeZone"],
		"billingMode": credit["billingMode"], "remainingCredit": credit["amount"], "creditLimit": credit["creditLimit"], "creditAsOf": credit["asOf"], "spend": object(e["spend"])["amount"],
	}
}

func recordCells(e map[string]any) map[string]any {
	cells := map[string]any{}
	for name, v := range e {
		if name != "price" {
			cells[name] = v
		}
	}
	price := object(e["price"])
	why := object(price["explanation"])
	increment, rounding := object(why["increment"]), object(why["rounding"])
	var rate []string
	for _, name := range []string{"direction", "channel", "category", "country", "operator"} {
		if v, named := object(why["rate"])[name]; named {
			rate = append(rate, name+"="+v.(string))
		}
	}
	for name, v := range map[string]any{
		"priceStatus": price["status"], "amount": price["amount"], "currency": price["currency"], "reason": price["reason"],
		"unitPrice": why["unitPrice"], "unit": why["unit"], "quantity": why["quantity"], "setupFee": why["setupFee"],
		"incrementFirst": increment["first"], "incrementNext": increment["next"], "billableSeconds": why["billableSeconds"],
		"rate": strings.Join(rate, ";"), "effectiveFrom": why["effectiveFrom"], "roundingScale": rounding["scale"], "roundingMode": rounding["mode"],
	} {
		cells[name] = v
	}
	return cells
}

// cellOf is a JSON value as a cell.
func cellOf(v any) string {
	switch v := v.(type) {
	case nil:
		return ""
	case []any:
		var words []string
		for _, word := range v {
			words = append(words, word.(string))
		}
		return strings.Join(words, ";")
	}
	return fmt.Sprint(v)
}

// guardedColumns hold texts of others; all others stand as they are.
var guardedColumns = []string{"name", "errorCode", "direction", "status", "country", "channel", "category", "rate"}

func sameAsJSON(t *rapid.T, d drawn, path string, cells func(map[string]any) map[string]any) {
	var page struct{ Data []map[string]any }
	in := json.NewDecoder(strings.NewReader(answerOf(t, d, path, "application/json")))
	in.UseNumber()
	if err := in.Decode(&page); err != nil {
		t.Fatal(err)
	}
	text := answerOf(t, d, path, "text/csv")
	reader := csv.NewReader(strings.NewReader(text))
	lines, err := reader.ReadAll() // which also finds whether all are of one length
	if err != nil {
		t.Fatalf("%v in %q", err, text)
	}
	if len(lines) != 1+len(page.Data) {
		t.Fatalf("%d lines of %d entries: %q", len(lines)-1, len(page.Data), text)
	}
	if leaks := sample.Leaks(text); leaks != nil {
		t.Fatalf("%s tells %q", path, leaks)
	}
	if strings.Count(text, "\n") != strings.Count(text, "\r\n") || !strings.HasSuffix(text, "\r\n") || strings.HasPrefix(text, "\ufeff") {
		t.Fatalf("lines do not end as RFC 4180 has it: %q", text)
	}
	for i, entry := range page.Data {
		want := cells(entry)
		got := map[string]string{}
		for j, column := range lines[0] {
			cell := lines[1+i][j]
			if slices.Contains(guardedColumns, column) {
				if cell != spreadsheet.Guard(spreadsheet.Unguard(cell)) {
					t.Fatalf("line %d: a spreadsheet takes the %s %q for a formula", i+2, column, cell)
				}
				cell = spreadsheet.Unguard(cell)
			}
			got[column] = cell
		}
		if len(got) != len(lines[0]) || len(got) != len(want) {
			t.Fatalf("columns %q for the fields of %v", lines[0], want)
		}
		for column, v := range want {
			if got[column] != cellOf(v) {
				t.Fatalf("line %d: %s is %q, and %q in the JSON", i+2, column, got[column], cellOf(v))
			}
		}
	}
}

func answerOf(t *rapid.T, d drawn, path, accept string) string {
	r := httptest.NewRequest("GET", path, nil)
	r.Header.Set("Accept", accept)
	w := httptest.NewRecorder()
	handler := api.ListCustomers(env(), d)
	if strings.Contains(path, "/usage/") {
		handler = api.GetUsage(env(), d)
	}
	handler.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), viewerKey{}, north)))
	if w.Code != http.StatusOK {
		t.Fatalf("GET %s: %d %s", path, w.Code, w.Body)
	}
	return w.Body.String()
}

func drawPage(t *rapid.T) (drawn, usage.Product) {
	product := rapid.SampledFrom(usage.Products()).Draw(t, "product")
	// Names are whatever people write, but for control characters; what follows the first
	// sign is what a spreadsheet, a program or a quote could stumble over.
	worded := rapid.StringOfN(rapid.OneOf(rapid.RuneFrom([]rune("=+-@'\",;＝ a\u2028")), rapid.Rune().Filter(func(c rune) bool { return !unicode.IsControl(c) && c != unicode.ReplacementChar })), 1, 20, -1)
	amounts := rapid.Custom(func(t *rapid.T) *money.Money {
		return &money.Money{Amount: *dec(rapid.StringMatching(`-?[1-9][0-9]{0,9}(\.[0-9]{1,9})?`).Draw(t, "amount")), Currency: "EUR"}
	})
	counts := rapid.Ptr(rapid.Int64Range(0, 1e9), true)
	times := rapid.Custom(func(t *rapid.T) time.Time {
		return now.Add(-time.Duration(rapid.Int64Range(0, 1e11).Draw(t, "ms")) * time.Millisecond)
	})
	word := func(words ...string) *rapid.Generator[string] { return rapid.SampledFrom(words) }
	customers := rapid.Custom(func(t *rapid.T) directory.Customer {
		c := directory.Customer{
			Account: usage.AccountID(rapid.StringMatching(`[A-Za-z0-9._&-]{3,50}`).Draw(t, "account")), Name: worded.Draw(t, "name"), Currency: "EUR",
			TimeZone: rapid.SampledFrom([]directory.TimeZone{"", "Europe/Berlin"}).Draw(t, "zone"),
			Products: usage.Products()[:rapid.IntRange(0, 4).Draw(t, "products")],
			Credit:   directory.Credit{Mode: directory.BillingMode(word("prepaid", "postpaid").Draw(t, "mode")), AsOf: rapid.Ptr(times, true).Draw(t, "asOf")},
		}
		if rapid.Bool().Draw(t, "known") {
			c.Credit.Remaining, c.Credit.Limit = &amounts.Draw(t, "remaining").Amount, &amounts.Draw(t, "limit").Amount
		}
		return c
	})
	masks := rapid.Custom(func(t *rapid.T) masking.Number {
		return masking.Mask(rapid.OneOf(word("", "****", "****0123", "+447700900123", "00447700900123", "SampleCo", "=1+1", "=447700900123"), worded).Draw(t, "number"))
	})
	records := rapid.Custom(func(t *rapid.T) usage.Record {
		r := usage.Record{
			Log: usage.Log{Account: "acme_retail", Product: product}, ID: usage.RecordID(rapid.StringMatching(`[A-Za-z0-9._:-]{1,20}`).Draw(t, "id")), Timestamp: times.Draw(t, "timestamp"),
			Direction: usage.Direction(word("", "inbound", "outbound").Draw(t, "direction")), Status: usage.Status(rapid.OneOf(word("", "delivered", "failed"), worded).Draw(t, "status")),
			StatusAt: rapid.Ptr(times, true).Draw(t, "statusAt"), ErrorCode: rapid.OneOf(word("", "43", "-1", "-E.1"), worded).Draw(t, "errorCode"), From: masks.Draw(t, "from"), To: masks.Draw(t, "to"),
			Country: usage.Country(word("", "GB", "DE").Draw(t, "country")), RecordedPrice: rapid.SampledFrom([]*money.Money{nil, {Amount: *dec("-0.05"), Currency: "SGD"}}).Draw(t, "recorded"),
		}
		switch product {
		case usage.SMS:
			r.Operator, r.Segments = usage.Operator(word("", "23401").Draw(t, "operator")), counts.Draw(t, "segments")
		case usage.Voice:
			r.Operator, r.DurationSeconds = usage.Operator(word("", "23401").Draw(t, "operator")), counts.Draw(t, "seconds")
		case usage.Video:
			r.DurationSeconds, r.Participants, r.ParticipantSeconds = counts.Draw(t, "seconds"), counts.Draw(t, "participants"), counts.Draw(t, "participantSeconds")
		case usage.Messaging:
			r.Channel, r.Category = usage.Channel(rapid.OneOf(word("", "whatsapp"), worded).Draw(t, "channel")), usage.Category(rapid.OneOf(word("", "service"), worded).Draw(t, "category"))
		}
		return r
	})
	rate := pricing.Rate{UnitPrice: *dec(rapid.StringMatching(`0\.0[0-9]{0,8}`).Draw(t, "unitPrice")), SetupFee: *dec(word("0", "0.05").Draw(t, "setupFee"))}
	rate.Selectors.Direction = usage.Direction(word("", "outbound").Draw(t, "for direction"))
	rate.Selectors.Country = usage.Country(word("", "GB").Draw(t, "for country"))
	list := pricing.List{EffectiveFrom: at("2022-01-01T00:00:00Z"), Currency: "EUR", Rounding: pricing.DefaultRounding()}
	switch product {
	case usage.Voice, usage.Video:
		rate.Increment = pricing.Increment{First: 60, Next: 6}
	default:
		list.ChargeOn = pricing.OnSubmitted
	}
	list.Rates = []pricing.Rate{rate}
	d := drawn{customers: rapid.SliceOfN(customers, 0, 4).Draw(t, "customers"), records: rapid.SliceOfN(records, 0, 6).Draw(t, "records"), list: list}
	d.spending = totals.Spending{Ready: rapid.Bool().Draw(t, "ready"), Months: map[totals.AccountMonth]totals.Monthly{}}
	for _, c := range d.customers {
		if spent := rapid.Ptr(amounts, true).Draw(t, "spent"); spent != nil {
			sheet := totals.Sheet{{Price: pricing.Rated, Currency: "EUR"}: {Records: 1, Amount: (*spent).Amount}}
			d.spending.Months[totals.AccountMonth{Account: c.Account, Month: "2026-11"}] = totals.Monthly{Zone: c.TimeZone, Logs: map[usage.Product]totals.MonthlyLog{usage.SMS: {Sheet: sheet}}}
		}
	}
	return d, product
}

// What people have worded is no formula to a spreadsheet; an id, an amount and a time are
// as they are, whatever they begin with.
func TestNoCellIsAFormulaAndNoNumberIsText(t *testing.T) {
	s := newShelf(t, directory.Customer{Account: "-1+1", Name: "=1+1", Products: []usage.Product{usage.SMS}, Currency: "EUR", TimeZone: "Europe/Berlin"}).
		put("-1+1", usage.SMS, "2026-11-03", "2026-11-04T02:00:00Z", group{totals.Group{Price: pricing.Recorded, Currency: "EUR"}, totals.Sums{Records: 1, Segments: 1}, "-0.5"})
	const want = "-1+1,2026-11-03,,,,,,,,1,1,,,,EUR,-0.5,1,0,2026-11-04T02:00:00.000Z\r\n"
	if _, got, _ := strings.Cut(askSummary(t, s, now, north, "/summary?groupBy=customer&groupBy=day", "text/csv").Body.String(), "\r\n"); got != want {
		t.Errorf("a summary has the line %q, want %q", got, want)
	}
	credit := directory.Credit{Mode: directory.Postpaid, Remaining: dec("-12.5")}
	for name, cell := range map[string]string{"=1+1": "'=1+1", "+44": "'+44", "-x": "'-x", "@SUM(A1)": "'@SUM(A1)", "\tx": "'\tx", "Acme": "Acme"} {
		d := drawn{customers: []directory.Customer{{Account: "-1", Name: name, Products: []usage.Product{usage.SMS}, Currency: "EUR", Credit: credit}}}
		_, got, _ := strings.Cut(ask(t, d, north, "/customers", "text/csv").Body.String(), "\r\n")
		if want := "-1," + cell + ",sms,EUR,UTC,postpaid,-12.5,"; !strings.HasPrefix(got, want) {
			t.Errorf("the customer %q has the line %q, want %q", name, got, want)
		}
	}
}
