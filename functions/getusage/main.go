// Command getusage is the Lambda function behind GET /customers/{accountId}/usage/….
package main

import (
	"os"

	"partnerview/internal/api"
	"partnerview/internal/dynamo"
	"partnerview/internal/gateway"
	"partnerview/internal/gateway/tracing"
)

func main() {
	log := gateway.Log(os.Getenv)
	now, err := gateway.Clock(os.Getenv)
	if err != nil {
		gateway.Exit(log, err)
	}
	db, err := dynamo.NewClient(os.Getenv, tracing.DynamoDB(os.Getenv))
	if err != nil {
		gateway.Exit(log, err)
	}
	store := dynamo.NewStore(db, dynamo.TablesFromEnv(os.Getenv))
	store.Consumed = gateway.Consumed
	env := api.Env{Viewer: gateway.Viewer, RequestID: gateway.RequestID, Now: now, Log: log, Shown: gateway.Shown}
	gateway.Serve(tracing.Requests(os.Getenv, api.GetUsage(env, store)), log)
}
