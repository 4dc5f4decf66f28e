# shellcheck shell=bash disable=SC2034,SC2154 # names that the other files use or set
# Shared by the scripts: messages and exit codes, what this host must have, values of .env, the lock, notes of a run.
# Sourced after STACK_DIR is set. A service's own part is scripts/services/SERVICE.sh.

# Sizes and file names are counted in bytes, whatever the locale.
export LC_ALL=C
umask 077
# Timers and cron start with less.
export PATH="${PATH:-/usr/bin:/bin}:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin:/snap/bin"
shopt -s inherit_errexit 2>/dev/null || true

# One code for each kind of failure. What a signal ends has 128 + its number, as everywhere.
readonly EXIT_USAGE=20 EXIT_HOST=21 EXIT_ENGINE=22 EXIT_ENV=23 EXIT_LOCKED=24 EXIT_DOWN=25 EXIT_DENIED=26
readonly EXIT_SPACE=27 EXIT_WRITE=28 EXIT_SAVE=29 EXIT_QUIESCE=30 EXIT_NO_SET=31 EXIT_DAMAGED=32 EXIT_NEWER=33
readonly EXIT_UNFIT=34 EXIT_IN_USE=35 EXIT_RESTORE=36 EXIT_RESUME=37 EXIT_DRILL=38 EXIT_COPY=39
readonly EXIT_REPOSITORY=40 EXIT_REPOSITORY_LOCKED=41

exit_codes() {
  cat <<'TEXT'
Exit codes: 0 done; 1 backup-status.sh found a problem; 130 and 143 interrupted.
  20 wrong use             26 credentials were refused    32 the set is damaged
  21 this host lacks       27 no space left               33 the set is from a newer program
     something             28 no permission to write      34 the set does not fit this stack
  22 the engine does not   29 a service could not be      35 the data is in use
     answer                   saved                       36 a service could not be restored
  23 .env cannot be used   30 a service could not be      37 a service could not be started
  24 another run is active    paused or stopped              again
  25 a service is down     31 there is no such set        38 a drill found a difference
  39 the copy elsewhere    40 there is no restic          41 the restic repository is
     failed                   repository                     locked
TEXT
}

JSON=false QUIET=false
# What a command prints as its result goes here, also from within a part whose output is a file.
exec 3>&1

