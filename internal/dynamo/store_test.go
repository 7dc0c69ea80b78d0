package dynamo_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"partnerview/internal/directory"
	"partnerview/internal/dynamo"
	"partnerview/internal/fault"
	"partnerview/internal/pricing"
	"partnerview/internal/testkit/dynamotest"
	"partnerview/internal/usage"
)

// always answers every call in the engine's place.
func always(answer func(dynamotest.Answer)) func(dynamotest.Call, dynamotest.Answer) bool {
	return func(_ dynamotest.Call, w dynamotest.Answer) bool { answer(w); return true }
}

// What a request costs is part of the design: docs/decisions tells the plans.
func TestEachQuestionTakesAsManyCallsAsPlanned(t *testing.T) {
	s, proxy, direct := proxied(t)
	must(t, direct.PutPartner(t.Context(), directory.Partner{ID: "northwind", Status: directory.Active}))
	must(t, direct.PutAccessKey(t.Context(), accessKey("4fzyo82mXw3b", "northwind")))
	for i := range 30 {
		grant(t, direct, "northwind", customer(usage.AccountID(name("acc-%02d", i)), name("Customer %02d", i)))
	}
	must(t, direct.PutGrant(t.Context(), ownGrant("4fzyo82mXw3b", customer("acc-07", "Customer 07"))))
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
		{"may the partner see the customer", func() error { _, _, err := partnerAndGrant(t, s, "northwind", "acc-07"); return err }, []string{"BatchGetItem"}},
		{"may the viewer see the customer", func() error {
			_, err := s.Standing(t.Context(), "northwind", "4fzyo82mXw3b", "acc-07")
			return err
		}, []string{"BatchGetItem"}},
		{"a page of a narrowed viewer's customers", func() error {
			_, err := s.Customers(t.Context(), directory.Identity{Partner: "northwind", Narrowed: "4fzyo82mXw3b"}, directory.CustomerQuery{Limit: 25})
			return err
		}, []string{"Query", "BatchGetItem", "BatchGetItem"}},
		{"a page of customers", func() error {
			_, err := s.Customers(t.Context(), directory.Identity{Partner: "northwind"}, directory.CustomerQuery{Limit: 25})
			return err
		}, []string{"Query", "BatchGetItem"}},
		{"a search", func() error {
			_, err := s.Customers(t.Context(), directory.Identity{Partner: "northwind"}, directory.CustomerQuery{Limit: 25, Search: directory.NewSearch("07")})
			return err
		}, []string{"Query", "BatchGetItem"}},
		{"a search that finds nothing", func() error {
			_, err := s.Customers(t.Context(), directory.Identity{Partner: "northwind"}, directory.CustomerQuery{Limit: 25, Search: directory.NewSearch("none")})
			return err
		}, []string{"Query"}},
		{"who is it", func() error {
			_, err := s.Self(t.Context(), directory.Identity{Partner: "northwind", KeyID: "4fzyo82mXw3b"})
			return err
		}, []string{"BatchGetItem", "Query"}},
		{"who is it, narrowed", func() error {
			_, err := s.Self(t.Context(), directory.Identity{Partner: "northwind", KeyID: "4fzyo82mXw3b", Narrowed: "4fzyo82mXw3b"})
			return err
		}, []string{"BatchGetItem", "Query", "Query"}},
		{"one customer", func() error { _, err := s.Customer(t.Context(), "acc-07"); return err }, []string{"GetItem"}},
		{"price lists", func() error { _, _, err := s.PriceLists(t.Context(), acmeSMS, now); return err }, []string{"Query"}},
		{"a page of 100 records", func() error { _, err := s.Log(t.Context(), acmeSMS, usage.Query{Limit: 100, Now: now}); return err }, []string{"Query"}},
		{"the last page", func() error { _, err := s.Log(t.Context(), acmeSMS, usage.Query{Limit: 500, Now: now}); return err }, []string{"Query"}},
		{"one record", func() error { _, err := s.Record(t.Context(), acmeSMS, "u-7", now); return err }, []string{"Query", "GetItem"}},
	}
	for _, tt := range tests {
		proxy.Calls()
		must(t, tt.ask())
		got := proxy.Operations()
		if strings.HasPrefix(tt.question, "who is it") {
			slices.Sort(got) // all at once
		}
		if !slices.Equal(got, tt.want) {
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

// notDynamoDB is an answer of something between.
const notDynamoDB = "<html>not DynamoDB at all"

func TestErrorsReportWhetherTryingAgainHelps(t *testing.T) {
	if testing.Short() {
		t.Skip("not in make quick: it takes long; make test has it")
	}
	s, proxy, _ := proxied(t)
	reads := map[string]func() error{
		"AccessKey": func() error { _, err := s.AccessKey(t.Context(), "4fzyo82mXw3b"); return err },
		"Standing": func() error {
			_, _, err := partnerAndGrant(t, s, "northwind", "acme_retail")
			return err
		},
		"Customers": func() error {
			_, err := s.Customers(t.Context(), directory.Identity{Partner: "northwind"}, directory.CustomerQuery{Limit: 10})
			return err
		},
		"Self": func() error {
			_, err := s.Self(t.Context(), directory.Identity{Partner: "northwind", KeyID: "4fzyo82mXw3b", Narrowed: "4fzyo82mXw3b"})
			return err
		},
		"Customer":   func() error { _, err := s.Customer(t.Context(), "acme_retail"); return err },
		"Log":        func() error { _, err := s.Log(t.Context(), acmeSMS, usage.Query{Limit: 10, Now: now}); return err },
		"Record":     func() error { _, err := s.Record(t.Context(), acmeSMS, "u-1", now); return err },
		"PriceLists": func() error { _, _, err := s.PriceLists(t.Context(), acmeSMS, now); return err },
	}
	ask := func(answer string, want fault.Kind) {
		var all sync.WaitGroup
		for read, call := range reads {
			all.Go(func() {
				if err := call(); !fault.Is(err, want) {
					t.Errorf("%s, answered with %s: got %v, want %s", read, answer, err, want)
				}
			})
		}
		all.Wait()
	}
	for code, want := range map[string]fault.Kind{
		"ProvisionedThroughputExceededException": fault.Unavailable,
		"ThrottlingException":                    fault.Unavailable,
		"RequestLimitExceeded":                   fault.Unavailable,
		"InternalServerError":                    fault.Unavailable,
		"SerializationException":                 fault.Internal,
		"ANameThatNobodyForesaw":                 fault.Internal,
		"ResourceNotFoundException":              fault.Internal,
		"AccessDeniedException":                  fault.Internal,
		"ValidationException":                    fault.Internal,
		"UnrecognizedClientException":            fault.Internal,
	} {
		proxy.Meddle(always(func(w dynamotest.Answer) { dynamotest.Refuse(w, code) }))
		ask(code, want)
	}
	proxy.Meddle(always(dynamotest.Cut))
	ask("a broken connection", fault.Unavailable)
	for status, text := range map[int]string{200: notDynamoDB, 400: "{}", 403: notDynamoDB, 500: notDynamoDB, 502: notDynamoDB, 507: "{}"} {
		proxy.Meddle(always(func(w dynamotest.Answer) {
			w.WriteHeader(status)
			_, _ = io.WriteString(w, text)
		}))
		ask(fmt.Sprintf("%d and %s", status, text), fault.Unavailable)
	}
}

// "{}" is what is left of an answer whose body was lost, and says that there is no such item: a key
// that counts would be refused.
func TestAnAnswerThatIsNotWhatItsChecksumSaysIsNone(t *testing.T) {
	tables := engine.NewTables(t)
	proxy := engine.NewProxy(t)
	s := dynamo.NewStore(dynamotest.ClientOf(t, proxy.URL), tables)
	for claim, checksum := range map[string]string{"nobody vouches for it": "", "of another body": "3128867991", "none at all": "x"} {
		asked := 0
		proxy.Meddle(func(_ dynamotest.Call, w dynamotest.Answer) bool {
			asked++
			w.Header().Set("X-Amz-Crc32", checksum)
			_, _ = io.WriteString(w, `{}`)
			return true
		})
		if _, err := s.AccessKey(t.Context(), "4fzyo82mXw3b"); !fault.Is(err, fault.Unavailable) || asked != 3 {
			t.Errorf("%s: %v after %d tries, want unavailable after 3", claim, err, asked)
		}
	}
	proxy.Meddle(func(_ dynamotest.Call, w dynamotest.Answer) bool { dynamotest.Succeed(w, []byte(`{}`)); return true })
	if _, err := s.AccessKey(t.Context(), "4fzyo82mXw3b"); !fault.Is(err, fault.NotFound) {
		t.Errorf("DynamoDB says that there is none: %v", err)
	}
}

// What never left cannot come through at the next try either.
func TestACallThatCannotBeSentIsOurMistake(t *testing.T) {
	getenv := func(name string) string {
		return map[string]string{"AWS_ENDPOINT_URL_DYNAMODB": engine.Endpoint(t)}[name]
	}
	db, err := dynamo.NewClient(getenv, func(o *dynamodb.Options) {
		o.Credentials = aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) { return aws.Credentials{}, errors.New("none here") })
	})
	must(t, err)
	s := dynamo.NewStore(db, engine.NewTables(t))
	if _, err := s.AccessKey(t.Context(), "4fzyo82mXw3b"); !fault.Is(err, fault.Internal) {
		t.Errorf("a call that cannot be signed: %v, want internal", err)
	}
}

