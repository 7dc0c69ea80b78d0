// Package tracing is all that the project knows of X-Ray: each call to DynamoDB
// becomes a subsegment of the request's trace.
//
// It owns the promise that tracing never makes a request fail. Where there is no
// trace daemon (a laptop, a test) it does nothing; where a request carries no
// trace, the call is simply not recorded; what the X-Ray SDK has to say about
// itself is not printed. The one thing that cannot be prevented from here: the
// SDK ends the process at its start where AWS_XRAY_DAEMON_ADDRESS is set and not
// an address. Lambda sets it.
package tracing

import (
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-xray-sdk-go/v2/instrumentation/awsv2"
	"github.com/aws/aws-xray-sdk-go/v2/strategy/ctxmissing"
	"github.com/aws/aws-xray-sdk-go/v2/xray"
	"github.com/aws/aws-xray-sdk-go/v2/xraylog"
)

// DynamoDB is an option for a DynamoDB client, to be used once in a process.
func DynamoDB(getenv func(string) string) func(*dynamodb.Options) {
	daemon := getenv("AWS_XRAY_DAEMON_ADDRESS")
	if daemon == "" {
		return func(*dynamodb.Options) {}
	}
	xray.SetLogger(xraylog.NullLogger)
	err := xray.Configure(xray.Config{DaemonAddr: daemon, ContextMissingStrategy: ctxmissing.NewDefaultIgnoreErrorStrategy()})
	if err != nil {
		return func(*dynamodb.Options) {} // tracing that cannot be set up is left out
	}
	return func(o *dynamodb.Options) { awsv2.AWSV2Instrumentor(&o.APIOptions) }
}
