package operator_test

import (
	"slices"
	"strings"
	"testing"

	"partnerview/internal/operator"
)

// An engine on this machine has no TTL attribute, and needs none; a table on AWS
// does.
func TestOnlyATableOnAWSNeedsItsTTLAttribute(t *testing.T) {
	o, _ := newOperator(t)
	isTTL := func(f operator.Finding) bool { return f.Check == "ttl" }
	if findings := o.Examine(t.Context(), true); slices.ContainsFunc(findings, isTTL) || slices.ContainsFunc(findings, func(f operator.Finding) bool { return !f.OK() }) {
		t.Errorf("on this machine: %+v", findings)
	}
	findings := o.Examine(t.Context(), false)
	at := slices.IndexFunc(findings, isTTL)
	if at < 0 || findings[at].Detail != `items are deleted by "", not by expiresAt` || !strings.HasPrefix(findings[at].Remedy, "aws dynamodb update-time-to-live --table-name UsageTable-") {
		t.Errorf("on AWS: %+v", findings)
	}
}
