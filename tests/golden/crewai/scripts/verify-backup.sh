#!/usr/bin/env bash
# Checks a backup set: that it is whole, and that the services' own tools can read it.
# shellcheck disable=SC2034,SC2154 # names that the other files use or set
set -euo pipefail

STACK_DIR=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cd "$STACK_DIR"
# shellcheck source=/dev/null
. scripts/lib/common.sh
# shellcheck source=/dev/null
. scripts/lib/stack.sh
# shellcheck source=/dev/null
. scripts/lib/engine.sh
# shellcheck source=/dev/null
. scripts/lib/sets.sh

usage() {
  cat <<'TEXT'
Usage: scripts/verify-backup.sh [OPTION...] [ID]

Checks the newest set, or the one that is named: its manifest, the size and SHA-256 of each file, and whether the
tools of each service can read what was saved. Changes nothing.

  --files-only   check the files alone, without an engine
  --json         print one JSON document
  --help         show this

Examples:
  scripts/verify-backup.sh
  scripts/verify-backup.sh 20261124T021500Z --files-only

TEXT
  exit_codes
}

SET='' FILES_ONLY=false
while [ $# -gt 0 ]; do
  case $1 in
    --files-only) FILES_ONLY=true ;;
    --json) JSON=true ;;
    --help | -h) usage; exit ;;
    -*) die "$EXIT_USAGE" "verify-backup.sh has no option $1" "scripts/verify-backup.sh --help" ;;
    *) [ -z "$SET" ] || die "$EXIT_USAGE" "one set at a time"; SET=$1 ;;
  esac
  shift
done

require_host
[ -n "$SET" ] || SET=$(newest_set)
[ -n "$SET" ] || die "$EXIT_NO_SET" "there is no set in $SETS" "scripts/backup.sh makes one"
require_set "$SET"
step "" "checking the files of set $SET"
require_whole "$SET"
if [ "$FILES_ONLY" = false ]; then
  require_engine
  FRAMEWORK_NAME=$(env_value FRAMEWORK_NAME) || exit
  CLIENT_LABEL="framework-infra.check=$FRAMEWORK_NAME"
  trap remove_clients EXIT
  trap 'exit 130' INT
  trap 'exit 143' TERM HUP
  mapfile -t services < <(services_in "$SET")
  check_parts "$SETS/$SET" "${services[@]}"
fi
if [ "$JSON" = true ]; then
  printf '{"schemaVersion":1,"id":"%s","outcome":"verified","filesOnly":%s}\n' "$SET" "$FILES_ONLY"
else
  printf 'set %s is whole%s\n' "$SET" "$([ "$FILES_ONLY" = true ] || printf ' and can be read')"
fi
