package contract

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
)

// exampleHeader is the header of an answer as its examples have it.
func exampleHeader(r *openapi3.Response, contentType string) http.Header {
	h := http.Header{"Content-Type": {contentType}}
	for name, of := range r.Headers {
		h.Set(name, fmt.Sprint(of.Value.Example))
	}
	return h
}

func TestEveryExampleAnswerKeepsTheContract(t *testing.T) {
	s, r := load(t)
	checked := 0
	for _, o := range s.operations {
		for status, of := range r.doc.Paths.Value(o.path).GetOperation(o.method).Responses.Map() {
			for contentType, content := range of.Value.Content {
				if len(content.Examples) == 0 && contentType != "application/yaml" {
					t.Errorf("%s %s, status %s: no example", o.method, o.path, status)
				}
				for name, example := range content.Examples {
					code, _ := strconv.Atoi(status)
					if lines, isText := example.Value.Value.(string); isText {
						path := strings.ReplaceAll(o.path, "{product}", "voice") // all lines of logs are of voice
						if err := s.CheckAnswer(o.method, path, code, exampleHeader(of.Value, contentType), []byte(lines)); err != nil {
							t.Errorf("example %s: %v", name, err)
						}
						checked++
						continue
					}
					product, ok := example.Value.Value.(object)["product"].(string)
					if !ok {
						product = "sms" // all pages are of SMS
					}
					path := strings.ReplaceAll(o.path, "{product}", product)
					a := answer{exampleHeader(of.Value, contentType), example.Value.Value.(object)}
					if err := a.check(t, o.method, path, code); err != nil {
						t.Errorf("example %s: %v", name, err)
					}
					checked++
				}
			}
		}
	}
	if checked < 40 {
		t.Errorf("only %d examples were checked", checked)
	}
}

func TestDeparturesOfLinesAreFound(t *testing.T) {
	s, r := load(t)
	const path = "/customers/acme_retail/usage/voice"
	of := r.doc.Paths.Value("/customers/{accountId}/usage/{product}").Get.Responses.Status(http.StatusOK).Value
	header := exampleHeader(of, csvType)
	header.Set("Content-Type", "text/csv; charset=utf-8; header=present")
	good, _ := r.doc.Components.Examples["VoiceLines"].Value.Value.(string)
	for claim, c := range map[string]struct{ text, want string }{
		"the example is one":            {good, ""},
		"another product's line":        {strings.Replace(good, ",voice,", ",sms,", 1), `product "sms", where the path names "voice"`},
		"no header line":                {good[strings.Index(good, "\n")+1:], "pattern"},
		"a column fewer":                {strings.Replace(good, "errorCode,", "", 1), "pattern"},
		"a line with a cell too many":   {strings.Replace(good, "GB,", "GB,,", 1), "no CSV"},
		"a quote that does not end":     {strings.Replace(good, "GB,", `"GB,`, 1), "no CSV"},
		"JSON that says that it is CSV": {`{"data": []}`, "pattern"},
	} {
		err := s.CheckAnswer("GET", path, http.StatusOK, header, []byte(c.text))
		if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
			t.Errorf("%s: %v, want %q", claim, err, c.want)
		}
	}
}

// object is a JSON object that a test changes.
type object = map[string]any

// answer is one made of an example of the contract.
type answer struct {
	header http.Header
	body   object
}

// answerOf is an answer to a path; to an empty one, which is no route, what those answer.
func answerOf(t *testing.T, path string, status int, example string) (a answer) {
	t.Helper()
	s, r := load(t)
	of := r.doc.Components.Responses["RouteNotFound"]
	if o := s.find("GET", path); o != nil {
		of = r.doc.Paths.Value(o.path).Get.Responses.Status(status)
	}
	for contentType := range of.Value.Content {
		if contentType != csvType {
			a.header = exampleHeader(of.Value, contentType)
		}
	}
	text, err := json.Marshal(r.doc.Components.Examples[example].Value.Value)
	if err := errors.Join(err, json.Unmarshal(text, &a.body)); err != nil {
		t.Fatal(err)
	}
	return a
}

// check holds the answer against the contract, given to a request.
func (a answer) check(t *testing.T, method, path string, status int) error {
	t.Helper()
	s, _ := load(t)
	text, err := json.Marshal(a.body)
	if err != nil {
		t.Fatal(err)
	}
	return s.CheckAnswer(method, path, status, a.header, text)
}

