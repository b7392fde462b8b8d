#!/usr/bin/env bash
# Installs the converters of recordings that the tests run, ffmpeg and sox, where
# it can, and says in one line where it cannot: those tests are then skipped.
set -euo pipefail

missing=()
command -v ffmpeg >/dev/null || missing+=(ffmpeg)
command -v sox >/dev/null || missing+=(sox)
# Without its formats sox makes no MP3.
command -v sox >/dev/null && [[ " $(sox --help) " == *' mp3 '* ]] || missing+=(libsox-fmt-all)
[ ${#missing[@]} -gt 0 ] || exit 0

left_out() {
	echo "Tests with ${missing[*]} are skipped: $1. To have them: apt-get install --no-install-recommends ${missing[*]}"
	exit 0
}
[ "$(id -u)" = 0 ] || left_out 'installing needs root'
command -v apt-get >/dev/null || left_out 'there is no apt-get'

echo "Installing ${missing[*]} for the tests."
export DEBIAN_FRONTEND=noninteractive
apt-get update -qq
apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
