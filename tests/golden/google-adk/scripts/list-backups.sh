#!/usr/bin/env bash
# Lists the backup sets of this stack, the newest first.
# shellcheck disable=SC2034,SC2154 # names that the other files use or set
set -euo pipefail

STACK_DIR=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cd "$STACK_DIR"
# shellcheck source=/dev/null
. scripts/lib/common.sh
# shellcheck source=/dev/null
. scripts/lib/stack.sh
# shellcheck source=/dev/null
. scripts/lib/sets.sh
# shellcheck source=/dev/null
. scripts/lib/restic.sh

usage() {
  cat <<'TEXT'
Usage: scripts/list-backups.sh [--json]

Lists the sets, the newest first: ID, size, how long it took, and the services in it.
Nothing is checked; scripts/verify-backup.sh does that. With backup.driver: restic, sets of the
repository that are not known here are listed, too, but not with --json.

  --json         print one JSON document
  --help         show this

TEXT
  exit_codes
}

while [ $# -gt 0 ]; do
  case $1 in
    --json) JSON=true ;;
    --help | -h) usage; exit ;;
    *) die "$EXIT_USAGE" "list-backups.sh takes no $1" "scripts/list-backups.sh --help" ;;
  esac
  shift
done

require_host
ids=$(set_ids)
if [ "$JSON" = true ]; then
  printf '{"schemaVersion":1,"sets":['
  comma=''
  for id in $ids; do
    bytes=$(size_of "$id")
    services=$(services_in "$id" | while IFS= read -r service; do printf '"%s",' "$service"; done)
    printf '%s{"id":"%s","bytes":%s,"seconds":%s,"complete":%s,"quiesced":%s,"reason":"%s","services":[%s]}' "$comma" "$id" \
      "$bytes" "$(field "$SETS/$id/manifest.json" seconds)" "$(field "$SETS/$id/manifest.json" complete)" \
      "$(field "$SETS/$id/manifest.json" quiesced)" "$(field "$SETS/$id/manifest.json" reason)" "${services%,}"
    comma=,
  done
  printf ']}\n'
  exit
fi
elsewhere=''
if [ "$DRIVER" = restic ]; then
  NOTES=$(mktemp -d)
  trap 'rm -rf "$NOTES"' EXIT
  restic_ready
  stored=$(restic_ids) || exit
  for id in $stored; do
    case $'\n'$ids$'\n' in *$'\n'"$id"$'\n'*) ;; *) elsewhere+="$id"$'\n' ;; esac
  done
fi
if [ -z "$ids$elsewhere" ]; then
  printf 'no sets in %s\n' "$SETS" >&2
  exit
fi
for id in $ids; do
  bytes=$(size_of "$id")
  reason=$(field "$SETS/$id/manifest.json" reason)
  printf '%s  %7d MiB  %5d s  %s%s\n' "$id" "$((bytes / 1048576))" "$(field "$SETS/$id/manifest.json" seconds)" \
    "$(services_in "$id" | tr '\n' ' ')" "${reason:+($reason)}"
done
for id in $elsewhere; do printf '%s  in the restic repository; made by another directory or host\n' "$id"; done
