package api_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"partnerview/internal/directory"
	"partnerview/internal/totals"
	"partnerview/internal/usage"
)

// A row for each product that the viewer may see, in the order in which products are
// listed; of a log that nothing was ever loaded into, all is null.
func TestTheListOfLogsToTheLetter(t *testing.T) {
	s := newShelf(t, acmeRetail)
	state := func(p usage.Product, state totals.LogState) {
		s.states[usage.Log{Account: "acme_retail", Product: p}] = state
	}
	state(usage.Messaging, totals.LogState{FirstDay: "2026-08-30", LastDay: "2026-11-27", LoadedThrough: at("2026-11-27T23:58:12.004Z"),
		LoadedAt: at("2026-11-28T02:10:00Z"), UpdatedAt: at("2026-11-28T02:10:04.12Z"), PricesChangedAt: at("2026-11-20T08:00:00Z")})
	state(usage.SMS, totals.LogState{FirstDay: "2026-08-30", LastDay: "2026-11-27", LoadedThrough: at("2026-11-27T23:58:12.004Z"),
		LoadedAt: at("2026-11-28T02:10:00Z"), UpdatedAt: at("2026-11-28T02:10:04.12Z")})
	state(usage.Voice, totals.LogState{LoadedThrough: at("2026-11-28T00:00:00Z"), UpdatedAt: at("2026-11-28T02:10:04.12Z")}) // all of it was deleted
	const (
		sms = `{"product":"sms","firstDay":"2026-08-30","lastDay":"2026-11-27","loadedThrough":"2026-11-27T23:58:12.004Z","loadedAt":"2026-11-28T02:10:00.000Z",` +
			`"updatedAt":"2026-11-28T02:10:04.120Z","pricesChangedAt":null}`
		voice     = `{"product":"voice","firstDay":null,"lastDay":null,"loadedThrough":"2026-11-28T00:00:00.000Z","loadedAt":null,"updatedAt":"2026-11-28T02:10:04.120Z","pricesChangedAt":null}`
		video     = `{"product":"video","firstDay":null,"lastDay":null,"loadedThrough":null,"loadedAt":null,"updatedAt":null,"pricesChangedAt":null}`
		messaging = `{"product":"messaging","firstDay":"2026-08-30","lastDay":"2026-11-27","loadedThrough":"2026-11-27T23:58:12.004Z","loadedAt":"2026-11-28T02:10:00.000Z",` +
			`"updatedAt":"2026-11-28T02:10:04.120Z","pricesChangedAt":"2026-11-20T08:00:00.000Z"}`
		zone = `,"timeZone":"Europe/Berlin"}`
	)
	for _, c := range []struct {
		claim    string
		viewer   directory.Viewer
		products []usage.Product // of those seen, those that the customer still has
		want     string
	}{
		{"all of them", north, usage.Products(), `{"data":[` + sms + `,` + voice + `,` + video + `,` + messaging + `]` + zone},
		{"those alone that the viewer may see", narrow, []usage.Product{usage.Voice}, `{"data":[` + voice + `]` + zone},
		{"none", directory.Viewer{Identity: northwind, Account: "acme_retail"}, nil, `{"data":[]` + zone},
	} {
		s.customers[0].Products = c.products // the shelf fails who reads others
		if diff := cmp.Diff(c.want, ask(t, s, c.viewer, "/customers/acme_retail/usage").Body.String()); diff != "" {
			t.Errorf("%s: %s", c.claim, diff)
		}
	}
	s.customers[0].TimeZone = ""
	if diff := cmp.Diff(`{"data":[],"timeZone":"UTC"}`, ask(t, s, directory.Viewer{Identity: northwind, Account: "acme_retail"}, "/customers/acme_retail/usage").Body.String()); diff != "" {
		t.Errorf("where nobody said in which zone: %s", diff)
	}
	wantProblem(t, ask(t, s, north, "/customers/acme_retail/usage?limit=1"), 400, "invalid_parameter", "limit")
}
