// Command oapicodegen calls the API through a client that oapi-codegen made of
// openapi.yaml. tools/clients says what each of these programs does and prints.
package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"strings"

	api "partnerview/testdata/clients/oapicodegen/generated"
)

func main() {
	if err := run(context.Background()); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func newClient(key string) (*api.ClientWithResponses, error) {
	return api.NewClientWithResponses(os.Getenv("PARTNERVIEW_URL"), api.WithRequestEditorFn(func(_ context.Context, r *http.Request) error {
		r.Header.Set("Authorization", "Bearer "+key)
		return nil
	}))
}

func run(ctx context.Context) error {
	client, err := newClient(os.Getenv("PARTNERVIEW_KEY"))
	if err != nil {
		return err
	}
	account, from, to := os.Getenv("ACCOUNT"), os.Getenv("FROM"), os.Getenv("TO")

	customers, products := 0, []api.Product(nil)
	limit := 7
	for params := (api.ListCustomersParams{Limit: &limit}); ; {
		answer, err := client.ListCustomersWithResponse(ctx, &params)
		if err != nil {
			return err
		}
		if answer.JSON200 == nil {
			return errors.New(answer.Status())
		}
		for _, c := range answer.JSON200.Data {
			if customers++; c.AccountId == account {
				products = c.Products
			}
		}
		if params.Cursor = answer.JSON200.NextCursor; params.Cursor == nil {
			break
		}
	}
	fmt.Println("customers", customers)

	var rated string // the id of the newest SMS with a rated price
	for _, product := range products {
		records, quantity := 0, 0
		limit := 25
		for params := (api.ListUsageParams{From: &from, To: &to, Limit: &limit}); ; {
			answer, err := client.ListUsageWithResponse(ctx, account, product, &params)
			if err != nil {
				return err
			}
			if answer.JSON200 == nil {
				return errors.New(answer.Status())
			}
			for _, r := range answer.JSON200.Data {
				records++
				value, err := r.ValueByDiscriminator()
				if err != nil {
					return err
				}
				switch r := value.(type) {
				case api.SmsRecord:
					quantity += orZero(r.Segments)
					if price, _ := r.Price.Discriminator(); price == "rated" && rated == "" {
						rated = r.Id
					}
				case api.VoiceRecord:
					quantity += orZero(r.DurationSeconds)
				case api.VideoRecord:
					quantity += orZero(r.Participants)
				case api.MessagingRecord:
					if r.Channel != nil {
						quantity++
					}
				}
			}
			if params.Cursor = answer.JSON200.NextCursor; params.Cursor == nil {
				break
			}
		}
		fmt.Println(product, records, quantity)
	}

	one, err := client.GetUsageRecordWithResponse(ctx, account, api.ProductSms, rated)
	if err != nil {
		return err
	}
	if one.JSON200 == nil {
		return errors.New(one.Status())
	}
	record, err := one.JSON200.AsSmsRecord()
	if err != nil {
		return err
	}
	price, err := record.Price.AsRatedPrice()
	if err != nil {
		return err
	}
	why, err := price.Explanation.AsCountExplanation()
	if err != nil {
		return err
	}
	fmt.Println("price", record.Id, price.Status, price.Amount, price.Currency, why.UnitPrice, why.Unit, why.Quantity)

	tooMany, tooLong := 0, "12345"
	refused, err := client.ListUsageWithResponse(ctx, account, api.ProductSms, &api.ListUsageParams{Limit: &tooMany, ToLast4: &tooLong})
	if err != nil {
		return err
	}
	if refused.ApplicationproblemJSON400 == nil {
		return errors.New(refused.Status())
	}
	var named []string
	for _, e := range refused.ApplicationproblemJSON400.Errors {
		named = append(named, e.Parameter)
	}
	fmt.Println("400", refused.ApplicationproblemJSON400.Code, strings.Join(named, ","))

	stranger, err := newClient("pvk_wrong")
	if err != nil {
		return err
	}
	denied, err := stranger.ListCustomersWithResponse(ctx, nil)
	if err != nil {
		return err
	}
	if denied.JSON200 != nil || denied.ApplicationproblemJSON401 == nil {
		return errors.New(denied.Status())
	}
	fmt.Println("401", denied.ApplicationproblemJSON401.Code)
	return nil
}

func orZero(n *int) int {
	if n == nil {
		return 0
	}
	return *n
}
