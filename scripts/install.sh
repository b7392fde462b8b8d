#!/usr/bin/env bash
# The end of "make install": on the living system (no DESTDIR) the user, the
# folder, and systemd told. The configuration is left to voipd init.
# Usage: install.sh DESTDIR SYSCONFDIR
set -euo pipefail
cd "$(dirname "$0")/.."
destdir=$1 sysconfdir=$2
config=$destdir$sysconfdir/voipd/config.toml

install -d -m 0750 "$(dirname "$config")"
[ -z "$destdir" ] && [ "$(id -u)" = 0 ] || exit 0
if command -v systemd-sysusers >/dev/null; then
	systemd-sysusers "$sysconfdir/sysusers.d/voipd.conf"
	systemd-tmpfiles --create "$sysconfdir/tmpfiles.d/voipd.conf"
fi
if [ -d /run/systemd/system ]; then
	systemctl daemon-reload
	! systemctl is-active --quiet voipd || { echo 'Now: systemctl restart voipd'; exit 0; }
fi
[ -e "$config" ] || echo 'Now: sudo voipd init'
