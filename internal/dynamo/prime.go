package dynamo

import (
	"context"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"partnerview/internal/fault"
)

// PrimeTime bounds how long a function that starts does ahead what its first request would
// wait for.
const PrimeTime = 400 * time.Millisecond

// Prime begins to do what the first call to DynamoDB costs more than later ones: it opens a
// connection that the client keeps (the bundle of authorities, TLS), by a GET that is not
// signed, touches no table and costs nothing, and takes a call through the client that is
// answered here. The channel is closed when both are done, have failed or PrimeTime is over:
// what is not done by then the first call does.
//
// A function has a whole processor while it starts, and a sixth of one afterwards. An
// engine without TLS has nothing to prime: the channel is closed already.
func Prime(ctx context.Context, db *dynamodb.Client) <-chan struct{} {
	done := make(chan struct{})
	url, secure := endpointOf(ctx, db)
	if !secure {
		close(done)
		return done
	}
	ctx, cancel := context.WithTimeout(ctx, PrimeTime)
	connected := make(chan struct{})
	go func() { // ends with its request, which ends with ctx
		defer close(connected)
		_ = fault.Caught(func() error { return connect(ctx, db, url) })
	}()
	go func() { // ends with what it waits for, or with ctx
		defer close(done)
		defer cancel()
		_ = fault.Caught(func() error { return rehearse(ctx, db) })
		select {
		case <-connected:
		case <-ctx.Done():
		}
	}()
	return done
}

// endpointOf is where a client's calls go, and whether by TLS.
func endpointOf(ctx context.Context, db *dynamodb.Client) (url string, secure bool) {
	o := db.Options()
	if o.BaseEndpoint != nil {
		return *o.BaseEndpoint, strings.HasPrefix(*o.BaseEndpoint, "https://")
	}
	where := dynamodb.EndpointParameters{Region: &o.Region}
	at, err := dynamodb.NewDefaultEndpointResolverV2().ResolveEndpoint(ctx, where)
	if err != nil {
		return "", false
	}
	return at.URI.String(), at.URI.Scheme == "https"
}

// connect opens a connection, and leaves it to the client.
func connect(ctx context.Context, db *dynamodb.Client, url string) error {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return err
	}
	answer, err := db.Options().HTTPClient.Do(r)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	_, err = io.Copy(io.Discard, io.LimitReader(answer.Body, 64<<10)) // a connection is kept once its answer is read
	return err
}

// rehearse takes a call through the client: what it makes at its first use is made then.
func rehearse(ctx context.Context, db *dynamodb.Client) error {
	_, err := db.Query(ctx, &dynamodb.QueryInput{
		TableName: aws.String("rehearsal"), KeyConditionExpression: aws.String("pk = :pk"),
		ExpressionAttributeValues: map[string]types.AttributeValue{":pk": str("x")},
	}, func(o *dynamodb.Options) { o.HTTPClient = rehearsed{} })
	return err
}

// rehearsed answers in DynamoDB's place.
type rehearsed struct{}

func (rehearsed) Do(r *http.Request) (*http.Response, error) {
	const answer = `{"Count":1,"ScannedCount":1,"Items":[{"pk":{"S":"x"},"n":{"N":"1"},"m":{"M":{"b":{"BOOL":true}}}}]}`
	return &http.Response{
		StatusCode: http.StatusOK, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, Request: r,
		Header:        http.Header{"Content-Type": {"application/x-amz-json-1.0"}},
		ContentLength: int64(len(answer)), Body: io.NopCloser(strings.NewReader(answer)),
	}, nil
}
