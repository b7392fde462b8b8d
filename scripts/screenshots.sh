#!/usr/bin/env bash
# Makes the pictures in docs/page anew, of the page of a running demo: some minutes. They
# show the time of day, so that no two makings are alike.
set -euo pipefail
cd "$(dirname "$0")/.."

scripts/node.sh
scripts/chromium.sh
command -v pngquant >/dev/null || (source scripts/packages.sh && packages 'The pictures of the page' pngquant)
dir=$(mktemp -d)
go build -o "$dir/voipd" ./cmd/voipd
"$dir/voipd" demo --speed 1 --listen 127.0.0.1:0 >"$dir/out" &
demo=$!
trap 'kill "$demo"; wait "$demo" || true; rm -rf "$dir"' EXIT
until address=$(grep -om1 'http://[0-9.:]*' "$dir/out"); do sleep 0.2; done
mkdir -p docs/page
VOIPD=$address OUT=docs/page CHROMIUM=$(command -v chromium) node internal/web/testdata/screenshots.mjs
pngquant --quality 60-95 --speed 1 --strip --skip-if-larger --force --ext .png docs/page/*.png
ls -l docs/page
