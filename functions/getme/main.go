// Command getme is the Lambda function behind GET /me.
package main

import (
	"net/http"

	"partnerview/functions/start"
	"partnerview/internal/api"
	"partnerview/internal/dynamo"
)

func main() {
	start.Endpoint(func(env api.Env, store *dynamo.Store) http.Handler { return api.GetMe(env, store) })
}
