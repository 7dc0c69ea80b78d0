package main

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"partnerview/internal/dynamo"
)

// rawMark stands in the id of what another pipeline has written, which is no item of the
// product's own.
const rawMark = "raw-"

func (p *product) client() (*dynamodb.Client, error) {
	return dynamo.NewClient(func(name string) string {
		if name == "AWS_ENDPOINT_URL_DYNAMODB" {
			return p.DynamodbEndpoint
		}
		return ""
	})
}

// besides puts records straight into the table of usage, as a pipeline might that masks
// nothing: full numbers as ends, and numbers and pieces of them in every other field.
func (p *product) besides(ctx context.Context, w *writer, records int) error {
	db, err := p.client()
	if err != nil {
		return err
	}
	for range records {
		n := w.number()
		first, second := n.pieces()
		log, at, id := pick(w.rng, accounts)+"#"+pick(w.rng, products), strings.Replace(w.time(), "Z", ".000Z", 1), rawMark+w.id()
		if w.rng.IntN(4) == 0 {
			id += "." + string(n)
		}
		text := func() types.AttributeValue {
			value := pick(w.rng, []string{string(n), n.spelt(w.rng), first, second, "e" + second, in('٠', second), "ok"})
			return &types.AttributeValueMemberS{Value: value}
		}
		item := map[string]types.AttributeValue{
			"log": &types.AttributeValueMemberS{Value: log}, "at": &types.AttributeValueMemberS{Value: at + "#" + id}, "byId": &types.AttributeValueMemberS{Value: log + "#" + id},
			"from": &types.AttributeValueMemberS{Value: n.spelt(w.rng)}, "to": &types.AttributeValueMemberS{Value: string(n)},
			"contactName": &types.AttributeValueMemberS{Value: w.secret(n)}, "content": &types.AttributeValueMemberS{Value: w.secret(n)},
			"recordedAmount": &types.AttributeValueMemberS{Value: string(n)}, "recordedCurrency": &types.AttributeValueMemberS{Value: "EUR"},
		}
		for _, field := range strings.Fields("direction status errorCode country operator channel category") {
			item[field] = text()
		}
		for _, field := range strings.Fields("segments durationSeconds participants participantSeconds") {
			item[field] = &types.AttributeValueMemberN{Value: pick(w.rng, []string{string(n), second, "2"})}
		}
		if _, err := db.PutItem(ctx, &dynamodb.PutItemInput{TableName: &p.Tables.Usage, Item: item}); err != nil {
			return fmt.Errorf("put a record of another pipeline: %w", err)
		}
	}
	return nil
}

// items looks at every item of every table, but for those of another pipeline. It returns how many.
func (p *product) items(ctx context.Context) (looked int, err error) {
	db, err := p.client()
	if err != nil {
		return 0, err
	}
	t := p.Tables
	for _, table := range []string{t.Partners, t.Customers, t.PriceLists, t.Usage, t.Totals, t.Ledger} {
		pages := dynamodb.NewScanPaginator(db, &dynamodb.ScanInput{TableName: &table})
		for pages.HasMorePages() {
			page, err := pages.NextPage(ctx)
			if err != nil {
				return 0, fmt.Errorf("scan %s: %w", table, err)
			}
			for _, item := range page.Items {
				if at, isText := item["at"].(*types.AttributeValueMemberS); isText && strings.Contains(at.Value, "#"+rawMark) {
					continue
				}
				delete(item, "expiresAt") // seconds since 1970
				delete(item, "bytes")     // how large a file was
				delete(item, "hash")      // the SHA-256 of a key's secret
				text, err := json.Marshal(item)
				if err != nil {
					return 0, err
				}
				p.watch.look("an item of "+table, string(text))
				looked++
			}
		}
	}
	return looked, nil
}
