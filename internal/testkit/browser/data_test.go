package browser

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/shopspring/decimal"
	"golang.org/x/sync/errgroup"

	"partnerview/internal/directory"
	"partnerview/internal/dynamo"
	"partnerview/internal/masking"
	"partnerview/internal/money"
	"partnerview/internal/operator"
	"partnerview/internal/pricing"
	"partnerview/internal/testkit/dynamotest"
	"partnerview/internal/usage"
)

// Hostile is a name, a status and a record's id that would run, were they ever
// taken for markup.
const Hostile = `<img src=x onerror="window.hostile=1"><script>window.hostile=2</script>`

// data is what all stages show: it is made once, as of now, the same each time but for the
// times. A stage with an issuer admits people of that, and none writes anything else.
type data struct {
	store                       *dynamo.Store
	key, keyEmpty, keySuspended string                         // of a partner with all customers, of one with none, of one that is suspended
	keys                        map[directory.PartnerID]string // of the others
}

var (
	stageEngine dynamotest.Engine
	loadOnce    sync.Once
	loaded      *data
)

func stageData(t *testing.T) *data {
	t.Helper()
	loadOnce.Do(func() {
		d := &data{store: stageEngine.NewStore(t)}
		if err := d.load(t.Context(), time.Now()); err != nil {
			t.Fatal(err)
		}
		loaded = d
	})
	if loaded == nil {
		t.Fatal("the stage's data could not be loaded, as another test tells")
	}
	return loaded
}

func (d *data) load(ctx context.Context, now time.Time) error {
	keys := operator.New(d.store, func() time.Time { return now })
	for id, p := range map[directory.PartnerID]struct {
		key    *string
		status directory.PartnerStatus
	}{
		"northwind": {&d.key, directory.Active}, "fresh-start": {&d.keyEmpty, directory.Active}, "eastgate": {&d.keySuspended, directory.Suspended},
	} {
		if err := d.store.PutPartner(ctx, directory.Partner{ID: id, Name: string(id), Status: p.status}); err != nil {
			return err
		}
		text, _, err := keys.CreateKey(ctx, id, "stage", operator.Expiry{})
		if err != nil {
			return err
		}
		*p.key = text
	}
	var loading errgroup.Group
	loading.SetLimit(8)
	for _, c := range stageCustomers(now) {
		loading.Go(func() error { return d.loadCustomer(ctx, c, now) })
	}
	if err := loading.Wait(); err != nil {
		return err
	}
	var err error
	if d.keys, err = d.loadOthers(ctx, keys, now); err != nil {
		return err
	}
	if err := keys.RebuildTotals(ctx, operator.DaysWanted{}, func(int, int) {}); err != nil {
		return err
	}
	return d.leaveOpen(ctx, now)
}

// admit says which customers people of an issuer see: nia has three, nils none.
func (d *data) admit(ctx context.Context, issuerURL string) error {
	for login, accounts := range map[string][]usage.AccountID{"nia": {"acme_retail", "edo_travel", "quiet.account"}, "nils": nil} {
		p := directory.Person{Partner: "northwind", Issuer: issuerURL, Subject: login, CreatedAt: time.Now()}
		if err := d.store.PutPerson(ctx, p); err != nil {
			return err
		}
		for _, c := range stageCustomers(time.Now()) {
			if !slices.Contains(accounts, c.Account) {
				continue
			}
			if err := d.store.PutGrant(ctx, directory.Grant{Partner: p.Partner, Viewer: p.ID(), Account: c.Account, CustomerName: c.Name}); err != nil {
				return err
			}
		}
	}
	return nil
}

func (d *data) loadCustomer(ctx context.Context, c directory.Customer, now time.Time) error {
	if err := d.store.PutCustomer(ctx, c); err != nil {
		return err
	}
	if err := d.store.PutGrant(ctx, directory.Grant{Partner: "northwind", Account: c.Account, CustomerName: c.Name}); err != nil {
		return err
	}
	if c.Account == "quiet.account" || strings.HasSuffix(string(c.Account), listedOnly) {
		return nil
	}
	for _, p := range c.Products {
		log := usage.Log{Account: c.Account, Product: p}
		if c.Account != "nolist_trading" {
			if err := d.store.PutPriceLists(ctx, log, []pricing.List{stageList(p, c.Currency, now)}); err != nil {
				return err
			}
		}
		for batch := range slices.Chunk(stageRecords(log, c.Currency, now), dynamo.MaxUsageBatch) {
			if _, err := d.store.WriteUsage(ctx, batch); err != nil {
				return err
			}
		}
	}
	return nil
}

