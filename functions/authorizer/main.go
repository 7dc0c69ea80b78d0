// Command authorizer is the Lambda authorizer in front of every data route.
package main

import (
	"os"

	"partnerview/internal/access"
	"partnerview/internal/access/oidc"
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
	guard := access.NewGuard(store, now)
	if guard.Tokens, err = oidc.FromEnv(os.Getenv, now, log); err != nil {
		gateway.Exit(log, err)
	}
	if guard.Metering, err = access.ParseMetering(os.Getenv("USAGE_PLANS")); err != nil {
		gateway.Exit(log, err)
	}
	gateway.ServeAuthorizer(tracing.Decisions(os.Getenv, guard.Decide), log)
}
