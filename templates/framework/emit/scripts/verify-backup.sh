#!/usr/bin/env bash
# Checks a backup set: that it is whole, that the services' own tools can read it, and in a drill, that what comes back
# from it is what was saved.
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
. scripts/lib/report.sh
# shellcheck source=/dev/null
. scripts/lib/restic.sh

usage() {
  cat <<'TEXT'
Usage: scripts/verify-backup.sh [OPTION...] [ID]

Checks the newest complete set, or the one that is named: its manifest, the size and SHA-256 of each file, and whether
pg_restore can read the dumps and tar the archives. Changes nothing.

  --drill        restore it into a throw-away stack that publishes nothing, compare it with what was saved, and delete
                 that stack. It needs as much memory and disk as the services that hold the data (twice the disk
                 for ClickHouse); they keep running
  --from-copy    check the copy that hooks/fetch gets; with restic, the set is always fetched from the repository
  --files-only   check the files alone, without an engine
  --quiet        print warnings and errors only
  --json         print one JSON document
  --help         show this

Examples:
  scripts/verify-backup.sh
  scripts/verify-backup.sh --drill
  scripts/verify-backup.sh 20261124T021500Z --files-only

TEXT
  exit_codes
}

SET='' FILES_ONLY=false DRILL=false FROM_COPY=false
while [ $# -gt 0 ]; do
  case $1 in
    --files-only) FILES_ONLY=true ;;
    --drill) DRILL=true ;;
    --from-copy) FROM_COPY=true ;;
    --quiet) QUIET=true ;;
    --json) JSON=true ;;
    --help | -h) usage; exit ;;
    -*) die "$EXIT_USAGE" "verify-backup.sh has no option $1" "scripts/verify-backup.sh --help" ;;
    *) [ -z "$SET" ] || die "$EXIT_USAGE" "one set at a time"; SET=$1 ;;
  esac
  shift
done
[ "$DRILL" = false ] || [ "$FILES_ONLY" = false ] || die "$EXIT_USAGE" "a drill needs the engine" "leave out --files-only or --drill"

finish() {
  local code=$?
  trap '' INT TERM HUP
  end_child
  [ -z "${CLIENT_LABEL:-}" ] || remove_clients
  SETS=$HOME_OF_SETS
  if [ "$LOCKED" = true ]; then
    [ -z "$SECOND" ] || remove_second "$SECOND" || { warn "not all of $SECOND could be deleted: the next drill does it"; [ "$code" -ne 0 ] || code=$EXIT_ENGINE; }
    rm -rf "$SETS/.drill-notes" "$SETS/.fetched"
    release_lock
  fi
  report_end "$code"
  exit "$code"
}

# fetch: the copy of the set from elsewhere becomes what is looked at.
fetch() {
  if [ "$DRIVER" = restic ]; then
    restic_ready
    if [ -z "$SET" ]; then
      SET=$(restic_ids) || exit
      SET=${SET%%$'\n'*}
      [ -n "$SET" ] || die "$EXIT_NO_SET" "there is no set in the restic repository" "scripts/backup.sh makes one"
    fi
    step "" "checking the restic repository"
    background restic_run check --quiet
    [ "$RESULT" = 0 ] || exit "$RESULT"
    background restic_fetch "$SET" "$SETS/.fetched"
    [ "$RESULT" = 0 ] || exit "$RESULT"
    SETS=$SETS/.fetched
    return
  fi
  [ ! -e hooks/fetch ] || [ -x hooks/fetch ] || die "$EXIT_USAGE" "hooks/fetch is not executable" "chmod +x hooks/fetch"
  [ -x hooks/fetch ] || die "$EXIT_USAGE" "there is no program hooks/fetch" "hooks/fetch.example shows one"
  step "" "fetching the copy of set $SET"
  rm -rf "$SETS/.fetched"
  mkdir -p "$SETS/.fetched/$SET"
  background run_hook fetch "$SET" "$SETS/.fetched/$SET"
  [ "$RESULT" = 0 ] || die "$EXIT_COPY" "hooks/fetch ended with $RESULT"
  SETS=$SETS/.fetched
  [ -f "$SETS/$SET/manifest.json" ] || die "$EXIT_COPY" "hooks/fetch did not deliver set $SET"
}

