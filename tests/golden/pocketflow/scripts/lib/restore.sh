# shellcheck shell=bash disable=SC2034,SC2154 # names that the other files use or set
# Puts what a set holds into a stack: this one, or a second one that is made for it.

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

start() {
  compose up -d --wait "$@" >/dev/null 2>"$NOTES/up" || die "$EXIT_RESUME" "$([ $# -gt 0 ] && printf '%s' "$*" || printf 'the stack') did not start: $(tail -n 1 "$NOTES/up")" "docker compose ps; docker compose logs; if its volume is damaged, see DISASTER_RECOVERY.md"
}

# What restores itself through its server runs; what is restored as files has a container, and stands still: the files
# that are there need not be good enough to start with.
start_chosen() {
  local service
  for service in $1; do
    if has "$service" restore; then
      start "$service"
    else
      compose up --no-start "$service" >/dev/null 2>"$NOTES/up" || die "$EXIT_RESUME" "the container of $service could not be created: $(tail -n 1 "$NOTES/up")"
    fi
  done
  # shellcheck disable=SC2086 # one word each
  hold_clients restore $1
}

restore_service() {
  local service=$1 dir="$SETS/$SOURCE/$1" volume how has_files=false
  know_client "$service"
  while read -r -u 4 volume how; do
    [ "$how" = files ] || continue
    has_files=true
    restore_volume "$service" "$volume" "$dir"
    [ "$COMPARE" = false ] || compare_volume "$service" "$volume" "$dir"
  done 4< <(volumes_of "$service")
  [ "$has_files" = false ] || start "$service"
  if has "$service" restore; then "${service}_restore" "$dir"; fi
  if [ "$COMPARE" = true ] && has "$service" compare; then
    step "$service" "comparing what was restored with what was saved"
    "${service}_compare" "$dir"
  fi
}
COMPARE=false

# The files are put beside those that are there, and take their place when they are complete.
restore_volume() {
  local service=$1 volume=$2 dir=$3 name
  name=$(volume_name "$service" "$volume") || exit
  step "$service" "restoring the files of $volume"
  compose stop --timeout 60 "$service" >/dev/null 2>&1 || die "$EXIT_QUIESCE" "$service could not be stopped"
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

# compare_volume SERVICE VOLUME DIR: before its service starts and writes. Name, kind, size, owner, mode and time of each
# file, and the bytes of all files in the order of the archive.
compare_volume() {
  local service=$1 volume=$2 dir=$3 name saved restored
  name=$(volume_name "$service" "$volume") || exit
  saved=$(tool_client "$service" -- tar -tvf - <"$dir/$volume.tar" | archive_lines | sum_of /dev/stdin) || die "$EXIT_DAMAGED" "$volume.tar cannot be read"
  restored=$(volume_client "$service" "$name" ro -- tar -C /volume -cf - . </dev/null | tool_client "$service" -- tar -tvf - | archive_lines | sum_of /dev/stdin) ||
    die "$EXIT_DRILL" "the restored files of $volume could not be read"
  [ "$saved" = "$restored" ] || die "$EXIT_DRILL" "the restored files of $volume are not those that were saved"
  saved=$(tool_client "$service" -- tar -xOf - <"$dir/$volume.tar" | sum_of /dev/stdin) || die "$EXIT_DAMAGED" "$volume.tar cannot be read"
  restored=$(tool_client "$service" -- tar -tf - <"$dir/$volume.tar" | archive_files |
    volume_client "$service" "$name" ro -- sh -ec "$VOLUME_BYTES" | sum_of /dev/stdin) ||
    die "$EXIT_DRILL" "the restored files of $volume could not be read"
  [ "$saved" = "$restored" ] || die "$EXIT_DRILL" "the bytes of the restored files of $volume are not those that were saved"
}

# Runs in the image: the bytes of the files of /volume that standard input lists. Not every BusyBox takes a list; there,
# what tar would have as a hard link to a file that it has already is left out.
# shellcheck disable=SC2016 # for the shell in there
VOLUME_BYTES='
cd /volume
if tar -cf /dev/null -T /dev/null 2>/dev/null; then
  tar -cf - -T - | tar -xOf -
  exit
fi
seen=" "
while IFS= read -r file; do
  [ ! -L "$file" ] && [ -f "$file" ] || continue
  links=$(stat -c "%h %i" "$file")
  case $links in
    "1 "*) ;;
    *)
      case $seen in *" ${links#* } "*) continue ;; esac
      seen="$seen${links#* } "
      ;;
  esac
  cat "$file"
done
'

archive_files() { while IFS= read -r line; do [[ $line == */ ]] || printf '%s\n' "$line"; done; }

# Sorted; the directory of the volume itself is new. A directory's time is left out: BusyBox sets it before it puts the
# files in, as in the image of SeaweedFS.
archive_lines() {
  local line
  while IFS= read -r line; do
    if [[ $line =~ ^(d[^\ ]+\ +[^\ ]+)\ +[0-9]+\ +[0-9-]+\ +[0-9:]+\ (.*)$ ]]; then line="${BASH_REMATCH[1]} ${BASH_REMATCH[2]}"; fi
    [[ $line == *' ./' ]] || printf '%s\n' "$line"
  done | sort
}