// inTwoLogs is the id of the oldest record of each log of SMS, and of voice.
const inTwoLogs = "in-two-logs"

// longLog is how many records the longest log has.
const longLog = 2050

// listedOnly ends the account of a customer that only makes the list longer: it has no usage.
const listedOnly = "_listed"

func stageCustomers(now time.Time) []directory.Customer {
	all := usage.Products()
	credit := func(mode directory.BillingMode, amount string, hoursAgo int) directory.Credit {
		c := directory.Credit{Mode: mode}
		if amount != "" {
			d := decimal.RequireFromString(amount)
			at := now.Add(-time.Duration(hoursAgo) * time.Hour).Truncate(time.Second)
			c.Remaining, c.AsOf = &d, &at
		}
		return c
	}
	limit := decimal.RequireFromString("5000")
	postpaidWithLimit := credit(directory.Postpaid, "3120.5", 3)
	postpaidWithLimit.Limit = &limit
	customers := []directory.Customer{
		{Account: "acme_retail", Name: "Acme Retail GmbH", Products: all, Currency: "EUR", Credit: credit(directory.Prepaid, "1520.73", 2)},
		{Account: "bluebird-clinics", Name: "Bluebird Clinics", Products: []usage.Product{usage.SMS, usage.Voice}, Currency: "GBP", Credit: credit(directory.Prepaid, "31.4", 5)},
		{Account: "cobalt&sons", Name: "Cobalt & Sons", Products: []usage.Product{usage.SMS}, Currency: "USD", Credit: credit(directory.Prepaid, "-0.4275", 1)},
		{Account: "delta.logistics", Name: "Delta Logistics", Products: []usage.Product{usage.SMS, usage.Messaging}, Currency: "EUR", Credit: postpaidWithLimit},
		{Account: "edo_travel", Name: "江戸トラベル株式会社", Products: []usage.Product{usage.SMS, usage.Voice, usage.Messaging}, Currency: "JPY", Credit: credit(directory.Prepaid, "482000", 8)},
		{Account: "falcon_pay", Name: "شركة الصقر للمدفوعات", Products: []usage.Product{usage.SMS, usage.Voice}, Currency: "AED", Credit: credit(directory.Prepaid, "9120", 30)},
		{Account: "gamma_health", Name: "Gamma Health", Products: []usage.Product{usage.Video, usage.Messaging}, Currency: "USD", Credit: credit(directory.Postpaid, "", 0)},
		{Account: "hostile_import", Name: Hostile, Products: all, Currency: "EUR", Credit: credit(directory.Prepaid, "12345678901234567890.123456", 1)},
		{Account: "long.name_account-with.all_fifty-characters.of_it1", Name: strings.Repeat("Internationale Gesellschaft für außergewöhnlich lange Firmennamen ", 3)[:190], Products: all, Currency: "EUR", Credit: credit(directory.Prepaid, "88.1", 50)},
		{Account: "nolist_trading", Name: "Nolist Trading", Products: []usage.Product{usage.SMS, usage.Voice}, Currency: "USD", Credit: credit(directory.Prepaid, "", 0)},
		{Account: "quiet.account", Name: "Quiet Account", Products: all, Currency: "EUR", Credit: credit(directory.Prepaid, "200", 4)},
		{Account: "turned.text", Name: "Turned \u202eeman\u202c \u2067of text", Products: []usage.Product{usage.SMS}, Currency: "EUR", Credit: credit(directory.Prepaid, "410", 7)},
		{Account: "tuzla_bilisim", Name: "Tuzla Bilişim İletişim A.Ş.", Products: []usage.Product{usage.SMS}, Currency: "TRY", Credit: credit(directory.Prepaid, "14250.5", 6)},
	}
	places := []string{"Aberdeen", "Bergen", "Cardiff", "Dublin", "Espoo", "Faro", "Ghent", "Haarlem", "Ivrea", "Jena"}
	trades := []string{"Books", "Couriers", "Dental", "Energy", "Florists", "Garages"}
	currencies := []money.Currency{"EUR", "GBP", "USD", "SGD"}
	for i := range 48 {
		name := places[i%len(places)] + " " + trades[i%len(trades)]
		customers = append(customers, directory.Customer{
			Account: usage.AccountID(fmt.Sprintf("%s_%02d%s", strings.ToLower(strings.ReplaceAll(name, " ", "_")), i, listedOnly)), Name: name,
			Products: all[:1+i%4], Currency: currencies[i%4], Credit: credit(directory.Prepaid, fmt.Sprint(75+i*i*13), i%20),
		})
	}
	return customers
}

