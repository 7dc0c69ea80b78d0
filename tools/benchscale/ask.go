package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"time"

	"partnerview/internal/directory"
	"partnerview/internal/usage"
	"partnerview/tools/report"
)

// question is a request whose cost may grow with what it is read from.
type question struct {
	name, of string
	viewer   directory.Viewer
	path     string
	query    url.Values
	follow   int // how many cursors are followed before what is measured
}

// questions are all of all sizes, each question's one after the other.
func questions(of sizes) []question {
	var all []question
	for _, n := range of.logs {
		all = append(all, ofLog(n)...)
	}
	for _, n := range of.partners {
		all = append(all, ofPartner(n)...)
	}
	slices.SortStableFunc(all, func(a, b question) int { return order(a.name, all) - order(b.name, all) })
	return all
}

func order(name string, all []question) int {
	return slices.IndexFunc(all, func(q question) bool { return q.name == name })
}

// pageSize is of the pages of records.
const pageSize = 50

func ofLog(n int) []question {
	account := logAccount(n)
	viewer := directory.Viewer{Identity: directory.Identity{Partner: "scale"}, Account: usage.AccountID(account), Products: smsOnly}
	page, summary := "/customers/"+account+"/usage/sms", "/customers/"+account+"/summary"
	// The pages behind these ends are reached by a cursor, as partners reach them.
	endingAt := func(i int) string { return usage.FormatTime(clock().Add(-span / time.Duration(n) * time.Duration(i))) }
	all := []question{
		{name: "first page", path: page},
		{name: "middle page", path: page, query: url.Values{"to": {endingAt(n / 2)}}, follow: 1},
		{name: "last page", path: page, query: url.Values{"to": {endingAt(n - 2*pageSize)}}, follow: 1},
		{name: "filtered page, one record in ten", path: page, query: url.Values{"country": {"GB"}}},
		{name: "page of 500", path: page, query: url.Values{"limit": {"500"}}},
		{name: "summary of a month by day", path: summary, query: url.Values{"from": {"2026-10-01"}, "to": {"2026-11-01"}, "groupBy": {"day"}}},
		{name: "summary of a year", path: summary, query: url.Values{"from": {"2025-12-01"}, "to": {"2026-11-20"}}},
	}
	for i := range all {
		all[i].viewer, all[i].of = viewer, fmt.Sprintf("%d records", n)
	}
	return all
}

func ofPartner(n int) []question {
	viewer := directory.Viewer{Identity: directory.Identity{Partner: directory.PartnerID(partner(n))}}
	all := []question{
		{name: "list, first page", path: "/customers"},
		{name: "list, middle page of 100", path: "/customers", query: url.Values{"limit": {"100"}}, follow: n / 200},
		{name: "search that finds ten", path: "/customers", query: url.Values{"search": {"member 0000"}}},
		{name: "search that finds none", path: "/customers", query: url.Values{"search": {"nobody"}}},
	}
	if n <= customersWithUsage { // a summary of over 2,000 customers is refused
		all = append(all, question{name: "summary of a month of all customers", path: "/summary",
			query: url.Values{"from": {"2026-10-01"}, "to": {"2026-11-01"}, "groupBy": {"customer"}}})
	}
	for i := range all {
		all[i].viewer, all[i].of = viewer, fmt.Sprintf("%d customers", n)
	}
	return all
}

// ask asks a question over and over, and makes a row of what it cost.
func (s *stage) ask(ctx context.Context, q question, rounds int) ([]string, error) {
	h := s.handler(q.viewer)
	query := url.Values{}
	for name, values := range q.query {
		query[name] = values
	}
	for range q.follow {
		cursor, err := nextCursor(ctx, h, q.path, query)
		if err != nil {
			return nil, err
		}
		query.Set("cursor", cursor)
	}
	took := make([]time.Duration, rounds)
	calls, units, bytes := s.calls.Load(), s.units.Load(), 0
	for i := range took {
		began := time.Now()
		body, err := answer(ctx, h, q.path, query)
		if err != nil {
			return nil, err
		}
		took[i], bytes = time.Since(began), len(body)
	}
	each := func(all int64) float64 { return float64(all) / float64(rounds) }
	return []string{
		q.name, q.of, fmt.Sprintf("%.3g", each(s.calls.Load()-calls)), fmt.Sprintf("%.1f", each(s.units.Load()-units)/1000),
		fmt.Sprintf("%.1f", float64(report.Median(took, report.Itself))/1e6), fmt.Sprintf("%.1f", float64(bytes)/1000),
	}, nil
}

func answer(ctx context.Context, h http.Handler, path string, query url.Values) ([]byte, error) {
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequestWithContext(ctx, http.MethodGet, path+"?"+query.Encode(), nil))
	if w.Code != http.StatusOK {
		return nil, fmt.Errorf("it is answered with %d: %s", w.Code, w.Body)
	}
	return w.Body.Bytes(), nil
}

func nextCursor(ctx context.Context, h http.Handler, path string, query url.Values) (string, error) {
	body, err := answer(ctx, h, path, query)
	if err != nil {
		return "", err
	}
	var page struct {
		NextCursor string `json:"nextCursor"`
	}
	if err := json.Unmarshal(body, &page); err != nil {
		return "", err
	}
	if page.NextCursor == "" {
		return "", errNoCursor
	}
	return page.NextCursor, nil
}
