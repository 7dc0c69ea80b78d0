package template_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"partnerview/internal/dev/template"
)

// retention asks that the functions that show data keep their logs, which hold
// the audit lines, as long as the audit is kept.
func retention(t *template.Template) error {
	want := map[string]int{"AccessLogs": 30, "AuthorizerLogs": 30, "DashboardLogs": 30, "GetCustomerLogs": 400, "GetUsageLogs": 400, "ListCustomersLogs": 400}
	got := make(map[string]int)
	for _, g := range t.LogGroups {
		got[g.Name] = g.RetentionDays
	}
	faults := []error{
		differ("defaults of LogRetentionDays and AuditRetentionDays", []string{"30", "400"}, []string{t.Parameters["LogRetentionDays"], t.Parameters["AuditRetentionDays"]}),
		differ("days that the log groups are kept", want, got),
		differ("the access log's destination", "arn:aws:logs:us-east-1:123456789012:log-group:AccessLogs:*", t.AccessLog.Destination),
	}
	for _, f := range t.Functions {
		faults = append(faults, differ(f.ID+": log group", strings.TrimSuffix(f.ID, "Function")+"Logs", f.LogGroup))
	}
	return errors.Join(faults...)
}

// accessLog lists what may be logged. The path is not among it: a client may
// write a number into one. The route's pattern and the granted account say as much.
func accessLog(t *template.Template) error {
	var fields map[string]string
	if err := json.Unmarshal([]byte(t.AccessLog.Format), &fields); err != nil {
		return fmt.Errorf("access log: %w", err)
	}
	err := differ("access log", []string{
		"$context.authorizer.accountId", "$context.authorizer.keyId", "$context.authorizer.partnerId",
		"$context.error.responseType", "$context.httpMethod", "$context.requestId", "$context.requestTime",
		"$context.resourcePath", "$context.responseLatency", "$context.responseLength", "$context.status", "$context.xrayTraceId",
	}, slices.Sorted(maps.Values(fields)))
	if t.ExecutionLog {
		err = errors.Join(err, errors.New("the gateway's execution log is on, which holds query strings"))
	}
	return err
}
