#!/usr/bin/env bash
# Lets everything fail around calls that are placed all the time, and compares
# what voipd tells in the end with the calls that took place (docs/reliability.md).
# At most fifteen minutes; 45 seconds of it without arguments.
# Usage: torture.sh [-seed N] [-faults N] [-for TIME]
set -euo pipefail
cd "$(dirname "$0")/.."

go test -count=1 -timeout 20m -v -run '^TestTorture$' ./internal/torture -faults 30 "$@" </dev/null |
	grep -E '^torture:|torture_test.go|^(---|FAIL|ok|panic)'
