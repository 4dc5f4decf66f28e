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
# shellcheck source=/dev/null
. scripts/lib/report.sh
# shellcheck source=/dev/null
. scripts/lib/restic.sh

usage() {
  cat <<'TEXT'
Usage: scripts/backup.sh [OPTION...] [SERVICE...]

Saves every service of this stack that holds data, or those that are named and the services that they store data in.
Prints the ID of the set as the last line.

  --no-quiesce   do not pause services that write to several stores: what they write meanwhile may be in one store
                 and not in another. A store that is saved as files is still stopped while it is copied
  --init         with backup.driver: restic, make the repository, and a password in .restic-password, once
  --unlock       with backup.driver: restic, remove the locks that a killed run has left in the repository
  --quiet        print the ID, warnings and errors only
  --json         print one JSON document instead of the ID
  --help         show this

Examples:
  scripts/backup.sh
  scripts/backup.sh postgres

TEXT
  exit_codes
}

QUIESCE=true INIT=''
wanted=()
while [ $# -gt 0 ]; do
  case $1 in
    --no-quiesce) QUIESCE=false ;;
    --init | --unlock) INIT=${1#--} ;;
    --quiet) QUIET=true ;;
    --json) JSON=true ;;
    --help | -h) usage; exit ;;
    -*) die "$EXIT_USAGE" "backup.sh has no option $1" "scripts/backup.sh --help" ;;
    *) wanted+=("$1") ;;
  esac
  shift
done

trap clean_up EXIT
trap 'interrupted 130' INT
trap 'interrupted 143' TERM HUP
if [ -n "$INIT" ]; then
  [ "$DRIVER" = restic ] || die "$EXIT_USAGE" "there is no restic repository: backup.driver in framework.yaml is $DRIVER"
  require_host
  take_lock
  new_notes
  "restic_$INIT"
  exit 0
fi
report_start backup
SERVICES=$(with_stores "${wanted[@]}") || exit
prepare
[ ! -e "$SETS/.restoring" ] || die "$EXIT_RESTORE" "a restore was interrupted, so this stack may hold half of two states" "run scripts/restore.sh $(<"$SETS/.restoring") again"
if [ "$DRIVER" = restic ]; then
  # Before anything is paused.
  new_notes
  restic_ready
  restic_run cat config >/dev/null
fi
save_set "" "$SERVICES"
if [ "$DRIVER" = restic ]; then
  background restic_store_all
  [ "$RESULT" = 0 ] || exit "$RESULT"
fi
if [ "$DRIVER" = dir ] && [ -e hooks/copy ]; then
  [ -x hooks/copy ] || die "$EXIT_COPY" "hooks/copy is not executable, so set $SET is on this host only" "chmod +x hooks/copy"
  # Those that could not be copied the last time as well.
  copied=$(cat "$SETS/.copied" 2>/dev/null) || copied=${SET%?}
  for id in $(set_ids | sort); do
    if [[ ! $id > $copied || $id > $SET ]] || [ -n "$(field "$SETS/$id/manifest.json" reason)" ]; then continue; fi
    step "" "copying set $id elsewhere, with hooks/copy"
    background run_hook copy "$SETS/$id"
    [ "$RESULT" = 0 ] || die "$EXIT_COPY" "hooks/copy ended with $RESULT, so set $id is on this host only" "the next run tries again; by hand: FRAMEWORK=$FRAMEWORK hooks/copy '$SETS/$id'"
    printf '%s\n' "$id" >"$SETS/.copied"
  done
fi
if [ "$DRIVER" = restic ]; then
  background restic_forget
  [ "$RESULT" = 0 ] || exit "$RESULT"
fi
delete_old_sets "$SET"
if [ "$DRIVER" = dir ]; then
  secrets=$(permanent_secrets)
  # Not with --quiet: it is true every night.
  step "" "warning: .env is not in the set: keep a copy elsewhere${secrets:+, above all of ${secrets//$'\n'/ and }, without which the data cannot be used}. scripts/recovery-kit.sh"
fi
if [ "$JSON" = true ]; then
  printf '{"schemaVersion":1,"id":"%s","directory":"%s","seconds":%d}\n' "$SET" "$(json_text "$SETS/$SET")" "$SECONDS"
else
  printf '%s\n' "$SET"
fi
