#!/usr/bin/env bash
# Proves on a deployed stack what cannot be proved without an account: that API Gateway answers as the tests assume, and
# that IAM holds the functions to their attributes. It makes a partner and a customer of its own, named smoke-…, and takes
# away what it granted when it ends. Needs the AWS CLI, curl, and partnerctl's rights on the stack's tables.
#
#   scripts/smoke.sh STACK
set -euo pipefail
cd "$(dirname "$0")/.."
stack=${1:?usage: scripts/smoke.sh STACK}
for tool in aws curl go; do
	command -v "$tool" >/dev/null || { echo "smoke: there is no $tool on the PATH: install it" >&2; exit 2; }
done

output() { aws cloudformation describe-stacks --stack-name "$stack" --query "Stacks[0].Outputs[?OutputKey=='$1'].OutputValue" --output text; }
resource() { aws cloudformation describe-stack-resource --stack-name "$stack" --logical-resource-id "$1" --query StackResourceDetail.PhysicalResourceId --output text; }
url=$(output ApiUrl)
[ -n "$url" ] && [ "$url" != None ] || { echo "smoke: the stack $stack has no output ApiUrl" >&2; exit 2; }

work=$(mktemp -d)
run=smoke-$(date -u +%Y%m%d%H%M%S)
odd="$run&co" # an account with a character that paths and queries know
go build -o "$work/partnerctl" ./cmd/partnerctl
ctl() { "$work/partnerctl" "$@" --stack "$stack"; }

cleanup() {
	printf 'partners:\n  - {id: %s, status: suspended, customers: []}\n' "$run" >"$work/end.yaml"
	ctl apply -f "$work/end.yaml" >/dev/null || echo "smoke: the partner $run could not be suspended: do it by hand" >&2
	rm -rf "$work"
}
trap cleanup EXIT

failed=0
check() { # claim, wanted, got
	if [ "$2" = "$3" ]; then echo "ok    $1"; else echo "FAIL  $1: want $2, got $3"; failed=1; fi
}
status() { curl --silent --show-error --output "$work/body" --dump-header "$work/head" --write-out '%{http_code}' "$@"; }
code() { sed -n 's/.*"code":"\([a-z_]*\)".*/\1/p' "$work/body"; }

cat >"$work/partner.yaml" <<END
partners:
  - {id: $run, name: Smoke test, customers: [{accountId: $run}, {accountId: "$odd"}]}
customers:
  - {accountId: $run, name: Smoke test, products: [sms], currency: EUR, billingMode: postpaid}
  - {accountId: "$odd", name: Smoke test & co, products: [sms], currency: EUR, billingMode: postpaid}
priceLists:
  - {accountId: $run, product: sms, effectiveFrom: 2026-01-01T00:00:00Z, currency: EUR, rates: [{unitPrice: "0.05"}]}
END
ctl apply -f "$work/partner.yaml" >/dev/null
key=$(ctl key create --partner "$run" --expires 1h --output json | sed -n 's/.*"key": *"\([^"]*\)".*/\1/p')
for record in "$run s-1" "$odd s:1"; do
	printf '{"accountId": "%s", "product": "sms", "id": "%s", "timestamp": "%s", "direction": "outbound", "status": "delivered", "to": "+44 7700 900123", "segments": 1}\n' \
		${record% *} "${record#* }" "$(date -u +%Y-%m-%dT%H:%M:%SZ)"
done | ctl import usage - >/dev/null
auth=(--header "Authorization: Bearer $key")

header() { tr -d '\r' <"$work/head" | grep -i "^$1:" | cut -d ' ' -f 2-; }

# TLS first: a domain's certificate and name may take a quarter of an hour to be everywhere.
for _ in $(seq 90); do
	curl --silent --output /dev/null "$url/openapi.yaml" && break
	echo "waiting for $url ..."
	sleep 10
