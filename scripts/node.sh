#!/usr/bin/env bash
# Installs what the tests of integrations/brix need, Node and a few packages of
# it (package-lock.json), where it can, and says in one line where it cannot:
# those tests are then skipped.
set -euo pipefail
source "$(dirname "$0")/packages.sh"
cd "$(dirname "$0")/../integrations/brix"

if ! command -v node >/dev/null || ! command -v npm >/dev/null; then
	packages 'The tests of integrations/brix' nodejs npm
fi

# What npm installed last it notes here; nothing is done twice.
[ ! node_modules/.package-lock.json -nt package-lock.json ] || exit 0
npm ci --no-audit --no-fund --loglevel=error
