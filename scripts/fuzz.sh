#!/usr/bin/env bash
# Runs each fuzz target of the module for FUZZTIME. What fails a target is what go test says of it, but for one thing: when the time
# is up, the coordinator of Go before 1.27 may report its own deadline as a failure (https://go.dev/issue/75804). That
# has no failing input and says nothing of the code; such a target is run again, up to three times in all.
set -euo pipefail
cd "$(dirname "$0")/.."
go=${GO:-go} fuzztime=${FUZZTIME:-60s} log=$(mktemp)
trap 'rm -f "$log"' EXIT

# Reads what go test printed: true where the coordinator's deadline is all that it complains of.
only_the_deadline() {
	! grep -qE 'Failing input written|panic|terminated unexpectedly|fatal error' "$log" &&
		test "$(grep -A1 '^--- FAIL: Fuzz' "$log" | tail -n +2)" = '    context deadline exceeded'
}

# Prints how much of its package a target's seeds reach: what they do not, a short run hardly finds.
cover_seeds() { # package, target
	"$go" test -count 1 -run "^$2\$" -cover "$1" </dev/null |
		sed -n "s|.*coverage: \(.*\) of statements.*|$2: its seeds reach \1 of $1|p" || true # one that fails is shown by the run itself
}

fuzz() { # package, target
	"$go" test -run '^$' -fuzz "^$2\$" -fuzztime "$fuzztime" -fuzzminimizetime 10x "$1" </dev/null 2>&1 | tee "$log"
}

targets=$(grep -rEo --include='*_test.go' '^func Fuzz[A-Za-z0-9_]*' cmd functions internal | sort)
while IFS=: read -r file func; do
	cover_seeds "./$(dirname "$file")" "${func#func }"
	for try in 1 2 3; do
		if fuzz "./$(dirname "$file")" "${func#func }"; then continue 2; fi
		only_the_deadline || exit 1
		echo "${func#func }: the time was up while an input was under way, and nothing was found (try $try of 3)"
	done
	exit 1
done <<<"$targets"

# The model of totals, which draws sequences of commands against an engine: twice as many as in make model.
"$go" test -count 1 -timeout 60m -run '^TestTotalsAreTheSumOfTheRecords$' ./internal/operator -rapid.checks "${MODEL:-4000}"