func TestMissingTableIsOurMistake(t *testing.T) {
	tables := engine.NewTables(t)
	tables.Partners += "-missing"
	s := newStore(t, tables)
	if _, err := s.AccessKey(t.Context(), "4fzyo82mXw3b"); !fault.Is(err, fault.Internal) {
		t.Errorf("got %v, want internal: a missing table is no missing key", err)
	}
	if _, _, err := partnerAndGrant(t, s, "northwind", ""); !fault.Is(err, fault.Internal) {
		t.Errorf("got %v, want internal: a missing table is no missing partner", err)
	}
}

func TestStoppedEngineIsUnavailableAndThenBackAgain(t *testing.T) {
	if testing.Short() {
		t.Skip("not in make quick: it takes long; make test has it")
	}
	own := dynamotest.Start(t)
	s := own.NewStore(t)
	must(t, s.PutPartner(t.Context(), directory.Partner{ID: "northwind", Status: directory.Active}))
	own.Stop()
	if _, _, err := partnerAndGrant(t, s, "northwind", ""); !fault.Is(err, fault.Unavailable) {
		t.Errorf("stopped: got %v, want unavailable", err)
	}
	own.Restart(t)
	if _, _, err := partnerAndGrant(t, s, "northwind", ""); err != nil {
		t.Errorf("restarted: %v", err)
	}
}

