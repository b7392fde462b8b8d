#!/usr/bin/env bash
# Installs the browser in which the tests of docs/clients.md and of the page run, Debian's
# Chromium, where it can, and says in one line where it cannot: those tests are
# then skipped.
set -euo pipefail
source "$(dirname "$0")/packages.sh"

command -v chromium >/dev/null || packages 'Tests in a browser' chromium
command -v python3 >/dev/null || packages 'The client in Python' python3
