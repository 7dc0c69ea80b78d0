// Command floor is the least that a function of ours can be with the packages that
// it is made of: aws-lambda-go, its api-proxy, the SDK's DynamoDB and the X-Ray SDK,
// set up as functions/start does, one Query, and a small answer. What our functions
// cost beyond it is our own.
package main

import (
	"fmt"
	"net/http"
	"os"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-xray-sdk-go/v2/instrumentation/awsv2"
	"github.com/aws/aws-xray-sdk-go/v2/strategy/ctxmissing"
	"github.com/aws/aws-xray-sdk-go/v2/xray"
	"github.com/aws/aws-xray-sdk-go/v2/xraylog"
	"github.com/awslabs/aws-lambda-go-api-proxy/httpadapter"

	"partnerview/tools/bench/rungs/oneread"
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
	db := oneread.Client(func(o *dynamodb.Options) { awsv2.AWSV2Instrumentor(&o.APIOptions) })
	adapter := httpadapter.New(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ctx, segment := xray.BeginSubsegment(r.Context(), "request")
		defer segment.Close(nil)
		oneread.Answer(ctx, db, w)
	}))
	lambda.Start(adapter.ProxyWithContext)
}