func TestTableThatDoesNotAnswerIsGivenUpInSeconds(t *testing.T) {
	if testing.Short() {
		t.Skip("not in make quick: it takes long; make test has it")
	}
	s, proxy, _ := proxied(t)
	release := make(chan struct{})
	defer close(release)
	proxy.Meddle(always(func(w dynamotest.Answer) { <-release; dynamotest.Cut(w) }))
	begun := time.Now()
	_, err := s.AccessKey(t.Context(), "4fzyo82mXw3b")
	if took := time.Since(begun); !fault.Is(err, fault.Unavailable) || took > 4*time.Second {
		t.Errorf("after %s: %v; want unavailable within 3 s", took, err)
	}
}

func TestUnreadableItemIsOurMistakeAndNotShown(t *testing.T) {
	tables := engine.NewTables(t)
	s, db := newStore(t, tables), engine.Client(t)
	putItem(t, db, tables.Partners, attributes{"pk": "PARTNER#northwind", "sk": "PROFILE", "status": "active"})
	putItem(t, db, tables.Partners, attributes{"pk": "PARTNER#northwind", "sk": "GRANT#acme_retail", "accountId": "acme_retail", "products": []string{}})
	_, g, err := partnerAndGrant(t, s, "northwind", "acme_retail")
	if !fault.Is(err, fault.Internal) || g != nil {
		t.Errorf("a grant of no products reads as %+v, %v; it must never be one of all", g, err)
	}
	putItem(t, db, tables.Usage, attributes{"log": "acme_retail#sms", "at": "2026-06-15T12:00:00.000Z#u-1", "recordedAmount": "secret"})
	_, err = s.Log(t.Context(), acmeSMS, usage.Query{Limit: 10, Now: now})
	if !fault.Is(err, fault.Internal) {
		t.Errorf("an unreadable record: got %v, want internal", err)
	}
	if err != nil && strings.Contains(err.Error(), "secret") {
		t.Errorf("the error tells what is stored: %v", err)
	}
}

