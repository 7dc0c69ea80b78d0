// Command authorizer is the Lambda authorizer in front of every data route.
package main

import (
	"os"

	"partnerview/functions/start"
	"partnerview/internal/access"
	"partnerview/internal/access/oidc"
	"partnerview/internal/directory"
	"partnerview/internal/gateway"
	"partnerview/internal/gateway/tracing"
)

func main() {
	f, err := start.FromEnv(os.Getenv)
	tokens, noTokens := oidc.FromEnv(os.Getenv, f.Now, f.Log)
	people, noDefault := directory.ParseDefaultAccess(os.Getenv("OIDC_DEFAULT_ACCESS"))
	metering, noMetering := access.ParseMetering(os.Getenv("USAGE_PLANS"))
	f.Check(err, noTokens, noDefault, noMetering)
	guard := access.NewGuard(f.Store, f.Now)
	guard.Tokens, guard.PersonDefault, guard.Metering = tokens, people, metering
	decide := tracing.Decisions(os.Getenv, guard.Decide)
	f.Ready()
	gateway.ServeAuthorizer(decide, f.Log)
}
