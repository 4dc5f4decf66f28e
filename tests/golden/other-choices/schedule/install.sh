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
  --remove   remove the schedule, whatever it was installed with
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
    --print | --remove)
      [ "$ACTION" = install ] || die "$EXIT_USAGE" "--print and --remove do not go together"
      ACTION=${1#--}
      ;;
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
    if [ "$(id -u)" != 0 ] && [ -e "/etc/systemd/system/$(prefix)backup.timer" ]; then
      die "$EXIT_DENIED" "the timers are those of the system" "sudo schedule/install.sh --remove"
    fi
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
  local line time='' day='' at minute hour weekday command
  while IFS= read -r line; do
    [[ ! $line =~ ^OnCalendar=(Sun\ )?\*-\*-\*\ ([0-9]{2}:[0-9]{2}):00\ UTC$ ]] || time=${BASH_REMATCH[2]} day=${BASH_REMATCH[1]}
  done <"schedule/$1"
  [ -n "$time" ] || die "$EXIT_USAGE" "schedule/$1 has a time that cron cannot be given" "write OnCalendar=*-*-* 02:30:00 UTC, or install with --systemd"
  # A Sunday of UTC, which can be another day here.
  at=$(date -u -d "2023-01-01T$time:00Z" +%s) || exit
  [ -n "$day" ] || at=$(date -u -d "$(date -u +%Y-%m-%d)T$time:00Z" +%s) || exit
  read -r minute hour weekday < <(date -d "@$at" '+%-M %-H %w') || exit
  command="cd $(quoted "$STACK_DIR") &&"
  for line in "${ENGINE[@]}"; do command+=" ${line%%=*}=$(quoted "${line#*=}")"; done
  command+=" bash $2 --quiet"
  # To cron, a percent sign is the end of the line.
  # The result is of no use in a mail; what goes wrong is.
  printf '%d %d * * %s %s >/dev/null # %s\n' "$minute" "$hour" "$([ -n "$day" ] && printf %d "$weekday" || printf '*')" "${command//%/\\%}" "$(mark)"
}

# quoted TEXT: as one word of any shell.
quoted() { printf "'%s'" "${1//\'/\'\\\'\'}"; }

mark() { printf 'framework-infra: %s' "$FRAMEWORK"; }

with_cron() {
  local lines='' present kept='' line crontab=(crontab)
  [ "$(id -un)" = "$OWNER" ] || crontab+=(-u "$OWNER")
  if [ "$1" != remove ]; then
    lines=$(cron_line backup.timer scripts/backup.sh) || exit
    line=$(cron_line drill.timer 'scripts/verify-backup.sh --drill') || exit
    lines+=$'\n'$line
  fi
  if [ "$1" = print ]; then
    printf '%s\n' "$lines"
    return
  fi
  command -v crontab >/dev/null || die "$EXIT_HOST" "crontab is not installed" "install cron, or use --systemd"
  if ! present=$("${crontab[@]}" -l 2>&1); then
    [[ $present == *"no crontab for"* ]] || die "$EXIT_WRITE" "the crontab of $OWNER cannot be read: ${present##*$'\n'}"
    present=''
  fi
  while IFS= read -r line; do
    case $line in *" # $(mark)") ;; *) kept+="$line"$'\n' ;; esac
  done < <(printf '%s' "${present:+$present$'\n'}")
  [ "$1" != remove ] || [ "$kept" != "${present:+$present$'\n'}" ] || return 0
  [ "$1" = remove ] || kept+="$lines"$'\n'
  printf '%s' "$kept" | "${crontab[@]}" - || die "$EXIT_WRITE" "the crontab of $OWNER could not be written"
}

if [ "$ACTION" = install ]; then
  # What cron and systemd start with. That no engine answers there is a failure of tonight that can be seen now.
  as_owner=() home=${HOME:-/}
  if [ "$(id -un)" != "$OWNER" ]; then
    as_owner=(runuser -u "$OWNER" --)
    home=$(getent passwd "$OWNER") || home=/
    IFS=: read -r _ _ _ _ _ home _ <<<"$home"
  fi
  # shellcheck disable=SC2016 # for the shell in there
  "${as_owner[@]}" env -i HOME="$home" PATH=/usr/bin:/bin "${ENGINE[@]}" bash -c '
    STACK_DIR=$PWD
    . scripts/lib/common.sh
    . scripts/lib/engine.sh
    require_host
    require_engine
  ' || die "$EXIT_ENGINE" "a timer could not use the engine as $OWNER" "is docker on the PATH, and is DOCKER_HOST set where it is needed?"
fi
if [ "$ACTION" = remove ]; then
  # Whatever it was installed with.
  WITH=''
  if command -v systemctl >/dev/null && [ -d /run/systemd/system ]; then with_systemd remove; WITH+='systemd '; fi
  if command -v crontab >/dev/null; then with_cron remove; WITH+='cron '; fi
  WITH=${WITH% }
else
  "with_$WITH" "$ACTION"
fi
[ "$ACTION" = print ] || printf 'the schedule of %s is %s (%s)\n' "$FRAMEWORK" "$([ "$ACTION" = remove ] && printf removed || printf installed)" "$WITH"
