# shellcheck shell=bash disable=SC2034,SC2154 # names that the other files use or set
# A second stack from the same compose.yaml, for a drill or to look at an old state: other names, nothing published but
# what is asked for, no way out. Nothing of it may be the stack's own, whatever was edited in compose.yaml.

# second_stack NAME PORTS: from here on, everything is about the second one. PORTS: `none` or `free`.
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
  local line top='' name='' in_ports=false target='' networks='' ports='' kinds='' services=''
  while IFS= read -r line; do
    case $line in
      [a-z]*:*) top=${line%%:*} name='' in_ports=false ;;
      '  '[A-Za-z0-9]*:*)
        name=${line#  } in_ports=false
        name=${name%%:*}
        case $top in
          services) services+="$name " ;;
          networks) networks+="$name " ;;
        esac
        ;;
      '    external: true') [ "$top" != networks ] || networks=${networks%"$name "} ;;
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
  [ "$1" != none ] || [ -z "$networks" ] || printf 'networks:\n'
  for name in $networks; do
    [ "$1" != none ] || printf '  %s:\n    internal: true\n' "$name"
  done
}

# second_exists: whether anything has the names already.
second_exists() {
  [ -n "$(docker ps --all --quiet --filter "label=com.docker.compose.project=$FRAMEWORK_NAME")" ] ||
    [ -n "$(docker volume ls --quiet --filter "name=^${FRAMEWORK_NAME}_")" ]
}

# create_second SERVICES: its containers, looked at before any of them starts.
create_second() {
  local id kind name writes mounts network
  # shellcheck disable=SC2086 # one word each
  compose up --no-start $1 >/dev/null 2>"$NOTES/up" || die "$EXIT_UNFIT" "a second stack could not be made: $(tail -n 1 "$NOTES/up")" "names in compose.yaml must begin with \${FRAMEWORK_NAME}; Compose must be 2.24.4 or newer"
  for id in $(docker ps --all --quiet --filter "label=com.docker.compose.project=$FRAMEWORK_NAME"); do
    mounts=$(docker inspect --format '{{range .Mounts}}{{.Type}} {{.RW}} {{if .Name}}{{.Name}}{{else}}{{.Source}}{{end}}{{println}}{{end}}' "$id") || engine_is_gone
    while read -r kind writes name; do
      case "$kind $writes" in
        volume*) [[ $name == "${FRAMEWORK_NAME}"_* || $name =~ ^[0-9a-f]{64}$ ]] || not_its_own "the volume $name" ;;
        bind\ true) not_its_own "the directory $name" ;;
        *) ;;
      esac
    done <<<"$mounts"
    for network in $(docker inspect --format '{{range $name, $_ := .NetworkSettings.Networks}}{{println $name}}{{end}}' "$id"); do
      [[ $network == "${FRAMEWORK_NAME}"_* ]] || not_its_own "the network $network"
    done
  done
}

not_its_own() {
  die "$EXIT_UNFIT" "a second stack would use $1, which is not its own" "give it a name that begins with \${FRAMEWORK_NAME} in compose.yaml"
}

# remove_second NAME: all that Compose made under this name.
remove_second() {
  local ids filter="label=com.docker.compose.project=$1"
  ids=$(docker ps --all --quiet --filter "$filter") || return 1
  # shellcheck disable=SC2086 # one word each
  [ -z "$ids" ] || docker rm --force --volumes $ids >/dev/null || return 1
  ids=$(docker network ls --quiet --filter "$filter") || return 1
  # shellcheck disable=SC2086 # one word each
  [ -z "$ids" ] || docker network rm $ids >/dev/null || return 1
  ids=$(docker volume ls --quiet --filter "$filter") || return 1
  # shellcheck disable=SC2086 # one word each
  [ -z "$ids" ] || docker volume rm $ids >/dev/null
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
