package dynamo

import (
	"context"
	"errors"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/ratelimit"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/smithy-go"

	"partnerview/internal/fault"
)

// translate makes a fault of an SDK error: what may have passed when it is tried again
// is Unavailable, all else Internal. A missing table, a refused permission, a malformed
// request, and whatever nobody foresaw stay as they are however often one tries.
func translate(op string, err error) error {
	if err == nil {
		return nil
	}
	return fault.New(kindOf(err), op, err)
}

func kindOf(err error) fault.Kind {
	if passes(err) {
		return fault.Unavailable
	}
	return fault.Internal
}

// passes tells whether trying again may help: the time was up, no answer came or none
// that could be read, DynamoDB held the call back or failed itself.
func passes(err error) bool {
	var (
		canceled   *smithy.CanceledError
		unreadable *smithy.DeserializationError
		tired      ratelimit.QuotaExceededError // the SDK itself tries no more: too much has failed lately
		api        smithy.APIError
		status     interface{ HTTPStatusCode() int }
	)
	switch {
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, context.Canceled), errors.As(err, &canceled),
		errors.As(err, &unreadable), errors.As(err, &tired):
		return true
	case errors.As(err, &api) && api.ErrorFault() == smithy.FaultServer, errors.As(err, &status) && status.HTTPStatusCode() >= 500:
		return true
	}
	// What the SDK would try again: throttling, by its codes, and what breaks on the way.
	return retry.IsErrorRetryables(retry.DefaultRetryables).IsErrorRetryable(err) == aws.TrueTernary
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
