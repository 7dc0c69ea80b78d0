// Command floor is the least that a function of ours can be with the packages that
// it is made of: aws-lambda-go, its api-proxy, the SDK's DynamoDB and the X-Ray SDK,
// set up as functions/start does, one Query, and a small answer. What our functions
// cost beyond it is our own.
package main

import (
	"context"
	"fmt"
	"net/http"
	"os"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-xray-sdk-go/v2/instrumentation/awsv2"
	"github.com/aws/aws-xray-sdk-go/v2/strategy/ctxmissing"
	"github.com/aws/aws-xray-sdk-go/v2/xray"
	"github.com/aws/aws-xray-sdk-go/v2/xraylog"
	"github.com/awslabs/aws-lambda-go-api-proxy/httpadapter"
)

func main() {
	xray.SetLogger(xraylog.NullLogger)
	err := xray.Configure(xray.Config{
		DaemonAddr: os.Getenv("AWS_XRAY_DAEMON_ADDRESS"), ContextMissingStrategy: ctxmissing.NewDefaultIgnoreErrorStrategy(),
	})
	if err != nil {
		fmt.Fprintln(os.Stderr, "floor:", err)
		os.Exit(1)
	}
	db := dynamodb.New(dynamodb.Options{
		Region: os.Getenv("AWS_REGION"), BaseEndpoint: aws.String(os.Getenv("AWS_ENDPOINT_URL_DYNAMODB")),
		Credentials: aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
			return aws.Credentials{
				AccessKeyID: os.Getenv("AWS_ACCESS_KEY_ID"), SecretAccessKey: os.Getenv("AWS_SECRET_ACCESS_KEY"),
				SessionToken: os.Getenv("AWS_SESSION_TOKEN"),
			}, nil
		}),
	}, func(o *dynamodb.Options) { awsv2.AWSV2Instrumentor(&o.APIOptions) })
	adapter := httpadapter.New(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ctx, segment := xray.BeginSubsegment(r.Context(), "request")
		defer segment.Close(nil)
		out, err := db.Query(ctx, &dynamodb.QueryInput{
			TableName: aws.String(os.Getenv("USAGE_TABLE")), KeyConditionExpression: aws.String("log = :log"),
			ExpressionAttributeValues: map[string]types.AttributeValue{":log": &types.AttributeValueMemberS{Value: "acme_retail#sms"}},
		})
		if err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		fmt.Fprintf(w, `{"items":%d}`, out.Count)
	}))
	lambda.Start(adapter.ProxyWithContext)
}
