#!/usr/bin/env bash
# Puts the data of a backup set back into this stack.
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
Usage: scripts/restore.sh [OPTION...] ID [SERVICE...]
       scripts/restore.sh --drop-old

Restores the services of the set ID, or those that are named. First, the present state is saved as a set of its own.
A service that uses the restored ones is stopped meanwhile. Run it again if it was interrupted.

  --force          disconnect whoever uses the data
  --no-safety-set  do not save the present state first (for one that cannot be saved, or is empty)
  --no-start       start only what is restored; the rest of the stack stays down
  --drop-old       delete what earlier restores kept, such as the former databases
  --json           print one JSON document
  --help           show this

Examples:
  scripts/restore.sh 20261124T021500Z
  scripts/restore.sh 20261124T021500Z postgres
  scripts/restore.sh --drop-old

TEXT
  exit_codes
}

SOURCE='' FORCE=false SAFETY=true START=true DROP=false QUIESCE=true
wanted=()
while [ $# -gt 0 ]; do
  case $1 in
    --force) FORCE=true ;;
    --no-safety-set) SAFETY=false ;;
    --no-start) START=false ;;
    --drop-old) DROP=true ;;
    --json) JSON=true ;;
    --help | -h) usage; exit ;;
    -*) die "$EXIT_USAGE" "restore.sh has no option $1" "scripts/restore.sh --help" ;;
    *) if [ -z "$SOURCE" ]; then SOURCE=$1; else wanted+=("$1"); fi ;;
  esac
  shift
done
[ "$DROP" = true ] || [ -n "$SOURCE" ] || die "$EXIT_USAGE" "no set is given" "scripts/list-backups.sh shows them"

# The services of this stack that the set holds, and that were asked for.
choose() {
  local held service stack chosen=''
  held=$(services_in "$SOURCE")
  stack=$(stack_services)
  for service in "${wanted[@]}"; do
    # shellcheck disable=SC2086 # one word each
    is_among "$service" $held || die "$EXIT_USAGE" "set $SOURCE does not hold $service" "it holds ${held//$'\n'/ }"
  done
  for service in $held; do
    if [ ${#wanted[@]} -gt 0 ] && ! is_among "$service" "${wanted[@]}"; then continue; fi
    # shellcheck disable=SC2086 # one word each
    is_among "$service" $stack || die "$EXIT_UNFIT" "set $SOURCE holds $service, which this stack does not have" "npm run add-service $service $FRAMEWORK, or name the services to restore"
    chosen+="$service "
  done
  printf '%s' "$chosen"
}

require_fit() {
  local service reason
  [ "$(field "$SETS/$SOURCE/manifest.json" framework)" = "$FRAMEWORK" ] ||
    die "$EXIT_UNFIT" "set $SOURCE is of the framework $(field "$SETS/$SOURCE/manifest.json" framework), and this is $FRAMEWORK"
  for service in $1; do
    has "$service" fits || continue
    reason=$("${service}_fits" "$(service_field "$SOURCE" "$service" serverVersion)") || exit
    [ -z "$reason" ] || die "$EXIT_UNFIT" "set $SOURCE does not fit $service: $reason" "start the version that fits (its _IMAGE in .env), restore, then upgrade"
  done
}

# Before anything is changed: one service that is used must not leave the others restored.
require_unused() {
  local service users
  [ "$FORCE" = false ] || return 0
  for service in $1; do
    has "$service" users || continue
    users=$("${service}_users") || exit
    [ -z "$users" ] || die "$EXIT_IN_USE" "somebody is connected to $service: $users" "stop what uses it, or give --force to disconnect it"
  done
}

# Stops the containers that use what is restored; they start again with the rest of the stack.
stop_users() {
  local service needed container RESUME=.users
  for service in $(stack_services); do
    for needed in $(requires_of "$service"); do
      # shellcheck disable=SC2086 # one word each
      is_among "$needed" $1 || continue
      for container in $(containers_of "$service"); do
        is_running "$container" || continue
        step "$container" "stopping it, as it uses $needed"
        stop_service "$container" 120
      done
      continue 2
    done
  done
}

start() {
  docker compose up -d --wait "$@" >/dev/null 2>"$NOTES/up" || die "$EXIT_RESUME" "$([ $# -gt 0 ] && printf '%s' "$*" || printf 'the stack') did not start: $(tail -n 1 "$NOTES/up")" "docker compose ps; docker compose logs; if its volume is damaged, see DISASTER_RECOVERY.md"
}

restore_service() {
  local service=$1 dir="$SETS/$SOURCE/$1" volume how has_files=false
  while read -r -u 4 volume how; do
    [ "$how" = files ] || continue
    has_files=true
    restore_volume "$service" "$volume" "$dir"
  done 4< <(volumes_of "$service")
  [ "$has_files" = false ] || start "$service"
  if has "$service" restore; then "${service}_restore" "$dir"; fi
}

# The files are put beside those that are there, and take their place when they are complete.
restore_volume() {
  local service=$1 volume=$2 dir=$3 name
  name=$(volume_name "$service" "$volume") || exit
  step "$service" "restoring the files of $volume"
  docker compose stop --timeout 60 "$service" >/dev/null 2>&1 || die "$EXIT_QUIESCE" "$service could not be stopped"
  volume_client "$service" "$name" rw -- sh -ec '
    cd /volume
    rm -rf .restoring
    mkdir .restoring
    tar -C .restoring -xpf -
    mkdir .restoring/.complete
  ' <"$dir/$volume.tar" || die "$EXIT_RESTORE" "the files of $volume could not be restored" "is there space for both states? nothing that was there has been changed"
  # shellcheck disable=SC2016 # for the shell in there
  volume_client "$service" "$name" rw -- sh -ec '
    cd /volume
    [ -d .restoring/.complete ]
    for file in * .[!.]* ..?*; do
      case $file in .restoring) ;; *) rm -rf "$file" ;; esac
    done
    rmdir .restoring/.complete
    cd .restoring
    for file in * .[!.]* ..?*; do
      [ ! -e "$file" ] && [ ! -L "$file" ] || mv "$file" ../
    done
    cd ..
    rmdir .restoring
  ' </dev/null || die "$EXIT_RESTORE" "the files of $volume could not be put in their place" "run this again"
}

