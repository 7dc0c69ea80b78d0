package main

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"golang.org/x/sync/errgroup"

	"partnerview/internal/usage"
)

// span is how long before the time of asking all records lie: evenly, whatever their
// number.
const span = 360 * 24 * time.Hour

// customersWithUsage are those of partners that have some records: the first of each.
const customersWithUsage = 1000

type item = map[string]types.AttributeValue

func str(s string) types.AttributeValue { return &types.AttributeValueMemberS{Value: s} }

func num(n int) types.AttributeValue { return &types.AttributeValueMemberN{Value: strconv.Itoa(n)} }

// logAccount is of one length for all logs: a key counts in what is read.
func logAccount(records int) string { return fmt.Sprintf("log_of_%07d", records) }

func partner(customers int) string { return fmt.Sprintf("partner-of-%d", customers) }

func memberAccount(n int) string { return fmt.Sprintf("member_%05d", n) }

func memberName(n int) string { return fmt.Sprintf("Member %05d", n) }

// fill writes all items, as internal/dynamo/doc.go has them, straight into the engine.
func (s *stage) fill(ctx context.Context, of sizes) error {
	w := s.writer(ctx)
	largest := 0
	for _, n := range of.partners {
		for i := range n {
			w.put(s.names.Partners, item{
				"pk": str("PARTNER#" + partner(n)), "sk": str("GRANT#" + memberAccount(i)), "accountId": str(memberAccount(i)),
				"name": str(memberName(i)), "sortKey": str(fmt.Sprintf("member %05d\x00%s", i, memberAccount(i))),
			})
		}
		w.put(s.names.Partners, item{"pk": str("PARTNER#" + partner(n)), "sk": str("PROFILE"), "name": str(partner(n)), "status": str("active")})
		largest = max(largest, n)
	}
	for i := range largest {
		w.put(s.names.Customers, customer(memberAccount(i), memberName(i)))
		for r := range 3 {
			if i < customersWithUsage {
				w.put(s.names.Usage, record(memberAccount(i), r, 3))
			}
		}
	}
	for _, n := range of.logs {
		w.put(s.names.Customers, customer(logAccount(n), logAccount(n)))
		w.put(s.names.PriceLists, priceList(logAccount(n)))
		for i := range n {
			w.put(s.names.Usage, record(logAccount(n), i, n))
		}
	}
	return w.end()
}

func customer(account, name string) item {
	return item{
		"accountId": str(account), "name": str(name), "currency": str("EUR"), "billingMode": str("postpaid"),
		"products": &types.AttributeValueMemberL{Value: []types.AttributeValue{str(string(usage.SMS))}},
	}
}

func priceList(account string) item {
	return item{
		"log": str(account + "#sms"), "effectiveFrom": str("2025-01-01T00:00:00.000Z"), "currency": str("EUR"),
		"scale": num(6), "mode": str("half-up"), "revision": str("fW8iPUW6tL0v3vAQ"), "rates": str(`[{"direction":"outbound","unitPrice":"0.05"}]`),
	}
}

// record is the i-th newest of n. A tenth of them go to GB.
func record(account string, i, n int) item {
	at := clock().Add(-time.Minute - span/time.Duration(n)*time.Duration(i)).Truncate(time.Millisecond)
	id, country := fmt.Sprintf("m-%07d", i), "DE"
	if i%10 == 0 {
		country = "GB"
	}
	return item{
		"log": str(account + "#sms"), "at": str(usage.FormatTime(at) + "#" + id), "byId": str(account + "#sms#" + id),
		"direction": str("outbound"), "status": str("delivered"), "statusAt": str(usage.FormatTime(at.Add(3 * time.Second))),
		"from": str("****0111"), "to": str(fmt.Sprintf("****%04d", i%10000)), "country": str(country), "operator": str("26203"),
		"segments": num(1 + i%3), "expiresAt": num(int(at.AddDate(1, 1, 0).Unix())),
	}
}

// What the engine takes at a time.
const (
	inBatch   = 25
	atOnce    = 4
	putWithin = time.Minute
)

// writer gathers items into batches, and writes some at once.
type writer struct {
	*stage
	ctx     context.Context
	group   *errgroup.Group
	pending map[string][]types.WriteRequest // by table
}

func (s *stage) writer(ctx context.Context) *writer {
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(atOnce)
	return &writer{s, ctx, group, map[string][]types.WriteRequest{}}
}

func (w *writer) put(table string, it item) {
	w.pending[table] = append(w.pending[table], types.WriteRequest{PutRequest: &types.PutRequest{Item: it}})
	if len(w.pending[table]) == inBatch {
		w.send(table)
	}
}

func (w *writer) send(table string) {
	batch := map[string][]types.WriteRequest{table: w.pending[table]}
	delete(w.pending, table)
	if w.ctx.Err() != nil { // a batch before this one has failed
		return
	}
	w.group.Go(func() error {
		ctx, cancel := context.WithTimeout(w.ctx, putWithin)
		defer cancel()
		out, err := w.db.BatchWriteItem(ctx, &dynamodb.BatchWriteItemInput{RequestItems: batch})
		if err == nil && len(out.UnprocessedItems) > 0 {
			err = fmt.Errorf("the engine has not written all of a batch for %s", table)
		}
		return err
	})
}

func (w *writer) end() error {
	for table := range w.pending {
		w.send(table)
	}
	return w.group.Wait()
}
