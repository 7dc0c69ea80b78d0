package dynamo_test

import (
	"encoding/json"
	"slices"
	"testing"

	"partnerview/internal/directory"
	"partnerview/internal/pricing"
	"partnerview/internal/usage"
)

// What a request costs is part of the design: docs/decisions tells the plans.
func TestEachQuestionTakesAsManyCallsAsPlanned(t *testing.T) {
	s, proxy, direct := proxied(t)
	must(t, direct.PutPartner(t.Context(), directory.Partner{ID: "northwind", Status: directory.Active}))
	must(t, direct.PutAccessKey(t.Context(), accessKey("4fzyo82mXw3b", "northwind")))
	for i := range 30 {
		grant(t, direct, "northwind", customer(usage.AccountID(name("acc-%02d", i)), name("Customer %02d", i)))
	}
	for i := range 150 {
		write(t, direct, record(acmeSMS, name("u-%d", i), now))
	}
	must(t, direct.PutPriceLists(t.Context(), acmeSMS, []pricing.List{priceList(now, "0.1")}))

	tests := []struct {
		question string
		ask      func() error
		want     []string
	}{
		{"whose key is it", func() error { _, err := s.AccessKey(t.Context(), "4fzyo82mXw3b"); return err }, []string{"GetItem"}},
		{"may the partner see the customer", func() error { _, _, err := s.PartnerAndGrant(t.Context(), "northwind", "acc-07"); return err }, []string{"BatchGetItem"}},
		{"a page of customers", func() error {
			_, err := s.Customers(t.Context(), "northwind", directory.CustomerQuery{Limit: 25})
			return err
		}, []string{"Query", "BatchGetItem"}},
		{"a search", func() error {
			_, err := s.Customers(t.Context(), "northwind", directory.CustomerQuery{Limit: 25, Search: directory.NewSearch("07")})
			return err
		}, []string{"Query", "BatchGetItem"}},
		{"a search that finds nothing", func() error {
			_, err := s.Customers(t.Context(), "northwind", directory.CustomerQuery{Limit: 25, Search: directory.NewSearch("none")})
			return err
		}, []string{"Query"}},
		{"one customer", func() error { _, err := s.Customer(t.Context(), "acc-07"); return err }, []string{"GetItem"}},
		{"price lists", func() error { _, _, err := s.PriceLists(t.Context(), acmeSMS, now); return err }, []string{"Query"}},
		{"a page of 100 records", func() error { _, err := s.Log(t.Context(), acmeSMS, usage.Query{Limit: 100, Now: now}); return err }, []string{"Query"}},
		{"the last page", func() error { _, err := s.Log(t.Context(), acmeSMS, usage.Query{Limit: 500, Now: now}); return err }, []string{"Query"}},
		{"one record", func() error { _, err := s.Record(t.Context(), acmeSMS, "u-7", now); return err }, []string{"Query", "GetItem"}},
	}
	for _, tt := range tests {
		proxy.Calls()
		must(t, tt.ask())
		if got := proxy.Operations(); !slices.Equal(got, tt.want) {
			t.Errorf("%s: %v, want %v", tt.question, got, tt.want)
		}
	}
}

func TestPageReadsOneItemMoreThanItShows(t *testing.T) {
	s, proxy, direct := proxied(t)
	write(t, direct, record(acmeSMS, "u-1", now))
	_, err := s.Log(t.Context(), acmeSMS, usage.Query{Limit: 100, Now: now})
	must(t, err)
	var sent struct {
		Limit                int
		Select               string
		ConsistentRead       bool
		ProjectionExpression string
	}
	must(t, json.Unmarshal(proxy.Calls()[0].Body, &sent))
	if sent.Limit != 101 || sent.ConsistentRead || sent.Select != "SPECIFIC_ATTRIBUTES" || sent.ProjectionExpression == "" {
		t.Errorf("the query asks for %+v", sent)
	}
}
