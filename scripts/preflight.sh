#!/usr/bin/env bash
# Asks an account, before anything is made, whether the stack can be deployed as samconfig.toml and the parameters say. It
# reads only. Each line is ok, or FAIL with the way out; it ends with 1 where one fails. Needs the AWS CLI and jq.
#
#   scripts/preflight.sh [--config-env staging] [Parameter=Value ...]      parameters as for sam deploy
set -uo pipefail
cd "$(dirname "$0")/.."

env=default
if [ "${1:-}" = --config-env ]; then
	env=${2:?usage: scripts/preflight.sh [--config-env NAME] [Parameter=Value ...]}
	shift 2
fi
for tool in aws jq; do
	command -v "$tool" >/dev/null || { echo "preflight: there is no $tool on the PATH: install it" >&2; exit 2; }
done

# setting SECTION KEY: a text of samconfig.toml.
setting() { sed -n "/^\[$env\.$1\.parameters\]/,/^\[/s/^$2 = \"\(.*\)\"/\1/p" samconfig.toml; }
stack=$(setting global stack_name)
[ -n "$stack" ] || { echo "preflight: samconfig.toml has no configuration $env; there are: $(sed -n 's/^\[\(.*\)\.global\..*/\1/p' samconfig.toml | xargs)" >&2; exit 2; }

given=() # Parameter=Value, the last of a name counts
# shellcheck disable=SC2046 # a parameter of samconfig.toml has no blanks
for pair in $(setting deploy parameter_overrides) "$@"; do
	name=${pair%%=*}
	if [ "$name" = "$pair" ] || ! grep -q "^  $name:\$" template.yaml; then
		echo "preflight: $pair is no parameter of template.yaml; as: DomainName=api.example.com" >&2
		exit 2
	fi
	given+=("$pair")
done
value() { # NAME: what is given, else the template's default
	local pair found
	found=$(sed -n "/^  $1:\$/,/^  [A-Z]/s/^    Default: //p" template.yaml | head -n 1 | tr -d '"')
	for pair in ${given[@]+"${given[@]}"}; do
		[ "${pair%%=*}" != "$1" ] || found=${pair#*=}
	done
	echo "$found"
}

failed=0
ok() { echo "ok    $1"; }
fail() { # what, the way out
	echo "FAIL  $1"
	echo "      $2"
	failed=1
}
# asked SERVICE OPERATION…: the answer as JSON; what the AWS CLI complains of goes to $why.
why=$(mktemp)
trap 'rm -f "$why"' EXIT
asked() { aws "$@" --output json 2>"$why"; }
complaint() { grep -v '^$' "$why" | head -n 1; }

# ---- who, and where
if ! identity=$(asked sts get-caller-identity); then
	fail "there are no credentials that count: $(complaint)" "Set AWS_PROFILE, or sign in: aws sso login."
	exit 1
fi
account=$(jq -r .Account <<<"$identity")
region=${AWS_REGION:-${AWS_DEFAULT_REGION:-$(aws configure get region 2>/dev/null || true)}}
if [ -z "$region" ]; then
	fail "no region is chosen" "Set AWS_REGION, as in: export AWS_REGION=eu-central-1"
	exit 1
fi
ok "account $account, region $region, stack $stack, as $(jq -r .Arn <<<"$identity")"

# ---- the stack, and what a failed try has left
resources='{"StackResources": []}'
status=none
if described=$(asked cloudformation describe-stacks --stack-name "$stack"); then
	status=$(jq -r '.Stacks[0].StackStatus' <<<"$described")
	resources=$(asked cloudformation describe-stack-resources --stack-name "$stack") || resources='{"StackResources": []}'
elif ! grep -q 'does not exist' "$why"; then
	fail "the stack cannot be looked at: $(complaint)" "You need cloudformation:DescribeStacks and DescribeStackResources."
fi
case $status in
none) ok "there is no stack $stack yet" ;;
ROLLBACK_COMPLETE | ROLLBACK_FAILED | CREATE_FAILED | DELETE_FAILED | REVIEW_IN_PROGRESS)
	fail "the stack $stack is $status, left by a try that failed" "aws cloudformation delete-stack --stack-name $stack   # tables stay: see below" ;;
