#!/usr/bin/env bash
# Starts a Docker engine of its own below $ENGINE_HOME: own data, own socket,
# own pid file. Writes $ENGINE_HOME/env, to be sourced by whoever uses it.
set -euo pipefail

: "${ENGINE_HOME:?set ENGINE_HOME to an empty directory of your own, e.g. \"\$(mktemp -d)\"}"
[ -d "$ENGINE_HOME" ] || { echo "engine start: $ENGINE_HOME is no directory" >&2; exit 1; }
export PATH="$PATH:/usr/sbin:/sbin"

socket="$ENGINE_HOME/docker.sock"
pidfile="$ENGINE_HOME/dockerd.pid"
log="$ENGINE_HOME/dockerd.log"

# A Unix socket's path is cut at 108 bytes by the kernel; leave some room for
# the ones that containerd makes below it.
if [ "${#socket}" -ge 100 ]; then
  echo "engine start: $socket is too long for a socket (under 100 characters)" >&2
  exit 1
fi
# A starting engine rebuilds the machine-wide firewall chains, which would cut
# off the containers of one that already runs. (By state, or a dead engine that
# nobody has collected yet would count.)
if pgrep -x -r D,R,S,T dockerd >/dev/null; then
  echo "engine start: another dockerd runs on this machine; stop it first" >&2
  exit 1
fi

# What was there before, so that stop.sh removes only what this engine added.
mkdir -p "$ENGINE_HOME/before" "$ENGINE_HOME/docker-config"
ip -o link show type bridge 2>/dev/null | sed -E 's/^[0-9]+: ([^:@]+).*/\1/' >"$ENGINE_HOME/before/bridges" || true
for tables in iptables ip6tables; do
  if command -v "$tables" >/dev/null; then
    # Chains of a dead engine mean that the policy is that engine's as well.
    if "$tables" -S DOCKER-USER >/dev/null 2>&1; then
      echo ACCEPT >"$ENGINE_HOME/before/$tables-forward"
    else
      "$tables" -S FORWARD 2>/dev/null | sed -n 's/^-P FORWARD //p' >"$ENGINE_HOME/before/$tables-forward" || true
    fi
  fi
done

# setsid: the engine outlives the shell that started it, also when that shell's
# whole process group is ended.
setsid dockerd \
  --host "unix://$socket" \
  --data-root "$ENGINE_HOME/data" \
  --exec-root "$ENGINE_HOME/exec" \
  --pidfile "$pidfile" \
  </dev/null >"$log" 2>&1 &

{
  printf 'export DOCKER_HOST=unix://%q\n' "$socket"
  printf 'export DOCKER_CONFIG=%q\n' "$ENGINE_HOME/docker-config"
} >"$ENGINE_HOME/env"

limit="${ENGINE_START_TIMEOUT:-60}"
started=$SECONDS
until DOCKER_HOST="unix://$socket" DOCKER_CONFIG="$ENGINE_HOME/docker-config" docker info >/dev/null 2>&1; do
  if ! kill -0 $! 2>/dev/null || [ $((SECONDS - started)) -ge "$limit" ]; then
    echo "engine start: no answer after $((SECONDS - started)) s; the log ends with:" >&2
    tail -n 30 "$log" >&2
    echo "engine start: stop.sh clears up what was started" >&2
    exit 1
  fi
  sleep 0.3
done
version="$(DOCKER_HOST="unix://$socket" docker version --format '{{.Server.Version}}')"
echo "engine start: dockerd $version answers on $socket after $((SECONDS - started)) s"
