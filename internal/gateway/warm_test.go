package gateway

import (
	"bytes"
	"context"
	"encoding/json"
	"log/slog"
	"net/http"
	"testing"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-lambda-go/lambda"

	"partnerview/internal/directory"
)

// What keeps a function warm is no request: it reaches no handler, and leaves no line.
func TestAFunctionIsKeptWarmWithoutARequest(t *testing.T) {
	var printed bytes.Buffer
	log := slog.New(slog.NewJSONHandler(&printed, nil))
	asked := 0
	for claim, handler := range map[string]any{
		"an endpoint": Handler(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { asked++ }), log),
		"the authorizer": Authorizer(func(context.Context, string, *string) (directory.Decision, error) {
			asked++
			return directory.Decision{}, nil
		}, log),
	} {
		answer, err := keptWarm{lambda.NewHandler(handler)}.Invoke(t.Context(), keepWarm)
		if err != nil || string(answer) != "{}" {
			t.Errorf("%s answers %s, %v", claim, answer, err)
		}
	}
	if asked != 0 || printed.Len() > 0 {
		t.Errorf("%d requests were handled, and the log has %q", asked, &printed)
	}
}

// Whatever a caller sends stands within members that API Gateway makes.
func TestNoCallerCanPassForWhatKeepsWarm(t *testing.T) {
	asked := 0
	h := keptWarm{lambda.NewHandler(Handler(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { asked++; w.WriteHeader(http.StatusOK) }), slog.New(slog.DiscardHandler)))}
	for _, sent := range []events.APIGatewayProxyRequest{
		{},
		{HTTPMethod: "GET", Resource: "/customers", Path: "/customers", Body: string(keepWarm)},
		{HTTPMethod: "GET", Resource: "/customers", Path: "/customers", QueryStringParameters: map[string]string{"keepWarm": "true"}},
		{HTTPMethod: "GET", Resource: "/{proxy+}", Path: `/{"keepWarm":true}`, PathParameters: map[string]string{"proxy": `{"keepWarm":true}`}},
	} {
		event, err := json.Marshal(sent)
		if err != nil {
			t.Fatal(err)
		}
		before := asked
		if _, err := h.Invoke(t.Context(), event); err != nil || asked != before+1 {
			t.Errorf("%s was handled %d times: %v", event, asked-before, err)
		}
	}
}
