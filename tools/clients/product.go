package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"
)

// startTimeout is how long the product may take until it serves: it builds its
// functions, and loads the sample data.
const startTimeout = 4 * time.Minute

// Of the sample data: the partner whose key is used, and a customer of its with
// all four products.
const (
	viewer  = "northwind"
	account = "mueller_soehne"
)

// product is the product, as it runs.
type product struct {
	base  string // "http://127.0.0.1:34567/v1"
	key   string
	end   context.CancelFunc
	ended chan error // gets what it ended with, once
}

// start starts what "make run" starts, on a free port, and waits until it serves.
func start(ctx context.Context, root string) (*product, error) {
	folder, err := os.MkdirTemp("", "partnerview-clients-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(folder)
	ready := filepath.Join(folder, "ready.json")
	ctx, end := context.WithCancel(ctx)
	cmd := command(ctx, step{dir: root, args: []string{filepath.Join(root, "build", "local"), "--listen", "127.0.0.1:0", "--ready-file", ready}})
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) } // it ends what it started
	cmd.WaitDelay = 20 * time.Second
	var log bytes.Buffer
	cmd.Stdout, cmd.Stderr = &log, &log
	if err := cmd.Start(); err != nil {
		end()
		return nil, fmt.Errorf("%w; make clients builds it", err)
	}
	p := &product{end: end, ended: make(chan error, 1)}
	go func() { p.ended <- cmd.Wait() }()
	late := time.After(startTimeout)
	for {
		if text, err := os.ReadFile(ready); err == nil {
			if err := p.read(text); err != nil {
				return nil, errors.Join(err, p.stop())
			}
			return p, nil
		}
		select {
		case err := <-p.ended:
			end()
			return nil, fmt.Errorf("the product has ended: %w\n%s", err, &log)
		case <-late:
			return nil, errors.Join(errors.New("the product does not serve"), p.stop())
		case <-time.After(100 * time.Millisecond):
		}
	}
}

// read reads the ready file.
func (p *product) read(text []byte) error {
	var ready struct {
		BaseURL  string
		Partners []struct{ ID, Key string }
	}
	if err := json.Unmarshal(text, &ready); err != nil {
		return err
	}
	p.base = ready.BaseURL
	for _, partner := range ready.Partners {
		if partner.ID == viewer {
			p.key = partner.Key
			return nil
		}
	}
	return fmt.Errorf("the sample data has no partner %s", viewer)
}

// stop ends the product and waits for it.
func (p *product) stop() error {
	p.end()
	err := <-p.ended
	if errors.Is(err, context.Canceled) {
		return nil
	}
	return err
}

// facts are what every client is to find out, and what it needs for that.
type facts struct {
	from, to string // a period, given as a date and as a time
	record   string // the id of an SMS
	text     string // what the programs must print
}

// get reads as JSON what a GET answers. A status other than the wanted one is an error.
func get(ctx context.Context, p *product, key string, status int, path string, query url.Values, into any) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, p.base+path+"?"+query.Encode(), nil)
	if err != nil {
		return err
	}
	request.Header.Set("Authorization", "Bearer "+key)
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if response.StatusCode != status {
		return fmt.Errorf("GET %s: %s, want %d", path, response.Status, status)
	}
	return json.NewDecoder(response.Body).Decode(into)
}

// record is what the programs read of a record.
type record struct {
	ID                                      string
	Segments, DurationSeconds, Participants int
	Channel                                 *string
	Price                                   struct {
		Status, Amount, Currency string
		Explanation              struct {
			UnitPrice, Unit string
			Quantity        int
		}
	}
}

// problem is what the programs read of one.
type problem struct {
	Code   string
	Errors []struct{ Parameter string }
}

// look finds the facts out, with nothing but the standard library.
func (p *product) look(ctx context.Context) (facts, error) {
	f := facts{from: time.Now().UTC().AddDate(0, 0, -60).Format(time.DateOnly), to: time.Now().UTC().Format(time.RFC3339)}
	var out strings.Builder
	var customers struct {
		Data []struct {
			AccountID string
			Products  []string
		}
	}
	if err := get(ctx, p, p.key, http.StatusOK, "/customers", url.Values{"limit": {"100"}}, &customers); err != nil {
		return f, err
	}
	fmt.Fprintln(&out, "customers", len(customers.Data))
	var products []string
	for _, c := range customers.Data {
		if c.AccountID == account {
			products = c.Products
		}
	}
	if len(products) != 4 {
		return f, fmt.Errorf("%s has the products %v, want all four", account, products)
	}
	var rated record
	path := "/customers/" + account
	for _, name := range products {
		records, quantity := 0, 0
		for query := (url.Values{"from": {f.from}, "to": {f.to}, "limit": {"500"}}); ; {
			var page struct {
				Data       []record
				NextCursor *string
			}
			if err := get(ctx, p, p.key, http.StatusOK, path+"/usage/"+name, query, &page); err != nil {
				return f, err
			}
			for _, r := range page.Data {
				records++
				quantity += r.Segments + r.Participants
				if name == "voice" { // a video has a duration too
					quantity += r.DurationSeconds
				}
				if r.Channel != nil {
					quantity++
				}
				if name == "sms" && rated.ID == "" && r.Price.Status == "rated" {
					rated = r
				}
			}
			if page.NextCursor == nil {
				break
			}
			query.Set("cursor", *page.NextCursor)
		}
		if records <= 25 { // the programs' page
			return f, fmt.Errorf("the log of %s has one page only: %d records", name, records)
		}
		fmt.Fprintln(&out, name, records, quantity)
	}
	f.record = rated.ID
	why := rated.Price.Explanation
	fmt.Fprintln(&out, "price", rated.ID, rated.Price.Status, rated.Price.Amount, rated.Price.Currency, why.UnitPrice, why.Unit, why.Quantity)

	var bad, denied problem
	if err := get(ctx, p, p.key, http.StatusBadRequest, path+"/usage/sms", url.Values{"limit": {"0"}, "toLast4": {"12345"}}, &bad); err != nil {
		return f, err
	}
	var named []string
	for _, e := range bad.Errors {
		named = append(named, e.Parameter)
	}
	if !slices.Equal(named, []string{"limit", "toLast4"}) {
		return f, fmt.Errorf("the 400 names %v", named)
	}
	fmt.Fprintln(&out, "400", bad.Code, strings.Join(named, ","))
	if err := get(ctx, p, "pvk_wrong", http.StatusUnauthorized, "/customers", nil, &denied); err != nil {
		return f, err
	}
	fmt.Fprintln(&out, "401", denied.Code)
	f.text = out.String()
	return f, nil
}
