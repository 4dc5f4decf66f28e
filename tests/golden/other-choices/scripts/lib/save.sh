# shellcheck shell=bash disable=SC2034,SC2154 # names that the other files use or set
# Makes a set: pauses what writes, saves each service, resumes, verifies, and only then gives the set its name.

# clean_up: for the EXIT trap of every script that changes something.
clean_up() {
  local code=$?
  trap '' INT TERM HUP
  end_child
  if [ "$LOCKED" = true ]; then
    remove_clients
    # A second stack that did not get all of its data.
    if [ -n "${SECOND:-}" ]; then
      remove_second "$SECOND" || warn "not all of the second stack $SECOND could be deleted"
      first_stack
    fi
    # Without its name, the stack's containers would all look as if they had been removed.
    if [ -n "$FRAMEWORK_NAME" ]; then
      resume_services .resume || [ "$code" -ne 0 ] || code=$EXIT_RESUME
      [ -e "$SETS/.restoring" ] || resume_services .users || [ "$code" -ne 0 ] || code=$EXIT_RESUME
    fi
    tidy_services
    # What was fetched for a restore that did not begin, or is over: decrypted, and in the repository.
    [ "${FETCHED:-false}" = false ] || [ -e "$SETS/.restoring" ] || stub_of "$SOURCE"
    rm -rf "$SETS"/*.partial "$SETS/.notes" "$SETS/.getting"
    release_lock
  fi
  report_end "$code"
  exit "$code"
}

# tidy_services: what a service's part has put among its data, and could not take away again.
tidy_services() {
  local service
  [ -n "${NOTES:-}" ] && [ -z "${SECOND:-}" ] && [ -n "$FRAMEWORK_NAME" ] || return 0
  for service in $(stack_services); do
    # In a shell of its own: what ends there must not end the cleaning up.
    if [ -e "$NOTES/$service.tidy" ] && has "$service" tidy; then ("${service}_tidy") >/dev/null 2>&1 3>&1 || true; fi
  done
}

# with_stores [SERVICE...]: every service that holds data, or those that are named with what they store it in.
with_stores() {
  local service all=' ' found=''
  for service in $(stack_services); do all+="$service "; done
  for service in "$@"; do
    case $all in *" $service "*) ;; *) die "$EXIT_USAGE" "this stack has no service $service" "it has$all" ;; esac
  done
  for service in $(stack_services); do
    if [ $# -gt 0 ] && ! is_among "$service" "$@"; then
      local by=''
      for by in "$@"; do
        # shellcheck disable=SC2046 # one word each
        is_among "$service" $(requires_of "$by") && break
        by=''
      done
      [ -n "$by" ] || continue
    fi
    if holds_data "$service"; then found+="$service "; fi
  done
  [ -n "$found" ] || die "$EXIT_USAGE" "none of these services holds data that is saved"
  printf '%s' "$found"
}

is_among() {
  local each
  for each in "${@:2}"; do [ "$each" != "$1" ] || return 0; done
  return 1
}

# holds_data SERVICE: whether any of its volumes is saved.
holds_data() {
  local volume how
  while read -r volume how; do
    [ "$how" = none ] || [ -z "$volume" ] || return 0
  done < <(volumes_of "$1")
  return 1
}

# save_set REASON SERVICES: makes the set $SET.
save_set() {
  local reason=$1 created started=$SECONDS partial service id services
  # shellcheck disable=SC2206 # one word each
  services=($2)
  new_notes
  for service in $(stack_services); do part_of "$service"; done
  for service in "${services[@]}"; do
    id=$(require_container "$service") || exit
    put_note "$service.image" "$(docker inspect --format '{{.Config.Image}}' "$id")"
  done
  require_space
  hold_clients save "${services[@]}"
  SET=$(date -u +%Y%m%dT%H%M%SZ)
  while [ -e "$SETS/$SET" ]; do
    sleep 1
    SET=$(date -u +%Y%m%dT%H%M%SZ)
  done
  created=$(time_of "$SET")
  partial="$SETS/$SET.partial"
  mkdir -m 700 "$partial" || die "$EXIT_WRITE" "$partial could not be created" "check the owner and mode of $SETS"

  quiesce "${services[@]}"
  for service in "${services[@]}"; do
    mkdir "$partial/$service"
    background save_service "$service" "$partial/$service"
    [ "$RESULT" = 0 ] || fail_saving "$RESULT" "$service"
  done
  cp framework.yaml "$partial/framework.yaml" || fail_saving 1 ""
  # Encrypted in the repository; here it is gone as soon as it is there. The state before a restore stays here.
  [ "$DRIVER" != restic ] || [ -n "$reason" ] || cp .env "$partial/env" || fail_saving 1 ""
  put_note at-risk "$(at_risk)"
  resume_services .resume || exit "$EXIT_RESUME"

  background write_manifest "$partial" "$SET" "$created" "$started" "$reason"
  [ "$RESULT" = 0 ] || fail_saving "$RESULT" ""
  require_whole "$SET.partial" "$SET"
  check_parts "$partial" "${services[@]}"
  # On disk, before it has its name.
  background sync_files "$partial"
  [ "$RESULT" = 0 ] || fail_saving "$RESULT" ""
  mv -T "$partial" "$SETS/$SET" || die "$EXIT_WRITE" "$SETS/$SET could not be created"
  sync "$SETS"
  step "" "set $SET is complete and verified"
}

# fail_saving CODE SERVICE: ends with the part's own code; what it did not explain is a full disk, or that it failed.
fail_saving() {
  timeout 20 docker version >/dev/null 2>&1 || engine_is_gone
  [ "$1" -lt 20 ] || [ "$1" -gt 49 ] || exit "$1"
  local free
  free=$(df --output=avail -B1 "$SETS" 2>/dev/null | tail -n 1) || free=''
  if [[ $free =~ ^\ *[0-9]+$ ]] && [ "$free" -lt 1048576 ]; then
    die "$EXIT_SPACE" "no space left in $SETS" "delete what is not needed, or set backup.directory in framework.yaml"
  fi
  die "$EXIT_SAVE" "${2:-the set} could not be saved"
}

require_space() {
  local free newest size=0
  free=$(df --output=avail -B1 "$SETS" | tail -n 1)
  newest=$(newest_set)
  [ -z "$newest" ] || size=$(size_of "$newest")
  [ "${free// /}" -ge "$((size + 16777216))" ] ||
    die "$EXIT_SPACE" "the last set takes $((size / 1048576)) MiB, and $((${free// /} / 1048576)) MiB are free in $SETS" "delete what is not needed, or set backup.directory in framework.yaml"
}

# quiesce SERVICE...: stops what writes to these services, where all that it writes to is saved.
quiesce() {
  local service needed
  put_note quiesced false
  put_note complete true
  for service in $(stack_services); do
    if holds_data "$service" && ! is_among "$service" "$@"; then put_note complete false; fi
  done
  [ "$QUIESCE" = true ] || return 0
  put_note quiesced true
  for service in $(stack_services); do
    has "$service" pause || continue
    for needed in $(requires_of "$service"); do
      ! holds_data "$needed" || is_among "$needed" "$@" || { put_note quiesced false; continue 2; }
    done
    background "${service}_pause"
    [ "$RESULT" = 0 ] || exit "$RESULT"
  done
}

# at_risk: how much was taken in and is in no store; "null" where a service cannot say.
at_risk() {
  local service sum=0 each
  for service in $(stack_services); do
    has "$service" at_risk || continue
    each=$("${service}_at_risk") || each=null
    [ "$each" != null ] || { printf null; return; }
    sum=$((sum + each))
  done
  printf '%s' "$sum"
}

save_service() {
  local service=$1 dir=$2 volume how
  know_client "$service"
  # On 4: a client would read the rest of the list as its own input.
  while read -r -u 4 volume how; do
    [ "$how" != files ] || save_volume "$service" "$volume" "$dir"
  done 4< <(volumes_of "$service")
  start_again "$service"
  if has "$service" save; then "${service}_save" "$dir"; fi
}

# A volume as it lies on the disk, while its service stands still.
save_volume() {
  local service=$1 volume=$2 dir=$3 name
  name=$(volume_name "$service" "$volume") || exit
  step "$service" "saving the files of $volume, while $service is stopped"
  stop_service "$service" 60
  volume_client "$service" "$name" ro -- tar -C /volume -cf - . </dev/null >"$dir/$volume.tar" ||
    die "$EXIT_SAVE" "the files of $volume could not be read"
}

# volume_name SERVICE VOLUME: as the engine knows it. Docker would make an empty one for a name that is not used.
volume_name() {
  local name="${FRAMEWORK_NAME}_$2" id mounted
  id=$(require_container "$1") || exit
  mounted=$(docker inspect --format '{{range .Mounts}}{{println .Name}}{{end}}' "$id") || engine_is_gone
  case $'\n'$mounted$'\n' in
    *$'\n'"$name"$'\n'*) printf '%s' "$name" ;;
    *) die "$EXIT_SAVE" "$1 does not use the volume $name, so its data is somewhere else" "give the volume in compose.yaml its name back, or save $1 yourself and name the other services" ;;
  esac
}

# sync_files DIR: every file and directory of it is on the disk, not only on the way there.
sync_files() {
  local file
  while IFS= read -r file; do sync "$1/$file"; done < <(files_below "$1")
  sync "$1" "$1"/*/
}
