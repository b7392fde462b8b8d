#!/usr/bin/env bash
# Everything that can be found wrong without running voipd. Silent where all is
# well but for one line a step.
set -euo pipefail
cd "$(dirname "$0")/.."

step() { echo "lint: $*"; }

step gofmt
unformatted=$(gofmt -l .)
[ -z "$unformatted" ] || { echo "not formatted, run gofmt -w on: $unformatted" >&2; exit 1; }

step go vet
go vet ./...
go vet -tags lab ./lab
go vet -tags docs ./cmd/voipd

step staticcheck
go tool staticcheck ./...
go tool staticcheck -tags lab ./lab

step modules
go mod verify >/dev/null
go mod tidy -diff

step page
scripts/page.sh --check

step scripts
for script in scripts/*.sh packaging/*.sh packaging/deb/* packaging/rpm/* .ci/run; do bash -n "$script"; done

scripts/units.sh