const (
	customersPath = "/customers"
	customerPath  = "/customers/acme_retail"
	logPath       = customerPath + "/usage/sms"
	recordPath    = logPath + "/u-1"
)

func TestAnAnswerThatLeaksOrChangedIsRefused(t *testing.T) {
	in := func(body object, keys ...any) object {
		var v any = body
		for _, key := range keys {
			switch key := key.(type) {
			case string:
				v = v.(object)[key]
			case int:
				v = v.([]any)[key]
			}
		}
		return v.(object)
	}
	set := func(value any, keys ...any) func(http.Header, object) {
		return func(_ http.Header, body object) {
			in(body, keys[:len(keys)-1]...)[keys[len(keys)-1].(string)] = value
		}
	}
	remove := func(keys ...any) func(http.Header, object) {
		return func(_ http.Header, body object) {
			delete(in(body, keys[:len(keys)-1]...), keys[len(keys)-1].(string))
		}
	}
	nothing := func(http.Header, object) {}
	head := func(name string, values ...string) func(http.Header, object) {
		return func(h http.Header, _ object) {
			h[name] = values
			if len(values) == 0 {
				delete(h, name)
			}
		}
	}
	for _, tc := range []struct {
		claim   string
		path    string
		status  int
		example string
		change  func(http.Header, object)
		want    string // in the error
	}{
		{"a contact's name in a record", recordPath, 200, "SmsRated", set("Ada Example", "contactName"), "'contactName' not allowed"},
		{"a contact's name in a page", logPath, 200, "SmsPage", set("Ada Example", "data", 0, "contactName"), "/data/0: additional properties 'contactName' not allowed"},
		{"a message's text", recordPath, 200, "MessagingRated", set("hello", "content"), "'content' not allowed"},
		{"an extra field in a price", recordPath, 200, "SmsRated", set("0.01", "price", "cost"), "/price: additional properties 'cost' not allowed"},
		{"an extra selector in an explanation", recordPath, 200, "SmsRated", set("x", "price", "explanation", "rate", "prefix"), "'prefix' not allowed"},
		{"an extra field in a page", logPath, 200, "SmsPage", set(1, "total"), "'total' not allowed"},
		{"an extra field in a range", logPath, 200, "SmsPage", set(nil, "range", "zone"), "'zone' not allowed"},
		{"an extra field in a customer", customerPath, 200, "PrepaidCustomer", set([]any{"x"}, "subAccounts"), "'subAccounts' not allowed"},
		{"an extra field in a credit", customersPath, 200, "CustomerPage", set("x", "data", 0, "remainingCredit", "cause"), "'cause' not allowed"},
		{"a cause in a problem", recordPath, 500, "Internal", set("dynamodb: throttled", "cause"), "'cause' not allowed"},

		{"a full number", recordPath, 200, "SmsRated", set("+447700900123", "to"), "/to: "},
		{"a number masked in another form", recordPath, 200, "SmsRated", set("+44770090xxxx", "to"), "/to: "},
		{"a mask that tells the length", recordPath, 200, "SmsRated", set("********0123", "to"), "/to: "},
		{"a mask that shows five digits", recordPath, 200, "SmsRated", set("****00123", "to"), "/to: "},
		{"a number that is empty and not null", recordPath, 200, "SmsRated", set("", "to"), "/to: "},
		{"digits in other script behind a mask", recordPath, 200, "SmsRated", set("****٠١٢٣", "to"), "/to: "},

		{"a field that is absent and not null", recordPath, 200, "SmsRated", remove("errorCode"), "missing property 'errorCode'"},
		{"a price without its reason", recordPath, 200, "SmsRated", remove("price", "reason"), "missing property 'reason'"},
		{"an explanation without its increment", recordPath, 200, "SmsRated", remove("price", "explanation", "increment"), "missing property 'increment'"},
		{"a page without its cursor", logPath, 200, "SmsPage", remove("nextCursor"), "missing property 'nextCursor'"},
		{"a credit without its limit", customerPath, 200, "PrepaidCustomer", remove("remainingCredit", "creditLimit"), "missing property 'creditLimit'"},
		{"a page that is null and not empty", logPath, 200, "SmsPage", set(nil, "data"), "/data: "},
		{"a customer's products that are null", customerPath, 200, "PrepaidCustomer", set(nil, "products"), "/products: "},
		{"another product's field", recordPath, 200, "SmsRated", set(nil, "durationSeconds"), "'durationSeconds' not allowed"},
		{"another product's record in a page", logPath, 200, "SmsPage", set("voice", "data", 0, "product"), "/data/0"},
		{"a product that is none", recordPath, 200, "SmsRated", set("fax", "product"), "/product: "},

		{"an amount that is a number", recordPath, 200, "SmsRated", set(0.162, "price", "amount"), "/price/amount: got number, want string"},
		{"an amount with trailing zeros", recordPath, 200, "SmsRated", set("0.1620", "price", "amount"), "/price/amount: "},
		{"an amount with an exponent", recordPath, 200, "SmsRated", set("1.62E-1", "price", "amount"), "/price/amount: "},
		{"an amount without its leading zero", recordPath, 200, "SmsRated", set(".162", "price", "amount"), "/price/amount: "},
		{"an amount below zero", recordPath, 200, "SmsRated", set("-0.162", "price", "amount"), "/price/amount: "},
		{"a unit price that is a number", recordPath, 200, "VoiceRated", set(0.012, "price", "explanation", "unitPrice"), "/price/explanation/unitPrice: got number"},
		{"a credit that is a number", customerPath, 200, "PrepaidCustomer", set(1520.73, "remainingCredit", "amount"), "/remainingCredit/amount: got number"},
		{"an unrated price of 0", recordPath, 200, "VoiceUnrated", set("0", "price", "amount"), "/price/amount: "},
		{"a free price with decimals", recordPath, 200, "SmsFree", set("0.00", "price", "amount"), "/price/amount: "},
		{"a rated price with a reason", recordPath, 200, "SmsRated", set("no_rate", "price", "reason"), "/price/reason: "},
		{"a rated price without an explanation", recordPath, 200, "SmsRated", set(nil, "price", "explanation"), "/price/explanation: "},
		{"a free price with a reason of another", recordPath, 200, "SmsFree", set("no_rate", "price", "reason"), "/price"},
		{"a status of a price that is none", recordPath, 200, "SmsFree", set("gratis", "price", "status"), "/price"},
		{"a call without its increment", recordPath, 200, "VoiceRated", set(nil, "price", "explanation", "increment"), "/price/explanation/increment: "},
		{"an SMS with billable seconds", recordPath, 200, "SmsRated", set(60, "price", "explanation", "billableSeconds"), "/price/explanation/billableSeconds: "},

		{"a time without milliseconds", recordPath, 200, "SmsRated", set("2026-11-03T10:00:00Z", "timestamp"), "/timestamp: "},
		{"a time that is not in UTC", recordPath, 200, "SmsRated", set("2026-11-03T10:00:00.120+01:00", "timestamp"), "/timestamp: "},
		{"a time that is none", recordPath, 200, "SmsRated", set("2026-13-03T10:00:00.120Z", "timestamp"), "/timestamp: "},
		{"a record without a time", recordPath, 200, "SmsRated", set(nil, "timestamp"), "/timestamp: "},
		{"a country in small letters", recordPath, 200, "SmsRated", set("gb", "country"), "/country: "},

		{"a 200 that may be stored", recordPath, 200, "SmsRated", head("Cache-Control", "private, max-age=60"), "header Cache-Control"},
		{"a 200 without Cache-Control", recordPath, 200, "SmsRated", head("Cache-Control"), "header Cache-Control is missing"},
		{"a 200 without HSTS", recordPath, 200, "SmsRated", head("Strict-Transport-Security"), "header Strict-Transport-Security is missing"},
		{"a 200 that may be sniffed", recordPath, 200, "SmsRated", head("X-Content-Type-Options"), "header X-Content-Type-Options is missing"},
		{"a header twice", recordPath, 200, "SmsRated", head("Cache-Control", "no-store", "no-store"), "header Cache-Control is there 2 times"},
		{"a Link to another host", logPath, 200, "SmsPage", head("Link", `<https://partnerview.example/v1/x?cursor=AQ>; rel="next"`), "header Link"},
		{"a 401 without its scheme", recordPath, 401, "Unauthorized", head("Www-Authenticate"), "header WWW-Authenticate is missing"},
		{"a 429 that does not say when", recordPath, 429, "TooManyRequests", head("Retry-After"), "header Retry-After is missing"},
		{"a 503 that says when in words", recordPath, 503, "Unavailable", head("Retry-After", "soon"), "header Retry-After"},
		{"a 503 that says now", recordPath, 503, "Unavailable", head("Retry-After", "0"), "header Retry-After"},
		{"HTML", recordPath, 200, "SmsRated", head("Content-Type", "text/html"), `content type "text/html"`},
		{"no content type", recordPath, 200, "SmsRated", head("Content-Type"), `content type ""`},
		{"an error as plain JSON", recordPath, 404, "RecordNotFound", head("Content-Type", "application/json"), `content type "application/json"`},

		{"a voice record in the log of SMS", recordPath, 200, "VoiceRated", nothing, `/product: "voice", where the path names "sms"`},
		{"an answer without its request's id", recordPath, 200, "SmsRated", head("X-Amzn-Requestid"), "header X-Amzn-Requestid is missing"},
		{"a problem of another request", recordPath, 404, "RecordNotFound", set("another", "requestId"), "/requestId: another"},

		{"a record_not_found where there is no record", customerPath, 404, "RecordNotFound", nothing, "/code: "},
		{"a 503 that calls itself internal", recordPath, 503, "Unavailable", set("internal", "code"), "/code: "},
		{"a problem of another status", recordPath, 404, "RecordNotFound", set(403, "status"), "/status: "},
		{"a problem with another title", recordPath, 404, "RecordNotFound", set("Forbidden", "title"), "/title: "},
		{"a problem without a request id", recordPath, 404, "RecordNotFound", remove("requestId"), "missing property 'requestId'"},
		{"a 404 with errors", recordPath, 404, "RecordNotFound", set([]any{}, "errors"), "'errors' not allowed"},
		{"a 400 that names no fault", logPath, 400, "InvalidParameter", set([]any{}, "errors"), "/errors: "},
		{"a 400 without errors", logPath, 400, "InvalidParameter", remove("errors"), "missing property 'errors'"},
	} {
		t.Run(tc.claim, func(t *testing.T) {
			a := answerOf(t, tc.path, tc.status, tc.example)
			tc.change(a.header, a.body)
			if err := a.check(t, "GET", tc.path, tc.status); err == nil || !strings.Contains(err.Error(), tc.want) {
				t.Errorf("CheckAnswer: %v\nwant an error with %q", err, tc.want)
			}
		})
	}
}

