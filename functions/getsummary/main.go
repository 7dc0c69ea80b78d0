// Command getsummary is the Lambda function behind GET /summary and GET /customers/{accountId}/summary.
package main

import (
	"net/http"

	"partnerview/functions/start"
	"partnerview/internal/api"
	"partnerview/internal/dynamo"
)

func main() {
	start.Endpoint(func(env api.Env, store *dynamo.Store) http.Handler { return api.GetSummary(env, store) })
}