*_IN_PROGRESS) fail "the stack $stack is $status" "Wait until it is done." ;;
*) ok "the stack $stack is $status" ;;
esac
if tables=$(asked dynamodb list-tables); then
	# A stack's tables begin with its name. What is among them and not in the stack is nobody's.
	while read -r table; do
		[ -n "$table" ] || continue
		if [ "$(asked dynamodb scan --table-name "$table" --limit 1 --select COUNT | jq -r .Count)" = 0 ]; then
			fail "the table $table is left over, and empty" \
				"aws dynamodb update-table --no-deletion-protection-enabled --table-name $table && aws dynamodb delete-table --table-name $table"
		else
			ok "the table $table is not this stack's, and is not empty: an older stack's, kept as it should be"
		fi
	done < <(jq -r --arg stack "$stack" --argjson of "$resources" \
		'[$of.StackResources[].PhysicalResourceId] as $mine | .TableNames[] | select(test("^" + $stack + "-(Partners|Customers|PriceLists|Usage)Table-")) | select(IN($mine[]) | not)' <<<"$tables")
else
	fail "the tables cannot be listed: $(complaint)" "You need dynamodb:ListTables."
fi

# ---- the role by which API Gateway writes logs: one for the account and region, whoever made it
create=$(value CreateGatewayLoggingRole)
if gateway=$(asked apigateway get-account); then
	role=$(jq -r '.cloudwatchRoleArn // ""' <<<"$gateway")
	mine=$(jq -r '.StackResources[] | select(.LogicalResourceId == "GatewayLoggingRole") | .PhysicalResourceId' <<<"$resources")
	if [ -z "$role" ] && [ "$create" = true ]; then
		ok "API Gateway has no role for logs here; the stack makes it"
	elif [ -z "$role" ]; then
		fail "API Gateway has no role for logs here, and refuses a stage with access logs" "Deploy with CreateGatewayLoggingRole=true."
	elif [ -n "$mine" ] && [ "${role##*/}" = "$mine" ]; then
		ok "API Gateway's role for logs is this stack's"
	elif ! asked iam get-role --role-name "${role##*/}" >/dev/null && grep -q NoSuchEntity "$why"; then
		if [ "$create" = true ]; then ok "API Gateway's role for logs, $role, is gone; the stack makes another"; else
			fail "API Gateway's role for logs, $role, is gone" "Deploy with CreateGatewayLoggingRole=true."; fi
	elif [ "$create" = true ]; then
		fail "API Gateway's role for logs, $role, is somebody else's, and the stack would put its own in its place for every API here" \
			"Deploy with CreateGatewayLoggingRole=false."
	else
		ok "API Gateway has a role for logs, $role, and the stack leaves it alone"
	fi
else
	fail "API Gateway's settings cannot be read: $(complaint)" "You need apigateway:GET on /account."
fi

# ---- instances: Lambda keeps 100 of an account's unreserved
others=$(($(grep -c 'Type: AWS::Serverless::Function$' template.yaml) - 2)) # the authorizer has its own, the inbox none
needed=$(($(value AuthorizerConcurrency) + others * $(value FunctionConcurrency)))
if [ "$needed" = 0 ]; then
	ok "no instances are reserved"
