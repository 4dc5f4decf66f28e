# shellcheck shell=bash disable=SC2016,SC2034,SC2154 # code for elsewhere; names that the other files use or set
# How Qdrant is saved and restored: a snapshot of each collection through its API, compared with the checksum that the
# server gives, and the aliases, which snapshots do not hold. Collections are saved one after the other.

# Runs in Qdrant's image, which has Bash and no HTTP client: METHOD PATH [BODY|-]. With `-`, standard input is sent as
# the multipart field "snapshot", of the size that is given behind it. Prints the body; fails for a status above 299, with
# 3 where the key is refused and 4 where there is no such thing.
# shellcheck disable=SC2016 # for the Bash in there
QDRANT_HTTP='
set -eu
method=$1 path=$2 body=${3-} size=${4-}
exec 3<>/dev/tcp/qdrant/6333
head="%s %s HTTP/1.0\r\nHost: qdrant\r\napi-key: %s\r\nConnection: close\r\n"
set -- "$method" "$path" "$QDRANT_API_KEY"
if [ "$body" = - ]; then
  before=$(printf -- "--fi7d1\r\nContent-Disposition: form-data; name=\"snapshot\"; filename=\"a.snapshot\"\r\nContent-Type: application/octet-stream\r\n\r\n.")
  before=${before%.}
  after=$(printf "\r\n--fi7d1--\r\n.")
  after=${after%.}
  printf "${head}Content-Type: multipart/form-data; boundary=fi7d1\r\nContent-Length: %d\r\n\r\n" "$@" $((${#before} + size + ${#after})) >&3
  printf %s "$before" >&3
  cat >&3
  printf %s "$after" >&3
else
  LC_ALL=C
  printf "${head}Content-Type: application/json\r\nContent-Length: %d\r\n\r\n%s" "$@" ${#body} "$body" >&3
fi
IFS=" " read -r _ status _ <&3
while IFS= read -r line <&3 && [ "${line%$'"'\r'"'}" != "" ]; do :; done
if [ "$status" -gt 299 ]; then
  printf "%s %s: %s " "$method" "$path" "$status" >&2
  head -c 500 <&3 >&2
  case $status in
    401 | 403) exit 3 ;;
    404) exit 4 ;;
    *) exit 1 ;;
  esac
fi
cat <&3
'

# Runs there too: HTTP-SCRIPT COLLECTION-PATH. Prints how many points there are, and a hash of the first 10,000 by their
# ids, with vectors and payloads. Each page ends with where the next one begins, which is left out, like the time that
# it took.
QDRANT_STATE='
set -euo pipefail
http=$1 path=$2 offset=null pages=0
answer=$(bash -c "$http" bash POST "$path/points/count" "{\"exact\":true}")
[[ $answer =~ \"count\":\ *([0-9]+) ]]
printf "%s " "${BASH_REMATCH[1]}"
while [ "$offset" != null ] || [ "$pages" = 0 ]; do
  bash -c "$http" bash POST "$path/points/scroll" "{\"limit\":50,\"with_payload\":true,\"with_vector\":true,\"offset\":$offset}" >/tmp/page
  end=$(tail -c 400 /tmp/page)
  case $end in *\"next_page_offset\":*) ;; *) exit 1 ;; esac
  end=${end##*\"next_page_offset\":}
  head -c $(($(stat -c %s /tmp/page) - ${#end} - 19)) /tmp/page
  end=${end# }
  offset=${end%%[,\}]*}
  pages=$((pages + 1))
  [ "$pages" -lt 200 ] || break
done | sha256sum
'

# Runs there too: HTTP-SCRIPT STATE-SCRIPT COLLECTION-PATH METHOD PATH. The state as the first line, empty where it cannot
# be read; then one request, whose answer follows. For DELETE the other way round, without an answer: its exit code is
# the first line. A client takes longer to start than all this.
QDRANT_STATE_AND='
state() { answer=$(bash -c "$2" bash "$1" "$3" 2>/dev/null) || answer=; printf "%s\n" "$answer"; }
if [ "$4" = DELETE ]; then
  code=0
  bash -c "$1" bash DELETE "$5" >/dev/null || code=$?
  echo "$code"
  state "$@"
else
  state "$@"
  bash -c "$1" bash "$4" "$5"
fi
'

# qdrant_state_and NAME METHOD PATH
qdrant_state_and() {
  client qdrant QDRANT_API_KEY -- bash -c "$QDRANT_STATE_AND" bash "$QDRANT_HTTP" "$QDRANT_STATE" "/collections/$(qdrant_path "$1")" "$2" "$3"
}

# qdrant_counted NAME STATE: "POINTS HASH" from a state, or the number alone where it could not be read.
qdrant_counted() {
  if [[ $2 =~ ^[0-9]+\ [0-9a-f]{64} ]]; then
    printf '%s' "${BASH_REMATCH[0]}"
  else
    qdrant_points "$1"
  fi
}

# qdrant_state NAME: how many points it holds, and a hash of them.
qdrant_state() {
  local answer
  answer=$(client qdrant QDRANT_API_KEY -- bash -c "$QDRANT_STATE" bash "$QDRANT_HTTP" "/collections/$(qdrant_path "$1")") || return
  [[ $answer =~ ^[0-9]+\ [0-9a-f]{64} ]] && printf '%s' "${BASH_REMATCH[0]}"
}

# qdrant_http METHOD PATH [BODY|- SIZE]
qdrant_http() { client qdrant QDRANT_API_KEY -- bash -c "$QDRANT_HTTP" bash "$@"; }

qdrant_connect() {
  QDRANT_API_KEY=$(env_value QDRANT_API_KEY) || exit
  export QDRANT_API_KEY
}

qdrant_version() {
  local answer code=0
  require_running qdrant
  answer=$(qdrant_http GET /collections 2>&1) || code=$?
  [ "$code" != 3 ] || die "$EXIT_DENIED" "qdrant refuses the key" "QDRANT_API_KEY in .env is not the one that it was started with: docker compose up -d --wait qdrant"
  [ "$code" = 0 ] || die "$EXIT_DOWN" "qdrant does not answer: ${answer##*$'\n'}" "docker compose logs qdrant"
  answer=$(qdrant_http GET /) || die "$EXIT_DOWN" "qdrant does not answer" "docker compose logs qdrant"
  json_field version "$answer"
}

# json_field NAME TEXT: the first text of that name, as it is written.
json_field() {
  [[ $2 =~ \"$1\":\ *\"(([^\"\\]|\\.)*)\" ]] && printf '%s' "${BASH_REMATCH[1]}"
}

# qdrant_path NAME-AS-IN-JSON: as part of a URL.
qdrant_path() {
  local text index char
  printf -v text '%b' "${1//\\\//\/}"
  for ((index = 0; index < ${#text}; index++)); do
    char=${text:index:1}
    case $char in
      [A-Za-z0-9._~-]) printf '%s' "$char" ;;
      *) printf '%%%02X' "'$char" ;;
    esac
  done
}

# json_fields NAME TEXT: every text of that name, as it is written, one a line.
json_fields() {
  local rest=$2
  while [[ $rest =~ \"$1\":\ *\"(([^\"\\]|\\.)*)\"(.*)$ ]]; do
    printf '%s\n' "${BASH_REMATCH[1]}"
    rest=${BASH_REMATCH[3]}
  done
}

# The names of the collections, as in JSON, one a line.
qdrant_collections() {
  local answer
  { answer=$(qdrant_http GET /collections) && [[ $answer == *'"collections"'* ]]; } || return 1
  json_fields name "$answer"
}

qdrant_points() {
  local answer
  answer=$(qdrant_http POST "/collections/$(qdrant_path "$1")/points/count" '{"exact":true}') || return
  [[ $answer =~ \"count\":\ *([0-9]+) ]] && printf '%s' "${BASH_REMATCH[1]}"
}

qdrant_save() {
  local dir=$1 version number=0 name path answer snapshot sum before after
  qdrant_connect
  version=$(qdrant_version) || exit
  put_note qdrant.version "$version"
  { qdrant_http GET /aliases >"$dir/aliases.json" && [ -s "$dir/aliases.json" ]; } || die "$EXIT_SAVE" "the aliases of qdrant could not be saved"
  qdrant_collections >"$NOTES/qdrant.collections" || die "$EXIT_SAVE" "the collections of qdrant could not be listed"
  # On 4: a client would read the rest of the list as its own input.
  while IFS= read -r -u 4 name; do
    number=$((number + 1))
    path="/collections/$(qdrant_path "$name")"
    step qdrant "saving the collection $name"
    answer=$(qdrant_state_and "$name" POST "$path/snapshots?wait=true") || die "$EXIT_SAVE" "no snapshot of $name could be taken"
    before=$(qdrant_counted "$name" "${answer%%$'\n'*}") || die "$EXIT_SAVE" "the points of $name could not be counted"
    answer=${answer#*$'\n'}
    { snapshot=$(json_field name "$answer") && sum=$(json_field checksum "$answer"); } || die "$EXIT_SAVE" "qdrant gave no name and checksum for its snapshot of $name"
    # On the server, a snapshot takes as much space as the collection: it goes, whatever becomes of the download.
    answer=0
    qdrant_http GET "$path/snapshots/$(qdrant_path "$snapshot")" >"$dir/$number.snapshot" || answer=$?
    after=$(qdrant_state_and "$name" DELETE "$path/snapshots/$(qdrant_path "$snapshot")?wait=true") || after=''
    # Without its second line, the state could not be read.
    [[ $after == *$'\n'* ]] || after+=$'\n'
    [[ $after == 0$'\n'* ]] || warn "the snapshot $snapshot of $name is still on the server"
    [ "$answer" = 0 ] || die "$EXIT_SAVE" "the snapshot of $name could not be fetched"
    [ "$(sum_of "$dir/$number.snapshot")" = "$sum" ] || die "$EXIT_SAVE" "the snapshot of $name arrived damaged"
    # While somebody writes, nobody knows which of them are in the snapshot. The hash is for a drill.
    after=$(qdrant_counted "$name" "${after#*$'\n'}") || die "$EXIT_SAVE" "the points of $name could not be counted"
    if [ "${before% *}" = "${after% *}" ]; then
      count qdrant "$name" "${after% *}"
      if [[ $after != *' '* ]]; then
        warn "the points of $name could not be read: a drill will compare their number only"
      elif [ "$before" = "$after" ]; then
        printf '%s\t%s\n' "$number" "${after#* }" >>"$dir/hashes.tsv"
      fi
    else
      warn "points of $name changed meanwhile: the set does not say how many it holds"
    fi
    printf '%s\t%s\n' "$number" "$name" >>"$dir/collections.tsv"
  done 4<"$NOTES/qdrant.collections"
  : >>"$dir/collections.tsv"
  : >>"$dir/hashes.tsv"
}

# Qdrant reads snapshots of its own and of the minor version before it.
qdrant_fits() {
  local now saved=${1%-*} major minor
  qdrant_connect
  now=$(qdrant_version) || exit
  [ "$1" != "$now" ] || return 0
  IFS=. read -r major minor _ <<<"$saved"
  case $now in
    "$major.$minor."* | "$major.$((minor + 1))."*) ;;
    *) printf 'it was saved from Qdrant %s; snapshots go into %s.%s and %s.%s, and this is %s' "$1" "$major" "$minor" "$major" $((minor + 1)) "$now" ;;
  esac
}

qdrant_restore() {
  local dir=$1 number name path size sum before after snapshot counted
  qdrant_connect
  while IFS=$'\t' read -r -u 4 number name; do
    path="/collections/$(qdrant_path "$name")"
    step qdrant "restoring the collection $name"
    sum=$(sum_of "$dir/$number.snapshot")
    size=$(stat -c %s "$dir/$number.snapshot")
    before=$(qdrant_snapshots "$name") || exit
    qdrant_http POST "$path/snapshots/upload?priority=snapshot&wait=true&checksum=$sum" - "$size" \
      <"$dir/$number.snapshot" >/dev/null || die "$EXIT_RESTORE" "the collection $name could not be restored"
    # Qdrant keeps what was uploaded. The snapshots that were there are the user's.
    after=$(qdrant_snapshots "$name") || exit
    for snapshot in $after; do
      case $'\n'$before$'\n' in *$'\n'"$snapshot"$'\n'*) continue ;; esac
      qdrant_http DELETE "$path/snapshots/$(qdrant_path "$snapshot")?wait=true" >/dev/null || warn "the snapshot $snapshot of $name is still on the server"
    done
    counted=$(counts_in "$SET" qdrant | while IFS=$'\t' read -r key value; do [ "$key" != "$name" ] || printf '%s' "$value"; done)
    [ -z "$counted" ] || [ "$counted" = "$(qdrant_points "$name")" ] ||
      die "$EXIT_RESTORE" "the restored collection $name does not hold what the set counted"
  done 4<"$dir/collections.tsv"
  qdrant_restore_aliases "$dir"
}

# What a drill restored against what was saved: the points of each collection, and the aliases.
qdrant_compare() {
  local dir=$1 number name hash of state aliases
  qdrant_connect
  # Sets of an earlier version have none.
  [ -e "$dir/hashes.tsv" ] || warn "set $SET has no hashes of points: only their number is compared"
  while IFS=$'\t' read -r -u 4 number name; do
    while IFS=$'\t' read -r -u 5 of hash; do
      [ "$of" = "$number" ] || continue
      state=$(qdrant_state "$name") || die "$EXIT_DRILL" "the points of the restored collection $name could not be read"
      [ "${state#* }" = "$hash" ] ||
        die "$EXIT_DRILL" "the points of the restored collection $name differ from those that were saved"
    done 5< <(cat "$dir/hashes.tsv" 2>/dev/null)
  done 4<"$dir/collections.tsv"
  aliases=$(qdrant_http GET /aliases) || die "$EXIT_DRILL" "the restored aliases could not be read"
  [ "$(qdrant_alias_pairs <<<"$aliases")" = "$(qdrant_alias_pairs <"$dir/aliases.json")" ] ||
    die "$EXIT_DRILL" "the restored aliases differ from those that were saved"
}

# qdrant_alias_pairs: from an answer on standard input, lines "ALIAS<tab>COLLECTION" as in JSON, sorted.
qdrant_alias_pairs() {
  local rest each alias collection
  rest=$(</dev/stdin)
  while [[ $rest =~ \{([^{}]*)\}(.*)$ ]]; do
    each=${BASH_REMATCH[1]} rest=${BASH_REMATCH[2]}
    { alias=$(json_field alias_name "$each") && collection=$(json_field collection_name "$each"); } || continue
    printf '%s\t%s\n' "$alias" "$collection"
  done | sort
}

# qdrant_snapshots NAME: the names of its snapshots on the server, one a line; none where there is no such collection.
qdrant_snapshots() {
  local answer code=0
  answer=$(qdrant_http GET "/collections/$(qdrant_path "$1")/snapshots" 2>/dev/null) || code=$?
  [ "$code" != 4 ] || return 0
  # Without the list, snapshots of the user's own would look like what a restore left.
  [ "$code" = 0 ] || die "$EXIT_RESTORE" "the snapshots of $1 could not be listed" "docker compose logs qdrant"
  json_fields name "$answer"
}

qdrant_restore_aliases() {
  local alias collection actions=''
  while IFS=$'\t' read -r alias collection; do
    actions+="${actions:+,}{\"create_alias\":{\"alias_name\":\"$alias\",\"collection_name\":\"$collection\"}}"
  done < <(qdrant_alias_pairs <"$1/aliases.json")
  [ -n "$actions" ] || return 0
  qdrant_http POST /collections/aliases "{\"actions\":[$actions]}" >/dev/null || die "$EXIT_RESTORE" "the aliases of qdrant could not be restored"
}
