// Command ogen calls the API through a client that ogen made of openapi.yaml.
// tools/clients says what each of these programs does and prints.
package main

import (
	"context"
	"fmt"
	"os"
	"strings"

	"github.com/ogen-go/ogen/ogenerrors"

	api "partnerview/testdata/clients/ogen/generated"
)

func main() {
	if err := run(context.Background()); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// key is the one credential that a client sends.
type key string

func (k key) AccessKey(context.Context, api.OperationName) (api.AccessKey, error) {
	return api.AccessKey{Token: string(k)}, nil
}

func (key) Token(context.Context, api.OperationName) (api.Token, error) {
	return api.Token{}, ogenerrors.ErrSkipClientSecurity
}

func run(ctx context.Context) error {
	address := os.Getenv("PARTNERVIEW_URL")
	client, err := api.NewClient(address, key(os.Getenv("PARTNERVIEW_KEY")))
	if err != nil {
		return err
	}
	account := api.AccountId(os.Getenv("ACCOUNT"))
	from, to := api.NewOptTimeOrDate(api.TimeOrDate(os.Getenv("FROM"))), api.NewOptTimeOrDate(api.TimeOrDate(os.Getenv("TO")))

	customers, products := 0, []api.Product(nil)
	for params := (api.ListCustomersParams{Limit: api.NewOptInt(7)}); ; {
		answer, err := client.ListCustomers(ctx, params)
		if err != nil {
			return err
		}
		page, ok := answer.(*api.CustomerPageHeaders)
		if !ok {
			return fmt.Errorf("customers: %T", answer)
		}
		for _, c := range page.Response.Data {
			if customers++; c.AccountId == account {
				products = c.Products
			}
		}
		if page.Response.NextCursor.Null {
			break
		}
		params.Cursor = api.NewOptString(string(page.Response.NextCursor.Value))
	}
	fmt.Println("customers", customers)

	var rated api.RecordId // of the newest SMS with a rated price
	for _, product := range products {
		records, quantity := 0, 0
		for params := (api.ListUsageParams{AccountId: account, Product: product, From: from, To: to, Limit: api.NewOptInt(25)}); ; {
			answer, err := client.ListUsage(ctx, params)
			if err != nil {
				return err
			}
			page, ok := answer.(*api.UsagePageHeaders)
			if !ok {
				return fmt.Errorf("log: %T", answer)
			}
			for _, r := range page.Response.Data {
				records++
				switch r.Type { // Value of what is null is 0
				case api.SmsRecordUsageRecord:
					quantity += r.SmsRecord.Segments.Value
					if r.SmsRecord.Price.IsRatedPrice() && rated == "" {
						rated = r.SmsRecord.ID
					}
				case api.VoiceRecordUsageRecord:
					quantity += r.VoiceRecord.DurationSeconds.Value
				case api.VideoRecordUsageRecord:
					quantity += r.VideoRecord.Participants.Value
				case api.MessagingRecordUsageRecord:
					if !r.MessagingRecord.Channel.Null {
						quantity++
					}
				}
			}
			if page.Response.NextCursor.Null {
				break
			}
			params.Cursor = api.NewOptString(string(page.Response.NextCursor.Value))
		}
		fmt.Println(product, records, quantity)
	}

	one, err := client.GetUsageRecord(ctx, api.GetUsageRecordParams{AccountId: account, Product: api.ProductSMS, RecordId: rated})
	if err != nil {
		return err
	}
	record, ok := one.(*api.UsageRecordHeaders)
	if !ok {
		return fmt.Errorf("record: %T", one)
	}
	sms := record.Response.SmsRecord
	price := sms.Price.RatedPrice
	why := price.Explanation.CountExplanation
	fmt.Println("price", sms.ID, price.Status, price.Amount, price.Currency, why.UnitPrice, why.Unit, why.Quantity)

	answer, err := client.ListUsage(ctx, api.ListUsageParams{AccountId: account, Product: api.ProductSMS,
		Limit: api.NewOptInt(0), ToLast4: api.NewOptString("12345")})
	if err != nil {
		return err
	}
	refused, ok := answer.(*api.InvalidParameterHeaders)
	if !ok {
		return fmt.Errorf("bad parameters: %T", answer)
	}
	var named []string
	for _, e := range refused.Response.Errors {
		named = append(named, e.Parameter)
	}
	fmt.Println("400", refused.Response.Code, strings.Join(named, ","))

	stranger, err := api.NewClient(address, key("pvk_wrong"))
	if err != nil {
		return err
	}
	who, err := stranger.ListCustomers(ctx, api.ListCustomersParams{})
	if err != nil {
		return err
	}
	denied, ok := who.(*api.UnauthorizedHeaders)
	if !ok {
		return fmt.Errorf("a wrong key: %T", who)
	}
	fmt.Println("401", denied.Response.Code)
	return nil
}
