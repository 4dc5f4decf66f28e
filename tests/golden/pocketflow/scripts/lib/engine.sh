# shellcheck shell=bash disable=SC2034,SC2154 # names that the other files use or set
# What is asked of the Docker engine: containers of the stack, clients of its services, what is paused and goes on again.

require_engine() {
  local answer
  answer=$(timeout 20 docker version --format '{{.Server.Version}}' 2>&1) ||
    die "$EXIT_ENGINE" "the Docker engine does not answer: ${answer##*$'\n'}" "is it running, and may this user use it? (docker info)"
  docker compose version >/dev/null 2>&1 || die "$EXIT_HOST" "docker compose is not installed"
}

# compose ARGUMENT...: of this stack, or of the second one that restore.sh and a drill make.
compose() { docker compose "${COMPOSE_OPTIONS[@]}" "$@"; }
COMPOSE_OPTIONS=()

# container_of SERVICE: the id of its container; nothing where there is none. Fails where the engine does not answer:
# that is not the same as a container that is gone.
container_of() {
  local found
  found=$(docker ps --all --quiet --filter "label=com.docker.compose.project=${COMPOSE_PROJECT_NAME:-$FRAMEWORK_NAME}" \
    --filter "label=com.docker.compose.service=$1" --filter label=com.docker.compose.oneoff=False 2>/dev/null) || return 1
  printf '%s' "${found%%$'\n'*}"
}

engine_is_gone() { die "$EXIT_ENGINE" "the Docker engine does not answer any more"; }

# require_container SERVICE: the id of its container.
require_container() {
  local id
  id=$(container_of "$1") || engine_is_gone
  [ -n "$id" ] || die "$EXIT_DOWN" "$1 has no container" "docker compose up -d --wait $1"
  printf '%s' "$id"
}

# is_running SERVICE: ends the run where nobody can know.
is_running() {
  local id state
  id=$(container_of "$1") || engine_is_gone
  [ -n "$id" ] || return 1
  state=$(docker inspect --format '{{.State.Running}} {{.State.Paused}}' "$id" 2>/dev/null) || engine_is_gone
  [ "$state" = "true false" ]
}

require_running() {
  is_running "$1" || die "$EXIT_DOWN" "$1 is not running" "docker compose up -d --wait $1"
}

# client SERVICE [NAME...] -- COMMAND...: in a container of the image that SERVICE runs, on its internal network, with the
# variables NAME of this shell. Never in the service's own: what `docker exec` starts there outlives its client.
client() {
  local service=$1 environment=()
  shift
  while [ "$1" != -- ]; do
    environment+=(--env "$1")
    shift
  done
  if is_held "$service"; then
    docker exec --interactive "${environment[@]}" "${HELD[$FRAMEWORK_NAME/$service]}" "${@:2}"
  else
    know_client "$service"
    run_client "$service" --network "${CLIENT_NETWORK[$FRAMEWORK_NAME/$service]}" "${environment[@]}" "$@"
  fi
}

# tool_client SERVICE -- COMMAND...: the same without a network, to read what was saved.
tool_client() {
  if is_held "$1/none"; then
    docker exec --interactive "${HELD[$FRAMEWORK_NAME/$1/none]}" "${@:3}"
  else
    run_client "$1" --network none "${@:2}"
  fi
}

# volume_client SERVICE VOLUME ro|rw -- COMMAND...: the same, with a volume at /volume.
volume_client() { run_client "$1" --network none --volume "$2:/volume:$3" "${@:4}"; }

# know_client SERVICE: the image, user and network of its clients, for the rest of this shell and those that it starts.
declare -A CLIENT_FACTS=() CLIENT_NETWORK=()
know_client() {
  local key=$FRAMEWORK_NAME/$1 id facts
  [ -z "${CLIENT_FACTS[$key]:-}" ] || return 0
  id=$(require_container "$1") || exit
  facts=$(docker inspect --format '{{.Image}} {{.Config.User}}' "$id" 2>/dev/null) || engine_is_gone
  CLIENT_NETWORK[$key]=$(network_of "$id")
  CLIENT_FACTS[$key]=$facts
}

# hold_client SERVICE [none]: one container for all of its clients (tool clients with `none`) from here on, in this shell
# and those that it starts: each would take half a second to start. It ends with the last process that has the writing
# end of its input, however that ends, and with it all that runs in it.
declare -A HELD=() HELD_BY=() HELD_RUNS=()
hold_client() {
  local key=$FRAMEWORK_NAME/$1${2:+/$2} hold name network
  [ -z "${HELD[$key]:-}" ] || return 0
  know_client "$1"
  name=$(client_name "$1")
  network=${2:-${CLIENT_NETWORK[$key]:-}}
  exec {hold}> >(run_client "$1" --name "$name" --network "$network" -- sh -c 'cat >/dev/null' >/dev/null 2>&1)
  HELD_BY[$name]=$!
  HELD[$key]=$name
}