func stageList(product usage.Product, currency money.Currency, now time.Time) pricing.List {
	price := decimal.RequireFromString
	midnight := now.UTC().Truncate(24 * time.Hour)
	list := pricing.List{EffectiveFrom: midnight.AddDate(0, 0, -40), Currency: currency, Rounding: pricing.DefaultRounding()}
	selectors := func(direction usage.Direction, country usage.Country) pricing.Selectors {
		return pricing.Selectors{Direction: direction, Country: country}
	}
	switch product {
	case usage.SMS:
		list.ChargeOn = pricing.OnSubmitted
		list.Rates = []pricing.Rate{
			{Selectors: pricing.Selectors{Direction: usage.Outbound, Country: "DE", Operator: "26201"}, UnitPrice: price("0.075")},
			{Selectors: selectors(usage.Outbound, "DE"), UnitPrice: price("0.081")},
			{Selectors: selectors(usage.Outbound, "GB"), UnitPrice: price("0.0412")},
			{Selectors: selectors(usage.Outbound, "US"), UnitPrice: price("0.0083")},
			{Selectors: selectors(usage.Inbound, ""), UnitPrice: price("0")},
		}
	case usage.Voice:
		list.Rates = []pricing.Rate{
			{Selectors: selectors(usage.Outbound, "GB"), UnitPrice: price("0.012"), SetupFee: price("0.005"), Increment: pricing.Increment{First: 60, Next: 60}},
			{Selectors: selectors(usage.Outbound, ""), UnitPrice: price("0.0265"), Increment: pricing.Increment{First: 30, Next: 6}},
			{Selectors: selectors(usage.Inbound, ""), UnitPrice: price("0.004"), Increment: pricing.Increment{First: 1, Next: 1}},
		}
	case usage.Video:
		list.Rates = []pricing.Rate{{UnitPrice: price("0.0039"), Increment: pricing.Increment{First: 60, Next: 60}}}
	case usage.Messaging:
		list.ChargeOn = pricing.OnDelivered
		list.Rates = []pricing.Rate{
			{Selectors: pricing.Selectors{Direction: usage.Outbound, Channel: "whatsapp", Category: "marketing"}, UnitPrice: price("0.1131")},
			{Selectors: pricing.Selectors{Direction: usage.Outbound, Channel: "whatsapp"}, UnitPrice: price("0.0455")},
			{Selectors: pricing.Selectors{Direction: usage.Outbound, Channel: "viber"}, UnitPrice: price("0.03")},
			{Selectors: selectors(usage.Inbound, ""), UnitPrice: price("0")},
		}
	}
	return list
}

