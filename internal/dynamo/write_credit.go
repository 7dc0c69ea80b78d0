package dynamo

import (
	"context"
	"errors"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/shopspring/decimal"

	"partnerview/internal/fault"
	"partnerview/internal/money"
	"partnerview/internal/usage"
)

// RenewCredit writes what a customer had left at some time, and nothing else of
// the customer, unless what is stored is of a later time: then renewed is false.
// One condition holds it all, so that it may run beside other commands and
// itself. The currency is the one that the amount is in. NotFound: there is no
// such customer. Unavailable: its currency is another by now.
func (s *Store) RenewCredit(ctx context.Context, account usage.AccountID, remaining decimal.Decimal, currency money.Currency, asOf time.Time) (renewed bool, err error) {
	op := "renew the credit of " + string(account)
	key := item{"accountId": str(string(account))}
	err = s.paced(ctx, func() error {
		ctx, cancel := context.WithTimeout(ctx, callTimeout)
		defer cancel()
		_, err := s.db.UpdateItem(ctx, &dynamodb.UpdateItemInput{
			TableName:                &s.tables.Customers,
			Key:                      key,
			UpdateExpression:         aws.String("SET remainingCredit = :remaining, creditAsOf = :asOf"),
			ConditionExpression:      aws.String("attribute_exists(accountId) AND #currency = :currency AND (attribute_not_exists(creditAsOf) OR creditAsOf <= :asOf)"),
			ExpressionAttributeNames: map[string]string{"#currency": "currency"},
			ExpressionAttributeValues: item{
				":remaining": str(money.Text(remaining)), ":asOf": str(usage.FormatTime(asOf)), ":currency": str(string(currency)),
			},
		}, once)
		return translate(op, err)
	})
	if newer := new(types.ConditionalCheckFailedException); !errors.As(err, &newer) {
		return err == nil, err
	}
	items, err := s.batchGet(ctx, op, s.tables.Customers, types.KeysAndAttributes{
		Keys: []item{key}, ConsistentRead: aws.Bool(true),
		ProjectionExpression: &allOfCustomer.expression, ExpressionAttributeNames: allOfCustomer.names,
	})
	if err != nil {
		return false, err
	}
	if len(items) == 0 {
		return false, fault.New(fault.NotFound, op, nil)
	}
	c, err := decodeCustomer(items[0])
	if err == nil && c.Currency != currency {
		err = fault.New(fault.Unavailable, op+": its currency has been changed meanwhile", nil)
	}
	return false, err
}
