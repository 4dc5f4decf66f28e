# shellcheck shell=bash disable=SC2034,SC2154 # names that the other files use or set
# Backup sets: what a manifest says, whether a set is whole, which sets are kept. Sourced after common.sh and stack.sh.

readonly FORMAT=1
readonly ID_PATTERN='^[0-9]{8}T[0-9]{6}Z$'

# set_ids: the complete sets, the newest first by their own time.
set_ids() {
  local path
  for path in "$SETS"/*/manifest.json; do
    [ -f "$path" ] || continue
    path=${path%/manifest.json}
    if [[ ${path##*/} =~ $ID_PATTERN ]]; then printf '%s\n' "${path##*/}"; fi
  done | sort -r
}

# field FILE KEY: a text, number or true/false of a manifest, which has one key a line.
field() {
  local line
  while IFS= read -r line; do
    if [[ $line =~ ^\ *\"$2\":\ \"?([^\",]*)\"?,?$ ]]; then
      printf '%s' "${BASH_REMATCH[1]}"
      return
    fi
  done <"$1"
}

# services_in ID: the services that a set holds.
services_in() {
  local line
  while IFS= read -r line; do
    if [[ $line =~ ^\ {4}\"([a-z][a-z0-9-]*)\":\ \{$ ]]; then printf '%s\n' "${BASH_REMATCH[1]}"; fi
  done <"$SETS/$1/manifest.json"
}

# service_field ID SERVICE KEY
service_field() {
  local line inside=false
  while IFS= read -r line; do
    if [[ $line =~ ^\ {4}\"([a-z][a-z0-9-]*)\":\ \{$ ]]; then
      inside=false
      [ "${BASH_REMATCH[1]}" != "$2" ] || inside=true
    elif [ "$inside" = true ] && [[ $line =~ ^\ {6}\"$3\":\ \"(.*)\",?$ ]]; then
      printf '%s' "${BASH_REMATCH[1]}"
      return
    fi
  done <"$SETS/$1/manifest.json"
}

# counts_in ID SERVICE: lines "KEY<tab>NUMBER", as the part counted them; KEY as in JSON.
counts_in() {
  local line inside=false
  while IFS= read -r line; do
    if [[ $line =~ ^\ {4}\"([a-z][a-z0-9-]*)\":\ \{$ ]]; then
      inside=false
      [ "${BASH_REMATCH[1]}" != "$2" ] || inside=true
    elif [ "$inside" = true ] && [[ $line =~ ^\ {8}\"(.*)\":\ ([0-9]+),?$ ]]; then
      printf '%s\t%s\n' "${BASH_REMATCH[1]}" "${BASH_REMATCH[2]}"
    fi
  done <"$SETS/$1/manifest.json"
}

# files_in ID: lines "SHA256 BYTES PATH".
files_in() {
  local line
  while IFS= read -r line; do
    if [[ $line =~ ^\ {8}\{\"path\":\ \"([A-Za-z0-9._/-]+)\",\ \"bytes\":\ ([0-9]+),\ \"sha256\":\ \"([0-9a-f]{64})\"\},?$ ]]; then
      printf '%s %s %s\n' "${BASH_REMATCH[3]}" "${BASH_REMATCH[2]}" "${BASH_REMATCH[1]}"
    fi
  done <"$SETS/$1/manifest.json"
}

# newest_set: the id of the newest complete set, or nothing.
newest_set() {
  local ids
  ids=$(set_ids)
  printf '%s' "${ids%%$'\n'*}"
}

# newest_backup: the same, of those that hold every service of their stack, that no restore has made, and that are where
# they are to be: in the repository, or copied.
newest_backup() {
  local id copied=''
  [ ! -x "$STACK_DIR/hooks/copy" ] || copied=$(cat "$SETS/.copied" 2>/dev/null) || copied=none
  for id in $(set_ids); do
    if [ "$(field "$SETS/$id/manifest.json" complete)" != true ] || [ -n "$(field "$SETS/$id/manifest.json" reason)" ]; then continue; fi
    if [ "$DRIVER" = restic ]; then
      is_stub "$SETS/$id" || continue
    elif [ -n "$copied" ] && [[ $copied == none || $id > $copied ]]; then
      continue
    fi
    printf '%s' "$id"
    return
  done
}

# is_stub FOLDER: whether only the manifest of a set is here, and its files are in a repository.
is_stub() {
  local files
  files=$(files_below "$1") || return 1
  [ "$files" = $'manifest.json\nmanifest.sha256' ]
}

# size_of ID: the bytes of its files.
size_of() {
  local sum bytes path size=0
  while read -r sum bytes path; do size=$((size + bytes)); done < <(files_in "$1")
  printf '%s' "$size"
}

require_set() {
  [[ $1 =~ $ID_PATTERN ]] || die "$EXIT_USAGE" "$1 is not the ID of a set" "scripts/list-backups.sh shows them"
  [ -f "$SETS/$1/manifest.json" ] || die "$EXIT_NO_SET" "there is no set $1 in $SETS" "scripts/list-backups.sh shows them"
}

# require_whole FOLDER [ID]: every file of the set is there, is as it was saved, and no other is.
require_whole() {
  local dir="$SETS/$1" manifest="$SETS/$1/manifest.json" format sum bytes path listed=0 present
  local where="set $1 is damaged"
  local hint="use another set (scripts/list-backups.sh), or a copy of this one"
  format=$(field "$manifest" formatVersion)
  [[ $format =~ ^[0-9]{1,6}$ ]] || die "$EXIT_DAMAGED" "$where: manifest.json cannot be read" "$hint"
  [ "$format" -le $FORMAT ] || die "$EXIT_NEWER" "set $1 has format $format; these scripts know format $FORMAT" "npm run regenerate with the newer program"
  [ "$(cat "$dir/manifest.sha256" 2>/dev/null)" = "$(sum_of "$manifest")" ] || die "$EXIT_DAMAGED" "$where: manifest.json is not as it was written" "$hint"
  [ "$(field "$manifest" id)" = "${2:-$1}" ] || die "$EXIT_DAMAGED" "$where: its manifest is of another set" "$hint"
  while read -r sum bytes path; do
    listed=$((listed + 1))
    [[ /$path/ != */../* ]] || die "$EXIT_DAMAGED" "$where: $path leads out of it" "$hint"
    { [ -f "$dir/$path" ] && [ ! -L "$dir/$path" ]; } || die "$EXIT_DAMAGED" "$where: $path is missing" "$hint"
    [ "$(stat -c %s "$dir/$path")" = "$bytes" ] || die "$EXIT_DAMAGED" "$where: $path has another size" "$hint"
    [ "$(sum_of "$dir/$path")" = "$sum" ] || die "$EXIT_DAMAGED" "$where: $path has another content" "$hint"
  done < <(files_in "$1")
  present=$(files_below "$dir" | wc -l)
  [ "$((present))" -eq $((listed + 2)) ] || die "$EXIT_DAMAGED" "$where: it holds $((present - 2)) files, and its manifest lists $listed" "$hint"
}

# files_below DIR: whatever is not a directory, links too; paths below DIR, sorted.
files_below() (
  shopt -s globstar dotglob nullglob
  cd "$1" || exit
  for path in **; do
    [ -d "$path" ] && [ ! -L "$path" ] || printf '%s\n' "$path"
  done
)

sum_of() {
  local sum
  if [ "$HAS_OPENSSL" = true ]; then
    sum=$(openssl dgst -sha256 -r <"$1") || return 1
  else
    sum=$(sha256sum <"$1") || return 1
  fi
  printf '%s' "${sum%% *}"
}

# check_parts DIR SERVICE...: asks each service's own tools whether they can read what was saved.
check_parts() {
  local dir=$1 service file
  shift
  for service in "$@"; do
    part_of "$service"
    for file in "$dir/$service"/*.tar; do
      [ -f "$file" ] || continue
      step "$service" "checking that ${file##*/} can be read"
      background check_archive "$service" "$file"
      [ "$RESULT" = 0 ] || exit "$RESULT"
    done
    if has "$service" check; then
      step "$service" "checking that it can be read"
      background "${service}_check" "$dir/$service"
      [ "$RESULT" = 0 ] || exit "$RESULT"
    fi
  done
}

check_archive() {
  tool_client "$1" -- tar -tf - <"$2" >/dev/null || die "$EXIT_DAMAGED" "${2##*/} cannot be read" "make another set"
}

# write_manifest DIR ID CREATED STARTED REASON: from what the parts noted in $NOTES. STARTED: seconds of $SECONDS.
write_manifest() {
  local dir=$1 id=$2 created=$3 started=$4 reason=$5 service file comma=''
  {
    printf '{\n  "formatVersion": %d,\n  "id": "%s",\n  "framework": "%s",\n  "created": "%s",\n' $FORMAT "$id" "$FRAMEWORK" "$created"
    printf '  "program": "%s",\n  "reason": "%s",\n' "$(json_text "$(program_version)")" "$(json_text "$reason")"
    printf '  "complete": %s,\n  "quiesced": %s,\n  "eventsAtRisk": %s,\n' "$(note complete)" "$(note quiesced)" "$(note at-risk)"
    printf '  "seconds": %d,\n  "files": [%s\n  ],\n  "services": {' $((SECONDS - started)) "$(files_json "$dir" '')"
    for service in $(selected_in "$dir"); do
      printf '%s\n    "%s": {\n' "$comma" "$service"
      printf '      "image": "%s",\n' "$(json_text "$(note "$service.image")")"
      printf '      "serverVersion": "%s",\n      "files": [%s' "$(json_text "$(note "$service.version")")" "$(files_json "$dir" "$service/")"
      printf '\n      ],\n      "counts": {'
      comma=''
      while IFS=$'\t' read -r file count; do
        printf '%s\n        "%s": %s' "$comma" "$file" "$count"
        comma=,
      done < <(note "$service.counts")
      printf '\n      }\n    }'
      comma=,
    done
    printf '\n  }\n}\n'
  } >"$dir/manifest.json"
  sum_of "$dir/manifest.json" >"$dir/manifest.sha256"
}

# files_json DIR FOLDER/: the files of one folder of a set; with "" for FOLDER/, those that are in none.
files_json() {
  local path comma=''
  while IFS= read -r path; do
    case $path in manifest.*) continue ;; esac
    case $2 in '') [[ $path != */* ]] || continue ;; *) [[ $path == "$2"* ]] || continue ;; esac
    printf '%s\n        {"path": "%s", "bytes": %s, "sha256": "%s"}' "$comma" "$path" "$(stat -c %s "$1/$path")" "$(sum_of "$1/$path")"
    comma=,
  done < <(files_below "$1")
}

selected_in() {
  local path
  for path in "$1"/*/; do
    path=${path%/}
    printf '%s\n' "${path##*/}"
  done
}

program_version() {
  local line
  while IFS= read -r line; do
    if [[ $line =~ \"program\":\ *\"([^\"]*)\" ]]; then
      printf '%s' "${BASH_REMATCH[1]}"
      return
    fi
  done <"$STACK_DIR/.scaffold/state.json" 2>/dev/null
  printf 'unknown'
}

# time_of ID: as in a manifest.
time_of() { printf '%s-%s-%sT%s:%s:%sZ' "${1:0:4}" "${1:4:2}" "${1:6:2}" "${1:9:2}" "${1:11:2}" "${1:13:2}"; }

# seconds_of ID: its time, in seconds since 1970.
seconds_of() { date -u -d "$(time_of "$1")" +%s; }

# delete_old_sets NEW: by the settings in framework.yaml, each kind of set for itself. Only after a success, by the
# time in the set; sets from the future stay, and so does every set without a valid manifest.
delete_old_sets() {
  local new=$1 id now kind kinds='' kept drilled
  drilled=$(cat "$SETS/.drill/set" 2>/dev/null) || drilled=''
  now=$(seconds_of "$new")
  for id in $(set_ids); do
    kind=$(kind_of "$id") || continue
    kinds+="$kind"$'\n'
  done
  while IFS= read -r kind; do
    [ -n "$kind" ] || continue
    local ids=()
    for id in $(set_ids); do
      [ "$(kind_of "$id")" = "$kind" ] || continue
      # What is in a repository goes by the rules of that.
      [ "$DRIVER" = dir ] || ! is_stub "$SETS/$id" || continue
      [ "$(seconds_of "$id")" -le "$now" ] && ids+=("$id")
    done
    kept=$(kept_of "${ids[@]}")
    for id in "${ids[@]}"; do
      case " $kept $new $drilled " in *" $id "*) continue ;; esac
      step "" "deleting set $id, which is older than what is kept"
      mv -T "$SETS/$id" "$SETS/.deleting-$id" && rm -rf "$SETS/.deleting-$id"
    done
  done < <(sort -u <<<"$kinds")
}

# kind_of ID: sets of one kind replace each other; fails where the manifest is not as it was written.
kind_of() {
  local manifest="$SETS/$1/manifest.json"
  [ "$(cat "$SETS/$1/manifest.sha256" 2>/dev/null)" = "$(sum_of "$manifest")" ] || return 1
  local reason
  reason=$(field "$manifest" reason)
  printf '%s %s' "${reason%% of *}" "$(services_in "$1" | tr '\n' ' ')"
}

# kept_of ID... (the newest first): the last ones, and the newest of each day, week and month.
kept_of() {
  local id number=0 day week month days=' ' weeks=' ' months=' ' in_days=0 in_weeks=0 in_months=0 keep
  for id in "$@"; do
    keep=false
    number=$((number + 1))
    [ "$number" -gt "$KEEP_LAST" ] || keep=true
    day=${id:0:8}
    week=$(date -u -d "$day" +%G-%V)
    month=${id:0:6}
    if [[ $days != *" $day "* ]] && [ "$in_days" -lt "$KEEP_DAILY" ]; then
      days+="$day " in_days=$((in_days + 1)) keep=true
    fi
    if [[ $weeks != *" $week "* ]] && [ "$in_weeks" -lt "$KEEP_WEEKLY" ]; then
      weeks+="$week " in_weeks=$((in_weeks + 1)) keep=true
    fi
    if [[ $months != *" $month "* ]] && [ "$in_months" -lt "$KEEP_MONTHLY" ]; then
      months+="$month " in_months=$((in_months + 1)) keep=true
    fi
    [ "$keep" = false ] || printf '%s ' "$id"
  done
}
