package template_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"

	"partnerview/internal/template"
)

func retention(t *template.Template) error {
	var faults []error
	kept := make(map[string]bool)
	for _, g := range t.LogGroups {
		kept[g.Name] = g.RetentionDays == 30
		if g.RetentionDays != 30 {
			faults = append(faults, fmt.Errorf("%s is kept for %d days, LogRetentionDays says 30", g.ID, g.RetentionDays))
		}
	}
	for _, f := range t.Functions {
		if !kept[f.LogGroup] {
			faults = append(faults, fmt.Errorf("%s: its log group %q is none of the template's", f.ID, f.LogGroup))
		}
	}
	if name := t.AccessLog.Destination; name != "arn:aws:logs:us-east-1:123456789012:log-group:AccessLogs:*" || !kept["AccessLogs"] {
		faults = append(faults, fmt.Errorf("the access log goes to %q", name))
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