elif settings=$(asked lambda get-account-settings); then
	free=$(jq -r .AccountLimit.UnreservedConcurrentExecutions <<<"$settings")
	while read -r function; do
		[ -n "$function" ] || continue
		free=$((free + $(asked lambda get-function-concurrency --function-name "$function" | jq -r '.ReservedConcurrentExecutions // 0')))
	done < <(jq -r '.StackResources[] | select(.ResourceType == "AWS::Lambda::Function") | .PhysicalResourceId' <<<"$resources")
	if [ $((free - needed)) -ge 100 ]; then
		ok "$needed instances are reserved, of $free that are free; 100 must stay so"
	else
		fail "$needed instances are to be reserved, and $free are free, of which 100 must stay so" \
			"Deploy with AuthorizerConcurrency=0 FunctionConcurrency=0, or ask AWS for more: Service Quotas, Lambda, concurrent executions."
	fi
else
	fail "Lambda's limits cannot be read: $(complaint)" "You need lambda:GetAccountSettings."
fi

# ---- a domain and its certificate
domain=$(value DomainName) certificate=$(value DomainCertificateArn)
if [ -z "$domain$certificate" ]; then
	ok "no domain of its own"
elif [ -z "$domain" ] || [ -z "$certificate" ]; then
	fail "DomainName and DomainCertificateArn go together, and one is missing" "Give both, or neither."
elif [ "$(cut -d: -f4 <<<"$certificate")" != "$region" ]; then
	fail "the certificate is of region $(cut -d: -f4 <<<"$certificate")" "Make one in $region: aws acm request-certificate --domain-name $domain --validation-method DNS"
elif issued=$(asked acm describe-certificate --certificate-arn "$certificate"); then
	state=$(jq -r .Certificate.Status <<<"$issued")
	if [ "$state" != ISSUED ]; then
		fail "the certificate is $state" "Validate it: aws acm describe-certificate --certificate-arn $certificate tells which DNS records it waits for."
	elif ! jq -e --arg domain "$domain" '.Certificate | [.DomainName] + (.SubjectAlternativeNames // []) | any(. == $domain or . == ($domain | sub("^[^.]+"; "*")))' <<<"$issued" >/dev/null; then
		fail "the certificate is not for $domain, but for $(jq -r '.Certificate.DomainName' <<<"$issued")" "Use one that names $domain."
	else
		ok "the certificate for $domain is issued"
	fi
else
	fail "the certificate cannot be read: $(complaint)" "Look at its ARN; you need acm:DescribeCertificate."
fi

# ---- figures and names that CloudFormation finds wrong too late
waf=$(value WafRatePerAddress)
if [ "$waf" = 0 ]; then ok "no web ACL"; elif [ "$waf" -ge 10 ] 2>/dev/null; then ok "a web ACL blocks an address above $waf requests in five minutes"; else
	fail "WafRatePerAddress is $waf" "Give 0 for no web ACL, or 10 and more."; fi
issuer=$(value OidcIssuer) audience=$(value OidcAudience) client=$(value OidcClientId)
if [ -n "$issuer" ] && [ -z "$audience" ]; then fail "OidcIssuer has no OidcAudience" "Give both: tokens made for any other service would count here."
elif [ -z "$issuer" ] && [ -n "$audience$client" ]; then fail "OidcAudience or OidcClientId is given without OidcIssuer" "Give OidcIssuer too, or none of them."; fi
topic=$(value AlarmTopicArn)
if [ -n "$topic" ]; then
	if asked sns get-topic-attributes --topic-arn "$topic" >/dev/null; then ok "alarms go to $topic"; else fail "the topic for alarms cannot be read: $(complaint)" "Look at AlarmTopicArn."; fi
fi
boundary=$(value PermissionsBoundaryArn)
if [ -n "$boundary" ]; then
	if asked iam get-policy --policy-arn "$boundary" >/dev/null; then ok "roles are bounded by $boundary"; else fail "the permissions boundary cannot be read: $(complaint)" "Look at PermissionsBoundaryArn."; fi
fi

if [ $failed = 0 ]; then echo "Nothing stands in the way: sam build && sam deploy$([ "$env" = default ] || echo " --config-env $env")"; fi
exit $failed
