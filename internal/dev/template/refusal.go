package template

import "strings"

// GatewayResponse is an answer of the gateway's own: a refusal, or a failure
// before or behind a function.
type GatewayResponse struct {
	Type    string            // "ACCESS_DENIED", "DEFAULT_5XX"
	Status  int               // 0: the status that the gateway chose
	Headers map[string]string // without the quotes that the template needs
	body    string
}

// Body is the answer to one request. A gateway response may use the request's
// id alone: no other variable is filled in here, and the tests allow no other.
func (g GatewayResponse) Body(requestID string) string {
	return strings.ReplaceAll(g.body, "$context.requestId", requestID)
}

// GatewayResponse finds the answer for a type. A type of which the template
// says nothing gets DEFAULT_4XX or DEFAULT_5XX, by the status that the gateway
// would give it; false where there is none either.
func (t *Template) GatewayResponse(typ string, status int) (GatewayResponse, bool) {
	fallback := "DEFAULT_4XX"
	if status >= 500 {
		fallback = "DEFAULT_5XX"
	}
	var found GatewayResponse
	for _, g := range t.GatewayResponses {
		if g.Type == typ || g.Type == fallback && found.Type == "" {
			found = g
		}
	}
	if found.Type != "" && found.Status == 0 {
		found.Status = status
	}
	return found, found.Type != ""
}
