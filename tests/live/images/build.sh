#!/usr/bin/env bash
# Builds every image of the live tests into the engine at DOCKER_HOST, from
# Debian packages, one Python package and the files beside this script.
#
#   DOCKER_HOST    the engine to build into (required: never a default one)
#   IMAGE_CACHE    a directory that keeps the finished images as one tar
#   NODE_MODULES   where esbuild and pg are (default: the project's own)
#   DEBIAN_MIRROR  another mirror of Debian's packages
set -euo pipefail

here="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"
project="$(cd "$here/../../.." && pwd)"
modules="${NODE_MODULES:-$project/node_modules}"
: "${DOCKER_HOST:?set DOCKER_HOST (source the env file that engine/start.sh wrote)}"
export DOCKER_HOST DOCKER_BUILDKIT=0 PATH="$PATH:/usr/sbin:/sbin"

prefix=framework-infra-test
images=(
  "$prefix/postgres:15" "$prefix/valkey:8.1"
  "$prefix/qdrant-stand-in:1.19"
  "$prefix/langfuse-stand-in:4" "$prefix/langfuse-worker-stand-in:4"
  "$prefix/clickhouse-engine:26.5" "$prefix/seaweedfs-stand-in:4.47")

step() { printf 'images: %3d s  %s\n' "$SECONDS" "$*"; }
fail() { step "$*" >&2; exit 1; }

[ "$(id -u)" = 0 ] || fail "debootstrap needs root"
docker version >/dev/null || fail "no engine answers at $DOCKER_HOST"
node="$(readlink -f "$(command -v node)")" || fail "node is not on PATH"

# Everything the images are made of. Tests and documentation are left out, so
# that editing them does not rebuild anything; node and pg end up in the images.
cache_key() {
  {
    (cd "$here" && find . -type f ! -name '*.md' ! -path './selftest*' ! -path './seaweedfs-real*' -print0 |
      LC_ALL=C sort -z | xargs -0 sha256sum)
    "$node" --version
    uname -m
    grep -h '"version"' "$modules/pg/package.json" "$modules/esbuild/package.json" 2>/dev/null || true
  } | sha256sum | cut -c1-32
}
key="$(cache_key)"
cached="${IMAGE_CACHE:+$IMAGE_CACHE/images-$key.tar}"

if [ -n "$cached" ] && [ -s "$cached" ]; then
  step "loading $cached"
  docker load -q -i "$cached" >/dev/null
  step "loaded ${#images[@]} images from the cache"
  exit 0
fi

work="$(mktemp -d "${TMPDIR:-/tmp}/framework-infra-images.XXXXXX")"
end_tree() { # ends a process of ours and everything below it, leaves first
  local child
  for child in $(pgrep -P "$1" || true); do end_tree "$child"; done
  kill "$1" 2>/dev/null || true
}
tidy() {
  local status=$? pid
  for pid in $(jobs -p); do end_tree "$pid"; done
  wait 2>/dev/null || true
  # debootstrap interrupted half way leaves its mounts behind
  awk -v d="$work/" 'index($5, d) == 1 { print $5 }' /proc/self/mountinfo | sort -r |
    while read -r target; do umount -l "$target" 2>/dev/null || true; done
  rm -rf --one-file-system "$work"
  exit "$status"
}
trap tidy EXIT
trap 'exit 130' INT
trap 'exit 143' TERM
# shellcheck source=/dev/null
. "$here/rootfs.sh"

context="$work/context"
mkdir -p "$context"
cp -R "$here/postgres" "$here/valkey" "$here/qdrant" "$here/langfuse" "$here/clickhouse" \
  "$here/seaweedfs" "$here/stand-ins" "$context/"

# Langfuse's stand-in is the only one with a dependency (pg): bundled into one
# file, as images hold no node_modules.
[ -x "$modules/.bin/esbuild" ] || fail "no esbuild in $modules: run npm ci first"
for part in web worker; do
  (cd "$here/stand-ins/langfuse" && NODE_PATH="$modules" "$modules/.bin/esbuild" "$part.mjs" \
    --bundle --platform=node --target=node20 --format=cjs --external:pg-native \
    --log-level=warning --outfile="$context/langfuse/$part.cjs")
done
step "bundled the Langfuse stand-ins"

build() { # build IMAGE FOLDER [BUILD ARGUMENTS]
  local image="$1" folder="$2" log="$work/build-${2//\//-}.log"
  shift 2
  docker build -q --network none -t "$image" -f "$context/$folder/Dockerfile" "$@" "$context" \
    >"$log" 2>&1 || { cat "$log" >&2; fail "building $image failed"; }
  step "built $image"
}

step "making root file systems (Debian bookworm and trixie side by side)"
make_trixie "$work/trixie" >"$work/trixie.log" 2>&1 &
trixie=$!
make_bookworm "$work/bookworm" >"$work/bookworm.log" 2>&1 || { tail -n 30 "$work/bookworm.log" >&2; fail "bookworm failed"; }
step "bookworm base is ready"
make_postgres "$work/bookworm" "$work/postgres" >"$work/postgres.log" 2>&1 &
postgres=$!

make_stand_in_base "$work/bookworm" "$work/stand-in" "$node" "$context/busybox"
import_rootfs "$work/stand-in" "$prefix/stand-in-base:bookworm"
make_clickhouse_base "$work/stand-in" "$work/clickhouse" >"$work/clickhouse.log" 2>&1 &
clickhouse=$!
build "$prefix/qdrant-stand-in:1.19" qdrant
build "$prefix/seaweedfs-stand-in:4.47" seaweedfs
build "$prefix/langfuse-stand-in:4" langfuse --build-arg PART=web
build "$prefix/langfuse-worker-stand-in:4" langfuse --build-arg PART=worker

wait "$trixie" || { tail -n 30 "$work/trixie.log" >&2; fail "trixie failed"; }
import_rootfs "$work/trixie" "$prefix/valkey-base:trixie"
build "$prefix/valkey:8.1" valkey
wait "$clickhouse" || { tail -n 30 "$work/clickhouse.log" >&2; fail "clickhouse failed"; }
import_rootfs "$work/clickhouse" "$prefix/clickhouse-base:bookworm"
build "$prefix/clickhouse-engine:26.5" clickhouse
wait "$postgres" || { tail -n 30 "$work/postgres.log" >&2; fail "postgres failed"; }
import_rootfs "$work/postgres" "$prefix/postgres-base:bookworm"
build "$prefix/postgres:15" postgres

if [ -n "$cached" ]; then
  mkdir -p "$IMAGE_CACHE"
  # Renamed when whole, so that a broken save is never loaded; older keys go.
  docker save -o "$cached.partial" "${images[@]}"
  find "$IMAGE_CACHE" -maxdepth 1 -name 'images-*.tar' -delete
  mv "$cached.partial" "$cached"
  step "kept $(du -h "$cached" | cut -f1) in $cached"
fi
step "done: ${#images[@]} images"
