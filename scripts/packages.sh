# Sourced by the scripts that install what tests need.

# packages WHAT PACKAGE...: installs Debian's packages, without starting their
# services. Where it cannot, it says in one line that WHAT is skipped, and why,
# and ends the script.
packages() {
	local what=$1 why=
	shift
	[ "$(id -u)" = 0 ] || why='installing needs root'
	command -v apt-get >/dev/null || why='there is no apt-get'
	if [ -n "$why" ]; then
		echo "$what are skipped: they need $*, and $why. To have them: apt-get install --no-install-recommends $*"
		exit 0
	fi
	echo "Installing $* for the tests."
	# Packages start their services when they are installed, unless this says no.
	local policy=/usr/sbin/policy-rc.d
	if [ ! -e "$policy" ]; then
		printf '#!/bin/sh\nexit 101\n' >"$policy"
		chmod 755 "$policy"
		trap 'rm -f /usr/sbin/policy-rc.d' EXIT
	fi
	export DEBIAN_FRONTEND=noninteractive
	apt-get update -qq
	apt-get install -y -qq --no-install-recommends "$@" >/dev/null
}
