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
# shellcheck source=/dev/null
. scripts/lib/report.sh

usage() {
  cat <<'TEXT'
Usage: scripts/backup-status.sh [OPTION...]

  --max-age HOURS        the newest complete set may be as old as this (26)
  --max-drill-age DAYS   the last drill that succeeded may be as old as this (9); 0: do not check drills
  --json                 print one JSON document
  --help                 show this

Exits 1 when there is no complete set, when the newest one is too old or dated in the future, when the last restore
drill is too old, or when a backup or restore was killed and left a service paused or stopped. Where there was no drill
yet, the age of the oldest set counts.

TEXT
  exit_codes
}

MAX_AGE=26 MAX_DRILL_AGE=9
while [ $# -gt 0 ]; do
  case $1 in
    --max-age) [[ ${2:-} =~ ^[1-9][0-9]{0,4}$ ]] || die "$EXIT_USAGE" "--max-age needs a number of hours"; MAX_AGE=$2; shift ;;
    --max-drill-age) [[ ${2:-} =~ ^[0-9]{1,4}$ ]] || die "$EXIT_USAGE" "--max-drill-age needs a number of days"; MAX_DRILL_AGE=$((10#$2)); shift ;;
    --json) JSON=true ;;
    --help | -h) usage; exit ;;
    *) die "$EXIT_USAGE" "backup-status.sh takes no $1" "scripts/backup-status.sh --help" ;;
  esac
  shift
done

require_host
problems=()
newest=$(newest_backup)
age=null
if [ -z "$newest" ]; then
  if [ "$DRIVER" = restic ]; then
    problems+=("no complete set in the repository is known here: scripts/list-backups.sh asks it, scripts/backup.sh makes one")
  else
    problems+=("there is no complete set$([ ! -x hooks/copy ] || printf ' that was copied'): run scripts/backup.sh")
  fi
else
  age=$(($(date -u +%s) - $(seconds_of "$newest")))
  if [ "$age" -lt -60 ]; then
    problems+=("set $newest is dated in the future: check this host's clock")
  elif [ "$age" -gt $((MAX_AGE * 3600)) ]; then
    problems+=("the newest complete set, $newest, is $((age / 3600)) hours old; at most $MAX_AGE are allowed")
  fi
fi
read -r drill_time drill_set drill_seconds < <(last_drill) || true
if [ "$MAX_DRILL_AGE" -gt 0 ] && [ -n "$newest" ]; then
  oldest=$(set_ids | tail -n 1)
  since=$((($(date -u +%s) - $(seconds_of "${drill_time:-$oldest}")) / 86400))
  if [ "$since" -gt "$MAX_DRILL_AGE" ]; then
    problems+=("$([ -n "${drill_time:-}" ] && printf 'the last drill was %d days ago' "$since" || printf 'no set has been restored in a drill'): run scripts/verify-backup.sh --drill")
  fi
fi
if [ -s "$SETS/.resume" ] || [ -s "$SETS/.users" ]; then
  if [ ! -e "$SETS/.lock" ] || lock_is_dead .lock; then
    while read -r verb service; do
      problems+=("a run was killed and left $service $([ "$verb" = unpause ] && printf paused || printf stopped): docker compose $verb $service, or run scripts/backup.sh")
    done < <(cat "$SETS/.resume" "$SETS/.users" 2>/dev/null)
  fi
fi
if lock_is_dead .drill; then
  problems+=("a drill was killed, and what it made is still there: the next backup or drill deletes it")
fi
if [ -s "$SETS/.restoring" ]; then
  problems+=("a restore was interrupted: run scripts/restore.sh $(<"$SETS/.restoring") again")
fi
if [ "$JSON" = true ]; then
  printf '{"schemaVersion":1,"newest":%s,"ageSeconds":%s,"drill":%s,"problems":[' "$([ -n "$newest" ] && printf '"%s"' "$newest" || printf null)" "$age" \
    "$([ -n "${drill_time:-}" ] && printf '{"time":"%s","id":"%s","seconds":%d}' "$(time_of "$drill_time")" "$drill_set" "$drill_seconds" || printf null)"
  comma=''
  for problem in "${problems[@]}"; do
    printf '%s"%s"' "$comma" "$(json_text "$problem")"
    comma=,
  done
  printf ']}\n'
else
  [ -z "$newest" ] || printf 'newest complete set: %s, %d minutes old\n' "$newest" "$((age / 60))"
  [ -z "${drill_time:-}" ] || printf 'last drill: set %s restored in %d seconds, at %s\n' "$drill_set" "$drill_seconds" "$(time_of "$drill_time")"
  for problem in "${problems[@]}"; do printf 'problem: %s\n' "$problem"; done
fi
[ "${#problems[@]}" -eq 0 ]
