# shellcheck shell=bash disable=SC2034,SC2154 # names that the other files use or set
# Shared by the scripts: messages and exit codes, what this host must have, values of .env, the lock, the engine.
# Sourced after STACK_DIR is set. A service's own part is scripts/services/SERVICE.sh.

# Sizes and file names are counted in bytes, whatever the locale.
export LC_ALL=C
umask 077
shopt -s inherit_errexit 2>/dev/null || true

# One code for each kind of failure. What a signal ends has 128 + its number, as everywhere.
readonly EXIT_USAGE=20 EXIT_HOST=21 EXIT_ENGINE=22 EXIT_ENV=23 EXIT_LOCKED=24 EXIT_DOWN=25 EXIT_DENIED=26
readonly EXIT_SPACE=27 EXIT_WRITE=28 EXIT_SAVE=29 EXIT_QUIESCE=30 EXIT_NO_SET=31 EXIT_DAMAGED=32 EXIT_NEWER=33
readonly EXIT_UNFIT=34 EXIT_IN_USE=35 EXIT_RESTORE=36 EXIT_RESUME=37

exit_codes() {
  cat <<'TEXT'
Exit codes: 0 done; 1 backup-status.sh found something too old; 130 and 143 interrupted.
  20 wrong use             26 credentials were refused    32 the set is damaged
  21 this host lacks       27 no space left               33 the set is from a newer program
     something             28 no permission to write      34 the set does not fit this stack
  22 the engine does not   29 a service could not be      35 the data is in use
     answer                   saved                       36 a service could not be restored
  23 .env cannot be used   30 a service could not be      37 a service could not be started
  24 another run is active    paused or stopped              again
  25 a service is down     31 there is no such set
TEXT
}

JSON=false
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
step() {
  if [ -t 2 ]; then
    printf '%s  %s%s\n' "$(date -u +%H:%M:%S)" "${1:+$1: }" "$2" >&2
  else
    printf '{"time":"%s","service":"%s","message":"%s"}\n' "$(date -u +%Y-%m-%dT%H:%M:%SZ)" "$1" "$(json_text "$2")" >&2
  fi
}

warn() { step "" "warning: $1"; }

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
  # GNU's and BusyBox' know these, those of BSD and macOS do not.
  if ! date -u -d @0 +%s >/dev/null 2>&1 || ! stat -c %s / >/dev/null 2>&1; then
    die "$EXIT_HOST" "date and stat are not those of Linux" "run this on the Linux host of the engine; macOS is not supported"
  fi
}

require_engine() {
  local answer
  answer=$(timeout 20 docker version --format '{{.Server.Version}}' 2>&1) ||
    die "$EXIT_ENGINE" "the Docker engine does not answer: ${answer##*$'\n'}" "is it running, and may this user use it? (docker info)"
  docker compose version >/dev/null 2>&1 || die "$EXIT_HOST" "docker compose is not installed"
}

