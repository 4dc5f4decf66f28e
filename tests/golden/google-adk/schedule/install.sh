#!/usr/bin/env bash
# Installs or removes the schedule of this stack: a backup every night and a restore drill every week.
# shellcheck disable=SC2034,SC2154 # names that the other files use or set
set -euo pipefail

STACK_DIR=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cd "$STACK_DIR"
# shellcheck source=/dev/null
. scripts/lib/common.sh
# shellcheck source=/dev/null
. scripts/lib/stack.sh

usage() {
  cat <<'TEXT'
Usage: schedule/install.sh [OPTION...]

Runs scripts/backup.sh every night and scripts/verify-backup.sh --drill every Sunday, at the times of the files beside
this script. Run it again after the directory has moved, or the times have changed (backup.at in framework.yaml).

  --systemd  with systemd timers: of the system for root, otherwise of this user
  --cron     with this user's crontab
  --print    print what would be installed
  --remove   remove the schedule
  --help     show this

Without --systemd and --cron, systemd where it runs.

Examples:
  sudo schedule/install.sh
  schedule/install.sh --cron
  schedule/install.sh --remove

TEXT
  exit_codes
}

WITH='' ACTION=install
while [ $# -gt 0 ]; do
  case $1 in
    --systemd | --cron) WITH=${1#--} ;;
    --print | --remove) ACTION=${1#--} ;;
    --help | -h) usage; exit ;;
    *) die "$EXIT_USAGE" "install.sh takes no $1" "schedule/install.sh --help" ;;
  esac
  shift
done
require_host
[[ $STACK_DIR != *[$'\n'$'\r']* ]] || die "$EXIT_HOST" "the path of this directory holds a line break" "move it"
if [ -z "$WITH" ]; then
  if [ -d /run/systemd/system ]; then WITH=systemd; else WITH=cron; fi
fi

# Both run as the owner of this directory, who can read .env and whose the sets are.
OWNER=$(stat -c %U .)
if [ "$(id -u)" != 0 ] && [ "$(id -un)" != "$OWNER" ]; then
  die "$EXIT_DENIED" "this directory belongs to $OWNER" "run this as $OWNER, or with sudo"
fi

# Where the engine is, when it is not where the client looks by itself.
ENGINE=()
for name in DOCKER_HOST DOCKER_CONTEXT DOCKER_CONFIG; do
  [ -z "${!name:-}" ] || ENGINE+=("$name=${!name}")
done