func TestADepartureIsToldAloneAndWithItsPlace(t *testing.T) {
	a := answerOf(t, logPath, 200, "SmsPage")
	a.body["data"].([]any)[0].(object)["price"].(object)["amount"] = 0.162
	err := a.check(t, "GET", logPath, 200)
	const want = "GET /customers/{accountId}/usage/{product}, status 200: /data/0/price/amount: got number, want string"
	if err == nil || err.Error() != want {
		t.Errorf("CheckAnswer:\n%v\nwant\n%s", err, want)
	}
}

func TestEveryDepartureIsTold(t *testing.T) {
	a := answerOf(t, customerPath, 200, "PrepaidCustomer")
	a.header.Del("Cache-Control")
	a.header.Del("Strict-Transport-Security")
	delete(a.body, "currency")
	a.body["name"] = ""
	err := a.check(t, "GET", customerPath, 200)
	for _, want := range []string{"Cache-Control", "Strict-Transport-Security", "currency", "/name"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("CheckAnswer: %v\nwant an error with %q", err, want)
		}
	}
}

func TestABodyMustBeOneJSONValue(t *testing.T) {
	s, _ := load(t)
	a := answerOf(t, recordPath, 200, "SmsRated")
	good, _ := json.Marshal(a.body)
	for _, tc := range []struct {
		claim    string
		body     []byte
		contract bool
	}{
		{"one", good, true},
		{"empty", nil, false},
		{"cut short", good[:len(good)-1], false},
		{"two", slices.Concat(good, good), false},
		{"HTML", []byte("<html>"), false},
	} {
		if err := s.CheckAnswer("GET", recordPath, 200, a.header, tc.body); (err == nil) != tc.contract {
			t.Errorf("%s: %v", tc.claim, err)
		}
	}
}