# No framework has the name of its stack: FRAMEWORK_NAME holds no two underscores in a row.
drill() {
  local services service started
  # shellcheck source=/dev/null
  . scripts/lib/save.sh
  # shellcheck source=/dev/null
  . scripts/lib/restore.sh
  # shellcheck source=/dev/null
  . scripts/lib/second.sh
  SECOND=${FRAMEWORK_NAME}__drill CLIENT_LABEL="framework-infra.client=${FRAMEWORK_NAME}__drill"
  remove_clients
  remove_second "$SECOND" || die "$EXIT_ENGINE" "what an interrupted drill left, $SECOND, could not be deleted"
  started=$SECONDS
  wanted=() SOURCE=$SET FORCE=false COMPARE=true RUN=$(date -u +%Y%m%dT%H%M%SZ)
  services=$(choose) || exit
  for service in $(stack_services); do part_of "$service"; done
  second_stack "$SECOND" none
  ! second_exists || die "$EXIT_UNFIT" "something has the names of the drill's stack, $SECOND, that no drill has made" "docker ps --all; docker volume ls"
  step "" "starting a throw-away stack, $SECOND"
  create_second "$services"
  start_chosen "$services"
  require_fit "$services"
  for service in $services; do
    background restore_service "$service"
    if [ "$RESULT" -ge 20 ] && [ "$RESULT" -le 49 ]; then exit "$RESULT"; fi
    [ "$RESULT" = 0 ] || die "$EXIT_DRILL" "$service could not be restored or compared" "its message is above"
  done
  DRILLED=$((SECONDS - started))
  if [ "$(field "$SETS/$SET/manifest.json" complete)" = true ]; then
    printf '%s %s %d\n' "$RUN" "$SET" "$DRILLED" >>"$HOME_OF_SETS/.drills"
  else
    warn "set $SET does not hold the whole stack: this does not count as its drill"
  fi
}
DRILLED=null

require_host
HOME_OF_SETS=$SETS SECOND=''
trap finish EXIT
trap 'interrupted 130' INT
trap 'interrupted 143' TERM HUP
[ "$DRILL" = false ] || report_start drill
[ -n "$SET" ] || SET=$(newest_backup)
[ -n "$SET" ] || SET=$(newest_set)
# What is here of a set in the repository is no proof of that. The state before a restore is here only.
if [ "$DRIVER" = restic ] && { [ ! -f "$SETS/$SET/manifest.json" ] || [ -z "$(field "$SETS/$SET/manifest.json" reason)" ]; }; then
  FROM_COPY=true
elif [ -z "$SET" ]; then
  die "$EXIT_NO_SET" "there is no set in $SETS" "scripts/backup.sh makes one"
fi
if [ "$DRILL" = true ] || [ "$FROM_COPY" = true ]; then
  [ -z "$SET" ] || [[ $SET =~ $ID_PATTERN ]] || require_set "$SET"
  LOCK=.drill
  take_lock
  # A set in use is not deleted as an old one.
  printf '%s' "$SET" >"$SETS/.drill/set"
  new_notes "$SETS/.drill-notes"
fi
[ "$FROM_COPY" = false ] || fetch
require_set "$SET"
step "" "checking the files of set $SET"
require_whole "$SET"
if [ "$FILES_ONLY" = false ]; then
  require_engine
  FRAMEWORK_NAME=$(env_value FRAMEWORK_NAME) || exit
  CLIENT_LABEL="framework-infra.check=$FRAMEWORK_NAME"
  mapfile -t services < <(services_in "$SET")
  if [ "$DRILL" = true ]; then drill; else check_parts "$SETS/$SET" "${services[@]}"; fi
fi
if [ "$JSON" = true ]; then
  printf '{"schemaVersion":1,"id":"%s","outcome":"verified","filesOnly":%s,"drillSeconds":%s}\n' "$SET" "$FILES_ONLY" "$DRILLED"
elif [ "$QUIET" = true ]; then
  :
elif [ "$DRILL" = true ]; then
  printf 'set %s was restored in %d seconds, and matches what was saved\n' "$SET" "$DRILLED"
else
  printf 'set %s is whole%s\n' "$SET" "$([ "$FILES_ONLY" = true ] || printf ' and can be read')"
fi
