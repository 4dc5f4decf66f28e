#!/usr/bin/env bash
# Stops the engine that start.sh started and takes away everything it left on
# the machine: containers, processes, mounts, bridges, firewall rules, files.
# Safe to run twice, and after a start that failed half way.
set -euo pipefail

: "${ENGINE_HOME:?set ENGINE_HOME to the directory given to start.sh}"
export PATH="$PATH:/usr/sbin:/sbin"
[ -d "$ENGINE_HOME" ] || { echo "engine stop: $ENGINE_HOME is already gone"; exit 0; }
ENGINE_HOME="$(cd "$ENGINE_HOME" && pwd -P)"
# The directory is deleted at the end: refuse one that start.sh never used.
if [ ! -d "$ENGINE_HOME/before" ] && [ ! -d "$ENGINE_HOME/docker-config" ]; then
  echo "engine stop: $ENGINE_HOME does not look like an engine's directory" >&2
  exit 1
fi

socket="$ENGINE_HOME/docker.sock"
export DOCKER_HOST="unix://$socket" DOCKER_CONFIG="$ENGINE_HOME/docker-config"

# A zombie has a folder in /proc too, but has ended.
alive() { [ -n "${1:-}" ] && [ -e "/proc/$1/stat" ] && ! grep -q '^State:[[:space:]]*Z' "/proc/$1/status" 2>/dev/null; }

end_process() { # end_process PID SECONDS
  alive "$1" || return 0
  kill -TERM "$1" 2>/dev/null || true
  local deadline=$((SECONDS + $2))
  while alive "$1" && [ "$SECONDS" -lt "$deadline" ]; do sleep 0.2; done
  if alive "$1"; then kill -KILL "$1" 2>/dev/null || true; sleep 0.5; fi
}

# A pid file may outlive its process and the number be given to another one.
pid_of() { # pid_of FILE NAME
  local pid
  [ -s "$1" ] || return 0
  pid="$(tr -dc '0-9' <"$1")"
  if [ -n "$pid" ] && [ "$(cat "/proc/$pid/comm" 2>/dev/null)" = "$2" ]; then echo "$pid"; fi
}

dockerd="$(pid_of "$ENGINE_HOME/dockerd.pid" dockerd)"
containerd="$(pid_of "$ENGINE_HOME/exec/containerd/containerd.pid" containerd)"

if alive "$dockerd"; then
  mapfile -t containers < <(timeout 20 docker ps -aq 2>/dev/null || true)
  if [ "${#containers[@]}" -gt 0 ]; then
    timeout 60 docker rm -f -v "${containers[@]}" >/dev/null 2>&1 || true
  fi
  timeout 30 docker network prune -f >/dev/null 2>&1 || true
fi
end_process "$dockerd" 30
end_process "$containerd" 15

# Whatever still runs out of this directory (a shim whose engine was killed).
for dir in /proc/[0-9]*; do
  pid="${dir#/proc/}"
  [ "$pid" != "$$" ] || continue
  case "$(cat "$dir/comm" 2>/dev/null || true)" in containerd* | dockerd | docker-proxy) ;; *) continue ;; esac
  if tr '\0' ' ' <"$dir/cmdline" 2>/dev/null | grep -qF "$ENGINE_HOME/"; then end_process "$pid" 5; fi
done

# Deepest first, or an outer unmount fails while an inner one is busy.
awk -v home="$ENGINE_HOME/" 'index($5, home) == 1 { print $5 }' /proc/self/mountinfo | sort -r |
  while read -r target; do umount "$target" 2>/dev/null || umount -l "$target" 2>/dev/null || true; done

# No other engine may run beside this one (start.sh sees to it), so Docker's
# rules and chains are ours to delete. Rules first: a chain in use stays.
if ! pgrep -x -r D,R,S,T dockerd >/dev/null; then
  for tables in iptables ip6tables; do
    command -v "$tables" >/dev/null || continue
    for table in nat filter raw mangle; do
      rules="$("$tables" -t "$table" -S 2>/dev/null || true)"
      while read -r rule; do
        [ -n "$rule" ] || continue
        read -ra words <<<"${rule#-A }"
        "$tables" -t "$table" -D "${words[@]//\"/}" 2>/dev/null || true
      done < <(grep -E '^-A .*(DOCKER|docker0|br-[0-9a-f]{12})' <<<"$rules" || true)
      while read -r chain; do
        [ -n "$chain" ] || continue
        "$tables" -t "$table" -F "$chain" 2>/dev/null || true
      done < <(sed -n 's/^-N \(DOCKER[A-Z0-9-]*\)$/\1/p' <<<"$rules")
      while read -r chain; do
        [ -n "$chain" ] || continue
        "$tables" -t "$table" -X "$chain" 2>/dev/null || true
      done < <(sed -n 's/^-N \(DOCKER[A-Z0-9-]*\)$/\1/p' <<<"$rules" | sort -r)
    done
    policy="$(cat "$ENGINE_HOME/before/$tables-forward" 2>/dev/null || true)"
    if [ -n "$policy" ]; then "$tables" -P FORWARD "$policy" 2>/dev/null || true; fi
  done
  for link in $(ip -o link show type bridge 2>/dev/null | sed -E 's/^[0-9]+: ([^:@]+).*/\1/'); do
    case "$link" in
      docker0) ip link delete "$link" || true ;;
      br-*) grep -qxF "$link" "$ENGINE_HOME/before/bridges" 2>/dev/null || ip link delete "$link" || true ;;
    esac
  done
fi

rm -rf --one-file-system "$ENGINE_HOME"
echo "engine stop: stopped, $ENGINE_HOME removed"
