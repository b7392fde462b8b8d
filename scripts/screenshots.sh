#!/usr/bin/env bash
# Makes the pictures in docs/page anew, of the page of a running demo. They show the time
# of day, so that no two makings are alike.
set -euo pipefail
cd "$(dirname "$0")/.."

scripts/node.sh
scripts/chromium.sh
dir=$(mktemp -d)
go build -o "$dir/voipd" ./cmd/voipd
"$dir/voipd" demo --speed 1 --listen 127.0.0.1:0 >"$dir/out" &
demo=$!
trap 'kill "$demo"; wait "$demo" || true; rm -rf "$dir"' EXIT
until address=$(grep -om1 'http://[0-9.:]*' "$dir/out"); do sleep 0.2; done
mkdir -p docs/page
VOIPD=$address OUT=docs/page CHROMIUM=$(command -v chromium) node internal/web/testdata/screenshots.mjs
ls -l docs/page
