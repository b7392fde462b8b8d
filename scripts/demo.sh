#!/usr/bin/env bash
# Builds voipd for "make demo", and says what it does while that takes long.
set -euo pipefail
cd "$(dirname "$0")/.."

# step TEXT COMMAND...: a dot every two seconds, for as long as it takes.
step() {
	local text=$1 began=$SECONDS
	shift
	printf '%s ' "$text"
	(while sleep 2; do printf .; done) &
	local dots=$!
	"$@" || { kill "$dots"; exit 1; }
	kill "$dots"
	wait "$dots" 2>/dev/null || true
	echo " $((SECONDS - began)) s"
}

modules() { go list -deps ./cmd/voipd >/dev/null; }

if [ -x bin/demo ]; then
	go build -o bin/demo ./cmd/voipd
else
	echo 'The first start fetches Go modules and compiles voipd, with SQLite, which is C: about three'
	echo 'minutes on two cores. Later starts take a second.'
	step '1/2 modules' modules
	step '2/2 compiling' go build -o bin/demo ./cmd/voipd
fi
