#!/usr/bin/env bash
# Runs each fuzz target of the module for FUZZTIME. What fails a target is what go test says of it, but for one thing: when the time
# is up, the coordinator of Go before 1.27 may report its own deadline as a failure (https://go.dev/issue/75804). That
# has no failing input and says nothing of the code; such a target is run again, up to five times in all.
#
# Before it is run, a target's seeds must reach what it is for: the functions that its comment names, as in
#
#	//fuzz:reaches key.go:parseKey key.go:checksum
#
# each by its file in the package, and at least REACH percent of each one's statements. A target that names none, or one that
# there is not, fails too. SEEDS=only asks for that alone. WORKERS is how many processes run a target (one a processor), and
# MODEL how many runs the model of totals has at the end (4,000; 0: none).
set -euo pipefail
cd "$(dirname "$0")/.."
go=${GO:-go} fuzztime=${FUZZTIME:-60s} reach=${REACH:-60} made=$(mktemp -d)
trap 'rm -rf "$made"' EXIT
log=$made/log profile=$made/profile reached=$made/reached

# What tells the fuzzer that an input is new: our code, and the parsers that it stands on. "go test -fuzz" counts in all that is linked,
# and so compiles the AWS SDK once more, in minutes; where that is linked, Go's own parsers are left out, which it stands on too.
ours=(partnerview/... github.com/shopspring/decimal go.yaml.in/yaml/v3 github.com/alecthomas/kong)
parsers=(encoding/... mime/... net/url strconv compress/...)

# Reads what go test printed: true where the coordinator's deadline is all that it complains of.
only_the_deadline() {
	! grep -qE 'Failing input written|panic|terminated unexpectedly|fatal error' "$log" &&
		test "$(grep -A1 '^--- FAIL: Fuzz' "$log" | tail -n +2)" = '    context deadline exceeded'
}

# The functions that a target's comment says its seeds reach, a line each: "key.go:parseKey".
reaches() { # file, target
	awk -v target="func $2(" '
		index($0, target) == 1 { printf "%s", names; exit }
		sub("^//fuzz:reaches ", "") { for (i = 1; i <= NF; i++) names = names $i "\n"; next }
		!/^\/\// { names = "" }' "$1"
}

# Fails where a target's seeds do not reach what it is for: what they do not, a run hardly finds.
reach_seeds() { # file, package, target
	local names name percent missed=0
	names=$(reaches "$1" "$3")
	test -n "$names" || { echo "$3: its comment names no function that it is for: //fuzz:reaches file.go:function" >&2; return 1; }
	(cd "$2" && "$made/tests" -test.run "^$3\$" -test.coverprofile "$profile") </dev/null >"$log" 2>&1 || { cat "$log" >&2; return 1; }
	"$go" tool cover -func "$profile" >"$reached"
	for name in $names; do
		percent=$(awk -v file="/${name%:*}:" -v wanted="${name#*:}" '
			index($1, file) && $2 == wanted { found = 1; if ($3 + 0 > most) most = $3 + 0 }
			END { if (found) printf "%d", most }' "$reached")
		test -n "$percent" || { echo "$3: there is no $name in $2" >&2; missed=1; continue; }
		test "$percent" -ge "$reach" || { echo "$3: its seeds reach $percent % of $name, and not $reach %" >&2; missed=1; }
	done
	sed -n "s|.*coverage: \(.*\) of statements.*|$3: its seeds reach what it is for, and \1 of $2|p" "$log"
	return "$missed"
}

# The tests of a package as a program that says what is covered, and counts for the fuzzer.
build() { # package
	local counted=("${ours[@]}") name flags=()
	test "$("$go" list -deps -test "$1" | grep -c aws-sdk-go)" -gt 0 || counted+=("${parsers[@]}")
	for name in "${counted[@]}"; do flags+=("-gcflags=$name=-d=libfuzzer"); done
	"$go" test -c -cover "${flags[@]}" -o "$made/tests" "$1"
}

# Shows how far it is; what else it says is in the log.
fuzz() { # package, target
	(cd "$1" && "$made/tests" -test.run '^$' -test.fuzz "^$2\$" -test.fuzztime "$fuzztime" -test.fuzzminimizetime 10x \
		-test.fuzzcachedir "$cache/$1" -test.paniconexit0 ${WORKERS:+-test.parallel "$WORKERS"}) </dev/null 2>&1 | tee "$log" | grep '^fuzz: '
}

cache=$("$go" env GOCACHE)/fuzz/partnerview # of inputs that were new, which go clean -fuzzcache removes
targets=$(grep -rEo --include='*_test.go' '^func Fuzz[A-Za-z0-9_]*' cmd functions internal | sort)
built=
while IFS=: read -r file func; do
	package=./$(dirname "$file") target=${func#func }
	test "$built" = "$package" || build "$package" || exit 1
	built=$package
	reach_seeds "$file" "$package" "$target" || exit 1
	test "${SEEDS:-}" != only || continue
	for try in 1 2 3 4 5; do
		if fuzz "$package" "$target"; then continue 2; fi
		only_the_deadline || { cat "$log"; exit 1; }
		echo "$target: the time was up while an input was under way, and nothing was found (try $try of 5)"
	done
	exit 1
done <<<"$targets"

model=${MODEL:-4000}
test "${SEEDS:-}" != only -a "$model" != 0 || exit 0

# The model of totals, which draws sequences of commands against an engine: twice as many as in make model.
"$go" test -count 1 -timeout 60m -run '^TestTotalsAreTheSumOfTheRecords$' ./internal/operator -rapid.checks "$model"
