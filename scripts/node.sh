#!/usr/bin/env bash
# Installs what the tests of integrations/brix, internal/clients and internal/web need,
# Node and a few packages of it (package-lock.json), where it can, and says in one line where
# it cannot: those tests are then skipped.
set -euo pipefail
source "$(dirname "$0")/packages.sh"
cd "$(dirname "$0")/.."

if ! command -v node >/dev/null || ! command -v npm >/dev/null; then
	packages 'The tests of integrations/brix, of openapi.json and of the page' nodejs npm
fi

# What npm installed last it notes here; nothing is done twice.
for folder in integrations/brix internal/clients internal/web; do
	[ ! "$folder/node_modules/.package-lock.json" -nt "$folder/package-lock.json" ] || continue
	(cd "$folder" && npm ci --no-audit --no-fund --loglevel=error)
done
