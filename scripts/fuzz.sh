#!/usr/bin/env bash
# Runs every fuzzer of the module for a time each, one after the other: each of
# them uses all cores. Prints one line a fuzzer, and everything of one that
# fails. Usage: fuzz.sh 20s
set -euo pipefail
cd "$(dirname "$0")/.."
time=${1:?usage: fuzz.sh TIME}

log=$(mktemp)
trap 'rm -f "$log"' EXIT
# "go test -list" names the fuzzers of a package, then the package.
fuzzers=$(go test -list '^Fuzz' ./... | awk '/^Fuzz/ { name[n++] = $1 } /^ok/ { for (i = 0; i < n; i++) print $2, name[i]; n = 0 }')
[ -n "$fuzzers" ] || { echo 'fuzz: no fuzzers were found' >&2; exit 1; }

# run runs one fuzzer in full. Minimising a find is bounded in runs: by its own
# bound of time it can outlast the whole fuzzing.
run() { go test -run '^$' -fuzz "^$2\$" -fuzztime "$time" -fuzzminimizetime 200x "$1" >"$log" 2>&1 </dev/null; }

# deadline tells whether the end of the time was taken for a failure, as Go before
# 1.27 does now and then (golang/go#75804). What is found is written down.
deadline() { grep -q '^    context deadline exceeded$' "$log" && ! grep -q 'Failing input written' "$log"; }

while read -r package name; do
	if ! run "$package" "$name" && ! { deadline && run "$package" "$name"; }; then
		cat "$log" >&2
		echo "fuzz: $name failed; the input is kept in ${package#*/*/*/}/testdata/fuzz/$name" >&2
		exit 1
	fi
	echo "fuzz $name $time: $(grep -o 'execs: [0-9]*' "$log" | tail -1), nothing found"
done <<<"$fuzzers"
