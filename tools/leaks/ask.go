package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"partnerview/internal/api"
)

const (
	asJSON = "application/json"
	asCSV  = "text/csv"
)

var products = []string{"sms", "voice", "video", "messaging"}

// reads asks for everything that there is to see: customers, logs to their ends, records by
// themselves, sums by every group, as JSON and as CSV.
func (p *product) reads(ctx context.Context) (records int, err error) {
	paths := []string{"/me", "/customers?count=true", "/summary?groupBy=customer&groupBy=channel"}
	for _, account := range accounts {
		paths = append(paths, "/customers/"+account, "/customers/"+account+"/usage")
		for _, by := range strings.Fields("day month product direction status country channel priceStatus") {
			paths = append(paths, "/customers/"+account+"/summary?limit=1000&groupBy="+by)
		}
	}
	for _, path := range paths {
		if _, err := p.asks(ctx, path, asJSON); err != nil {
			return 0, err
		}
		if _, err := p.asks(ctx, path, asCSV); err != nil { // of some routes a 406
			return 0, err
		}
	}
	for _, account := range accounts {
		for _, product := range products {
			n, err := p.readsLog(ctx, "/customers/"+account+"/usage/"+product)
			if err != nil {
				return 0, err
			}
			records += n
		}
	}
	return records, nil
}

// readsLog reads a log to its end, as JSON and as CSV, and some of its records by themselves.
func (p *product) readsLog(ctx context.Context, path string) (records int, err error) {
	for cursor := ""; ; {
		query := url.Values{"limit": {"200"}}
		if cursor != "" {
			query.Set("cursor", cursor)
		}
		a, err := p.asks(ctx, path+"?"+query.Encode(), asJSON)
		if err != nil {
			return 0, err
		}
		if _, err := p.asks(ctx, path+"?"+query.Encode(), asCSV); err != nil {
			return 0, err
		}
		var page struct {
			Data       []struct{ ID string }
			NextCursor string
		}
		if err := json.Unmarshal([]byte(a.body), &page); err != nil || a.status != 200 {
			return 0, fmt.Errorf("GET %s: %d %s", path, a.status, a.body)
		}
		for _, r := range page.Data[:min(3, len(page.Data))] {
			if _, err := p.asks(ctx, path+"/"+r.ID, asJSON); err != nil {
				return 0, err
			}
		}
		records += len(page.Data)
		if cursor = page.NextCursor; cursor == "" {
			return records, nil
		}
	}
}

// errs asks every route with numbers where it takes anything: in each parameter, in its path, in
// the credential; none may be repeated. It returns how often it asked.
func (p *product) errs(ctx context.Context, w *writer) (asked int, err error) {
	placeholder := regexp.MustCompile(`\{[a-zA-Z]+\}`)
	for _, route := range api.Routes() {
		path := strings.NewReplacer("{accountId}", accounts[0], "{product}", "sms", "{recordId}", "m-none").
			Replace(strings.TrimPrefix(route.Pattern, "GET "))
		var paths []string
		for _, name := range append(slices.Clone(route.Parameters), "phone") {
			n := w.number()
			paths = append(paths, path+"?"+name+"="+url.QueryEscape(n.spelt(w.rng)), path+"?"+name+"="+string(n[6:]))
		}
		for range placeholder.FindAllString(route.Pattern, -1) {
			n := w.number()
			paths = append(paths, placeholder.ReplaceAllString(strings.TrimPrefix(route.Pattern, "GET "), url.PathEscape(n.spelt(w.rng))))
		}
		paths = append(paths, path+"?"+url.QueryEscape(w.number().spelt(w.rng))+"=1")
		for _, path := range paths {
			if _, err := p.asks(ctx, path, pick(w.rng, []string{asJSON, asCSV, "text/" + string(w.number())})); err != nil {
				return 0, err
			}
		}
		asked += len(paths)
	}
	key := p.key
	defer func() { p.key = key }()
	for range 5 {
		p.key = w.number().spelt(w.rng)
		if strings.Trim(p.key, "0123456789+-. ()") != "" {
			p.key = string(w.number())
		}
		if _, err := p.asks(ctx, "/customers", asJSON); err != nil {
			return 0, err
		}
		asked++
	}
	return asked, nil
}