done
check "a request without a key is refused" 401 "$(status "$url/customers")"
check "... as a problem" unauthorized "$(code)"
check "... of that type" application/problem+json "$(header content-type)"
check "... that says how to ask" Bearer "$(header www-authenticate)"
check "... and is not kept" no-store "$(header cache-control)"
check "... with the other headers of every answer" "nosniff max-age=63072000; includeSubDomains" "$(header x-content-type-options) $(header strict-transport-security)"
check "... and the request's id" "$(header x-amzn-requestid)" "$(sed -n 's/.*"requestId":"\([^"]*\)".*/\1/p' "$work/body")"
check "a request with a wrong key is refused" 401 "$(status --header 'Authorization: Bearer pvk_wrong' "$url/customers")"
check "a key opens the list" 200 "$(status "${auth[@]}" "$url/customers")"
check "who asks is told so" 200 "$(status "${auth[@]}" "$url/me")"
check "a granted customer is shown" 200 "$(status "${auth[@]}" "$url/customers/$run")"
check "its log is shown" 200 "$(status "${auth[@]}" "$url/customers/$run/usage/sms")"
check "... masked" 1 "$(grep -c '"to":"\*\*\*\*0123"' "$work/body")"
check "... and priced" 1 "$(grep -c '"status":"rated","amount":"0.05"' "$work/body")"
check "one record is shown" 200 "$(status "${auth[@]}" "$url/customers/$run/usage/sms/s-1")"
check "another customer is not there" 404 "$(status "${auth[@]}" "$url/customers/$run-other")"
check "... and nobody says why" customer_not_found "$(code)"
check "an account with & is found as it is" 200 "$(status "${auth[@]}" "$url/customers/$odd")"
check "... and encoded" 200 "$(status "${auth[@]}" "$url/customers/${odd/&/%26}")"
check "a record with : is found as it is" 200 "$(status "${auth[@]}" "$url/customers/${odd/&/%26}/usage/sms/s:1")"
check "... and encoded" 200 "$(status "${auth[@]}" "$url/customers/${odd/&/%26}/usage/sms/s%3A1")"
check "an id of 480 characters is not there, and no failure of ours" 404 "$(status "${auth[@]}" "$url/customers/$run/usage/sms/$(printf '%0480d' 0)")"
check "... and neither is such an account" 404 "$(status "${auth[@]}" "$url/customers/$(printf '%0480d' 0)")"
check "an encoded account is decoded once" 404 "$(status "${auth[@]}" "$url/customers/$run%2Fx")"
check "a fault in a parameter is named" 400 "$(status "${auth[@]}" "$url/customers?limit=0")"
check "an unknown route is a problem" 404 "$(status "$url/nowhere")"
check "a method that writes is no route" 404 "$(status --request POST "$url/customers")"
check "... with a key neither" 404 "$(status "${auth[@]}" --request DELETE "$url/customers/$run")"
check "the contract is served" 200 "$(status "$url/openapi.yaml")"
check "the dashboard is served" 200 "$(status "$url/")"
check "... and its head alone" 200 "$(status --head "$url/")"
check "a method that the page does not have is a problem" 404 "$(status --request POST "$url/")"
for tls in 1.0 1.1; do
	if curl --silent --output /dev/null --tls-max "$tls" --tlsv1.0 "$url/openapi.yaml"; then taken=taken; else taken=refused; fi
	check "TLS $tls is refused" refused "$taken"
done

# IAM: what a function's role may not read. The role is asked by AWS's own simulator, with the keys that DynamoDB sets.
role=$(aws iam get-role --role-name "$(resource GetUsageRole)" --query Role.Arn --output text)
table=$(aws dynamodb describe-table --table-name "$(output UsageTable)" --query Table.TableArn --output text)
simulate() { # attributes...
	aws iam simulate-principal-policy --policy-source-arn "$role" --action-names dynamodb:Query --resource-arns "$table" \
		--context-entries "ContextKeyName=dynamodb:Attributes,ContextKeyType=stringList,ContextKeyValues=$1" \
		ContextKeyName=dynamodb:Select,ContextKeyType=string,ContextKeyValues=SPECIFIC_ATTRIBUTES --query 'EvaluationResults[0].EvalDecision' --output text
}
check "the role may read what is shown" allowed "$(simulate log,at,status)"
check "the role may not read a message's content" implicitDeny "$(simulate log,at,content)"
check "the role may not write" implicitDeny "$(aws iam simulate-principal-policy --policy-source-arn "$role" --action-names dynamodb:PutItem --resource-arns "$table" --query 'EvaluationResults[0].EvalDecision' --output text)"

# What was shown has left its audit lines.
sleep 10
lines=$(aws logs filter-log-events --log-group-name "$(resource GetUsageLogs)" --start-time "$(($(date +%s) * 1000 - 300000))" \
	--filter-pattern "{ \$.audit IS TRUE && \$.partnerId = \"$run\" }" --query 'length(events)' --output text)
check "each answer of the log has one audit line" 4 "$lines"

# A revoked key ends within the time that decisions are kept.
ctl key revoke "$key" >/dev/null
for _ in $(seq 80); do
	last=$(status "${auth[@]}" "$url/customers")
	[ "$last" = 401 ] && break
	sleep 1
done
check "a revoked key is refused" 401 "$last"
exit $failed
