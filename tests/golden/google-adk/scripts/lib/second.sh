# shellcheck shell=bash disable=SC2034,SC2154 # names that the other files use or set
# A second stack from the same compose.yaml, for a drill or to look at an old state. Its names are others, and nothing that
# it uses may be the stack's own, whatever was edited in compose.yaml. All that is made for it has the label second-of,
# and nothing without that label is ever removed.

# second_stack NAME PORTS: from here on, everything is about the second one. PORTS: `none`, then there is no way out
# either, or `free`.
second_stack() {
  STACK_NAME=$FRAMEWORK_NAME
  FRAMEWORK_NAME=$1
  COMPOSE_PROJECT_NAME=$1
  CLIENT_LABEL="framework-infra.client=$1"
  export FRAMEWORK_NAME COMPOSE_PROJECT_NAME
  second_files "$2"
}

# first_stack: back to the stack itself.
first_stack() {
  remove_clients
  FRAMEWORK_NAME=$STACK_NAME
  CLIENT_LABEL="framework-infra.client=$STACK_NAME"
  COMPOSE_OPTIONS=()
  unset COMPOSE_PROJECT_NAME
}

second_files() {
  local listed file files=() config
  listed=${COMPOSE_FILE:-$(env_setting COMPOSE_FILE)} || exit
  if [ -n "$listed" ]; then
    IFS=${COMPOSE_PATH_SEPARATOR:-:} read -ra files <<<"$listed"
  else
    files=(compose.yaml)
    for file in compose.override.yaml compose.override.yml; do
      if [ -f "$file" ]; then files+=("$file"); break; fi
    done
  fi
  COMPOSE_OPTIONS=()
  for file in "${files[@]}"; do COMPOSE_OPTIONS+=(--file "$file"); done
  config=$(compose config 2>"$NOTES/config") || die "$EXIT_ENGINE" "Compose cannot read this stack: $(tail -n 1 "$NOTES/config")" "docker compose config --quiet"
  second_override "$1" <<<"$config" >"$NOTES/second.yaml"
  COMPOSE_OPTIONS+=(--file "$NOTES/second.yaml")
}

# second_override PORTS: what has to differ, from what `docker compose config` says on standard input.
second_override() {
  local line top='' name='' in_ports=false target='' networks='' ports='' kinds='' services='' volumes=''
  while IFS= read -r line; do
    case $line in
      [a-z]*:*) top=${line%%:*} name='' in_ports=false ;;
      '  '[A-Za-z0-9]*:*)
        name=${line#  } in_ports=false
        name=${name%%:*}
        case $top in
          services) services+="$name " ;;
          networks) networks+="$name " ;;
          volumes) volumes+="$name " ;;
        esac
        ;;
      # A label would not be taken by what is there already. create_second refuses what is used of these.
      '    external: true') networks=${networks%"$name "} volumes=${volumes%"$name "} ;;
      '    ports:') in_ports=true ;;
      '    '[a-z]*) in_ports=false ;;
      *' target: '*) [ "$in_ports" = false ] || target=${line##* } ;;
      *' protocol: '*) [ "$in_ports" = false ] || ports+="$name $target/${line##* }"$'\n' ;;
    esac
  done
  printf 'services:\n'
  for name in $services; do
    printf '  %s:\n    restart: "no"\n    labels:\n      framework-infra.second-of: "%s"\n' "$name" "$STACK_NAME"
    kinds=''
    if [ "$1" = free ]; then
      while read -r line target; do
        [ "$line" != "$name" ] || kinds+="\"127.0.0.1::$target\", "
      done <<<"$ports"
    fi
    # Both tags replace what other files say; a list without them would be added to it.
    if [ -n "$kinds" ]; then printf '    ports: !override [%s]\n' "${kinds%, }"; else printf '    ports: !reset []\n'; fi
  done
  [ -z "$networks" ] || printf 'networks:\n'
  for name in $networks; do
    printf '  %s:\n    labels:\n      framework-infra.second-of: "%s"\n' "$name" "$STACK_NAME"
    [ "$1" != none ] || printf '    internal: true\n'
  done
  [ -z "$volumes" ] || printf 'volumes:\n'
  for name in $volumes; do
    printf '  %s:\n    labels:\n      framework-infra.second-of: "%s"\n' "$name" "$STACK_NAME"
  done
}

# second_exists: whether anything has the names already.
second_exists() {
  local found
  found=$(docker ps --all --quiet --filter "label=com.docker.compose.project=$FRAMEWORK_NAME") || engine_is_gone
  [ -z "$found" ] || return 0
  found=$(docker volume ls --quiet --filter "name=^${FRAMEWORK_NAME}_") || engine_is_gone
  [ -n "$found" ]
}

