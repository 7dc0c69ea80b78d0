package operator_test

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"partnerview/internal/api"
	"partnerview/internal/directory"
	"partnerview/internal/operator"
	"partnerview/internal/usage"
)

// What the API writes is what the operator reads: an answer of every route, on a
// customer with & in its account ID, and one that is on the same page of the list.
func TestALookIsWhatTheAPIHasWritten(t *testing.T) {
	o, s := newOperator(t)
	apply(t, o, `
partners:
  - {id: northwind, name: Northwind, customers: [{accountId: acme_retail}, {accountId: b&b}, {accountId: b&bs}]}
customers:
  - {accountId: acme_retail, name: Acme, products: [sms], currency: EUR, billingMode: prepaid}
  - {accountId: b&b, name: Brot & Butter, products: [sms], currency: EUR, billingMode: prepaid}
  - {accountId: b&bs, name: Brot & Butter Süd, products: [sms], currency: EUR, billingMode: prepaid}
`)
	_, err := s.WriteUsage(t.Context(), []usage.Record{
		{Log: usage.Log{Account: "b&b", Product: usage.SMS}, ID: "m-1", Timestamp: now.Add(-time.Hour)},
		{Log: usage.Log{Account: "b&b", Product: usage.SMS}, ID: "m-2", Timestamp: now.Add(-time.Hour)},
	})
	must(t, err)
	var log bytes.Buffer
	env := api.Env{
		Viewer: func(context.Context) (directory.Viewer, error) {
			return directory.Viewer{Identity: directory.Identity{Partner: "northwind", KeyID: "4fzyo82mXw3b"}, Account: "b&b", Products: []usage.Product{usage.SMS}}, nil
		},
		RequestID: func(context.Context) string { return "req-1" },
		Now:       clock,
		Log:       slog.New(slog.NewJSONHandler(&log, nil)),
	}
	paths := map[string]operator.Look{
		"/customers":                    {What: operator.ShownList},
		"/customers/b&b":                {What: operator.ShownCustomer},
		"/customers/b&b/usage/sms":      {What: operator.ShownLog, Product: usage.SMS, Records: 2},
		"/customers/b&b/usage/sms/m-1":  {What: operator.ShownRecord, Product: usage.SMS, Records: 1},
		"/customers?search=acme":        {}, // others' customers are not this one's looks
		"/customers/b&b/usage/sms/none": {}, // nor is what was refused
	}
	written := make(map[string]bool)
	for path, want := range paths {
		log.Reset()
		for _, handler := range []http.Handler{api.ListCustomers(env, s), api.GetCustomer(env, s), api.GetUsage(env, s)} {
			handler.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest("GET", path, nil))
		}
		var looks []operator.Look
		for line := range strings.Lines(log.String()) {
			look, found, err := operator.ReadLook([]byte(line), "b&b")
			must(t, err)
			if found {
				if age := time.Since(look.At); age < 0 || age > time.Minute {
					t.Errorf("%s: it is said to have been at %v", path, look.At)
				}
				looks = append(looks, look)
				written[string(look.What)] = true
			}
		}
		var all []operator.Look
		if want.What != "" {
			want.RequestID, want.Partner, want.KeyID = "req-1", "northwind", "4fzyo82mXw3b"
			all = append(all, want)
		}
		if diff := cmp.Diff(all, looks, cmpopts.IgnoreFields(operator.Look{}, "At")); diff != "" {
			t.Errorf("GET %s (-want +got):\n%s%s", path, diff, &log)
		}
	}
	for _, r := range api.Routes() { // one whose answers are no customer's need not be known
		if look, found, err := operator.ReadLook(auditLine(r.Pattern, `["b&b"]`), "b&b"); err != nil || !found || strings.Contains(r.Pattern, "/me") != (look.What == operator.Shown(r.Pattern)) {
			t.Errorf("%s is told as %q", r.Pattern, look.What)
		}
	}
	if len(written) != 4 {
		t.Errorf("tried were only %v", written)
	}
}

func auditLine(route, accounts string) []byte {
	return fmt.Appendf(nil, `{"time":"2026-06-15T12:00:00.5Z","msg":"shown","audit":true,"requestId":"r","route":%q,"partnerId":"northwind","keyId":"k","accountIds":%s,"product":"","records":3}`, route, accounts)
}

