// Package tracing is all that the project knows of X-Ray: a request is a
// subsegment that bears the partner and the account as annotations, by which
// traces are found, and each call to DynamoDB is one below it.
//
// It owns the promise that tracing never makes a request fail. Where there is no
// trace daemon (a laptop, a test) it does nothing; where a request carries no
// trace, it is simply not recorded; what the X-Ray SDK has to say about
// itself is not printed. The one thing that cannot be prevented from here: the
// SDK ends the process at its start where AWS_XRAY_DAEMON_ADDRESS is set and not
// an address. Lambda sets it.
package tracing

import (
	"context"
	"net/http"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-xray-sdk-go/v2/instrumentation/awsv2"
	"github.com/aws/aws-xray-sdk-go/v2/strategy/ctxmissing"
	"github.com/aws/aws-xray-sdk-go/v2/xray"
	"github.com/aws/aws-xray-sdk-go/v2/xraylog"

	"partnerview/internal/directory"
	"partnerview/internal/gateway"
)

// on sets tracing up, and reports whether there is any; what cannot be set up is
// left out.
func on(getenv func(string) string) bool {
	daemon := getenv("AWS_XRAY_DAEMON_ADDRESS")
	if daemon == "" {
		return false
	}
	xray.SetLogger(xraylog.NullLogger)
	ignore := ctxmissing.NewDefaultIgnoreErrorStrategy()
	return xray.Configure(xray.Config{DaemonAddr: daemon, ContextMissingStrategy: ignore}) == nil
}

// DynamoDB is an option for a DynamoDB client, to be used once in a process.
func DynamoDB(getenv func(string) string) func(*dynamodb.Options) {
	if !on(getenv) {
		return func(*dynamodb.Options) {}
	}
	return func(o *dynamodb.Options) { awsv2.AWSV2Instrumentor(&o.APIOptions) }
}

// Requests traces each request of a handler.
func Requests(getenv func(string) string, h http.Handler) http.Handler {
	if !on(getenv) {
		return h
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ctx, segment := xray.BeginSubsegment(r.Context(), "request")
		defer segment.Close(nil)
		viewer, _ := gateway.Viewer(ctx)
		annotate(segment, viewer)
		h.ServeHTTP(w, r.WithContext(ctx))
	})
}

// Decisions traces each decision of the authorizer.
func Decisions(getenv func(string) string, decide directory.Decide) directory.Decide {
	if !on(getenv) {
		return decide
	}
	return func(ctx context.Context, authorization string, account *string) (directory.Decision, error) {
		ctx, segment := xray.BeginSubsegment(ctx, "decision")
		defer segment.Close(nil)
		decision, err := decide(ctx, authorization, account)
		annotate(segment, decision.Viewer)
		return decision, err
	}
}

// annotate puts on a segment, which may be nil, who asks and for which customer.
func annotate(segment *xray.Segment, viewer directory.Viewer) {
	if segment == nil {
		return
	}
	for name, value := range map[string]string{"partner": string(viewer.Partner), "account": string(viewer.Account)} {
		if value != "" {
			_ = segment.AddAnnotation(name, value) // it fails for values that are no texts only
		}
	}
}
