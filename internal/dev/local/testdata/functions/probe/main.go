// Command probe is a Lambda function that does what its payload says, to try how
// functions are run.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-lambda-go/lambdacontext"
)

type order struct {
	Do     string // one of the cases below
	Text   string
	Millis int
}

func main() {
	switch os.Getenv("PROBE_START") {
	case "exit":
		fmt.Print("I cannot start") // a line without an end
		os.Exit(3)
	case "hang":
		select {}
	}
	lambda.Start(handle)
}

func handle(ctx context.Context, payload json.RawMessage) (any, error) {
	var o order
	if err := json.Unmarshal(payload, &o); err != nil {
		return nil, err
	}
	switch o.Do {
	case "sleep":
		time.Sleep(time.Duration(o.Millis) * time.Millisecond)
	case "error":
		return nil, errors.New(o.Text)
	case "panic":
		panic(o.Text)
	case "exit":
		os.Exit(7)
	case "print":
		fmt.Println(o.Text)
	case "environment":
		return os.Environ(), nil
	case "fill":
		return strings.Repeat("x", o.Millis), nil
	}
	deadline, _ := ctx.Deadline()
	about, _ := lambdacontext.FromContext(ctx)
	return map[string]any{
		"pid":       os.Getpid(),
		"text":      o.Text,
		"leftMs":    time.Until(deadline).Milliseconds(),
		"requestId": about.AwsRequestID,
		"arn":       about.InvokedFunctionArn,
	}, nil
}
