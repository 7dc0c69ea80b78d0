package gateway

import (
	"context"
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-lambda-go/lambda"

	"partnerview/internal/directory"
)

// recordedEvents are those of the functions' tests.
func recordedEvents(f *testing.F) (texts [][]byte) {
	f.Helper()
	paths, err := filepath.Glob("../../functions/*/testdata/*event.json")
	if err != nil || len(paths) < 5 {
		f.Fatalf("%d recorded events, %v", len(paths), err)
	}
	for _, path := range paths {
		text, err := os.ReadFile(path)
		if err != nil {
			f.Fatal(err)
		}
		texts = append(texts, text)
	}
	return texts
}

// Whatever is sent to a function, no call of its handler fails or panics but for what is no event:
// each is answered, and only with an account that the authorizer has told.
//
//fuzz:reaches gateway.go:Handler gateway.go:logRequest gateway.go:path gateway.go:unescape gateway.go:claimsOf gateway.go:Viewer warm.go:Invoke
func FuzzEvents(f *testing.F) {
	for _, event := range recordedEvents(f) {
		f.Add(event)
	}
	for _, event := range []string{
		`{"keepWarm":true}`, `{"keepWarm":true,"resource":"/customers"}`, `{}`, `null`, `[]`, ``, `{"httpMethod":"GET","resource":"/{proxy+}","pathParameters":{"proxy":"a/../%zz"}}`,
		`{"httpMethod":"GET","resource":"/customers/{accountId}","pathParameters":{"accountId":"%2F"},"requestContext":{"authorizer":{"accountId":1,"products":null,"partnerId":["x"]}}}`,
		`{"httpMethod":"\u0000","resource":"/customers","multiValueQueryStringParameters":{"a":["%","\u0000"]},"multiValueHeaders":{"X-Amzn-Trace-Id":["x"],"Host":["a b"]}}`,
		`{"httpMethod":"GET","resource":"/customers","isBase64Encoded":true,"body":"%"}`, `{"httpMethod":"GET","path":"//[::1","resource":"//[::1"}`,
	} {
		f.Add([]byte(event))
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /customers/{accountId}/usage/{product}", echo)
	mux.HandleFunc("GET /customers/{accountId}", echo)
	mux.HandleFunc("GET /customers", echo)
	handler := keptWarm{lambda.NewHandler(Handler(mux, quiet))}
	f.Fuzz(func(t *testing.T, text []byte) {
		var event events.APIGatewayProxyRequest
		isEvent := json.Unmarshal(text, &event) == nil
		answer, err := handler.Invoke(t.Context(), text)
		if err != nil {
			if isEvent {
				t.Fatalf("%s is not answered: %v", text, err)
			}
			return
		}
		if string(text) == string(keepWarm) {
			return
		}
		var response events.APIGatewayProxyResponse
		if err := json.Unmarshal(answer, &response); err != nil || response.StatusCode < 200 || response.StatusCode > 599 {
			t.Fatalf("%s is answered %s, %v", text, answer, err)
		}
		var s seen
		if json.Unmarshal([]byte(response.Body), &s) == nil && s.Known && string(s.Viewer.Account) != "" {
			if told, isText := event.RequestContext.Authorizer["accountId"].(string); !isText || told != string(s.Viewer.Account) {
				t.Fatalf("%s: the viewer's account is %q", text, s.Viewer.Account)
			}
		}
	})
}

// Whatever the authorizer is asked, it allows nothing but the one method and path, and nothing
// where the decision was no.
//
//fuzz:reaches authorizer.go:Authorizer authorizer.go:authorization authorizer.go:canName authorizer.go:allowed authorizer.go:refused authorizer.go:policyOf
func FuzzAuthorizerEvents(f *testing.F) {
	recorded, err := os.ReadFile("../../functions/authorizer/testdata/event.json")
	if err != nil {
		f.Fatal(err)
	}
	f.Add(recorded)
	for _, event := range []string{
		`{}`, `null`, `{"methodArn":"arn:aws:execute-api:us-east-1:1:a/v1/GET/*","headers":{"authorization":"Bearer yes"}}`,
		`{"methodArn":"arn:aws:execute-api:us-east-1:1:a/v1/GET/customers/a%2A","headers":{"AUTHORIZATION":"Bearer yes"},"pathParameters":{"accountId":"%zz"}}`,
		`{"methodArn":"arn:aws:execute-api:us-east-1:1:a/v1/GET/customers/%61","multiValueHeaders":{"Authorization":["Bearer yes"]},"pathParameters":{"accountId":"a"}}`,
		`{"methodArn":"a/v1/GET/x","multiValueHeaders":{"Authorization":["Bearer yes","Bearer no"]}}`, `{"methodArn":"` + strings.Repeat("x", 600) + `","headers":{"Authorization":"Bearer yes"}}`,
	} {
		f.Add([]byte(event))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		var event Asked
		if json.Unmarshal(text, &event) != nil {
			return
		}
		allows := false
		decide := func(_ context.Context, authorization string, asked *string) (directory.Decision, error) {
			allows = strings.HasSuffix(authorization, "yes")
			return directory.Decision{Allowed: allows}, nil
		}
		answer, err := Authorizer(decide, quiet)(t.Context(), event)
		if err != nil {
			return
		}
		for _, s := range answer.PolicyDocument.Statement {
			for _, resource := range s.Resource {
				if s.Effect == "Allow" && (!allows || strings.ContainsAny(resource, "*?")) {
					t.Fatalf("%s: %s is allowed", text, resource)
				}
			}
		}
	})
}
