#!/usr/bin/env bash
# Makes the packages: bin/packages/voipd_VERSION_ARCH.deb and .rpm, and
# SHA256SUMS. The same source gives the same bytes.
# Usage: build.sh [--release] [ARCH...]; both amd64 and arm64 without one.
# --release adds the list of what is in them (SBOM) and the notes.
# VERSION=… makes packages of another version, for tests of upgrades; OUT=DIR puts
# them elsewhere.
set -euo pipefail
cd "$(dirname "$0")/.."
nfpm=github.com/goreleaser/nfpm/v2/cmd/nfpm@v2.45.2
sbom=github.com/CycloneDX/cyclonedx-gomod/cmd/cyclonedx-gomod@v1.9.0

release=
[ "${1:-}" != --release ] || { release=1; shift; }
[ $# -gt 0 ] || set -- amd64 arm64

VERSION=${VERSION:-$(sed -n 's/^const number = "\(.*\)"$/\1/p' cmd/voipd/version.go)}
[ -n "$VERSION" ] || { echo 'packages: no version in cmd/voipd/version.go' >&2; exit 1; }
export VERSION RELEASE=1 LC_ALL=C TZ=UTC
# The date of the latest heading of CHANGELOG.md, whatever git says.
dated=$(sed -n 's/^## .*(\([0-9-]*\))$/\1/p' CHANGELOG.md | head -n 1)
SOURCE_DATE_EPOCH=$(date -ud "$dated" +%s)
export SOURCE_DATE_EPOCH
umask 022

out=${OUT:-bin/packages}
mkdir -p "$out"
rm -f "$out"/*

# licences: of every module in the binary, as it stands in the module.
licences() {
	cat packaging/copyright
	printf '\npreact, in the page\n\n'
	sed 's/^/    /; s/[ \t\r]*$//' internal/web/LICENSE.preact
	CGO_ENABLED=1 go list -deps -f '{{with .Module}}{{if not .Main}}{{.Path}} {{.Version}} {{.Dir}}{{end}}{{end}}' ./cmd/voipd | sort -u |
		while read -r path version dir; do
			printf '\n%s %s\n\n' "$path" "$version"
			found=
			for file in "$dir"/LICENSE* "$dir"/COPYING* "$dir"/NOTICE*; do
				[ ! -f "$file" ] || { found=1; sed 's/^/    /; s/[ \t\r]*$//' "$file"; }
			done
			[ -n "$found" ] || { echo "packages: $path has no licence file" >&2; exit 1; }
		done
}

# common: what is the same for each architecture.
common() {
	local stage=$1
	rm -rf "$stage"
	mkdir -p "$stage/deb" "$stage/rpm"
	go run -tags docs ./cmd/voipd documents "$stage"
	gzip -9n "$stage"/man/*
	licences >"$stage/copyright"
	gzip -9nc CHANGELOG.md >"$stage/changelog.gz"
	sed 's|/usr/local/bin/voipd|/usr/bin/voipd|' systemd/voipd.service >"$stage/voipd.service"
	for script in packaging/deb/* packaging/rpm/*; do
		sed -e '/^@USERS@$/{r packaging/users.sh' -e 'd}' -e "s/@VERSION@/$VERSION-$RELEASE/g" "$script" >"$stage/${script#packaging/}"
	done
}

# binary: static, for a PBX with an older C library.
binary() {
	local arch=$1 to=$2 cc=gcc
	case $arch in
	"$(go env GOHOSTARCH)") ;;
	arm64) cc=aarch64-linux-gnu-gcc ;;
	amd64) cc=x86_64-linux-gnu-gcc ;;
	*) echo "packages: no compiler is known for $arch" >&2; exit 1 ;;
	esac
	command -v "$cc" >/dev/null || (source scripts/packages.sh && packages "Packages for $arch" "gcc-${cc%-gcc}" "libc6-dev-$arch-cross")
	command -v "$cc" >/dev/null || { echo "packages: $cc is missing" >&2; exit 1; }
	CC=$cc CGO_ENABLED=1 GOOS=linux GOARCH=$arch go build -trimpath -buildvcs=false -tags netgo,osusergo,sqlite_omit_load_extension \
		-ldflags '-s -w -buildid= -linkmode external -extldflags "-static -Wl,--build-id=none"' -o "$to" ./cmd/voipd
}

# contents: the modules in a binary, as CycloneDX.
contents() {
	go run $sbom bin -json -noserial -version "v$VERSION" -output "$2" "$1" 2>"$stage/sbom.log" || { cat "$stage/sbom.log" >&2; exit 1; }
	sed -i "s/\"timestamp\": \"[^\"]*\"/\"timestamp\": \"$(date -ud "@$SOURCE_DATE_EPOCH" +%FT%TZ)\"/" "$2"
}

stage=bin/stage
common "$stage"
for ARCH; do
	echo "packages: voipd $VERSION for $ARCH"
	binary "$ARCH" "$stage/voipd"
	export ARCH
	for format in deb rpm; do
		go run $nfpm package --config packaging/nfpm.yaml --packager $format --target "$out/voipd_${VERSION}_$ARCH.$format" >/dev/null
	done
	[ -z "$release" ] || contents "$stage/voipd" "$out/voipd_${VERSION}_$ARCH.sbom.json"
done
if [ -n "$release" ]; then
	awk '/^## /{n++} n==1' CHANGELOG.md >"$out/NOTES.md"
fi
(cd "$out" && sha256sum -- * >SHA256SUMS.new && mv SHA256SUMS.new SHA256SUMS)
cat "$out/SHA256SUMS"
