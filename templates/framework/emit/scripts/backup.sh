#!/usr/bin/env bash
# Saves this stack's data as a set: a directory below backups/, complete and verified, or not there at all.
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
# shellcheck source=/dev/null
. scripts/lib/save.sh

usage() {
  cat <<'TEXT'
Usage: scripts/backup.sh [OPTION...] [SERVICE...]

Saves every service of this stack, or those that are named, each with what it stores its data in.
Prints the ID of the set as the last line.

  --no-quiesce   do not pause what writes to several stores: what it writes meanwhile may be in one of them and not
                 in another. A store that is saved as files is stopped for as long all the same
  --json         print one JSON document instead of the ID
  --help         show this

Examples:
  scripts/backup.sh
  scripts/backup.sh postgres

TEXT
  exit_codes
}

QUIESCE=true
wanted=()
while [ $# -gt 0 ]; do
  case $1 in
    --no-quiesce) QUIESCE=false ;;
    --json) JSON=true ;;
    --help | -h) usage; exit ;;
    -*) die "$EXIT_USAGE" "backup.sh has no option $1" "scripts/backup.sh --help" ;;
    *) wanted+=("$1") ;;
  esac
  shift
done

SERVICES=$(with_stores "${wanted[@]}") || exit
trap clean_up EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP
prepare
[ ! -e "$SETS/.restoring" ] || die "$EXIT_RESTORE" "a restore was interrupted, so this stack may hold half of two states" "run scripts/restore.sh $(<"$SETS/.restoring") again"
save_set "" "$SERVICES"
delete_old_sets "$SET"
if [ "$JSON" = true ]; then
  printf '{"schemaVersion":1,"id":"%s","directory":"%s","seconds":%d}\n' "$SET" "$(json_text "$SETS/$SET")" "$SECONDS"
else
  printf '%s\n' "$SET"
fi
