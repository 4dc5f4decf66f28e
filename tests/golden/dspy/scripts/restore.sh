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
# shellcheck source=/dev/null
. scripts/lib/restore.sh
# shellcheck source=/dev/null
. scripts/lib/report.sh
# shellcheck source=/dev/null
. scripts/lib/restic.sh
# shellcheck source=/dev/null
. scripts/lib/second.sh

usage() {
  cat <<'TEXT'
Usage: scripts/restore.sh [OPTION...] ID [SERVICE...]
       scripts/restore.sh --into NAME ID [SERVICE...]
       scripts/restore.sh --remove NAME
       scripts/restore.sh --drop-old

Restores the services of the set ID, or those that are named. First, the present state is saved as a set of its own.
A service that uses the restored ones is stopped meanwhile. Run it again if it was interrupted.

  --force          disconnect whoever uses the data
  --no-safety-set  do not save the present state first (for one that cannot be saved, or is empty)
  --no-start       do not start the whole stack afterwards; what was stopped stays stopped
  --into NAME      restore into a second stack of this name, on free ports; this one is not touched. It has the same
                   passwords, and only the services that are restored
  --remove NAME    delete such a second stack, with its data
  --with-env       where this directory has no .env, take it from the set; only those in a restic repository hold one
  --drop-old       delete what earlier restores kept, such as the former databases
  --json           print one JSON document (not with --remove and --drop-old)
  --help           show this

Examples:
  scripts/restore.sh 20261124T021500Z
  scripts/restore.sh 20261124T021500Z postgres
  scripts/restore.sh --into last_week 20261124T021500Z postgres
  scripts/restore.sh --drop-old

TEXT
  exit_codes
}

SOURCE='' FORCE=false SAFETY=true START=true DROP=false QUIESCE=true INTO='' REMOVE='' WITH_ENV=false FETCHED=false
wanted=()
while [ $# -gt 0 ]; do
  case $1 in
    --force) FORCE=true ;;
    --no-safety-set) SAFETY=false ;;
    --no-start) START=false ;;
    --drop-old) DROP=true ;;
    --with-env) WITH_ENV=true ;;
    --into | --remove)
      [[ ${2:-} =~ ^[a-z][a-z0-9_-]{0,39}$ && $2 != *__* ]] || die "$EXIT_USAGE" "$1 needs a name: lower-case letters, digits, - and single _, starting with a letter"
      if [ "$1" = --into ]; then INTO=$2; else REMOVE=$2; fi
      shift
      ;;
    --json) JSON=true ;;
    --help | -h) usage; exit ;;
    -*) die "$EXIT_USAGE" "restore.sh has no option $1" "scripts/restore.sh --help" ;;
    *) if [ -z "$SOURCE" ]; then SOURCE=$1; else wanted+=("$1"); fi ;;
  esac
  shift
done
[ -z "$REMOVE" ] || [ -z "$SOURCE" ] || die "$EXIT_USAGE" "--remove takes one name" "scripts/restore.sh --help"
[ "$DROP" = true ] || [ -n "$REMOVE" ] || [ -n "$SOURCE" ] || die "$EXIT_USAGE" "no set is given" "scripts/list-backups.sh shows them"

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

# unfinished CODE SERVICE: a part has said what is wrong, or was ended by a signal.
unfinished() {
  [ -n "$SECOND" ] || printf 'hint: %s is not restored; what uses the data stays stopped until scripts/restore.sh %s has succeeded\n' "$2" "$SOURCE" >&2
  if [ "$1" -lt 20 ] || [ "$1" -gt 49 ]; then exit "$EXIT_RESTORE"; fi
  exit "$1"
}

# restore_into NAME SERVICES
restore_into() {
  local name=$1 services=$2 service
  [ "$name" != "$FRAMEWORK_NAME" ] || die "$EXIT_USAGE" "$name is this stack itself" "leave out --into, or give another name"
  second_stack "$name" free
  ! second_exists || die "$EXIT_IN_USE" "there are containers or volumes of $name already" "give another name, or scripts/restore.sh --remove $name"
  SET=$SOURCE
  SECOND=$name
  step "" "starting the second stack $name"
  create_second "$services"
  start_chosen "$services"
  require_fit "$services"
  for service in $services; do
    background restore_service "$service"
    [ "$RESULT" = 0 ] || unfinished "$RESULT" "$service"
  done
  SECOND=''
  second_ports "$services"
  first_stack
}

# remove_named NAME: only what was made by --into here.
remove_named() {
  local others
  if ! has_second "$1"; then
    others=$(docker ps --all --quiet --filter "label=com.docker.compose.project=$1") || engine_is_gone
    [ -z "$others" ] || die "$EXIT_USAGE" "$1 is not a second stack of $FRAMEWORK_NAME"
    die "$EXIT_NO_SET" "there is no stack $1"
  fi
  remove_second "$1" || die "$EXIT_ENGINE" "not all of $1 could be deleted" "run this again"
  step "" "deleted $1 and its data"
}

# get_stored: makes a set of the repository one of this directory, until it has been restored.
get_stored() {
  [[ $SOURCE =~ $ID_PATTERN ]] || require_set "$SOURCE"
  if [ ! -d "$SETS/$SOURCE" ] || is_stub "$SETS/$SOURCE"; then
    restic_ready
    background restic_fetch "$SOURCE" "$SETS/.getting"
    [ "$RESULT" = 0 ] || exit "$RESULT"
    rm -rf "${SETS:?}/$SOURCE"
    mv -T "$SETS/.getting/$SOURCE" "$SETS/$SOURCE"
    rm -rf "$SETS/.getting"
    FETCHED=true
  fi
  step "" "checking the files of set $SOURCE"
  require_whole "$SOURCE"
  [ "$WITH_ENV" = false ] || get_env
}

get_env() {
  [ ! -e .env ] || die "$EXIT_USAGE" "there is an .env already" "leave out --with-env, or move it away"
  [ -f "$SETS/$SOURCE/env" ] || die "$EXIT_NO_SET" "set $SOURCE holds no .env"
  cp "$SETS/$SOURCE/env" .env || die "$EXIT_WRITE" ".env could not be written"
  step "" ".env is the one of set $SOURCE"
}

RUN=$(date -u +%Y%m%dT%H%M%SZ) SECOND=''
trap clean_up EXIT
trap 'interrupted 130' INT
trap 'interrupted 143' TERM HUP
require_host
if [ "$DRIVER" = restic ] && [ -n "$SOURCE" ]; then
  take_lock
  new_notes
  get_stored
elif [ -n "$SOURCE" ]; then
  require_set "$SOURCE"
  step "" "checking the files of set $SOURCE"
  require_whole "$SOURCE"
fi
prepare
new_notes
if [ -n "$REMOVE" ]; then
  remove_named "$REMOVE"
  exit 0
fi
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
if [ -n "$INTO" ]; then
  restore_into "$INTO" "$chosen"
  exit 0
fi
stop_users "$chosen"
step "" "starting what is restored"
start_chosen "$chosen"
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