# json_text TEXT: as the inside of a JSON string.
json_text() {
  local text=$1 from
  text=${text//\\/\\\\}
  text=${text//\"/\\\"}
  text=${text//$'\n'/\\n}
  text=${text//$'\t'/\\t}
  text=${text//$'\r'/\\r}
  if [[ $text == *[$'\x01'-$'\x1f']* ]]; then
    for ((from = 1; from < 32; from++)); do
      printf -v char '%b' "\\x$(printf '%02x' "$from")"
      text=${text//"$char"/\\u00$(printf '%02x' "$from")}
    done
  fi
  printf '%s' "$text"
}

# step SERVICE MESSAGE: what is being done, for people on a terminal and for programs elsewhere.
step() { [ "$QUIET" = true ] || say "$@"; }

say() {
  if [ -t 2 ]; then
    printf '%s  %s%s\n' "$(date -u +%H:%M:%S)" "${1:+$1: }" "$2" >&2
  else
    printf '{"time":"%s","service":"%s","message":"%s"}\n' "$(date -u +%Y-%m-%dT%H:%M:%SZ)" "$1" "$(json_text "$2")" >&2
  fi
}

warn() { say "" "warning: $1"; }

# die CODE MESSAGE [HINT]
die() {
  printf 'error: %s\n' "$2" >&2
  [ -z "${3:-}" ] || printf 'hint: %s\n' "$3" >&2
  if [ "$JSON" = true ]; then
    printf '{"schemaVersion":1,"error":{"code":%d,"message":"%s","hint":"%s"}}\n' \
      "$1" "$(json_text "$2")" "$(json_text "${3:-}")" >&3
  fi
  exit "$1"
}

require_host() {
  if [ "${BASH_VERSINFO[0]}" -lt 4 ] || { [ "${BASH_VERSINFO[0]}" -eq 4 ] && [ "${BASH_VERSINFO[1]}" -lt 4 ]; }; then
    die "$EXIT_HOST" "these scripts need Bash 4.4 or newer; this is $BASH_VERSION"
  fi
  local tool
  for tool in date df docker sha256sum sort stat sync timeout; do
    command -v "$tool" >/dev/null || die "$EXIT_HOST" "$tool is not installed"
  done
  # Those of BSD, macOS and BusyBox lack some of it.
  if ! date -u -d 2026-11-24T02:15:00Z +%s >/dev/null 2>&1 || ! stat -c %s / >/dev/null 2>&1 || ! df --output=avail -B1 / >/dev/null 2>&1; then
    die "$EXIT_HOST" "date, stat and df are not those of GNU coreutils" "run this on the Linux host of the engine, with coreutils installed; macOS is not supported"
  fi
  # Where OpenSSL is installed, it makes checksums: it uses what the processor has for them, which not every sha256sum does.
  local none ours
  none=$(sha256sum </dev/null)
  ours=$(openssl dgst -sha256 -r </dev/null 2>/dev/null) || ours=''
  [ "${ours%% *}" != "${none%% *}" ] || HAS_OPENSSL=true
}
HAS_OPENSSL=false

# env_value NAME: its value in .env, as Compose reads it. Nothing of .env is executed.
env_value() {
  local name=$1 value
  [ -r "$STACK_DIR/.env" ] || die "$EXIT_ENV" "$STACK_DIR/.env cannot be read" "its passwords are needed; restore it from where you keep it"
  value=$(env_text "$name") || die "$EXIT_ENV" ".env has no $name" "npm run regenerate puts back what is missing"
  case $value in
    \'*) [[ $value =~ ^\'([^\'\\]*)\'[[:space:]]*(#.*)?$ ]] || die "$EXIT_ENV" "the quoted value of $name in .env cannot be read" ;;
    \"*) [[ $value =~ ^\"([^\"\\\$]*)\"[[:space:]]*(#.*)?$ ]] || die "$EXIT_ENV" "the quoted value of $name in .env cannot be read" "write it without escapes and variables" ;;
    *)
      [[ $value =~ ^(([^[:space:]]|[[:space:]]+[^#[:space:]])*)([[:space:]]+(#.*)?)?$ ]] || true
      [[ ${BASH_REMATCH[1]} != *\$* ]] || die "$EXIT_ENV" "$name in .env refers to another variable" "write its value"
      ;;
  esac
  [ -n "${BASH_REMATCH[1]}" ] || die "$EXIT_ENV" "$name in .env is empty" "npm run regenerate puts back what is missing"
  printf '%s' "${BASH_REMATCH[1]}"
}

# env_text NAME: what stands behind it in .env, with its quotes; fails where it is not there.
env_text() {
  local line value='' found=false
  while IFS= read -r line || [ -n "$line" ]; do
    line=${line%$'\r'}
    if [[ $line =~ ^[[:space:]]*(export[[:space:]]+)?"$1"[[:space:]]*=[[:space:]]*(.*)$ ]]; then
      value=${BASH_REMATCH[2]} found=true
    fi
  done <"$STACK_DIR/.env"
  [ "$found" = true ] && printf '%s' "$value"
}

# env_setting NAME: the value of one that need not be set; nothing where it is not.
env_setting() {
  local value
  value=$(env_text "$1" 2>/dev/null) || return 0
  case $value in '' | "''" | '""' | '#'*) return 0 ;; esac
  env_value "$1"
}

# What must not happen twice at a time, in this stack: backup and restore ($LOCK is .lock), a drill (.drill). In the
# lock, the file owner has the process. It gets its name with the owner in it, which fails while another one has it.
LOCK=.lock
take_lock() {
  { mkdir -p "$SETS" 2>/dev/null && [ -w "$SETS" ]; } ||
    die "$EXIT_WRITE" "$SETS cannot be written" "check its owner and mode (ls -ld)"
  local owner new="$SETS/$LOCK.$$"
  rm -rf "$new"
  { mkdir "$new" && process_of $$ >"$new/owner"; } || die "$EXIT_WRITE" "$SETS cannot be written" "check its owner and mode (ls -ld)"
  if ! mv -T "$new" "$SETS/$LOCK" 2>/dev/null; then
    owner=$(cat "$SETS/$LOCK/owner" 2>/dev/null) || owner=''
    if [ -n "$owner" ] && [ "$(process_of "${owner%% *}")" = "$owner" ]; then
      rm -rf "$new"
      die "$EXIT_LOCKED" "another run for this stack is active (process ${owner%% *})" "wait until it ends"
    fi
    # Its process is gone. What is moved away is compared with what was found: another run may have been faster.
    if mv -T "$SETS/$LOCK" "$new.old" 2>/dev/null && [ "$(cat "$new.old/owner" 2>/dev/null)" != "$owner" ]; then
      mv -T "$new.old" "$SETS/$LOCK" 2>/dev/null || true
    fi
    rm -rf "$new.old"
    if ! mv -T "$new" "$SETS/$LOCK" 2>/dev/null; then
      rm -rf "$new"
      die "$EXIT_LOCKED" "another run has just started" "wait until it ends"
    fi
  fi
  LOCKED=true
}

# process_of PID: the process and when it began, so that a later one with its number is another.
process_of() {
  local stat fields
  stat=$(cat "/proc/$1/stat" 2>/dev/null) || return 0
  # Field 22 of the whole; the second is a name in parentheses.
  read -ra fields <<<"${stat##*) }"
  printf '%s %s\n' "$1" "${fields[19]}"
}

# lock_is_dead NAME: whether a lock is there, and its process is not.
lock_is_dead() {
  local owner
  owner=$(cat "$SETS/$1/owner" 2>/dev/null) || return 1
  [ "$(process_of "${owner%% *}")" != "$owner" ]
}

LOCKED=false
release_lock() {
  [ "$LOCKED" = true ] || return 0
  LOCKED=false
  [ "$(cat "$SETS/$LOCK/owner" 2>/dev/null)" != "$(process_of $$)" ] || rm -rf "$SETS/${LOCK:?}"
}

# part_of SERVICE: loads its own functions, where it has some.
part_of() {
  local file="$STACK_DIR/scripts/services/$1.sh"
  # shellcheck source=/dev/null
  [ ! -r "$file" ] || . "$file"
}

# count SERVICE KEY NUMBER: goes into the manifest, and is compared after a restore. KEY as inside a JSON string.
count() { printf '%s\t%s\n' "$2" "$3" >>"$NOTES/$1.counts"; }

# Notes of a run, outside what is saved: one file each. Below $SETS, so that the next run finds what a kill left.
# new_notes [DIRECTORY]
new_notes() {
  NOTES=${1:-$SETS/.notes}
  rm -rf "$NOTES"
  mkdir -m 700 "$NOTES" || die "$EXIT_WRITE" "$NOTES could not be created" "check the owner and mode of $SETS"
}

note() { cat "$NOTES/$1" 2>/dev/null || true; }
put_note() { printf '%s' "$2" >"$NOTES/$1"; }

# has SERVICE HOOK
has() { declare -F "$1_$2" >/dev/null; }

# background COMMAND...: so that a signal is acted on at once, not when the command has ended. Its exit code is in RESULT.
# Never behind `if`, `||` or `&&`: there, Bash goes on after whatever fails in the command.
background() {
  # In a process group of its own, so that a signal ends what it runs as well; then, it keeps standard input by itself.
  set -m
  (
    set +m -e
    "$@"
  ) </dev/null &
  CHILD=$!
  set +m
  RESULT=0
  wait "$CHILD" || RESULT=$?
  CHILD=''
}
CHILD='' RESULT=0

# interrupted CODE: for the traps of signals.
interrupted() {
  say "" "interrupted: cleaning up"
  exit "$1"
}

# end_child: for the EXIT trap.
end_child() {
  [ -n "$CHILD" ] || return 0
  # restic removes its lock for INT alone.
  local waited=0
  kill -INT -- "-$CHILD" 2>/dev/null || true
  while kill -0 -- "-$CHILD" 2>/dev/null && [ "$waited" -lt 30 ]; do
    sleep 0.1
    waited=$((waited + 1))
  done
  kill -TERM -- "-$CHILD" 2>/dev/null || true
  wait "$CHILD" 2>/dev/null || true
  CHILD=''
}
