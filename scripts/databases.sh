#!/usr/bin/env bash
# Installs the database servers that the tests start for themselves (MariaDB and
# PostgreSQL, as FreePBX and others keep CEL and CDR in) where it can, and says
# in one line where it cannot: those tests are then skipped. No service is left
# running.
set -euo pipefail

missing=()
command -v mariadbd >/dev/null || missing+=(mariadb-server)
command -v postgres >/dev/null || compgen -G '/usr/lib/postgresql/*/bin/postgres' >/dev/null || missing+=(postgresql)
[ ${#missing[@]} -gt 0 ] || exit 0

left_out() {
	echo "Tests with ${missing[*]} are skipped: $1. To have them: apt-get install --no-install-recommends ${missing[*]}"
	exit 0
}
[ "$(id -u)" = 0 ] || left_out 'installing needs root'
command -v apt-get >/dev/null || left_out 'there is no apt-get'

echo "Installing ${missing[*]} for the tests."
# Packages start their services when they are installed, unless this says no.
policy=/usr/sbin/policy-rc.d
if [ ! -e $policy ]; then
	printf '#!/bin/sh\nexit 101\n' >$policy
	chmod 755 $policy
	trap 'rm -f $policy' EXIT
fi
export DEBIAN_FRONTEND=noninteractive
apt-get update -qq
apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
