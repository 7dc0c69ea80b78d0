// Command authorizer is the Lambda authorizer in front of every data route.
package main

import (
	"errors"
	"os"

	"partnerview/internal/access"
	"partnerview/internal/access/oidc"
	"partnerview/internal/dynamo"
	"partnerview/internal/gateway"
	"partnerview/internal/gateway/tracing"
)

func main() {
	log := gateway.Log(os.Getenv)
	now, noClock := gateway.Clock(os.Getenv)
	db, noClient := dynamo.NewClient(os.Getenv, tracing.DynamoDB(os.Getenv))
	tokens, noTokens := oidc.FromEnv(os.Getenv, now, log)
	metering, noMetering := access.ParseMetering(os.Getenv("USAGE_PLANS"))
	if err := errors.Join(noClock, noClient, noTokens, noMetering); err != nil {
		gateway.Exit(log, err) // with every fault at once
	}
	store := dynamo.NewStore(db, dynamo.TablesFromEnv(os.Getenv))
	store.Consumed = gateway.Consumed
	guard := access.NewGuard(store, now)
	guard.Tokens, guard.Metering = tokens, metering
	gateway.ServeAuthorizer(tracing.Decisions(os.Getenv, guard.Decide), log)
}