# env_value NAME: its value in .env, as Compose reads it. Nothing of .env is executed.
env_value() {
  local name=$1 line value='' found=false
  [ -r "$STACK_DIR/.env" ] || die "$EXIT_ENV" "$STACK_DIR/.env cannot be read" "its passwords are needed; restore it from where you keep it"
  while IFS= read -r line || [ -n "$line" ]; do
    line=${line%$'\r'}
    if [[ $line =~ ^[[:space:]]*(export[[:space:]]+)?"$name"[[:space:]]*=[[:space:]]*(.*)$ ]]; then
      value=${BASH_REMATCH[2]} found=true
    fi
  done <"$STACK_DIR/.env"
  [ "$found" = true ] || die "$EXIT_ENV" ".env has no $name" "npm run regenerate puts back what is missing"
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

# What must not happen twice at a time, in this stack: backup, restore. $SETS/.lock/owner has the process. The lock
# gets its name with the owner in it, which fails while another one has that name.
take_lock() {
  { mkdir -p "$SETS" 2>/dev/null && [ -w "$SETS" ]; } ||
    die "$EXIT_WRITE" "$SETS cannot be written" "check its owner and mode (ls -ld)"
  local owner new="$SETS/.lock.$$"
  rm -rf "$new"
  { mkdir "$new" && process_of $$ >"$new/owner"; } || die "$EXIT_WRITE" "$SETS cannot be written" "check its owner and mode (ls -ld)"
  if ! mv -T "$new" "$SETS/.lock" 2>/dev/null; then
    owner=$(cat "$SETS/.lock/owner" 2>/dev/null) || owner=''
    if [ -n "$owner" ] && [ "$(process_of "${owner%% *}")" = "$owner" ]; then
      rm -rf "$new"
      die "$EXIT_LOCKED" "another backup or restore of this stack is running (process ${owner%% *})" "wait until it ends"
    fi
    # Its process is gone. What is moved away is compared with what was found: another run may have been faster.
    if mv -T "$SETS/.lock" "$new.old" 2>/dev/null && [ "$(cat "$new.old/owner" 2>/dev/null)" != "$owner" ]; then
      mv -T "$new.old" "$SETS/.lock" 2>/dev/null || true
    fi
    rm -rf "$new.old"
    if ! mv -T "$new" "$SETS/.lock" 2>/dev/null; then
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

LOCKED=false
release_lock() {
  [ "$LOCKED" = true ] || return 0
  LOCKED=false
  [ "$(cat "$SETS/.lock/owner" 2>/dev/null)" != "$(process_of $$)" ] || rm -rf "$SETS/.lock"
}

# container_of SERVICE: the id of its container; nothing where there is none. Fails where the engine does not answer:
# that is not the same as a container that is gone.
container_of() {
  local found
  found=$(docker ps --all --quiet --filter "label=com.docker.compose.project=${COMPOSE_PROJECT_NAME:-$FRAMEWORK_NAME}" \
    --filter "label=com.docker.compose.service=$1" --filter label=com.docker.compose.oneoff=False 2>/dev/null) || return 1
  printf '%s' "${found%%$'\n'*}"
}

# is_running SERVICE: ends the run where nobody can know.
is_running() {
  local id state
  id=$(container_of "$1") || die "$EXIT_ENGINE" "the Docker engine does not answer any more"
  [ -n "$id" ] || return 1
  state=$(docker inspect --format '{{.State.Running}} {{.State.Paused}}' "$id" 2>/dev/null) ||
    die "$EXIT_ENGINE" "the Docker engine does not answer any more"
  [ "$state" = "true false" ]
}

require_running() {
  is_running "$1" || die "$EXIT_DOWN" "$1 is not running" "docker compose up -d --wait $1"
}

# client SERVICE [NAME...] -- COMMAND...: a throw-away container of the image that SERVICE runs, on its internal
# network, with the variables NAME of this shell. Not `docker exec`: what runs there stays when its client is killed.
client() {
  local service=$1 id environment=()
  shift
  while [ "$1" != -- ]; do
    environment+=(--env "$1")
    shift
  done
  id=$(container_of "$service") || die "$EXIT_ENGINE" "the Docker engine does not answer any more"
  [ -n "$id" ] || die "$EXIT_DOWN" "$service has no container" "docker compose up -d --wait $service"
  run_client "$service" --network "$(network_of "$id")" "${environment[@]}" "$@"
}

# tool_client SERVICE -- COMMAND...: the same without a network, to read what was saved.
tool_client() { run_client "$1" --network none "${@:2}"; }

# volume_client SERVICE VOLUME ro|rw -- COMMAND...: the same, with a volume at /volume.
volume_client() { run_client "$1" --network none --volume "$2:/volume:$3" "${@:4}"; }

# run_client SERVICE [OPTION...] -- COMMAND...
run_client() {
  local service=$1 options=() facts
  shift
  while [ "$1" != -- ]; do
    options+=("$1")
    shift
  done
  shift
  facts=$(docker inspect --format '{{.Image}} {{.Config.User}}' "$(container_of "$service")" 2>/dev/null) ||
    die "$EXIT_DOWN" "$service has no container" "docker compose up --no-start $service"
  # No log driver: what is saved would be written a second time, as a log.
  docker run --rm --interactive --pull never --name "${FRAMEWORK_NAME}_client_${service}_$BASHPID$RANDOM" \
    --label "$CLIENT_LABEL" --log-driver none --user "${facts#* }" --read-only --tmpfs /tmp --cap-drop ALL \
    --security-opt no-new-privileges --memory 512m --cpus 2 --pids-limit 64 "${options[@]}" \
    --entrypoint "$1" "${facts%% *}" "${@:2}"
}

# network_of CONTAINER: the internal one that it is on, or any.
network_of() {
  local name first=''
  while IFS= read -r name; do
    [ -n "$name" ] || continue
    first=${first:-$name}
    if [ "$(docker network inspect --format '{{.Internal}}' "$name" 2>/dev/null)" = true ]; then
      printf '%s' "$name"
      return
    fi
  done < <(docker inspect --format '{{range $name, $_ := .NetworkSettings.Networks}}{{println $name}}{{end}}' "$1")
  printf '%s' "${first:-none}"
}

remove_clients() {
  local ids
  ids=$(docker ps --all --quiet --filter "label=$CLIENT_LABEL" 2>/dev/null) || return 0
  # shellcheck disable=SC2086 # one word each
  [ -z "$ids" ] || docker rm --force --volumes $ids >/dev/null 2>&1 || true
}

# What was paused or stopped is written down first, so that a run that is killed leaves a way back: in .resume what goes
# on as soon as a set is saved, in .users what waits for the end of a restore.
RESUME=.resume

pause_service() {
  is_running "$1" || return 0
  printf 'unpause %s\n' "$1" >>"$SETS/$RESUME"
  docker pause "$(container_of "$1")" >/dev/null || die "$EXIT_QUIESCE" "$1 could not be paused"
}

# stop_service SERVICE SECONDS
stop_service() {
  is_running "$1" || return 0
  local id code
  id=$(container_of "$1")
  printf 'start %s\n' "$1" >>"$SETS/$RESUME"
  docker stop --time "$2" "$id" >/dev/null || die "$EXIT_QUIESCE" "$1 could not be stopped"
  code=$(docker inspect --format '{{.State.ExitCode}}' "$id")
  [ "$code" != 137 ] || die "$EXIT_QUIESCE" "$1 did not stop within $2 seconds and was killed" "stop it by hand, look at its log, then run this again"
}

# start_again SERVICE: before the others that were stopped.
start_again() {
  local line kept=''
  grep_line "start $1" "$SETS/$RESUME" || return 0
  docker start "$(container_of "$1")" >/dev/null || die "$EXIT_RESUME" "$1 could not be started again" "docker compose up -d --wait"
  while IFS= read -r line; do
    [ "$line" = "start $1" ] || kept+="$line"$'\n'
  done <"$SETS/$RESUME"
  printf '%s' "$kept" >"$SETS/$RESUME"
}

# grep_line LINE FILE: whether it is there.
grep_line() {
  local line
  [ -e "$2" ] || return 1
  while IFS= read -r line; do [ "$line" != "$1" ] || return 0; done <"$2"
  return 1
}

# wait_healthy CONTAINER...: a minute at most. One that was paused is unhealthy until its next check.
wait_healthy() {
  local id state waited=0
  for id in "$@"; do
    while state=$(docker inspect --format '{{if .State.Health}}{{.State.Health.Status}}{{end}}' "$id" 2>/dev/null) &&
      [ -n "$state" ] && [ "$state" != healthy ] && [ "$waited" -lt 60 ]; do
      sleep 1
      waited=$((waited + 1))
    done
  done
}

# resume_services FILE: undoes what it says, the last first. What could not be undone stays in it.
resume_services() {
  local file="$SETS/$1" lines=() started=() index verb service id left=''
  [ -s "$file" ] || { rm -f "$file"; return 0; }
  mapfile -t lines <"$file"
  for ((index = ${#lines[@]} - 1; index >= 0; index--)); do
    read -r verb service <<<"${lines[index]}"
    if ! id=$(container_of "$service"); then
      left="${lines[index]}"$'\n'"$left"
      continue
    fi
    # A container that was removed meanwhile is nobody's to start.
    [ -n "$id" ] || continue
    if resume_container "$verb" "$id"; then
      started+=("$id")
    else
      left="${lines[index]}"$'\n'"$left"
    fi
  done
  printf '%s' "$left" >"$file"
  if [ -n "$left" ]; then
    printf 'error: could not be started again: %s\nhint: docker compose up -d --wait, and docker compose unpause\n' "${left//$'\n'/, }" >&2
    return 1
  fi
  rm -f "$file"
  wait_healthy "${started[@]}"
}

# resume_container VERB ID; STARTED is what was started before it.
resume_container() {
  local state
  state=$(docker inspect --format '{{.State.Running}} {{.State.Paused}}' "$2" 2>/dev/null) || return 1
  case "$1 $state" in
    "unpause true true")
      # What it stores its data in first: else it would answer with errors.
      wait_healthy "${started[@]}"
      docker unpause "$2" >/dev/null 2>&1
      ;;
    # It may be in the middle of a stop that was asked for.
    "start true false") docker stop --time 120 "$2" >/dev/null 2>&1 && docker start "$2" >/dev/null 2>&1 ;;
    "start false false") docker start "$2" >/dev/null 2>&1 ;;
    *) ;;
  esac
}

FRAMEWORK_NAME=''
# prepare: everything that a run which changes something needs; leftovers of one that was killed go.
prepare() {
  require_host
  FRAMEWORK_NAME=$(env_value FRAMEWORK_NAME) || exit
  CLIENT_LABEL="framework-infra.client=$FRAMEWORK_NAME"
  require_engine
  take_lock
  remove_clients
  resume_services .resume || exit "$EXIT_RESUME"
  [ -e "$SETS/.restoring" ] || resume_services .users || exit "$EXIT_RESUME"
  rm -rf "$SETS"/*.partial "$SETS"/.deleting-* "$SETS/.notes"
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
new_notes() {
  NOTES=$SETS/.notes
  rm -rf "$NOTES"
  mkdir -m 700 "$NOTES" || die "$EXIT_WRITE" "$NOTES could not be made" "check the owner and mode of $SETS"
}

note() { cat "$NOTES/$1" 2>/dev/null || true; }
put_note() { printf '%s' "$2" >"$NOTES/$1"; }

# has SERVICE HOOK
has() { declare -F "$1_$2" >/dev/null; }

# background COMMAND...: so that a signal is acted on at once, not when the command has ended. Its exit code is in RESULT.
# Never behind `if`, `||` or `&&`: there, Bash goes on after whatever fails in the command.
background() {
  (
    set -e
    "$@"
  ) &
  CHILD=$!
  RESULT=0
  wait "$CHILD" || RESULT=$?
  CHILD=''
}
CHILD='' RESULT=0
