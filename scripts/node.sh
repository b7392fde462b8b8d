#!/usr/bin/env bash
# Installs what the tests of integrations/brix need, Node and a few packages of
# it (package-lock.json), where it can, and says in one line where it cannot:
# those tests are then skipped.
set -euo pipefail
cd "$(dirname "$0")/../integrations/brix"

left_out() {
	echo "The tests of integrations/brix are skipped: $1. To have them: apt-get install --no-install-recommends nodejs npm"
	exit 0
}
if ! command -v node >/dev/null || ! command -v npm >/dev/null; then
	[ "$(id -u)" = 0 ] || left_out 'Node is missing, and installing needs root'
	command -v apt-get >/dev/null || left_out 'Node is missing, and there is no apt-get'
	echo 'Installing Node for the tests.'
	export DEBIAN_FRONTEND=noninteractive
	apt-get update -qq
	apt-get install -y -qq --no-install-recommends nodejs npm >/dev/null
fi

# What npm installed last it notes here; nothing is done twice.
[ ! node_modules/.package-lock.json -nt package-lock.json ] || exit 0
npm ci --no-audit --no-fund --loglevel=error
