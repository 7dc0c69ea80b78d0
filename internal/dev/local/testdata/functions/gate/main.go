// Command gate is an authorizer: "Bearer NAME" may see the thing NAME and the
// list of all, nothing else.
package main

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-lambda-go/lambda"
)

func main() { lambda.Start(handle) }

func handle(_ context.Context,
	event events.APIGatewayCustomAuthorizerRequestTypeRequest) (events.APIGatewayCustomAuthorizerResponse, error) {
	name, ok := strings.CutPrefix(event.Headers["Authorization"], "Bearer ")
	if !ok {
		return events.APIGatewayCustomAuthorizerResponse{}, errors.New("Unauthorized")
	}
	fmt.Println("asked")
	if name == "broken" {
		return events.APIGatewayCustomAuthorizerResponse{}, errors.New("the database is down")
	}
	effect := "Allow"
	if thing, named := event.PathParameters["thingId"]; named && thing != name {
		effect = "Deny"
	}
	return events.APIGatewayCustomAuthorizerResponse{
		PrincipalID: name,
		PolicyDocument: events.APIGatewayCustomAuthorizerPolicy{
			Version: "2012-10-17",
			Statement: []events.IAMPolicyStatement{{Action: []string{"execute-api:Invoke"}, Effect: effect,
				Resource: []string{event.MethodArn}}},
		},
		Context: map[string]any{"thingId": name},
	}, nil
}