# hold_clients HOOK SERVICE...: for those that have a part with this hook.
hold_clients() {
  local service
  for service in "${@:2}"; do
    if has "$service" "$1"; then hold_client "$service"; fi
  done
}

# is_held SERVICE[/none]: whether it has such a container; waits until that runs.
is_held() {
  local name=${HELD[$FRAMEWORK_NAME/$1]:-} waited=0
  [ -n "$name" ] || return 1
  [ -z "${HELD_RUNS[$name]:-}" ] || return 0
  until [ "$(docker inspect --format '{{.State.Running}}' "$name" 2>/dev/null)" = true ]; do
    # An image without a shell: its clients start one by one.
    { [ "$waited" -lt 300 ] && kill -0 "${HELD_BY[$name]}" 2>/dev/null; } || return 1
    waited=$((waited + 1))
    sleep 0.1
  done
  HELD_RUNS[$name]=true
}

client_name() { printf '%s_client_%s_%s' "$FRAMEWORK_NAME" "$1" "$BASHPID$RANDOM"; }

# run_client SERVICE [OPTION...] -- COMMAND...
run_client() {
  local service=$1 options=() facts
  shift
  while [ "$1" != -- ]; do
    options+=("$1")
    shift
  done
  shift
  know_client "$service"
  facts=${CLIENT_FACTS[$FRAMEWORK_NAME/$service]}
  # No log driver: what is saved would be written a second time, as a log.
  docker run --rm --interactive --pull never --name "$(client_name "$service")" \
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

# await_clients: one that is only just starting is not there yet, so nobody could remove it.
await_clients() {
  local name waited
  for name in "${!HELD_BY[@]}"; do
    waited=0
    while kill -0 "${HELD_BY[$name]}" 2>/dev/null && [ "$waited" -lt 50 ] &&
      [ -z "$(docker ps --all --quiet --filter "name=^$name\$" 2>/dev/null)" ]; do
      sleep 0.1
      waited=$((waited + 1))
    done
  done
}

CLIENT_LABEL=''
# The stack's own name, while FRAMEWORK_NAME is that of a second one.
STACK_NAME=''
remove_clients() {
  local ids
  [ -n "$CLIENT_LABEL" ] || return 0
  await_clients
  HELD=() HELD_BY=()
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

# start_again SERVICE: one that was stopped, before the others.
start_again() {
  local line kept='' stopped=false
  [ -e "$SETS/$RESUME" ] || return 0
  while IFS= read -r line; do
    if [ "$line" = "start $1" ]; then stopped=true; else kept+="$line"$'\n'; fi
  done <"$SETS/$RESUME"
  [ "$stopped" = true ] || return 0
  docker start "$(container_of "$1")" >/dev/null || die "$EXIT_RESUME" "$1 could not be started again" "docker compose up -d --wait"
  printf '%s' "$kept" >"$SETS/$RESUME"
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
    # One that was removed meanwhile stays removed.
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

# remove_dead_drill: what one that was killed has left: a stack, and a set that was fetched.
remove_dead_drill() {
  lock_is_dead .drill || return 0
  # shellcheck source=/dev/null
  . "$STACK_DIR/scripts/lib/second.sh"
  remove_second "${FRAMEWORK_NAME}__drill" || { warn "not all of the stack ${FRAMEWORK_NAME}__drill of a drill that was killed could be deleted"; return 0; }
  rm -rf "$SETS/.drill" "$SETS/.drill-notes" "$SETS/.fetched"
}

FRAMEWORK_NAME=''
# prepare: everything that a run which changes something needs; leftovers of one that was killed go.
prepare() {
  require_host
  FRAMEWORK_NAME=$(env_value FRAMEWORK_NAME) || exit
  CLIENT_LABEL="framework-infra.client=$FRAMEWORK_NAME"
  require_engine
  [ "$LOCKED" = true ] || take_lock
  remove_clients
  resume_services .resume || exit "$EXIT_RESUME"
  [ -e "$SETS/.restoring" ] || resume_services .users || exit "$EXIT_RESUME"
  rm -rf "$SETS"/*.partial "$SETS"/.deleting-* "$SETS/.notes" "$SETS/.getting"
  remove_dead_drill
}
