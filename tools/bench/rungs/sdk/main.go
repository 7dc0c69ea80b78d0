// Command sdk is the floor without the X-Ray SDK: the runtime client, api-proxy and the SDK's
// DynamoDB, and one Query.
package main

import (
	"net/http"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/awslabs/aws-lambda-go-api-proxy/httpadapter"

	"partnerview/tools/bench/rungs/oneread"
)

func main() {
	db := oneread.Client()
	adapter := httpadapter.New(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		oneread.Answer(r.Context(), db, w)
	}))
	lambda.Start(adapter.ProxyWithContext)
}