# unfinished CODE SERVICE: a part has said what is wrong, or was ended by a signal.
unfinished() {
  printf 'hint: %s is not restored; what uses the data stays stopped until scripts/restore.sh %s has succeeded\n' "$2" "$SOURCE" >&2
  if [ "$1" -lt 20 ] || [ "$1" -gt 49 ]; then exit "$EXIT_RESTORE"; fi
  exit "$1"
}

RUN=$(date -u +%Y%m%dT%H%M%SZ)
trap clean_up EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP
require_host
if [ "$DROP" = false ]; then
  require_set "$SOURCE"
  step "" "checking the files of set $SOURCE"
  require_whole "$SOURCE"
fi
prepare
new_notes
for service in $(stack_services); do part_of "$service"; done
if [ "$DROP" = true ]; then
  for service in $(stack_services); do
    has "$service" drop_old || continue
    background "${service}_drop_old"
    [ "$RESULT" = 0 ] || exit "$RESULT"
  done
  exit 0
fi
chosen=$(choose) || exit
stop_users "$chosen"
step "" "starting what is restored"
for service in $chosen; do
  if has "$service" restore; then
    start "$service"
  else
    # Its files are replaced while it stands still: they need not be good enough to start with.
    docker compose up --no-start "$service" >/dev/null 2>"$NOTES/up" || die "$EXIT_RESUME" "the container of $service could not be created: $(tail -n 1 "$NOTES/up")"
  fi
done
require_fit "$chosen"
require_unused "$chosen"
if [ -e "$SETS/.restoring" ] && [ "$SAFETY" = true ]; then
  step "" "the present state is that of an interrupted restore: it is not saved"
  SAFETY=false
fi
if [ "$SAFETY" = true ]; then
  step "" "saving the present state first"
  save_set "before the restore of $SOURCE" "$chosen"
  former=$SET
fi
SET=$SOURCE
# From here on, what uses the data stays down until all of it is restored.
printf '%s\n' "$SOURCE" >"$SETS/.restoring"
rm -f "$SETS/.users"
for service in $chosen; do
  background restore_service "$service"
  [ "$RESULT" = 0 ] || unfinished "$RESULT" "$service"
done
[ "$START" = false ] || start
rm -f "$SETS/.restoring"
if [ "$JSON" = true ]; then
  printf '{"schemaVersion":1,"id":"%s","services":"%s","before":"%s","seconds":%d}\n' "$SOURCE" "${chosen% }" "${former:-}" "$SECONDS"
else
  printf 'restored %s from set %s%s\n' "${chosen% }" "$SOURCE" "${former:+; the state before is set $former}"
fi