func TestARouteIsFoundByItsPathOnTheWire(t *testing.T) {
	s, _ := load(t)
	for _, tc := range []struct{ method, path, want string }{
		{"GET", "/customers", "/customers"},
		{"GET", "/v1/customers", "/customers"},
		{"GET", "/v1/customers?limit=5", "/customers"},
		{"GET", "/v1/customers/smith&sons", "/customers/{accountId}"},
		{"GET", "/v1/customers/smith%26sons", "/customers/{accountId}"},
		{"GET", "/v1/customers/a%2Fb", "/customers/{accountId}"},
		{"GET", "/v1/customers/tanaka.shoten/usage/voice", "/customers/{accountId}/usage/{product}"},
		{"GET", "/v1/customers/acme_retail/usage/voice/5f1c:1", "/customers/{accountId}/usage/{product}/{recordId}"},
		{"GET", "/v1/openapi.yaml", "/openapi.yaml"},
		{"POST", "/v1/customers", ""},
		{"HEAD", "/v1/customers", ""},
		{"GET", "/v1/customers/", ""},
		{"GET", "/v1/v1/customers", ""},
		{"GET", "/v1customers", ""},
		{"GET", "/v2/customers", ""},
		{"GET", "/v1/customers/acme_retail/usage", "/customers/{accountId}/usage"},
		{"GET", "/v1/customers/acme_retail/usages", ""},
		{"GET", "/v1/customers//usage/sms", ""},
		{"GET", "", ""},
	} {
		got := ""
		if o := s.find(tc.method, tc.path); o != nil {
			got = o.path
		}
		if got != tc.want {
			t.Errorf("%s %s is route %q, want %q", tc.method, tc.path, got, tc.want)
		}
	}
}

