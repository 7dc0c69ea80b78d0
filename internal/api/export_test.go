package api

import (
	"net/http"
	"net/url"

	"partnerview/internal/usage"
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

// Showing is an endpoint whose answer shows something of many customers.
func Showing(env Env, accounts []usage.AccountID) http.Handler {
	return env.mux(map[string]endpoint{"GET /customers": func(*http.Request) (response, error) {
		return response{body: customersJSON{}, audit: &auditEntry{accounts: accounts, records: len(accounts), unrated: 7}}, nil
	}})
}