func TestUnprocessedItemsAreWrittenInTheEnd(t *testing.T) {
	s, proxy, direct := proxied(t)
	var calls atomic.Int32
	proxy.Meddle(func(c dynamotest.Call, w dynamotest.Answer) bool {
		n := calls.Add(1)
		if c.Operation == "BatchWriteItem" && n%2 == 0 || c.Operation == "BatchGetItem" && n < 3 {
			dynamotest.Unprocessed(c, w)
			return true
		}
		return false
	})
	batch := sampleLog()
	got, err := s.WriteUsage(t.Context(), batch)
	must(t, err)
	if got.Records != len(batch) {
		t.Errorf("counted %d of %d", got.Records, len(batch))
	}
	stored := walk(t, direct, acmeSMS, usage.Query{Limit: 100, Now: now.AddDate(-1, 0, 0)}, nil)
	if len(stored) != len(batch) {
		t.Errorf("stored %d of %d", len(stored), len(batch))
	}
}

func TestWritesOutlastThrottlingAndARestartOfTheEngine(t *testing.T) {
	if testing.Short() {
		t.Skip("not in make quick: it takes long; make test has it")
	}
	own := dynamotest.Start(t)
	s := own.NewStore(t)
	own.Stop()
	done := make(chan error, 1)
	go func() {
		_, err := s.WriteUsage(t.Context(), []usage.Record{record(acmeSMS, "u-1", now)})
		done <- err
	}()
	time.Sleep(700 * time.Millisecond) // beyond the tries that a request would make
	own.Restart(t)
	select {
	case err := <-done:
		must(t, err)
	case <-time.After(15 * time.Second):
		t.Fatal("the write did not go on after the restart")
	}
	_, err := s.Record(t.Context(), acmeSMS, "u-1", now)
	must(t, err)
}

func TestWriteEndsWithItsContext(t *testing.T) {
	s, proxy, _ := proxied(t)
	proxy.Meddle(always(dynamotest.Throttle))
	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	begun := time.Now()
	_, err := s.WriteUsage(ctx, []usage.Record{record(acmeSMS, "u-1", now)})
	if !fault.Is(err, fault.Unavailable) || time.Since(begun) > 2*time.Second {
		t.Errorf("after %s: %v; want unavailable when the context ends", time.Since(begun), err)
	}
}

func TestWriteThatIsRefusedIsNotTriedAgain(t *testing.T) {
	s, proxy, _ := proxied(t)
	proxy.Meddle(always(func(w dynamotest.Answer) { dynamotest.Refuse(w, "AccessDeniedException") }))
	if _, err := s.WriteUsage(t.Context(), []usage.Record{record(acmeSMS, "u-1", now)}); !fault.Is(err, fault.Internal) {
		t.Errorf("got %v, want internal", err)
	}
	if calls := proxy.Operations(); len(calls) != 1 {
		t.Errorf("it was tried %d times", len(calls))
	}
}
