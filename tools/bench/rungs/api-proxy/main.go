// Command api-proxy is the least that answers a gateway's request by net/http: the runtime
// client and aws-lambda-go-api-proxy. What the dashboard costs beyond it is our own.
package main

import (
	"net/http"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/awslabs/aws-lambda-go-api-proxy/httpadapter"
)

func main() {
	adapter := httpadapter.New(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write([]byte(`{"hello":"world"}`)) // into memory
	}))
	lambda.Start(adapter.ProxyWithContext)
}
