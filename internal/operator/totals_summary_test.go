package operator_test

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"time"

	"partnerview/internal/api"
	"partnerview/internal/directory"
	"partnerview/internal/dynamo"
	"partnerview/internal/money"
	"partnerview/internal/totals"
	"partnerview/internal/usage"
)

// summary is a whole answer of GET /summary or GET /customers/{accountId}/summary.
type summary struct {
	rows    map[string]string // by key, in the words of the reference
	pending map[totals.LogDay]bool
	whole   bool // complete
	asOf    string
}

// summaries is the API's code path of summaries, for a viewer.
func summaries(s *dynamo.Store, viewer directory.Viewer, now func() time.Time) http.Handler {
	return api.GetSummary(api.Env{
		Viewer:    func(context.Context) (directory.Viewer, error) { return viewer, nil },
		RequestID: func(context.Context) string { return "req-1" },
		Now:       now, Log: slog.New(slog.DiscardHandler),
	}, s)
}

// askSummary reads all pages of a summary.
func askSummary(h http.Handler, path string, by []totals.Dimension, query url.Values) (all summary, err error) {
	all.rows, all.pending, all.whole = map[string]string{}, map[totals.LogDay]bool{}, true
	for _, dimension := range by {
		query.Add("groupBy", string(dimension))
	}
	for {
		w := httptest.NewRecorder()
		h.ServeHTTP(w, httptest.NewRequest("GET", path+"?"+query.Encode(), nil))
		var page summaryJSON
		if err := json.Unmarshal(w.Body.Bytes(), &page); err != nil || w.Code != http.StatusOK {
			return all, fmt.Errorf("GET %s?%s: %d %s", path, query.Encode(), w.Code, w.Body)
		}
		for _, row := range page.Data {
			var key []string
			for _, dimension := range by {
				value, there := row.Key[string(dimension)]
				if !there || len(row.Key) != len(by) {
					return all, fmt.Errorf("GET %s?%s: a key is %v", path, query.Encode(), row.Key)
				}
				if value == nil {
					value = new("null")
				}
				key = append(key, *value)
			}
			k := strings.Join(key, " ")
			if all.rows[k] != "" {
				return all, fmt.Errorf("GET %s?%s: two rows are %s", path, query.Encode(), k)
			}
			all.rows[k] = row.text()
		}
		for _, p := range page.Pending {
			all.pending[totals.LogDay{Log: usage.Log{Account: p.AccountID, Product: p.Product}, Day: p.Day}] = true
		}
		all.asOf, all.whole = page.AsOf, all.whole && page.Complete
		if page.PendingCount == nil || *page.PendingCount != len(page.Pending) || page.Complete != (*page.PendingCount == 0) {
			return all, fmt.Errorf("GET %s?%s: complete is %v, pendingCount %v, of %d", path, query.Encode(), page.Complete, page.PendingCount, len(page.Pending))
		}
		if page.NextCursor == nil {
			return all, nil
		}
		query.Set("cursor", *page.NextCursor)
	}
}

type summaryJSON struct {
	Data         []summaryRow
	Complete     bool
	PendingCount *int
	AsOf         string
	NextCursor   *string
	Pending      []struct {
		AccountID usage.AccountID
		Product   usage.Product
		Day       totals.Day
	}
}

type summaryRow struct {
	Key                                                            map[string]*string
	Records, Unrated                                               int64
	Segments, DurationSeconds, ParticipantSeconds, BillableSeconds *int64
	Charged                                                        []struct {
		Currency money.Currency
		Amount   string
		Records  int64
	}
}

func (row summaryRow) text() string {
	of := func(n *int64) string {
		if n == nil {
			return "null"
		}
		return fmt.Sprint(*n)
	}
	line := fmt.Sprintf("records %d segments %s seconds %s participants %s billable %s", row.Records, of(row.Segments), of(row.DurationSeconds),
		of(row.ParticipantSeconds), of(row.BillableSeconds))
	for _, c := range row.Charged {
		line += fmt.Sprintf(" %s %s (%d)", c.Currency, c.Amount, c.Records)
	}
	return line + fmt.Sprintf(" unrated %d", row.Unrated)
}
