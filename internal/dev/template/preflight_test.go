package template_test

import (
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// account is what an AWS account answers, by service and operation. What is not
// there fails, with the text under the name that ends in " error".
type account map[string]string

// fresh is an account in which nothing was ever made.
var fresh = account{
	"sts get-caller-identity":              `{"Account": "123456789012", "Arn": "arn:aws:iam::123456789012:user/ops"}`,
	"cloudformation describe-stacks error": "An error occurred (ValidationError): Stack with id partnerview-dev does not exist",
	"dynamodb list-tables":                 `{"TableNames": []}`,
	"apigateway get-account":               `{"throttleSettings": {}}`,
	"lambda get-account-settings":          `{"AccountLimit": {"UnreservedConcurrentExecutions": 1000}}`,
}

// with is the account with some answers changed; an empty one is taken away.
func (a account) with(changes account) account {
	a = maps.Clone(a)
	for name, text := range changes {
		if a[name] = text; text == "" {
			delete(a, name)
		}
	}
	return a
}

// preflight runs the script against an account.
func preflight(t *testing.T, a account, arguments ...string) (said string, code int) {
	t.Helper()
	for _, tool := range []string{"bash", "jq"} {
		if _, err := exec.LookPath(tool); err != nil {
			if os.Getenv("CI") != "" {
				t.Fatalf("%v: install it, as with: apt-get install %s", err, tool)
			}
			t.Skipf("NOT TESTED: scripts/preflight.sh needs %s: apt-get install %s", tool, tool)
		}
	}
	bin, answers := t.TempDir(), t.TempDir()
	const aws = "#!/bin/sh\nf=\"$ANSWERS/$1 $2\"\nif [ -f \"$f\" ]; then cat \"$f\"; exit; fi\n" +
		"cat \"$f error\" >&2 2>/dev/null || echo \"An error occurred (AccessDenied): $1 $2\" >&2\nexit 254\n"
	if err := os.WriteFile(filepath.Join(bin, "aws"), []byte(aws), 0o700); err != nil {
		t.Fatal(err)
	}
	for name, text := range a {
		if err := os.WriteFile(filepath.Join(answers, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	cmd := exec.CommandContext(t.Context(), filepath.Join(root, "scripts/preflight.sh"), arguments...)
	cmd.Env = append(os.Environ(), "PATH="+bin+":"+os.Getenv("PATH"), "ANSWERS="+answers, "AWS_REGION=eu-central-1", "AWS_DEFAULT_REGION=")
	out, err := cmd.CombinedOutput()
	if err != nil && cmd.ProcessState == nil {
		t.Fatal(err)
	}
	return string(out), cmd.ProcessState.ExitCode()
}

func TestAFreshAccountIsReadyForWhatSamconfigSays(t *testing.T) {
	t.Parallel()
	said, code := preflight(t, fresh)
	if code != 0 || strings.Contains(said, "FAIL") || !strings.Contains(said, "the stack makes it") {
		t.Errorf("exit %d:\n%s", code, said)
	}
	// prod reserves 700 instances.
	if said, code := preflight(t, fresh, "--config-env", "prod", "CreateGatewayLoggingRole=true"); code != 0 || !strings.Contains(said, "800 instances are reserved, of 1000") {
		t.Errorf("exit %d:\n%s", code, said)
	}
}

func TestWhatStandsInTheWayOfADeploymentIsToldBeforeIt(t *testing.T) {
	t.Parallel()
	const certificate = "arn:aws:acm:eu-central-1:123456789012:certificate/a1"
	const othersRole = `{"cloudwatchRoleArn": "arn:aws:iam::123456789012:role/logs-of-others"}`
	issued := account{"acm describe-certificate": `{"Certificate": {"Status": "ISSUED", "DomainName": "*.example.com"}}`}
	failedTry := account{"cloudformation describe-stacks": `{"Stacks": [{"StackStatus": "ROLLBACK_COMPLETE"}]}`,
		"cloudformation describe-stack-resources": `{"StackResources": []}`,
		"dynamodb list-tables":                    `{"TableNames": ["partnerview-dev-UsageTable-1A2B", "partnerview-devices"]}`,
		"dynamodb scan":                           `{"Count": 0}`}
	running := account{"cloudformation describe-stacks": `{"Stacks": [{"StackStatus": "UPDATE_COMPLETE"}]}`,
		"cloudformation describe-stack-resources": `{"StackResources": [
			{"LogicalResourceId": "GatewayLoggingRole", "PhysicalResourceId": "logs-of-others", "ResourceType": "AWS::IAM::Role"},
			{"LogicalResourceId": "UsageTable", "PhysicalResourceId": "partnerview-dev-UsageTable-1A2B", "ResourceType": "AWS::DynamoDB::Table"},
			{"LogicalResourceId": "GetUsageFunction", "PhysicalResourceId": "partnerview-dev-GetUsage", "ResourceType": "AWS::Lambda::Function"}]}`,
		"dynamodb list-tables":            `{"TableNames": ["partnerview-dev-UsageTable-1A2B"]}`,
		"apigateway get-account":          othersRole,
		"lambda get-function-concurrency": `{"ReservedConcurrentExecutions": 600}`,
		"lambda get-account-settings":     `{"AccountLimit": {"UnreservedConcurrentExecutions": 400}}`}
	for claim, c := range map[string]struct {
		account   account
		arguments []string
		want      string // of the first FAIL; empty: none
	}{
		"no credentials":              {fresh.with(account{"sts get-caller-identity": ""}), nil, "there are no credentials that count"},
		"no role for the gateway":     {fresh, []string{"CreateGatewayLoggingRole=false"}, "has no role for logs here, and refuses"},
		"somebody else's role":        {fresh.with(account{"apigateway get-account": othersRole, "iam get-role": "{}"}), nil, "somebody else's"},
		"somebody else's, left alone": {fresh.with(account{"apigateway get-account": othersRole, "iam get-role": "{}"}), []string{"CreateGatewayLoggingRole=false"}, ""},
		"a role that is gone": {fresh.with(account{"apigateway get-account": othersRole, "iam get-role error": "An error occurred (NoSuchEntity)"}),
			[]string{"CreateGatewayLoggingRole=false"}, "is gone"},
		"a running stack's own":           {fresh.with(running), []string{"AuthorizerConcurrency=200", "FunctionConcurrency=100"}, ""},
		"too few instances":               {fresh.with(account{"lambda get-account-settings": `{"AccountLimit": {"UnreservedConcurrentExecutions": 10}}`}), []string{"FunctionConcurrency=1"}, "6 instances are to be reserved, and 10 are free"},
		"none reserved in a new account":  {fresh.with(account{"lambda get-account-settings": ""}), nil, ""},
		"a failed try":                    {fresh.with(failedTry), nil, "ROLLBACK_COMPLETE"},
		"a domain without a certificate":  {fresh, []string{"DomainName=api.example.com"}, "go together"},
		"a certificate of another region": {fresh.with(issued), []string{"DomainName=api.example.com", "DomainCertificateArn=arn:aws:acm:us-east-1:123456789012:certificate/a1"}, "the certificate is of region us-east-1"},
		"a certificate for another name":  {fresh.with(issued), []string{"DomainName=api.example.org", "DomainCertificateArn=" + certificate}, "is not for api.example.org"},
		"a certificate that is not validated": {fresh.with(account{"acm describe-certificate": `{"Certificate": {"Status": "PENDING_VALIDATION", "DomainName": "api.example.com"}}`}),
			[]string{"DomainName=api.example.com", "DomainCertificateArn=" + certificate}, "PENDING_VALIDATION"},
		"a certificate with a wildcard": {fresh.with(issued), []string{"DomainName=api.example.com", "DomainCertificateArn=" + certificate}, ""},
		"a web ACL below ten":           {fresh, []string{"WafRatePerAddress=5"}, "WafRatePerAddress is 5"},
		"an issuer without audience":    {fresh, []string{"OidcIssuer=https://login.example.com"}, "OidcIssuer has no OidcAudience"},
		"a boundary that is not there":  {fresh, []string{"PermissionsBoundaryArn=arn:aws:iam::123456789012:policy/b"}, "the permissions boundary cannot be read"},
		"a topic that is not there":     {fresh, []string{"AlarmTopicArn=arn:aws:sns:eu-central-1:123456789012:t"}, "the topic for alarms cannot be read"},
	} {
		t.Run(claim, func(t *testing.T) {
			t.Parallel()
			said, code := preflight(t, c.account, c.arguments...)
			_, first, failed := strings.Cut(said, "FAIL  ")
			first, _, _ = strings.Cut(first, "\n")
			if failed != (c.want != "") || failed != (code == 1) || !strings.Contains(first, c.want) {
				t.Errorf("exit %d, want the fault %q:\n%s", code, c.want, said)
			}
		})
	}
	said, _ := preflight(t, fresh.with(failedTry))
	if !strings.Contains(said, "aws dynamodb delete-table --table-name partnerview-dev-UsageTable-1A2B") || strings.Contains(said, "partnerview-devices") {
		t.Errorf("what a failed try left behind is not cleared, or more than that:\n%s", said)
	}
	if said, code := preflight(t, fresh, "NoSuchParameter=1"); code != 2 {
		t.Errorf("exit %d:\n%s", code, said)
	}
	if said, code := preflight(t, fresh, "--config-env", "nowhere"); code != 2 || !strings.Contains(said, "default staging prod") {
		t.Errorf("exit %d:\n%s", code, said)
	}
}
