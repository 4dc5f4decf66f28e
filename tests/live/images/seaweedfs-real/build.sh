#!/usr/bin/env bash
# Builds the real SeaweedFS from its Go module, and an image with it, into the engine at DOCKER_HOST. Takes about ten
# minutes on two cores, so it is not part of the gate: npm run test:live:real.
#
#   DOCKER_HOST    the engine to build into (required)
#   IMAGE_CACHE    a directory that keeps the program between runs
# Needs Go 1.25 or newer, and debootstrap's busybox-static.
set -euo pipefail

here="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"
: "${DOCKER_HOST:?set DOCKER_HOST (source the env file that engine/start.sh wrote)}"
module=github.com/seaweedfs/seaweedfs
version=v0.0.0-20261109003541-7506e5f91cd6
work="$(mktemp -d "${TMPDIR:-/tmp}/framework-infra-weed.XXXXXX")"
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM
program="${IMAGE_CACHE:-$work}/weed-$version"

if [ ! -x "$program" ]; then
  # `go install` refuses a module with a replace line: this one has the same requirements and lines.
  mkdir -p "$work/module" "$(dirname "$program")"
  cd "$work/module"
  printf 'package main\n\nfunc main() {}\n' >main.go
  source="$(go mod download -json "$module@$version" | sed -n 's/^\t"Dir": "\(.*\)",$/\1/p')"
  cp "$source/go.mod" "$source/go.sum" .
  chmod u+w go.mod go.sum
  sed -i 's#^module .*#module weed#' go.mod
  go mod edit -require "$module@$version"
  CGO_ENABLED=0 GOFLAGS=-mod=mod go build -trimpath -ldflags '-s -w' -o "$program.partial" "$module/weed"
  mv "$program.partial" "$program"
fi

mkdir "$work/context"
cp "$here/Dockerfile" "$here/entrypoint.sh" "$work/context/"
cp "$program" "$work/context/weed"
# From an image that was made from the same packages.
base="$(docker create framework-infra-test/seaweedfs-stand-in:4.47)"
docker cp -L "$base:/usr/bin/wget" "$work/context/busybox" >/dev/null
docker rm -v "$base" >/dev/null
DOCKER_BUILDKIT=0 docker build -q --network none -t framework-infra-test/seaweedfs:4 "$work/context" >/dev/null
docker run --rm framework-infra-test/seaweedfs:4 version