// A customer is told of looks at its own data: an account that begins or ends alike, or
// that is alike but for its case, is somebody else.
func TestALookIsAtExactlyThisAccount(t *testing.T) {
	for accounts, want := range map[string]bool{
		`["acme"]`: true, `["b&b","acme","x-1"]`: true, `["b\u0026b","acme"]`: true,
		`["acme_2"]`: false, `["my_acme"]`: false, `["ACME"]`: false, `["a.me"]`: false, `[]`: false, `null`: false,
	} {
		if _, found, err := operator.ReadLook(auditLine("GET /customers", accounts), "acme"); err != nil || found != want {
			t.Errorf("a page with %s: found %v, %v", accounts, found, err)
		}
	}
	if _, found, err := operator.ReadLook(auditLine("GET /customers", `["b\u0026b"]`), "b&b"); err != nil || !found {
		t.Errorf("an account that is written with an escape is not found: %v", err)
	}
}

// What cannot be read is no reason to say that nobody looked.
func TestALineThatCannotBeReadIsAnError(t *testing.T) {
	whole := string(auditLine("GET /customers", `["acme"]`))
	for claim, text := range map[string]string{
		"cut short":     whole[:len(whole)-9],
		"no time":       strings.Replace(whole, `"time"`, `"at"`, 1),
		"no partner":    strings.Replace(whole, `northwind`, ``, 1),
		"no key":        strings.Replace(whole, `"k"`, `""`, 1),
		"no route":      strings.Replace(whole, `GET /customers`, ``, 1),
		"other records": strings.Replace(whole, `:3}`, `:"3"}`, 1),
	} {
		if _, found, err := operator.ReadLook([]byte(text), "acme"); err == nil || found || strings.Contains(err.Error(), "northwind") {
			t.Errorf("%s: found %v, %v", claim, found, err)
		}
	}
	if _, found, err := operator.ReadLook([]byte(`{"msg":"request","accountIds":["acme"]}`), "acme"); err != nil || found {
		t.Errorf("a line that is no audit line is found: %v, %v", found, err)
	}
}

// A look says whose key it was, or which person; and of what is not kept any more, no
// one else's name.
func TestOnlookersAreNamedByWhatTheDirectoryHas(t *testing.T) {
	o, s := newOperator(t)
	apply(t, o, `
partners:
  - {id: northwind, name: Northwind, customers: [{accountId: acme_retail}]}
  - {id: southbank, name: Southbank, customers: []}
customers:
  - {accountId: acme_retail, name: Acme, products: [sms], currency: EUR, billingMode: prepaid}
`)
	_, key, err := o.CreateKey(t.Context(), "northwind", "their billing export", operator.Expiry{})
	must(t, err)
	_, revoked, err := o.CreateKey(t.Context(), "northwind", "", operator.Expiry{})
	must(t, err)
	_, err = o.RevokeKey(t.Context(), revoked.ID)
	must(t, err)
	const issuer = "https://login.example.com"
	for _, p := range []directory.Person{
		{Subject: "nora", Name: "Nora N.", CreatedAt: now},
		{Subject: "rolf", Name: "Rolf", CreatedAt: now, RemovedAt: now},
	} {
		p.Partner, p.Issuer = "northwind", issuer
		must(t, s.PutPerson(t.Context(), p))
	}
	at := func(minutes int, partner directory.PartnerID, keyID string) operator.Look {
		return operator.Look{At: now.Add(time.Duration(minutes) * time.Minute), Partner: partner, KeyID: keyID}
	}
	looks := []operator.Look{
		at(8, "gone", key.ID), at(1, "northwind", key.ID), at(2, "northwind", revoked.ID), at(3, "northwind", "nosuchkey000"),
		at(4, "northwind", directory.TokenKeyID(issuer, "nora")), at(5, "northwind", directory.TokenKeyID(issuer, "rolf")), at(6, "northwind", directory.TokenKeyID(issuer, "sami")),
		at(7, "southbank", directory.TokenKeyID(issuer, "nora")), at(9, "northwind", key.ID),
	}
	got, err := o.Onlookers(t.Context(), looks)
	must(t, err)
	export := operator.Onlooker{PartnerName: "Northwind", Name: "their billing export", State: "active"}
	want := []operator.Onlooker{
		export, {"Northwind", "", "revoked"}, {"Northwind", "", ""},
		{"Northwind", "Nora N.", "active"}, {"Northwind", "Rolf", "removed"}, {"Northwind", "", ""},
		{"Southbank", "", ""}, // another partner's person of the same subject is not named
		{"", "", ""},          // nor the label of a key that is another's
		export,
	}
	if diff := cmp.Diff(want, got); diff != "" || looks[0].KeyID != key.ID || looks[7].Partner != "gone" {
		t.Errorf("the looks are %v, by (-want +got):\n%s", looks, diff)
	}
}