func TestWhatIsNoRouteMustAnswerRouteNotFound(t *testing.T) {
	const usage = "/v1/customers/acme_retail/usage"
	for _, tc := range []struct {
		method, path string
		status       int
		example      string
		contract     bool
	}{
		{"POST", "/v1/customers", 404, "RouteNotFound", true},
		{"POST", "/v1/customers", 404, "CustomerNotFound", false},
		{"POST", "/v1/customers", 403, "RouteNotFound", false},
		{"POST", "/v1/customers", 200, "SmsPage", false},
		// A dot segment may have been resolved or not.
		{"GET", usage + "/..", 404, "RouteNotFound", true},
		{"GET", usage + "/%2E%2E", 404, "RouteNotFound", true},
		{"GET", usage + "/sms/.", 404, "RouteNotFound", true},
		{"GET", usage + "/..", 404, "ProductNotFound", true},
		{"GET", usage + "/..", 404, "RecordNotFound", false},
		{"GET", usage + "/...", 404, "RouteNotFound", false},
		{"GET", usage + "/sms?status=/../", 404, "RouteNotFound", false},
	} {
		err := answerOf(t, "", 404, tc.example).check(t, tc.method, tc.path, tc.status)
		if (err == nil) != tc.contract {
			t.Errorf("%s %s, %d %s: %v", tc.method, tc.path, tc.status, tc.example, err)
		}
	}
}

func TestAnAnswerToHEADHasHeadersAndNoBody(t *testing.T) {
	s, _ := load(t)
	header := answerOf(t, "", 404, "RouteNotFound").header
	if err := s.CheckAnswer("HEAD", "/v1/customers", 404, header, nil); err != nil {
		t.Error(err)
	}
	header.Del("Cache-Control")
	if err := s.CheckAnswer("HEAD", "/v1/customers", 404, header, nil); err == nil {
		t.Error("a header is missing, and it is not told")
	}
}

func TestAStatusThatIsNotInTheContractIsRefused(t *testing.T) {
	page := answerOf(t, customersPath, 200, "CustomerPage")
	for _, status := range []int{0, 201, 204, 302, 304, 403, 404, 502, 504} {
		err := page.check(t, "GET", customersPath, status)
		if want := fmt.Sprintf("status %d is not in the contract", status); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("status %d: %v, want an error with %q", status, err, want)
		}
	}
}

func TestTheContractItselfIsAnAnswer(t *testing.T) {
	s, r := load(t)
	responses := r.doc.Paths.Value("/openapi.yaml").Get.Responses
	for _, tc := range []struct {
		claim, contentType, body string
		status                   int
		contract                 bool
	}{
		{"the document", "application/yaml; charset=utf-8", "openapi: 3.1.1", 200, true},
		{"the document as text", "text/plain", "openapi: 3.1.1", 200, false},
		{"unchanged", "", "", 304, true},
		{"unchanged, and yet sent", "application/yaml", "openapi: 3.1.1", 304, false},
	} {
		header := exampleHeader(responses.Status(tc.status).Value, tc.contentType)
		err := s.CheckAnswer(http.MethodGet, "/v1/openapi.yaml", tc.status, header, []byte(tc.body))
		if (err == nil) != tc.contract {
			t.Errorf("%s: %v", tc.claim, err)
		}
	}
}
