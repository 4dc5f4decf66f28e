#!/usr/bin/env bash
# shellcheck disable=SC2154,SC2016,SC2034 # sourced: variables come from selftest.sh, and sh -c texts expand inside
# Helpers of selftest.sh: starting hardened containers, asserting, counting.

image() { echo "framework-infra-test/$1"; }
name() { echo "$id-$1"; }

record() { printf '%s\n' "$1" | tee -a "$results"; }
ok() { record "ok - $*"; }
not_ok() { record "not ok - $*"; }

# check TEXT COMMAND…: the command's success is the test
check() {
  local text="$1"
  shift
  if "$@" >"$scratch/out" 2>&1; then ok "$text"; else
    not_ok "$text"
    sed 's/^/    /' "$scratch/out" | tail -n 15
  fi
}

refuse() { # refuse TEXT COMMAND…: the command must fail
  local text="$1"
  shift
  if "$@" >"$scratch/out" 2>&1; then
    not_ok "$text (it succeeded)"
    sed 's/^/    /' "$scratch/out" | tail -n 15
  else ok "$text"; fi
}

# A container as an emitted stack would start it. Everything after the image
# is its command; options of `docker run` come before it.
run() { # run NAME [OPTIONS…] IMAGE [COMMAND…]
  local short="$1"
  shift
  docker run -d --name "$(name "$short")" --label "framework-infra.selftest=$id" \
    --network "$net" --network-alias "$short" --read-only --cap-drop ALL \
    --security-opt no-new-privileges --pids-limit 200 "$@" >/dev/null
}

volume() { # volume NAME: a new named volume, removed at the end
  docker volume create --label "framework-infra.selftest=$id" "$(name "$1")" >/dev/null
  name "$1"
}

inside() { # inside NAME COMMAND…
  local short="$1"
  shift
  docker exec "$(name "$short")" "$@"
}

drop() { docker rm -f -v "$(name "$1")" >/dev/null; }
address() { docker inspect -f '{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}' "$(name "$1")"; }

logs_have() { # logs_have NAME TEXT
  docker logs "$(name "$1")" >"$scratch/logs" 2>&1
  grep -qF -- "$2" "$scratch/logs" || { tail -n 10 "$scratch/logs"; return 1; }
}

eventually() { # eventually SECONDS COMMAND…
  local deadline=$((SECONDS + $1))
  shift
  until "$@" >"$scratch/try" 2>&1; do
    # Waiting for a container that has ended is a waste.
    if [ "$SECONDS" -ge "$deadline" ] || grep -q "is not running" "$scratch/try"; then
      cat "$scratch/try"
      return 1
    fi
    sleep 0.3
  done
}

exits_with() { # exits_with NAME CODE: waits until the container has ended
  local code
  code="$(timeout 40 docker wait "$(name "$1")")" || { echo "still running"; return 1; }
  [ "$code" = "$2" ] || { echo "exit code $code"; docker logs --tail 8 "$(name "$1")"; return 1; }
}

absent() { # absent NAME TOOL…: none of the tools is on PATH in the container
  local short="$1" tool
  shift
  inside "$short" true || return 1
  for tool in "$@"; do
    if inside "$short" sh -c "command -v $tool"; then return 1; fi
  done
}

labelled() { # labelled IMAGE true|false
  [ "$(docker inspect -f '{{index .Config.Labels "framework-infra.stand-in"}}' "$(image "$1")")" = "$2" ]
}

stops_quickly() { # stops_quickly NAME: ends by itself with 0 on a stop signal
  local began=$SECONDS
  docker stop -t 10 "$(name "$1")" >/dev/null
  [ $((SECONDS - began)) -lt 8 ] && [ "$(docker inspect -f '{{.State.ExitCode}}' "$(name "$1")")" = 0 ]
}

# Node programs print the same "ok - …" lines; one that dies counts as failed.
node_checks() { # node_checks FILE ARGUMENTS…
  local file="$1" status=0
  shift
  node "$here/selftest/$file" "$@" >"$scratch/node" 2>&1 || status=$?
  tee -a "$results" <"$scratch/node"
  [ "$status" = 0 ] || not_ok "$file ended with $status"
}
