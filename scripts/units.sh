#!/usr/bin/env bash
# Checks the systemd files with systemd's own tools, where there are any.
set -euo pipefail
cd "$(dirname "$0")/.."

# The worst exposure that is accepted, in tenths (systemd-analyze security).
worst=20

if ! command -v systemd-analyze >/dev/null; then
	echo 'lint: systemd files were left out: there is no systemd-analyze (apt-get install systemd)'
	exit 0
fi
echo 'lint: systemd files'
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT

# verify wants the program to be there, which it is only once installed; and it
# exits 0 after a warning, so that what it says is what counts.
sed "s|/usr/local/bin/voipd|$(type -P true)|" systemd/voipd.service >"$dir/voipd.service"
said=$(systemd-analyze verify --man=no --recursive-errors=no "$dir/voipd.service" 2>&1) || true
said=$(grep 'voipd' <<<"$said" || true)
[ -z "$said" ] || { echo "$said" >&2; exit 1; }

systemd-analyze security --offline=true --no-pager --threshold=$worst systemd/voipd.service >"$dir/exposure" || {
	grep -v '^✓' "$dir/exposure" >&2
	exit 1
}
tail -1 "$dir/exposure" | sed 's/^[^A-Za-z]*/lint: /'

# As root, users and folders are made in an empty root, as an install would.
[ "$(id -u)" = 0 ] || exit 0
mkdir -p "$dir/root/etc/voipd"
touch "$dir/root/etc/voipd/config.toml"
systemd-sysusers --root="$dir/root" - <systemd/voipd.sysusers.conf >/dev/null 2>&1
systemd-tmpfiles --root="$dir/root" --create - <systemd/voipd.tmpfiles.conf
id=$(awk -F: '$1 == "voipd" { print $3 }' "$dir/root/etc/group")
have=$(cd "$dir/root/etc" && stat -c '%a %u:%g' voipd voipd/config.toml | paste -sd' ')
[ "$have" = "750 0:$id 640 0:$id" ] || { echo "tmpfiles made $have of /etc/voipd and its configuration, want 750 and 640, root:voipd" >&2; exit 1; }
grep -q '^asterisk:' "$dir/root/etc/group" || { echo 'sysusers made no group asterisk, without which the unit does not start' >&2; exit 1; }
