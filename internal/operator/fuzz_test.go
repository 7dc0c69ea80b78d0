package operator

import (
	"strings"
	"testing"
)

// A line of a log is a look at the customer, or none, or cannot be read.
//
//fuzz:reaches audit.go:ReadLook audit.go:shownBy
func FuzzReadLook(f *testing.F) {
	const look = `{"time":"2026-11-03T10:00:00Z","audit":true,"requestId":"r-1","route":"ROUTE","partnerId":"northwind","keyId":"k","accountIds":["acme_retail"],"product":"sms","records":3}`
	for _, route := range []string{
		"GET /customers", "GET /customers/{accountId}", "GET /customers/{accountId}/usage/{product}", "GET /customers/{accountId}/usage/{product}/{recordId}",
		"GET /customers/{accountId}/usage", "GET /summary", "GET /new", "",
	} {
		f.Add([]byte(strings.Replace(look, "ROUTE", route, 1)))
	}
	for _, seed := range []string{strings.Replace(look, "sms", "", 1), strings.Replace(look, "2026", "soon", 1), `{"audit":true}`, `{}`, "START RequestId: 447700900123", `{"records":"x"}`} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, line []byte) {
		look, found, err := ReadLook(line, "acme_retail")
		if err != nil && found {
			t.Fatalf("%q: %v, %v", line, found, err)
		}
		if found && (look.Partner == "" || look.KeyID == "" || look.What == "" || look.Product == "" && look.Records != 0) {
			t.Fatalf("%q is the look %+v", line, look)
		}
	})
}
