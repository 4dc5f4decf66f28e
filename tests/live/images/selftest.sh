#!/usr/bin/env bash
# Proves the images: each runs once the way an emitted stack runs it (no
# capabilities, no new privileges, read-only root, its own user), answers the
# health check that stacks use, and does what the other tests rely on.
#
# Usage: selftest.sh [sigv4|postgres|valkey|qdrant|clickhouse|seaweedfs|langfuse …]
#
#   DOCKER_HOST   the engine that build.sh built into
#   CONTRACTS     optional: a directory with upstream's OpenAPI documents
#                 (qdrant-openapi-*.json, langfuse-openapi-*.yml)
set -euo pipefail

here="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"
: "${DOCKER_HOST:?set DOCKER_HOST (source the env file that engine/start.sh wrote)}"
export NODE_MODULES="${NODE_MODULES:-$(cd "$here/../../.." && pwd)/node_modules}"

id="fi-selftest-$$"
net="$id"
scratch="$(mktemp -d "${TMPDIR:-/tmp}/$id.XXXXXX")"
results="$scratch/results"
: >"$results"

tidy() {
  local status=$? left
  left="$(docker ps -aq --filter "label=framework-infra.selftest=$id")"
  # shellcheck disable=SC2086 # a list of ids
  [ -z "$left" ] || docker rm -f -v $left >/dev/null || true
  left="$(docker volume ls -q --filter "label=framework-infra.selftest=$id")"
  # shellcheck disable=SC2086
  [ -z "$left" ] || docker volume rm -f $left >/dev/null || true
  docker network rm "$net" >/dev/null 2>&1 || true
  rm -rf "$scratch"
  exit "$status"
}
trap tidy EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

# shellcheck source=/dev/null
. "$here/selftest/lib.sh"
docker network create --internal --label "framework-infra.selftest=$id" "$net" >/dev/null

if reason="$(node "$here/selftest/contract.mjs" 2>&1)"; then
  echo "# answers are checked against the OpenAPI documents in $CONTRACTS"
else
  echo "# left out: checking answers against OpenAPI documents (${reason%%$'\n'*})"
  unset CONTRACTS
fi

[ $# -gt 0 ] || set -- sigv4 postgres valkey qdrant clickhouse seaweedfs langfuse
for part in "$@"; do
  echo "# $part"
  # shellcheck source=/dev/null
  . "$here/selftest/$part.sh"
done

passed="$(grep -c '^ok ' "$results" || true)"
failed="$(grep -c '^not ok ' "$results" || true)"
echo "$passed passed, $failed failed"
[ "$failed" = 0 ]
