package template_test

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"partnerview/internal/dev/template"
	"partnerview/internal/directory"
	"partnerview/internal/dynamo"
	"partnerview/internal/usage"
)

// sender is a DynamoDB that has one item for every question and keeps what it
// was asked.
type sender struct {
	t        *testing.T
	template *template.Template
	requests []template.Request
}

func (s *sender) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		s.t.Error(err)
	}
	target := r.Header.Get("X-Amz-Target")
	requests, err := s.template.Requests(target, body)
	if err != nil {
		s.t.Errorf("%v in %s", err, body)
	}
	s.requests = append(s.requests, requests...)
	const item = `{"accountId":{"S":"acme"},"sortKey":{"S":"acme\u0000acme"},"name":{"S":"Acme"},"currency":{"S":"EUR"},"billingMode":{"S":"prepaid"},
		"products":{"L":[{"S":"sms"}]},"log":{"S":"acme#sms"},"at":{"S":"2026-11-03T10:00:00.120Z#u-1"},"byId":{"S":"acme#sms#u-1"},
		"status":{"S":"active"},"pk":{"S":"PARTNER#northwind"},"sk":{"S":"PROFILE"}}`
	answer := `{"Item":` + item + `}`
	switch {
	case strings.HasSuffix(target, "Query") && strings.Contains(string(body), "PriceListsTable"):
		answer = `{"Items":[],"Count":0}`
	case strings.HasSuffix(target, "Query"):
		answer = `{"Items":[` + item + `],"Count":1}`
	case strings.HasSuffix(target, "BatchGetItem"):
		answer = `{"Responses":{},"UnprocessedKeys":{}}`
	}
	w.Header().Set("Content-Type", "application/x-amz-json-1.0")
	io.WriteString(w, answer)
}

// TestAFunctionsRightsAreWhatItSends sends each read that a function makes of
// the store, over the wire, and compares it with the function's rights: it has
// each right that it needs, and needs each attribute that it has a right to.
// That the functions make these reads and no others is shown end to end, by
// the tests of the whole product.
func TestAFunctionsRightsAreWhatItSends(t *testing.T) {
	tmpl, err := template.Read(file, nil)
	if err != nil {
		t.Fatal(err)
	}
	log := usage.Log{Account: "acme", Product: usage.SMS}
	now := time.Date(2026, 11, 20, 0, 0, 0, 0, time.UTC)
	last4 := usage.Filter{Direction: "inbound", Statuses: []usage.Status{"sent"}, Channels: []usage.Channel{"rcs"}, Countries: []usage.Country{"GB"}, ToLast4: "0123"}
	reads := map[string]func(context.Context, *dynamo.Store){
		"AuthorizerFunction": func(ctx context.Context, s *dynamo.Store) {
			s.AccessKey(ctx, "4fzyo82mXw3b")
			s.PartnerAndGrant(ctx, "northwind", "acme")
			s.CustomerProducts(ctx, "acme")
		},
		"ListCustomersFunction": func(ctx context.Context, s *dynamo.Store) {
			s.Customers(ctx, "northwind", directory.CustomerQuery{Limit: 25})
			s.Customers(ctx, "northwind", directory.CustomerQuery{Limit: 25, Search: directory.NewSearch("a"), Product: usage.SMS, After: "a"})
		},
		"GetCustomerFunction": func(ctx context.Context, s *dynamo.Store) {
			s.Customer(ctx, "acme")
		},
		"GetUsageFunction": func(ctx context.Context, s *dynamo.Store) {
			s.PriceLists(ctx, log, now)
			s.Log(ctx, log, usage.Query{Limit: 50, Now: now, Filter: last4, Period: usage.Period{From: now, To: now.Add(1)}, After: &usage.Position{Timestamp: now, ID: "u-1"}})
			s.Record(ctx, log, "u-1", now)
		},
	}
	for id, read := range reads {
		t.Run(id, func(t *testing.T) {
			f, ok := tmpl.Function(id)
			if !ok {
				t.Fatal("there is no such function")
			}
			engine := &sender{t: t, template: tmpl}
			server := httptest.NewServer(engine)
			defer server.Close()
			env := map[string]string{"AWS_ENDPOINT_URL_DYNAMODB": server.URL}
			for variable, table := range f.Environment {
				env[variable] = table
			}
			getenv := func(name string) string { return env[name] }
			db, err := dynamo.NewClient(getenv)
			if err != nil {
				t.Fatal(err)
			}
			// What the reads make of the answers does not matter here; what they send does.
			read(t.Context(), dynamo.NewStore(db, dynamo.TablesFromEnv(getenv)))
			named := make(map[string]bool)
			for _, r := range engine.requests {
				if err := f.Allow(r); err != nil {
					t.Error(err)
				}
				for _, a := range r.Attributes {
					named[r.Action+" "+r.Table+"/"+r.Index+" "+a] = true
				}
			}
			for _, s := range f.Statements {
				table, index, _ := strings.Cut(tablePart(s.Resources[0]), "/index/")
				for _, c := range s.Conditions {
					for _, a := range c.Values {
						if c.Key == "dynamodb:Attributes" && c.Operator != "Null" &&
							!named[s.Actions[0]+" "+table+"/"+index+" "+a] && !isKey(tmpl, table, a) {
							t.Errorf("statement %s allows %s, which is never asked for", s.ID, a)
						}
					}
				}
			}
		})
	}
}

func isKey(tmpl *template.Template, table, attribute string) bool {
	t, _ := tmpl.Table(table)
	return slices.Contains([]string{t.Key.Partition, t.Key.Sort}, attribute)
}
