#!/usr/bin/env bash
# Runs the laboratory (lab/README.md) where it can run, and says in one line
# where it cannot. LAB=no leaves it out; LAB=must fails where it cannot run.
# ASTERISK=16 takes that one alone. Arguments go to its tests.
set -euo pipefail
cd "$(dirname "$0")/.."

left_out() {
	echo "The laboratory was left out: $1. To have it: run \"make lab\" as root on Debian (about fifteen minutes the first time, some 900 MB in /var/tmp)."
	[ "${LAB:-yes}" != must ] || exit 1
	exit 0
}
[ "${LAB:-yes}" != no ] || left_out 'LAB=no'
[ "$(id -u)" = 0 ] || left_out 'it needs root, for Asterisk in a chroot'
command -v apt-get >/dev/null && [ -e /etc/debian_version ] || left_out 'it needs Debian, for its packages of Asterisk'

scripts/node.sh
echo 'The laboratory: real calls on a real Asterisk.'
for version in ${ASTERISK:-22 16}; do
	go test -C lab -tags lab -count=1 -timeout 30m -asterisk "$version" "$@" </dev/null
done
