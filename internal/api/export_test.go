package api

import (
	"net/http"
	"net/url"
)

// Seal makes a cursor as anybody could.
func Seal(path string, filters url.Values, key string) string {
	return (&params{path: path, values: filters}).seal(key)
}

// Forgetful is an endpoint that does not say what its answer shows.
func Forgetful(env Env) http.Handler {
	return env.mux(map[string]endpoint{"GET /customers": func(*http.Request) (response, error) {
		return response{body: map[string]string{"name": "Acme Retail"}}, nil
	}})
}
