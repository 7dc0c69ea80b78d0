package main

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"partnerview/internal/api"
	"partnerview/internal/dynamo"
	"partnerview/internal/gateway"
	"partnerview/internal/usage"
)

// page is a warm page of usage: the product's whole work on it, and the floor,
// which is what of that work the SDK and encoding/json do.
type page struct {
	handler func(context.Context, events.APIGatewayProxyRequest) (events.APIGatewayProxyResponse, error)
	event   events.APIGatewayProxyRequest
	db      *dynamodb.Client
	value   any // what the floor encodes: the very answer
}

// newPage makes a page of a product, with a handler built as functions/getusage
// does, on canned answers that need no network. The floor's answer is the
// handler's, byte by byte, or it is an error.
func newPage(p usage.Product, value any) (*page, error) {
	recorded, err := eventOf("getusage")
	if err != nil {
		return nil, err
	}
	out := &page{value: value}
	if err := json.Unmarshal(recorded, &out.event); err != nil {
		return nil, err
	}
	out.event.PathParameters["product"] = string(p)
	out.event.MultiValueQueryStringParameters["limit"] = []string{fmt.Sprint(recordsOnPage)}
	out.event.RequestContext.Authorizer["products"] = string(p)
	canned := aLog(p, recordsOnPage)
	out.db, err = dynamo.NewClient(environment("").get, func(o *dynamodb.Options) { o.HTTPClient = canned })
	if err != nil {
		return nil, err
	}
	log := slog.New(slog.NewJSONHandler(io.Discard, nil))
	store := dynamo.NewStore(out.db, names)
	store.Consumed = gateway.Consumed
	env := api.Env{Viewer: gateway.Viewer, RequestID: gateway.RequestID, Now: func() time.Time { return now }, Log: log, RecordMetrics: gateway.RecordMetrics}
	out.handler = gateway.Handler(api.GetUsage(env, store), log)

	answer, err := out.answer()
	if err != nil {
		return nil, err
	}
	if err := json.Unmarshal([]byte(answer), value); err != nil {
		return nil, err
	}
	again, err := out.encode()
	if err != nil {
		return nil, err
	}
	if string(again) != answer {
		return nil, fmt.Errorf("the floor does not encode the handler's answer:\n%s\n%s", again, answer)
	}
	return out, nil
}

// answer is the work that is judged: event in, answer out.
func (p *page) answer() (string, error) {
	r, err := p.handler(context.Background(), p.event)
	if err == nil && r.StatusCode != 200 {
		err = fmt.Errorf("the page is answered with %d: %s", r.StatusCode, r.Body)
	}
	return r.Body, err
}

// packed is the answer, and gzip of it.
func (p *page) packed() error {
	body, err := p.answer()
	if err != nil {
		return err
	}
	text := base64.NewEncoder(base64.StdEncoding, io.Discard)
	pack := gzip.NewWriter(text)
	_, err = io.WriteString(pack, body)
	return errors.Join(err, pack.Close(), text.Close())
}

// bareQuery is the SDK's part in a page's records: one call, to AttributeValues.
func (p *page) bareQuery(table string) error {
	key := map[string]types.AttributeValue{":log": &types.AttributeValueMemberS{Value: account}}
	condition := "log = :log"
	out, err := p.db.Query(context.Background(), &dynamodb.QueryInput{TableName: &table, KeyConditionExpression: &condition, ExpressionAttributeValues: key})
	if err == nil && len(out.Items) == 0 {
		err = fmt.Errorf("no items in %s", table)
	}
	return err
}

// bareCalls is the SDK's part in the whole page: the two calls, one by one.
func (p *page) bareCalls() error {
	if err := p.bareQuery(names.PriceLists); err != nil {
		return err
	}
	return p.bareQuery(names.Usage)
}

// encode is the part of encoding/json, over plain structs of texts.
func (p *page) encode() ([]byte, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(p.value); err != nil {
		return nil, err
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), nil
}

// usageAnswer is a page as JSON has it, of texts and numbers only.
type usageAnswer[R any] struct {
	Data       []R                `json:"data"`
	Range      map[string]*string `json:"range"`
	NextCursor *string            `json:"nextCursor"`
}

type recordAnswer struct {
	ID        string  `json:"id"`
	Product   string  `json:"product"`
	Timestamp string  `json:"timestamp"`
	Direction *string `json:"direction"`
	Status    *string `json:"status"`
	StatusAt  *string `json:"statusAt"`
	ErrorCode *string `json:"errorCode"`
	From      *string `json:"from"`
	To        *string `json:"to"`
	Country   *string `json:"country"`
}

type smsAnswer struct {
	recordAnswer
	Operator *string     `json:"operator"`
	Segments *int64      `json:"segments"`
	Price    priceAnswer `json:"price"`
}

type voiceAnswer struct {
	recordAnswer
	Operator        *string     `json:"operator"`
	DurationSeconds *int64      `json:"durationSeconds"`
	Price           priceAnswer `json:"price"`
}

type priceAnswer struct {
	Status      string             `json:"status"`
	Amount      *string            `json:"amount"`
	Currency    *string            `json:"currency"`
	Reason      *string            `json:"reason"`
	Explanation *explanationAnswer `json:"explanation"`
}

type explanationAnswer struct {
	UnitPrice       string           `json:"unitPrice"`
	Unit            string           `json:"unit"`
	Quantity        int64            `json:"quantity"`
	SetupFee        string           `json:"setupFee"`
	Increment       *incrementAnswer `json:"increment"`
	BillableSeconds *int64           `json:"billableSeconds"`
	Rate            rateAnswer       `json:"rate"`
	EffectiveFrom   string           `json:"effectiveFrom"`
	Rounding        roundingAnswer   `json:"rounding"`
}

type incrementAnswer struct {
	First int64 `json:"first"`
	Next  int64 `json:"next"`
}

type rateAnswer struct {
	Direction string `json:"direction,omitempty"`
	Country   string `json:"country,omitempty"`
	Operator  string `json:"operator,omitempty"`
}

type roundingAnswer struct {
	Scale int32  `json:"scale"`
	Mode  string `json:"mode"`
}
