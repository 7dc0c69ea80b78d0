// Command dashboard is the Lambda function behind the page, the contract and every
// path that is no route. It has no rights to any table.
package main

import (
	"os"

	"partnerview"
	"partnerview/internal/dashboard"
	"partnerview/internal/gateway"
)

func main() {
	log := gateway.Log(os.Getenv)
	signIn, err := dashboard.SignInFromEnv(os.Getenv)
	if err != nil {
		gateway.Exit(log, err)
	}
	page, err := dashboard.Handler(partnerview.OpenAPI(), dashboard.Gateway{
		RequestID: gateway.RequestID, PublicPath: gateway.PublicPath,
	}, signIn)
	if err != nil {
		gateway.Exit(log, err)
	}
	gateway.Serve(page, log)
}