# create_second SERVICES: its containers, looked at before any of them starts.
create_second() {
  local ids id kind name writes found network
  # shellcheck disable=SC2086 # one word each
  compose up --no-start $1 >/dev/null 2>"$NOTES/up" || die "$EXIT_UNFIT" "a second stack could not be made: $(tail -n 1 "$NOTES/up")" "names in compose.yaml must begin with \${FRAMEWORK_NAME}; Compose must be 2.24.4 or newer"
  ids=$(docker ps --all --quiet --filter "label=com.docker.compose.project=$FRAMEWORK_NAME" --filter "label=framework-infra.second-of=$STACK_NAME") || engine_is_gone
  [ -n "$ids" ] || die "$EXIT_UNFIT" "a second stack could not be made: it has no containers"
  for id in $ids; do
    found=$(docker inspect --format '{{range .Mounts}}{{.Type}} {{.RW}} {{if .Name}}{{.Name}}{{else}}{{.Source}}{{end}}{{println}}{{end}}' "$id") || engine_is_gone
    while read -r kind writes name; do
      case "$kind $writes" in
        volume*) require_own_volume "$name" ;;
        bind\ true) not_its_own "the directory $name" ;;
        *) ;;
      esac
    done <<<"$found"
    found=$(docker inspect --format '{{range $name, $_ := .NetworkSettings.Networks}}{{println $name}}{{end}}' "$id") || engine_is_gone
    for network in $found; do
      [[ $network == "${FRAMEWORK_NAME}"_* ]] || not_its_own "the network $network"
    done
  done
}

# require_own_volume NAME: made for it, and not a name for a directory or a share that is elsewhere.
require_own_volume() {
  local facts
  [[ $1 == "${FRAMEWORK_NAME}"_* || $1 =~ ^[0-9a-f]{64}$ ]] || not_its_own "the volume $1"
  facts=$(docker volume inspect --format '{{.Driver}} {{len .Options}}' "$1" 2>/dev/null) || engine_is_gone
  [ "$facts" = "local 0" ] || not_its_own "what the volume $1 stands for (driver_opts)"
}

not_its_own() {
  die "$EXIT_UNFIT" "a second stack would use $1, which is not its own" "in compose.yaml, give it a name that begins with \${FRAMEWORK_NAME}, and no place of its own on this host"
}

# remove_second NAME: all that was made for it by this stack.
remove_second() {
  local kind ids filters=(--filter "label=com.docker.compose.project=$1" --filter "label=framework-infra.second-of=${STACK_NAME:-$FRAMEWORK_NAME}")
  # Containers first: what they use cannot go before.
  for kind in container network volume; do
    case $kind in
      container) ids=$(docker ps --all --quiet "${filters[@]}") || return 1 ;;
      *) ids=$(docker "$kind" ls --quiet "${filters[@]}") || return 1 ;;
    esac
    [ -n "$ids" ] || continue
    # shellcheck disable=SC2086 # one word each
    case $kind in
      container) docker rm --force --volumes $ids >/dev/null || return 1 ;;
      *) docker "$kind" rm $ids >/dev/null || return 1 ;;
    esac
  done
}

# has_second NAME: whether there is anything that remove_second would remove.
has_second() {
  local kind found filters=(--filter "label=com.docker.compose.project=$1" --filter "label=framework-infra.second-of=${STACK_NAME:-$FRAMEWORK_NAME}")
  found=$(docker ps --all --quiet "${filters[@]}") || engine_is_gone
  for kind in network volume; do
    found+=$(docker "$kind" ls --quiet "${filters[@]}") || engine_is_gone
  done
  [ -n "$found" ]
}

# second_ports SERVICES: where each can be reached, as the result of --into.
second_ports() {
  local service id ports first=''
  [ "$JSON" = false ] || printf '{"schemaVersion":1,"id":"%s","into":"%s","ports":{' "$SOURCE" "$FRAMEWORK_NAME"
  for service in $1; do
    id=$(require_container "$service") || exit
    ports=$(docker port "$id") || ports=''
    ports=${ports%%$'\n'*}
    if [ "$JSON" = true ]; then
      [ -z "$ports" ] || printf '%s"%s":"%s"' "$first" "$service" "${ports##* }"
      first=${ports:+,}
    else
      printf '%s: %s\n' "$service" "$([ -n "$ports" ] && printf 'at %s' "${ports##* }" || printf 'not published')"
    fi
  done
  if [ "$JSON" = true ]; then
    printf '}}\n'
  else
    printf 'restored %s from set %s into %s; scripts/restore.sh --remove %s deletes it\n' "${1% }" "$SOURCE" "$FRAMEWORK_NAME" "$FRAMEWORK_NAME"
  fi
}
