package main

import (
	"context"
	"fmt"
	"io"
	"strings"
	"time"

	"partnerview/internal/dev/local"
	"partnerview/internal/directory"
	"partnerview/internal/dynamo"
	"partnerview/internal/importer"
	"partnerview/internal/operator"
)

// What is loaded: each partner has customers that no other one sees, and the first of
// them has a log, of two weeks. No two partners have the same of anything.
const (
	partners       = 200
	customersOf    = 5
	recordsOf      = 200
	bronzePartners = 4
	firstDay       = "2026-11-06"
	endDay         = "2026-11-20"
)

// now is the time of the whole: what is asked before the load and in it is the same.
var now = time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)

// partner is one of them.
type partner struct {
	number int
	key    string
}

func (p partner) id() string { return fmt.Sprintf("partner-%03d", p.number) }

// account is one of its customers.
func (p partner) account(n int) string { return fmt.Sprintf("p%03d_customer_%d", p.number, n) }

// bronze reports whether it has the small plan; the others have one that nobody exhausts.
func (p partner) bronze() bool { return p.number < bronzePartners }

func (p partner) plan() string {
	if p.bronze() {
		return "BronzePlan"
	}
	return "GoldPlan"
}

// load brings everything into empty tables as an operator does, and makes keys.
func load(ctx context.Context, store *dynamo.Store) ([]partner, error) {
	o := operator.New(store, func() time.Time { return now })
	file, err := importer.ParseDirectory(strings.NewReader(directoryText()), "directory.yaml")
	if err != nil {
		return nil, err
	}
	plan, err := o.Plan(ctx, file, false)
	if err != nil {
		return nil, err
	}
	if err := o.Apply(ctx, plan); err != nil {
		return nil, err
	}
	records, lines := io.Pipe()
	go func() { lines.CloseWithError(writeUsage(lines)) }() // ends when the reader does
	defer records.Close()
	counts, err := o.ImportUsage(ctx, records, operator.UsageImport{})
	if err != nil {
		return nil, err
	}
	if counts.Read != partners*recordsOf || counts.Rejected > 0 {
		return nil, fmt.Errorf("of %d records %d were read, and %d rejected", partners*recordsOf, counts.Read, counts.Rejected)
	}
	all := make([]partner, partners)
	for i := range all {
		p := partner{number: i}
		if p.key, _, err = o.CreateKey(ctx, directory.PartnerID(p.id()), "load", operator.Expiry{}); err != nil {
			return nil, err
		}
		key := local.PlanKey(p.plan(), p.id())
		counted := directory.GatewayKey{ID: key, Value: directory.Secret(key)}
		if err := store.PutGatewayKey(ctx, directory.PartnerID(p.id()), counted); err != nil {
			return nil, err
		}
		all[i] = p
	}
	return all, nil
}

func directoryText() string {
	var who, customers, prices strings.Builder
	for i := range partners {
		p := partner{number: i}
		fmt.Fprintf(&who, "  - {id: %s, name: Partner %d, customers: [", p.id(), i)
		for n := range customersOf {
			fmt.Fprintf(&who, "{accountId: %s}, ", p.account(n))
			fmt.Fprintf(&customers, "  - {accountId: %s, name: Customer %d of %d, products: [sms, voice], currency: EUR, billingMode: prepaid, "+
				"remainingCredit: \"%d.%02d\", creditAsOf: 2026-11-19T06:00:00Z}\n", p.account(n), n, i, 10+i, n)
		}
		fmt.Fprintln(&who, "]}")
		fmt.Fprintf(&prices, "  - {accountId: %s, product: sms, effectiveFrom: 2026-01-01T00:00:00Z, currency: EUR, rates: [{unitPrice: \"0.%04d\"}]}\n",
			p.account(0), 100+i)
	}
	return "partners:\n" + who.String() + "customers:\n" + customers.String() + "priceLists:\n" + prices.String()
}

// writeUsage writes all records as NDJSON.
func writeUsage(to io.Writer) error {
	countries := []string{"GB", "DE", "FR"}
	for i := range partners {
		for n := range recordsOf {
			at := now.AddDate(0, 0, -14).Add(time.Duration(n)*97*time.Minute + time.Duration(i)*time.Second)
			_, err := fmt.Fprintf(to, `{"id":"m-%03d-%d","accountId":"%s","product":"sms","timestamp":"%s","direction":"outbound",`+
				`"status":"delivered","from":"SHOP","to":"+447700900%03d","country":"%s","segments":%d}`+"\n",
				i, n, partner{number: i}.account(0), at.Format(time.RFC3339), (i*7+n)%1000, countries[n%len(countries)], 1+(i+n)%3)
			if err != nil {
				return err
			}
		}
	}
	return nil
}
