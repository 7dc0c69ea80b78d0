#!/bin/sh
# Builds partnerctl for each platform into a folder, with SHA256SUMS. The same commit, version and Go give the same
# bytes, wherever they are built. Usage: scripts/release.sh FOLDER [OS/ARCH...]
set -eu
out=${1:?usage: scripts/release.sh FOLDER [OS/ARCH...]}
shift
go=${GO:-go}
[ $# -gt 0 ] || set -- linux/amd64 linux/arm64 darwin/amd64 darwin/arm64 windows/amd64 windows/arm64

version=${VERSION:-$(git describe --tags --always --dirty)}
commit=${COMMIT:-$(git rev-parse HEAD)}
rm -rf "$out"
mkdir -p "$out"
for platform; do
  os=${platform%/*} arch=${platform#*/} ending=
  [ "$os" != windows ] || ending=.exe
  CGO_ENABLED=0 GOOS=$os GOARCH=$arch "$go" build -trimpath -buildvcs=false \
    -ldflags "-s -w -X main.version=$version -X main.commit=$commit" \
    -o "$out/partnerctl_${os}_$arch$ending" ./cmd/partnerctl
done
cd "$out"
if command -v sha256sum >/dev/null; then sha256sum partnerctl_*; else shasum -a 256 partnerctl_*; fi >SHA256SUMS
cat SHA256SUMS
