package e2e_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"partnerview/internal/testkit/producttest"
	"partnerview/internal/usage"
)

// What is refused must not show by what the refusal takes whether there is something
// behind it: a log that is full, a record, another partner's customer. Counted at the
// wire: calls and capacity units of the authorizer and the endpoint.
func TestWhatARefusalTakesDoesNotTellWhatThereIs(t *testing.T) {
	full := usage.Log{Account: "harbourline_freight", Product: usage.Voice} // northwind's; southbank's grant leaves it out
	var page usagePage
	pv.read(t, pv.Key(t, "northwind"), logPath(full)+"?limit=1", &page)
	if len(page.Data) == 0 {
		t.Fatalf("%s has no records", full.Account)
	}
	const freight, cafe = "/customers/harbourline_freight", "/customers/zoes_cafe"
	type asked struct{ claim, partner, path string }
	for code, group := range map[string][]asked{
		"customer_not_found": {
			{"another partner's customer", "northwind", customerPath("pearl&dhow")},
			{"a customer that nobody is granted", "northwind", customerPath("brolly-library")},
			{"no customer", "northwind", "/customers/no_such_account"},
			{"another partner's log", "northwind", customerPath("pearl&dhow") + "/usage/sms"},
			{"no customer's log", "northwind", "/customers/no_such_account/usage/sms"},
			{"no customer's record", "northwind", "/customers/no_such_account/usage/sms/u-1"},
		},
		"product_not_found": {
			{"a log with records that is not granted", "southbank", freight + "/usage/voice?limit=500"},
			{"the same, asked for with a fault", "southbank", freight + "/usage/voice?limit=0"},
			{"a log that is neither granted nor enabled", "southbank", freight + "/usage/video"},
			{"a log that is not enabled", "northwind", freight + "/usage/video"},
			{"a word that is no product", "northwind", freight + "/usage/fax"},
			{"a log of a grant that shows nothing", "southbank", cafe + "/usage/sms"},
			{"a record that there is, not granted", "southbank", freight + "/usage/voice/" + page.Data[0].ID},
			{"a record that there is not, not granted", "southbank", freight + "/usage/voice/no-such-record"},
			{"a record of a word that is no product", "northwind", freight + "/usage/fax/" + page.Data[0].ID},
		},
	} {
		var first, want string
		for _, c := range group {
			got := takes(t, c.partner, c.path, code)
			if first == "" {
				first, want = c.claim, got
			}
			if got != want {
				t.Errorf("%s takes\n%s, but %s\n%s", c.claim, got, first, want)
			}
		}
		if strings.Contains(want, "GetUsageFunction") || strings.Contains(want, "GetCustomerFunction") {
			t.Errorf("an endpoint reads before it answers %s: %s", code, want)
		}
	}
	// A log that may be seen is another thing: it is looked into, whatever is in it.
	some := takes(t, "northwind", freight+"/usage/voice/no-such-record", "record_not_found")
	if strings.Count(some, "GetUsageFunction Query") != 2 || strings.Contains(some, "GetUsageFunction GetItem") {
		t.Errorf("a record that there is not, in a log that may be seen, takes %s", some)
	}
}

// API Gateway refuses by itself what is too large for it, before anybody is asked. The
// contract names these answers too: a client made of it must be able to read them.
func TestWhatIsTooLargeForTheGatewayIsRefusedByTheContract(t *testing.T) {
	key := pv.Key(t, "northwind")
	for _, route := range []string{"/customers", "/customers/a", "/customers/a/summary", "/customers/a/usage", "/customers/a/usage/sms",
		"/customers/a/usage/sms/u-1", "/summary", "/me"} {
		pv.wants(t, "a query that is too large", key, route+"?q="+strings.Repeat("x", 11_000), 413, "request_too_large")
		pv.wants(t, "headers that are too large", key, route, 413, "request_too_large", "Accept-Language", strings.Repeat("x", 11_000))
	}
	long := strings.Repeat("x", 1_700)
	for _, route := range []string{"/customers/", "/customers/a/usage/", "/customers/a/usage/sms/"} {
		pv.wants(t, "a path that is too long", key, route+long, 414, "invalid_parameter")
	}
}

// takes is what a request takes that no decision is kept for, and that is answered
// with a 404 of that code.
func takes(t *testing.T, partner, path, code string) string {
	t.Helper()
	key := pv.newKey(t, partner)
	var calls []string
	for _, s := range pv.Proxy.During(func() {
		if a := pv.get(t, key, path); a.status != 404 || a.code() != code {
			t.Errorf("%s for %s: %d %s, want %s", path, partner, a.status, a.body, code)
		}
	}) {
		calls = append(calls, atTheWire(t, s))
	}
	slices.Sort(calls)
	return strings.Join(calls, "\n")
}

// atTheWire is a call with its units; without them where the engine counts none for what is
// not there.
func atTheWire(t *testing.T, c producttest.Call) string {
	t.Helper()
	if !engine.ChargesForWhatIsNotThere(t, pv.Tables) {
		return c.Function + " " + c.Operation
	}
	return fmt.Sprintf("%s %s %.1f", c.Function, c.Operation, c.Units)
}
