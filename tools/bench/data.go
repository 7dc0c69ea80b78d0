package main

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"time"

	"partnerview/internal/access"
	"partnerview/internal/dynamo"
	"partnerview/internal/usage"
)

// What DynamoDB holds while the functions are measured: one partner, its key, 25
// customers, and a log of each product, in the form that internal/dynamo/doc.go
// shows. Sizes are those of everyday: a page of 100 records with another behind
// it, and a price list of 61 rates.
const (
	account        = "acme&co.retail_1" // that of the functions' recorded events
	recordsOnPage  = 100                // of the warm page
	firstPage      = 10                 // of a cold start: it is the start that is measured there, not the page
	largestPage    = 500                // that may be asked for
	customersShown = 25
	countries      = 50 // of the price list: a rate each, ten of them with an operator's own
)

var (
	names = dynamo.Tables{Partners: "Partners", Customers: "Customers", PriceLists: "PriceLists", Usage: "Usage", Totals: "Totals"}
	now   = time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)
)

type item = map[string]any

func text(s string) item { return item{"S": s} }

func number(n int) item { return item{"N": strconv.Itoa(n)} }

func products() item {
	var list []item
	for _, p := range usage.Products() {
		list = append(list, text(string(p)))
	}
	return item{"L": list}
}

// everything is the answer to each call that a function makes.
func everything() (tables, string, error) {
	key, id, hash, err := access.NewKey(strings.NewReader(strings.Repeat("bench", 9)))
	if err != nil {
		return nil, "", err
	}
	var grants, customers []item
	for i := range customersShown {
		id, name := fmt.Sprintf("account_%02d", i), fmt.Sprintf("Customer %02d", i)
		grants = append(grants, item{"pk": text("PARTNER#northwind"), "sk": text("GRANT#" + id), "accountId": text(id), "name": text(name), "sortKey": text(strings.ToLower(name) + "\x00" + id)})
		customers = append(customers, customer(id, name))
	}
	all := tables{
		can("GetItem", names.Partners, item{"Item": item{
			"pk": text("KEY#" + id), "sk": text("PROFILE"), "partnerId": text("northwind"), "hash": item{"B": base64.StdEncoding.EncodeToString(hash[:])},
		}}),
		can("BatchGetItem", names.Partners, item{"UnprocessedKeys": item{}, "Responses": item{names.Partners: []item{
			{"pk": text("PARTNER#northwind"), "sk": text("PROFILE"), "status": text("active")},
			{"pk": text("PARTNER#northwind"), "sk": text("GRANT#" + account)},
		}}}),
		can("Query", names.Partners, item{"Items": grants, "Count": len(grants), "ScannedCount": len(grants)}),
		can("BatchGetItem", names.Customers, item{"UnprocessedKeys": item{}, "Responses": item{names.Customers: customers}}),
		can("GetItem", names.Customers, item{"Item": customer(account, "Acme & Co")}),
		can("GetItem", names.Totals, item{"Item": item{"pk": text("READY"), "sk": text("READY"), "at": text(usage.FormatTime(now))}}),
		can("BatchGetItem", names.Totals, item{"UnprocessedKeys": item{}, "Responses": item{names.Totals: []item{}}}),
		can("Query", names.Totals, item{"Items": []item{}, "Count": 0, "ScannedCount": 0}),
	}
	return append(all, aLog(usage.SMS, firstPage)...), key, nil
}

func customer(id, name string) item {
	return item{
		"accountId": text(id), "name": text(name), "products": products(), "currency": text("EUR"), "billingMode": text("prepaid"),
		"remainingCredit": text("1520.73"), "creditLimit": text("0"), "creditAsOf": text("2026-11-20T00:00:00.000Z"),
	}
}

// aLog is a page of a log, and the price list behind it. A query for so many records
// asks for one more, to know whether there is one.
func aLog(p usage.Product, size int) tables {
	key := text(account + "#" + string(p))
	var records []item
	for i := range size + 1 {
		records = append(records, record(p, i))
	}
	var rates []item
	for i := range countries {
		rates = append(rates, rate(p, item{"direction": "outbound", "country": country(i), "unitPrice": fmt.Sprintf("0.%04d", 120+7*i)}))
		if i%5 == 0 {
			rates = append(rates, rate(p, item{"direction": "outbound", "country": country(i), "operator": operator(i), "unitPrice": fmt.Sprintf("0.%04d", 100+7*i)}))
		}
	}
	rates = append(rates, rate(p, item{"direction": "outbound", "unitPrice": "0.1"}))
	var written bytes.Buffer
	if err := json.NewEncoder(&written).Encode(rates); err != nil {
		panic(err) // cannot happen: rates are texts and numbers
	}
	list := item{
		"log": key, "effectiveFrom": text("2026-01-01T00:00:00.000Z"), "currency": text("EUR"),
		"scale": number(6), "mode": text("half-up"), "rates": text(written.String()), "revision": text("fW8iPUW6tL0v3vAQ"),
	}
	n := len(records)
	return tables{
		can("Query", names.Usage, item{
			"Items": records, "Count": n, "ScannedCount": n, "ConsumedCapacity": item{"TableName": names.Usage, "CapacityUnits": 4.5},
			"LastEvaluatedKey": item{"log": key, "at": records[n-1]["at"]},
		}),
		can("Query", names.PriceLists, item{
			"Items": []item{list}, "Count": 1, "ScannedCount": 1, "ConsumedCapacity": item{"TableName": names.PriceLists, "CapacityUnits": 1},
		}),
	}
}

func record(p usage.Product, i int) item {
	at := now.Add(-time.Duration(i+1) * 97 * time.Second)
	r := item{
		"at":        text(fmt.Sprintf("%s#5f0c2a7e-%08d", usage.FormatTime(at), 10_000_000-i)),
		"direction": text("outbound"), "statusAt": text(usage.FormatTime(at.Add(3 * time.Second))),
		"from": text("****0111"), "to": text(fmt.Sprintf("****%04d", 100+i)), "country": text(country(i)),
		"expiresAt": number(int(at.AddDate(1, 1, 0).Unix())),
	}
	switch p {
	case usage.Voice:
		r["status"], r["operator"], r["durationSeconds"] = text("completed"), text(operator(i)), number(1+7*i)
	case usage.Video:
		r["status"], r["durationSeconds"], r["participants"], r["participantSeconds"] = text("completed"), number(60+i), number(3), number(180+3*i)
	case usage.Messaging:
		r["status"], r["channel"], r["category"] = text("read"), text("whatsapp"), text("marketing")
	default:
		r["status"], r["operator"], r["segments"] = text("delivered"), text(operator(i)), number(1+i%3)
	}
	return r
}

// rate adds what rates of a product have.
func rate(p usage.Product, r item) item {
	switch p {
	case usage.Voice:
		r["first"], r["next"], r["setupFee"] = 60, 60, "0.005"
	case usage.Video:
		r["first"], r["next"] = 60, 60
	}
	return r
}

func country(i int) string {
	return string([]byte{'A' + byte(i%countries/26), 'A' + byte(i%countries%26)})
}

func operator(i int) string { return fmt.Sprintf("%05d", 23400+i%countries) }
