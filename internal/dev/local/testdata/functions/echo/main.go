// Command echo is a Lambda function behind a gateway that answers with the event
// that it got, or does what the parameter do says.
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-lambda-go/lambda"
)

func main() { lambda.Start(handle) }

func handle(_ context.Context, event events.APIGatewayProxyRequest) (any, error) {
	switch event.QueryStringParameters["do"] {
	case "exit":
		os.Exit(1)
	case "sleep":
		time.Sleep(time.Minute)
	case "malformed":
		return map[string]string{"answer": "yes"}, nil
	case "audit":
		fmt.Printf(`{"time":"2026-11-20T12:00:00Z","audit":true,"accountIds":[%q]}`+"\n", event.QueryStringParameters["x"])
		fmt.Println(`{"msg":"\"audit\":true"}`)
	case "environment":
		body, _ := json.Marshal(os.Environ())
		return events.APIGatewayProxyResponse{StatusCode: 200, Body: string(body)}, nil
	}
	body, _ := json.Marshal(event)
	return events.APIGatewayProxyResponse{StatusCode: 200, Body: string(body)}, nil
}
