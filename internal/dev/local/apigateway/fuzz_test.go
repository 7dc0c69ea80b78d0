package apigateway

import (
	"net/url"
	"testing"
)

// What a function or an authorizer answers is read as API Gateway reads it, or refused; a query
// that the standard library reads has the same last values.
//
//fuzz:reaches response.go:parseResponse response.go:add authorizer.go:parseDecision event.go:parseQuery
func FuzzAnswers(f *testing.F) {
	for _, seed := range []string{
		`{"statusCode":200,"headers":{"Content-Type":"text/csv","a":1,"b":true},"multiValueHeaders":{"a":["1","2"]},"body":"x"}`, `{"statusCode":"404"}`, `{"statusCode":99}`, `{"statusCode":200.5}`,
		`{"x":1}`, `[]`, ``, `{"headers":{"a":[]}}`, `{"multiValueHeaders":{"a":[{}]}}`, `{"statusCode":200}{}`,
		`{"principalId":"p","policyDocument":{"Statement":[{"Action":"execute-api:Invoke","Effect":"Allow","Resource":["arn:aws:execute-api:us-east-1:1:a/v1/GET/customers"]}]},"context":{"a":"b","n":1,"t":true}}`,
		`{"policyDocument":{"Statement":[{"Effect":"Maybe"}]}}`, `{"policyDocument":{"Statement":[{"Condition":{}}]}}`, `{"policyDocument":{"Statement":[]},"context":{"a":{}}}`, `{}`,
		"a=1&b=2;a=3&c", "%zz=%zz&a=%41", "&&=", "a=+",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		if r, err := parseResponse(text); err == nil && (r.status < 200 || r.status > 599 || r.header.Get("Content-Type") == "") {
			t.Fatalf("%s is read as %+v", text, r)
		}
		if d, err := parseDecision(text); (d == nil) == (err == nil) {
			t.Fatalf("%s is read as %v, %v", text, d, err)
		}
		last, all := parseQuery(string(text))
		if len(last) != len(all) {
			t.Fatalf("%s: %v, %v", text, last, all)
		}
		standard, err := url.ParseQuery(string(text))
		if err != nil {
			return
		}
		for name, values := range standard {
			if last[name] != values[len(values)-1] {
				t.Fatalf("%s: %q is %q, want %q", text, name, last[name], values)
			}
		}
	})
}
