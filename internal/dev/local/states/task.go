package states

import (
	"encoding/json"
	"errors"

	"partnerview/internal/dev/local/lambda"
)

// taskFailure is what an invocation's error is called: of a function's failure its own word
// for it, as "Runtime.ExitError" or "Sandbox.Timedout", with all that it says of it as the
// cause. Of a failure without a word Step Functions makes Lambda.Unknown.
// https://docs.aws.amazon.com/step-functions/latest/dg/bp-lambda-serviceexception.html
func taskFailure(err error) *Failure {
	var own *Failure
	var function *lambda.Failure
	switch {
	case errors.As(err, &own):
		return own
	case errors.As(err, &function) && function.Type != "":
		text, _ := json.Marshal(function) // two texts
		return &Failure{Name: function.Type, Cause: string(text)}
	case errors.As(err, &function):
		return &Failure{Name: "Lambda.Unknown", Cause: "The cause could not be determined because Lambda did not " +
			"return an error type. " + function.Message}
	case errors.Is(err, lambda.ErrBusy):
		return &Failure{Name: "Lambda.TooManyRequestsException", Cause: err.Error()}
	}
	return &Failure{Name: "Lambda.ServiceException", Cause: err.Error()}
}
