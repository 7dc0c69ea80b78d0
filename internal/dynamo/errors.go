package dynamo

import (
	"errors"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"partnerview/internal/fault"
)

// translate makes a fault of an SDK error, by its type: throttling, time-outs,
// broken connections and the engine's own failures are Unavailable, since they
// pass; a missing table, a refused permission and a malformed request are
// Internal, since they stay.
func translate(op string, err error) error {
	if err == nil {
		return nil
	}
	return fault.New(kindOf(err), op, err)
}

func kindOf(err error) fault.Kind {
	var api smithy.APIError
	if !errors.As(err, &api) {
		return fault.Unavailable // no answer at all: the connection, or the time
	}
	switch api.ErrorCode() {
	case "ProvisionedThroughputExceededException", "RequestLimitExceeded", "ThrottlingException",
		"LimitExceededException", "InternalServerError", "ServiceUnavailable", "TransactionInProgressException":
		return fault.Unavailable
	}
	var response *smithyhttp.ResponseError
	if errors.As(err, &response) && response.HTTPStatusCode() >= 500 {
		return fault.Unavailable
	}
	return fault.Internal
}

// badItem says that what is stored cannot be read. Which item it is, is told;
// what it holds, is not.
func badItem(kind, key string, cause error) error {
	return fault.New(fault.Internal, fmt.Sprintf("dynamo: %s %q", kind, key), cause)
}

// IsMissingTable tells whether an error is that a table does not exist.
func IsMissingTable(err error) bool {
	missing := new(types.ResourceNotFoundException)
	return errors.As(err, &missing)
}
