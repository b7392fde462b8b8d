#!/usr/bin/env bash
# Installs the converters of recordings that the tests run, ffmpeg and sox, where
# it can, and says in one line where it cannot: those tests are then skipped.
set -euo pipefail
source "$(dirname "$0")/packages.sh"

missing=()
command -v ffmpeg >/dev/null || missing+=(ffmpeg)
command -v sox >/dev/null || missing+=(sox)
# Without its formats sox makes no MP3.
command -v sox >/dev/null && [[ " $(sox --help) " == *' mp3 '* ]] || missing+=(libsox-fmt-all)
[ ${#missing[@]} = 0 ] || packages 'Tests with converters' "${missing[@]}"
