#!/usr/bin/env bash
# shellcheck disable=SC2154,SC2016,SC2034 # sourced: variables come from selftest.sh, and sh -c texts expand inside
# Valkey (real).
vk="$(image valkey:8.1)"
data="$(volume valkey)"
start_valkey() {
  run valkey --user 999:1000 --memory 128m -v "$data:/data" -e REDISCLI_AUTH=secret "$vk" \
    --requirepass secret --maxmemory-policy noeviction --appendonly yes
}
cli() { docker exec -e REDISCLI_AUTH="${PASSWORD:-secret}" "$(name valkey)" sh -c "valkey-cli $1 | grep -q '$2'"; }

start_valkey
check "valkey: health by an authenticated ping" eventually 20 cli ping PONG
PASSWORD=wrong refuse "valkey: a wrong password gets no PONG" cli ping PONG
check "valkey: version 8.1" cli "info server" "valkey_version:8.1"
check "valkey: flags reached the server" cli "config get maxmemory-policy" noeviction
check "valkey: runs as 999:1000 and owns /data" inside valkey sh -c '[ "$(id -u):$(id -g)" = 999:1000 ] && [ "$(stat -c %u:%g /data)" = 999:1000 ]'
check "valkey: takes a key" cli "set kept yes" OK
check "valkey: stops cleanly" stops_quickly valkey
drop valkey
start_valkey
check "valkey: comes back" eventually 20 cli ping PONG
check "valkey: data survived" cli "get kept" yes
drop valkey
check "valkey: labelled as real" labelled valkey:8.1 false