func stageRecords(log usage.Log, currency money.Currency, now time.Time) []usage.Record {
	rng := rand.New(rand.NewPCG(7, uint64(len(log.Account)*31+len(log.Product))))
	oneOf := func(words ...string) string { return words[rng.IntN(len(words))] }
	n := 132
	switch {
	case log.Account == "acme_retail" && log.Product == usage.SMS:
		n = 420
	case log.Account == "edo_travel" && log.Product == usage.SMS:
		n = longLog
	}
	records := make([]usage.Record, n)
	at := now.UTC().Truncate(time.Second).AddDate(0, 0, -52)
	step := now.Sub(at) / time.Duration(n+1)
	for i := range records {
		at = at.Add(step/2 + time.Duration(rng.Int64N(int64(step)))).Truncate(time.Millisecond)
		if at.After(now) {
			at = now.UTC().Truncate(time.Second)
		}
		r := usage.Record{Log: log, ID: usage.RecordID(fmt.Sprintf("%s-%08x-%04d", log.Product, rng.Uint32(), i)), Timestamp: at, Direction: usage.Outbound}
		if rng.IntN(5) == 0 {
			r.Direction = usage.Inbound
		}
		remote := fmt.Sprintf("+44 7700 900%03d", rng.IntN(1000))
		r.Country = usage.Country(oneOf("GB", "GB", "GB", "DE", "DE", "US", "FR", ""))
		r.From, r.To = masking.Mask("SHOP"), masking.Mask(remote)
		if r.Direction == usage.Inbound {
			r.From, r.To = r.To, r.From
		}
		if i == 0 && (log.Product == usage.SMS || log.Product == usage.Voice) {
			r.ID = inTwoLogs
		}
		changed := at.Add(time.Duration(rng.IntN(9000)) * time.Millisecond)
		r.StatusAt = &changed
		if i%3 == 0 {
			amount := decimal.New(int64(10+rng.IntN(900)), -4)
			r.RecordedPrice = &money.Money{Amount: amount, Currency: currency}
		}
		fill(&r, rng, oneOf)
		if log.Account == "hostile_import" && i > n-6 {
			r.Status, r.ErrorCode, r.Channel, r.Country = usage.Status(Hostile), Hostile, Hostile, `"><svg/onload=window.hostile=3>`
		}
		records[i] = r
	}
	return records
}

func fill(r *usage.Record, rng *rand.Rand, oneOf func(...string) string) {
	number := func(n int) *int64 { v := int64(n); return &v }
	status := func(words ...string) {
		r.Status = usage.Status(oneOf(words...))
		if r.Status == usage.Undelivered || r.Status == usage.Failed {
			r.ErrorCode = oneOf("43", "30008", "EXPIRED")
		}
	}
	switch r.Product {
	case usage.SMS:
		status("delivered", "delivered", "delivered", "delivered", "delivered", "sent", "undelivered", "rejected", "queued", "read")
		if r.Direction == usage.Inbound {
			r.Status = usage.Received
		}
		r.Operator = map[usage.Country]usage.Operator{"GB": "23401", "DE": "26201", "US": "310099"}[r.Country]
		if rng.IntN(20) > 0 {
			r.Segments = number(1 + rng.IntN(3))
		}
	case usage.Voice:
		status("completed", "completed", "completed", "completed", "no_answer", "busy", "failed", "canceled")
		seconds := 0
		if r.Status == usage.Completed {
			seconds = 1 + rng.IntN(900)
		}
		r.DurationSeconds = number(seconds)
		if r.Direction == usage.Outbound {
			r.From = masking.Mask("+1 202 555 0143")
		}
	case usage.Video:
		status("completed", "completed", "completed", "in_progress", "failed")
		r.Direction, r.From, r.To, r.Country = "", masking.Number{}, masking.Number{}, ""
		seconds, people := 60+rng.IntN(5400), 2+rng.IntN(8)
		r.DurationSeconds, r.Participants = number(seconds), number(people)
		r.ParticipantSeconds = number(seconds*people - rng.IntN(50))
		if r.Status == usage.InProgress {
			r.ParticipantSeconds, r.DurationSeconds = nil, nil
		}
	case usage.Messaging:
		status("delivered", "delivered", "read", "read", "read", "sent", "failed", "undelivered")
		r.Channel = usage.Channel(oneOf("whatsapp", "whatsapp", "whatsapp", "viber", "rcs"))
		if r.Channel == "whatsapp" {
			r.Category = usage.Category(oneOf("marketing", "utility", "authentication", "service"))
		}
		if r.Direction == usage.Inbound {
			r.Status = usage.Received
		}
	}
}
