#!/usr/bin/env bash
# Installs the database servers that the tests start for themselves (MariaDB and
# PostgreSQL, as FreePBX and others keep CEL and CDR in) where it can, and says
# in one line where it cannot: those tests are then skipped. No service is left
# running.
set -euo pipefail
source "$(dirname "$0")/packages.sh"

missing=()
command -v mariadbd >/dev/null || missing+=(mariadb-server)
command -v postgres >/dev/null || compgen -G '/usr/lib/postgresql/*/bin/postgres' >/dev/null || missing+=(postgresql)
[ ${#missing[@]} = 0 ] || packages 'Tests with database servers' "${missing[@]}"
