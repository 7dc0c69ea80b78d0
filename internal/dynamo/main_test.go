package dynamo_test

import (
	"fmt"
	"os"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"partnerview/internal/directory"
	"partnerview/internal/dynamo"
	"partnerview/internal/masking"
	"partnerview/internal/testkit/dynamotest"
	"partnerview/internal/usage"
)

var engine dynamotest.Engine

func TestMain(m *testing.M) { os.Exit(engine.Run(m)) }

// now is every test's clock.
var now = time.Date(2026, 6, 15, 12, 0, 0, 0, time.UTC)

var acmeSMS = usage.Log{Account: "acme_retail", Product: usage.SMS}

func record(log usage.Log, id string, at time.Time) usage.Record {
	return usage.Record{
		Log: log, ID: usage.RecordID(id), Timestamp: at,
		Direction: usage.Outbound, Status: usage.Delivered, To: masking.Mask("+44 7700 900123"), Country: "GB",
	}
}

func write(t *testing.T, s *dynamo.Store, records ...usage.Record) {
	t.Helper()
	for len(records) > 0 {
		n := min(len(records), dynamo.MaxUsageBatch)
		if _, err := s.WriteUsage(t.Context(), records[:n]); err != nil {
			t.Fatal(err)
		}
		records = records[n:]
	}
}

// customer is one with all products and a name of its own.
func customer(account usage.AccountID, name string) directory.Customer {
	return directory.Customer{Account: account, Name: name, Products: usage.Products(), Currency: "EUR", Credit: directory.Credit{Mode: directory.Prepaid}}
}

// grant gives a partner a customer, after writing it.
func grant(t *testing.T, s *dynamo.Store, partner directory.PartnerID, c directory.Customer, products ...usage.Product) {
	t.Helper()
	must(t, s.PutCustomer(t.Context(), c))
	must(t, s.PutGrant(t.Context(), directory.Grant{Partner: partner, Account: c.Account, Products: products, CustomerName: c.Name}))
}

// partnerAndGrant are what a decision on a viewer who is not narrowed is made of.
func partnerAndGrant(t *testing.T, s *dynamo.Store, id directory.PartnerID, account usage.AccountID) (directory.Partner, *directory.Grant, error) {
	t.Helper()
	stands, err := s.Standing(t.Context(), id, "", account)
	return stands.Partner, stands.Grant, err
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func ids(records []usage.Record) []string {
	out := make([]string, len(records))
	for i, r := range records {
		out[i] = string(r.ID)
	}
	return out
}

// proxied is a store whose calls go through a proxy, and one on the same tables
// whose calls do not.
func proxied(t *testing.T) (*dynamo.Store, *dynamotest.Proxy, *dynamo.Store) {
	t.Helper()
	tables, proxy := engine.NewTables(t), engine.NewProxy(t)
	return dynamo.NewStore(dynamotest.ClientOf(t, proxy.URL), tables), proxy, dynamo.NewStore(engine.Client(t), tables)
}

func newStore(t *testing.T, tables dynamo.Tables) *dynamo.Store {
	t.Helper()
	return dynamo.NewStore(engine.Client(t), tables)
}

// attributes are an item as another pipeline may have written it.
type attributes map[string]any

func putItem(t *testing.T, db *dynamodb.Client, table string, attrs attributes) {
	t.Helper()
	_, err := db.PutItem(t.Context(), &dynamodb.PutItemInput{TableName: &table, Item: itemOf(t, attrs)})
	must(t, err)
}

func itemOf(t *testing.T, attrs attributes) map[string]types.AttributeValue {
	t.Helper()
	item := map[string]types.AttributeValue{}
	for name, v := range attrs {
		switch v := v.(type) {
		case string:
			item[name] = &types.AttributeValueMemberS{Value: v}
		case int:
			item[name] = &types.AttributeValueMemberN{Value: fmt.Sprint(v)}
		case []string:
			list := &types.AttributeValueMemberL{Value: []types.AttributeValue{}}
			for _, s := range v {
				list.Value = append(list.Value, &types.AttributeValueMemberS{Value: s})
			}
			item[name] = list
		default:
			t.Fatalf("attribute %s is a %T", name, v)
		}
	}
	return item
}

func name(format string, a ...any) string { return fmt.Sprintf(format, a...) }
