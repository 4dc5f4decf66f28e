#!/usr/bin/env bash
# Says how old the newest complete backup is, and whether a run left something paused. For monitoring: exits 1 when
# something is wrong.
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

usage() {
  cat <<'TEXT'
Usage: scripts/backup-status.sh [OPTION...]

  --max-age HOURS  the newest complete set may be as old as this (26)
  --json           print one JSON document
  --help           show this

Exits 1 when there is no complete set, when the newest one is too old or dated in the future, or when a backup or
restore was killed and left a service paused or stopped.

TEXT
  exit_codes
}

MAX_AGE=26
while [ $# -gt 0 ]; do
  case $1 in
    --max-age) [[ ${2:-} =~ ^[1-9][0-9]{0,4}$ ]] || die "$EXIT_USAGE" "--max-age needs a number of hours"; MAX_AGE=$2; shift ;;
    --json) JSON=true ;;
    --help | -h) usage; exit ;;
    *) die "$EXIT_USAGE" "backup-status.sh takes no $1" "scripts/backup-status.sh --help" ;;
  esac
  shift
done

require_host
problems=()
newest=''
for id in $(set_ids); do
  if [ "$(field "$SETS/$id/manifest.json" complete)" = true ]; then
    newest=$id
    break
  fi
done
age=null
if [ -z "$newest" ]; then
  problems+=("there is no complete set: run scripts/backup.sh")
else
  age=$(($(date -u +%s) - $(seconds_of "$newest")))
  if [ "$age" -lt -60 ]; then
    problems+=("set $newest is dated in the future: check this host's clock")
  elif [ "$age" -gt $((MAX_AGE * 3600)) ]; then
    problems+=("the newest complete set, $newest, is $((age / 3600)) hours old; at most $MAX_AGE are allowed")
  fi
fi
if [ -s "$SETS/.resume" ] || [ -s "$SETS/.users" ]; then
  owner=$(cat "$SETS/.lock/owner" 2>/dev/null) || owner=''
  if [ -z "$owner" ] || [ "$(process_of "${owner%% *}")" != "$owner" ]; then
    while read -r verb service; do
      problems+=("a run was killed and left $service $([ "$verb" = unpause ] && printf paused || printf stopped): docker compose $verb $service, or run scripts/backup.sh")
    done < <(cat "$SETS/.resume" "$SETS/.users" 2>/dev/null)
  fi
fi
if [ -s "$SETS/.restoring" ]; then
  problems+=("a restore was interrupted: run scripts/restore.sh $(<"$SETS/.restoring") again")
fi
if [ "$JSON" = true ]; then
  printf '{"schemaVersion":1,"newest":%s,"ageSeconds":%s,"problems":[' "$([ -n "$newest" ] && printf '"%s"' "$newest" || printf null)" "$age"
  comma=''
  for problem in "${problems[@]}"; do
    printf '%s"%s"' "$comma" "$(json_text "$problem")"
    comma=,
  done
  printf ']}\n'
else
  [ -z "$newest" ] || printf 'newest complete set: %s, %d minutes old\n' "$newest" "$((age / 60))"
  for problem in "${problems[@]}"; do printf 'problem: %s\n' "$problem"; done
fi
[ "${#problems[@]}" -eq 0 ]
