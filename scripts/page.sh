#!/usr/bin/env bash
# Builds voipd's page (internal/web) into internal/web/dist, which is checked in.
# Usage: page.sh [--check]
#   --check  changes nothing: fails where dist is not what the source makes; where
#            there is no Node, it says so and checks nothing
set -euo pipefail
cd "$(dirname "$0")/../internal/web"

check=
[ "${1:-}" != --check ] || check=yes
if ! command -v npm >/dev/null; then
	echo 'page: not built: there is no Node with npm (apt-get install nodejs npm)' >&2
	[ -n "$check" ] && exit 0 || exit 1
fi
# What npm installed last it notes here; nothing is done twice.
if ! [ node_modules/.package-lock.json -nt package-lock.json ]; then
	npm ci --no-audit --no-fund --loglevel=error
fi
node_modules/.bin/tsc --noEmit
if [ -z "$check" ]; then
	node_modules/.bin/vite build
	exit 0
fi
fresh=$(mktemp -d)
trap 'rm -rf "$fresh"' EXIT
node_modules/.bin/vite build --outDir "$fresh" --emptyOutDir
diff -r dist "$fresh" >/dev/null || { echo 'page: internal/web/dist is not what its source makes; run scripts/page.sh' >&2; exit 1; }