# unit NAME: a file of this directory as systemd is to have it.
unit() {
  local line environment=''
  for line in "${ENGINE[@]}"; do environment+="${environment:+ }\"${line//%/%%}\""; done
  while IFS= read -r line || [ -n "$line" ]; do
    case $line in
      # A user's own systemd knows no other user.
      User=*) [ "$(id -u)" = 0 ] || continue ;;
      Environment=*) [ ${#ENGINE[@]} -gt 0 ] || continue ;;
    esac
    line=${line//@USER@/"$OWNER"}
    # A percent sign begins what systemd replaces.
    line=${line//@DIRECTORY@/"${STACK_DIR//%/%%}"}
    line=${line//@ENVIRONMENT@/"$environment"}
    printf '%s\n' "$line"
  done <"schedule/$1"
}

UNITS='backup.service backup.timer drill.service drill.timer'
prefix() { printf 'framework-infra-%s-' "$FRAMEWORK"; }

with_systemd() {
  local directory name control=(systemctl)
  if [ "$(id -u)" = 0 ]; then
    directory=/etc/systemd/system
  else
    directory=${XDG_CONFIG_HOME:-$HOME/.config}/systemd/user
    control+=(--user)
  fi
  if [ "$1" = print ]; then
    for name in $UNITS; do
      printf '# %s\n' "$directory/$(prefix)$name"
      unit "$name"
      printf '\n'
    done
    return
  fi
  if ! command -v systemctl >/dev/null || ! "${control[@]}" list-units >/dev/null 2>&1; then
    die "$EXIT_HOST" "systemd does not answer" "schedule/install.sh --cron"
  fi
  if [ "$1" = remove ]; then
    "${control[@]}" disable --now --quiet "$(prefix)backup.timer" "$(prefix)drill.timer" 2>/dev/null || true
    for name in $UNITS; do rm -f "$directory/$(prefix)$name"; done
    "${control[@]}" daemon-reload
    return
  fi
  mkdir -p "$directory"
  for name in $UNITS; do
    unit "$name" >"$directory/$(prefix)$name" || die "$EXIT_WRITE" "$directory/$(prefix)$name could not be written"
    chmod 644 "$directory/$(prefix)$name"
  done
  "${control[@]}" daemon-reload
  "${control[@]}" enable --now --quiet "$(prefix)backup.timer" "$(prefix)drill.timer" ||
    die "$EXIT_HOST" "the timers could not be enabled" "systemctl status $(prefix)backup.timer"
  if [ "$(id -u)" != 0 ]; then
    warn "your timers run only while you are signed in, unless: sudo loginctl enable-linger $OWNER"
  fi
}

# cron_line FILE COMMAND: the time is that of the timer, in the host's time of today.
cron_line() {
  local line time='' day='*' from command
  while IFS= read -r line; do
    [[ ! $line =~ ^OnCalendar=(Sun\ )?\*-\*-\*\ ([0-9]{2}:[0-9]{2}):00\ UTC$ ]] || time=${BASH_REMATCH[2]} day=${BASH_REMATCH[1]:+0}
  done <"schedule/$1"
  [ -n "$time" ] || die "$EXIT_USAGE" "schedule/$1 has a time that cron cannot be given" "write OnCalendar=*-*-* 02:30:00 UTC, or install with --systemd"
  from="TZ=\"UTC\" $time"
  # The Sunday of UTC can be another day here.
  if [ "$day" = 0 ]; then
    from="TZ=\"UTC\" 2023-01-01 $time"
    day=$(date -d "$from" +%w)
  else
    day='*'
  fi
  command="cd $(quoted "$STACK_DIR") &&"
  for line in "${ENGINE[@]}"; do command+=" ${line%%=*}=$(quoted "${line#*=}")"; done
  command+=" bash $2 --quiet"
  # To cron, a percent sign is the end of the line.
  printf '%s * * %s %s # %s\n' "$(date -d "$from" '+%-M %-H')" "$day" "${command//%/\\%}" "$(mark)"
}

# quoted TEXT: as one word of any shell.
quoted() { printf "'%s'" "${1//\'/\'\\\'\'}"; }

mark() { printf 'framework-infra: %s' "$FRAMEWORK"; }

with_cron() {
  local lines present kept='' line crontab=(crontab)
  [ "$(id -un)" = "$OWNER" ] || crontab+=(-u "$OWNER")
  lines="$(cron_line backup.timer scripts/backup.sh)"$'\n'"$(cron_line drill.timer 'scripts/verify-backup.sh --drill')" || exit
  if [ "$1" = print ]; then
    printf '%s\n' "$lines"
    return
  fi
  command -v crontab >/dev/null || die "$EXIT_HOST" "crontab is not installed" "install cron, or use --systemd"
  present=$("${crontab[@]}" -l 2>/dev/null) || present=''
  while IFS= read -r line; do
    case $line in *" # $(mark)" | '') ;; *) kept+="$line"$'\n' ;; esac
  done <<<"$present"
  [ "$1" = remove ] || kept+="$lines"$'\n'
  printf '%s' "$kept" | "${crontab[@]}" - || die "$EXIT_WRITE" "the crontab of $OWNER could not be written"
}

if [ "$ACTION" = install ]; then
  # What cron and systemd start with. That no engine answers there is a failure of tonight that can be seen now.
  as_owner=()
  [ "$(id -un)" = "$OWNER" ] || as_owner=(runuser -u "$OWNER" --)
  # shellcheck disable=SC2016 # for the shell in there
  "${as_owner[@]}" env -i HOME="${HOME:-/}" PATH=/usr/bin:/bin "${ENGINE[@]}" bash -c '
    STACK_DIR=$PWD
    . scripts/lib/common.sh
    . scripts/lib/engine.sh
    require_host
    require_engine
  ' || die "$EXIT_ENGINE" "a timer could not use the engine as $OWNER" "is docker on the PATH, and is DOCKER_HOST set where it is needed?"
fi
"with_$WITH" "$ACTION"
[ "$ACTION" = print ] || printf 'the schedule of %s is %s (%s)\n' "$FRAMEWORK" "$([ "$ACTION" = remove ] && printf removed || printf installed)" "$WITH"
