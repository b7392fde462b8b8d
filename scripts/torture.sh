#!/usr/bin/env bash
# Lets everything fail around calls that are placed all the time, and compares
# what voipd tells in the end with the calls that took place (docs/reliability.md).
# Usage: torture.sh fake|real [-seed N] [-faults N] [-for TIME]
#   fake  captured calls, played by the fake PBX; with Asterisk's own crashes
#   real  calls on a real Asterisk (root, Debian; lab/README.md); ASTERISK says
#         which
set -euo pipefail
cd "$(dirname "$0")/.."

where=${1:-}
shift || true
case $where in
fake)
	go test -count=1 -timeout 20m -v -run '^TestTorture$' ./internal/torture -faults 30 "$@" </dev/null |
		grep -E '^torture:|torture_test.go|^(---|FAIL|ok|panic)'
	;;
real)
	ASTERISK=${ASTERISK:-22} LAB=must scripts/lab.sh -run '^TestTorture$' "$@"
	;;
*)
	sed -n 's/^# Usage: /usage: /p' "$0" >&2
	exit 2
	;;
esac
