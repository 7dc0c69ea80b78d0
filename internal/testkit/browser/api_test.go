package browser

import (
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"testing"
)

// The tests compare what the page shows with what the API answers to the same
// question, asked from here.

type customerAnswer struct {
	AccountID, Name, Currency string
	Products                  []string
	Spend                     *struct{ Amount, Currency string }
	RemainingCredit           struct {
		Amount, CreditLimit, AsOf *string
		BillingMode               string
	}
}

type recordAnswer struct {
	ID, Timestamp, Product                  string
	Direction, Status, From, To, Country    *string
	Channel, Category                       *string
	Segments, DurationSeconds, Participants *int64
	Price                                   struct {
		Status                   string
		Amount, Currency, Reason *string
	}
}

type pageAnswer[T any] struct {
	Data       []T
	NextCursor *string
}

// asks asks the API and decodes its answer.
func asks[T any](t *testing.T, site Site, path string, query url.Values) T {
	t.Helper()
	var answer T
	status, body := asksFor(t, site, path, query)
	if status != http.StatusOK {
		t.Fatalf("GET %s?%s: %d %s", path, query.Encode(), status, body)
	}
	if err := json.Unmarshal(body, &answer); err != nil {
		t.Fatalf("GET %s?%s: %v", path, query.Encode(), err)
	}
	return answer
}

func asksFor(t *testing.T, site Site, path string, query url.Values) (int, []byte) {
	t.Helper()
	address := site.URL + path
	if len(query) > 0 {
		address += "?" + query.Encode()
	}
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, address, nil)
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Authorization", "Bearer "+site.Key)
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response.StatusCode, body
}

// all reads a list to its end.
func all[T any](t *testing.T, site Site, path string, query url.Values) []T {
	t.Helper()
	var data []T
	asked := url.Values{}
	for name, values := range query {
		asked[name] = values
	}
	for {
		page := asks[pageAnswer[T]](t, site, path, asked)
		data = append(data, page.Data...)
		if page.NextCursor == nil {
			return data
		}
		asked.Set("cursor", *page.NextCursor)
	}
}

func usagePath(site Site, product string) string {
	return "customers/" + url.PathEscape(site.Account) + "/usage/" + product
}

func logFragment(site Site, product string) string {
	return "#/customers/" + url.QueryEscape(site.Account) + "/" + product
}

func ids(records []recordAnswer) []string {
	all := make([]string, len(records))
	for i, r := range records {
		all[i] = r.ID
	}
	return all
}
