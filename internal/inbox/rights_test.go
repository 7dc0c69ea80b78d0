package inbox_test

import (
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/shopspring/decimal"

	"partnerview/internal/dev/template"
	"partnerview/internal/dynamo"
	"partnerview/internal/inbox"
	"partnerview/internal/objects"
	"partnerview/internal/pricing"
	"partnerview/internal/testkit/dynamotest"
	"partnerview/internal/testkit/recording"
	"partnerview/internal/usage"
)

// anyUpload stands for each folder that files are put into: what may be done in one may be in all.
const anyUpload = "uploads"

// witness keeps what is asked of S3: "s3:GetObject native/usage.ndjson".
type witness struct {
	mu    sync.Mutex
	asked []string
}

func (w *witness) before(t *testing.T, endpoint string) *objects.Store {
	t.Helper()
	to, err := url.Parse(endpoint)
	must(t, err)
	relay := httputil.NewSingleHostReverseProxy(to)
	proxy := httptest.NewServer(http.HandlerFunc(func(answer http.ResponseWriter, r *http.Request) {
		w.mu.Lock()
		action := map[string]string{"GET": "s3:GetObject", "PUT": "s3:PutObject", "DELETE": "s3:DeleteObject", "HEAD": "s3:GetObject"}[r.Method]
		w.asked = append(w.asked, action+" "+strings.TrimPrefix(r.URL.Path, "/"+bucketName+"/"))
		if source, err := url.PathUnescape(r.Header.Get("X-Amz-Copy-Source")); err == nil && source != "" {
			w.asked = append(w.asked, "s3:GetObject "+strings.TrimPrefix(source, bucketName+"/"))
		}
		w.mu.Unlock()
		relay.ServeHTTP(answer, r)
	}))
	t.Cleanup(proxy.Close)
	files, err := objects.NewStore(func(name string) string { return map[string]string{"AWS_ENDPOINT_URL_S3": proxy.URL}[name] })
	must(t, err)
	return files
}

// Everything that an import asks of tables and of its bucket it may, by the template, and what it may it
// asks: a right that nothing needs is one too many.
func TestAnImportsRightsAreWhatItAsksFor(t *testing.T) {
	proxy, tables := engine.NewProxy(t), engine.NewTables(t)
	tmpl, err := template.Read("../../template.yaml", map[string]string{"CustomersTable": tables.Customers, "PriceListsTable": tables.PriceLists, "UsageTable": tables.Usage,
		"TotalsTable": tables.Totals, "LedgerTable": tables.Ledger, "PartnersTable": tables.Partners, "InboxBucket": bucketName})
	must(t, err)
	f, _ := tmpl.Function("ImportUsageFunction")
	s := stageOn(t, dynamo.NewStore(dynamotest.ClientOf(t, proxy.URL), tables))
	must(t, s.Store.PutPriceLists(t.Context(), usage.Log{Account: "acme_retail", Product: usage.SMS}, []pricing.List{{EffectiveFrom: now.AddDate(-1, 0, 0), Currency: "EUR",
		ChargeOn: pricing.OnSubmitted, Rounding: pricing.DefaultRounding(), Rates: []pricing.Rate{{UnitPrice: decimal.RequireFromString("0.1")}}}}))
	seen := new(witness)
	s.Files = seen.before(t, *s.s3.Options().BaseEndpoint)
	uploads := []inbox.State{
		s.put("native/usage.ndjson", native(60)), s.put("connect-sms-csv/account=acme_retail/sms.csv.gz", packed(exported(9))), s.put("native/usage.ndjson", native(60)),
		s.put("connect-sms-receipts/dlr.ndjson", []byte(receiptOf("m-0000"))), s.put("native/again.ndjson", native(60)), s.put("connect-voice-csv/bad.csv", native(1)),
		s.put("connect-messaging-csv/bad.csv", native(1)),
		s.put("credit/credit.csv", []byte("account,amount,as-of,currency\nacme_retail,231.40,2026-11-20T10:00:00Z,EUR\n")),
	}
	proxy.Calls()
	seen.asked = nil
	for _, begins := range uploads {
		answer, err := s.call(t.Context(), begins)
		if err != nil || !hasEnded(answer.Outcome) {
			t.Errorf("%s ends in %+v, %v", begins.Key, answer, err)
		}
	}
	s.KeepsNone = true
	s.answer(s.put("native/last.ndjson", native(1)))
	needed := map[string]bool{}
	var recorded []recording.Request // for make proof-iam
	for _, c := range proxy.Calls() {
		recorded = append(recorded, recording.Request{Role: f.ID, Target: c.Target, Body: c.Body})
		requests, err := tmpl.Requests(c.Target, c.Body)
		must(t, err)
		for _, r := range requests {
			if err := f.Allow(r); err != nil {
				t.Error(err)
			}
			needed[r.Action+" "+r.Table+"/"+r.Index] = true
		}
	}
	for _, asked := range seen.asked {
		action, key, _ := strings.Cut(asked, " ")
		if strings.HasPrefix(key, "native/") && action == "s3:PutObject" {
			continue // the upload, above
		}
		recorded = append(recorded, recording.Request{Role: f.ID, Action: action, Key: key})
		may := slices.ContainsFunc(f.Statements, func(st template.Statement) bool {
			return slices.Contains(st.Actions, action) && slices.ContainsFunc(st.Resources, func(arn string) bool {
				return strings.HasPrefix("arn:aws:s3:::"+bucketName+"/"+key, strings.TrimSuffix(arn, "*"))
			})
		})
		if !may {
			t.Errorf("it may not do %s", asked)
		}
		folder, _, _ := strings.Cut(key, "/")
		needed[action+" "+folder] = true
		if folder != "results" && folder != "failed" {
			needed[action+" "+anyUpload] = true
		}
	}
	must(t, recording.Keep("inbox", tables, recorded))
	for _, st := range f.Statements {
		for _, action := range st.Actions {
			for _, resource := range st.Resources {
				_, table, isTable := strings.Cut(resource, ":table/")
				_, folder, isFolder := strings.Cut(strings.TrimSuffix(resource, "/*"), bucketName+"/")
				table, index, _ := strings.Cut(table, "/index/")
				if st.ID == "Uploads" {
					folder = anyUpload
				}
				if isTable && !needed[action+" "+table+"/"+index] || isFolder && !needed[action+" "+folder] {
					t.Errorf("statement %s allows %s on %s, which nothing asks for", st.ID, action, resource)
				}
			}
		}
	}
}
