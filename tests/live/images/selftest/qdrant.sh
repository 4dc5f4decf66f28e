#!/usr/bin/env bash
# shellcheck disable=SC2154,SC2016,SC2034 # sourced: variables come from selftest.sh, and sh -c texts expand inside
# Qdrant (stand-in).
qd="$(image qdrant-stand-in:1.19)"
data="$(volume qdrant)"
snaps="$(volume qdrant-snapshots)"
start_qdrant() {
  run qdrant --user 1000:1000 --memory 96m --tmpfs /tmp -v "$data:/qdrant/storage" -v "$snaps:/qdrant/snapshots" \
    -e QDRANT__SERVICE__API_KEY=key-1 -e QDRANT__SERVICE__READ_ONLY_API_KEY=read-1 -e QDRANT_INIT_FILE_PATH=/tmp/.qdrant-initialized "$qd"
}
# The probe of an emitted stack, word for word.
healthy_qdrant() {
  inside qdrant bash -c "exec 3<>/dev/tcp/127.0.0.1/6333 && printf 'GET /readyz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n' >&3 && grep -q '200 OK' <&3"
}
start_qdrant
check "qdrant: health by bash and /dev/tcp" eventually 20 healthy_qdrant
check "qdrant: no curl, wget, python, busybox or node on PATH" absent qdrant curl wget python python3 busybox node nc
check "qdrant: gRPC port accepts connections" inside qdrant bash -c 'exec 3<>/dev/tcp/127.0.0.1/6334'
check "qdrant: wrote its init file to the tmpfs" inside qdrant test -f /tmp/.qdrant-initialized
check "qdrant: runs as 1000:1000 in /qdrant" inside qdrant bash -c '[ "$(id -u):$(id -g)" = 1000:1000 ] && [ "$PWD" = /qdrant ]'
node_checks qdrant.mjs "http://$(address qdrant):6333" key-1 read-1 fill
check "qdrant: logs say that it is a stand-in" logs_have qdrant '"standIn":true'
check "qdrant: stops quickly with 0" stops_quickly qdrant
drop qdrant
start_qdrant
check "qdrant: comes back" eventually 20 healthy_qdrant
node_checks qdrant.mjs "http://$(address qdrant):6333" key-1 read-1 survived
drop qdrant

run qdrant-open --user 1000:1000 --tmpfs /qdrant/storage:uid=1000,gid=1000 --tmpfs /qdrant/snapshots:uid=1000,gid=1000 -e QDRANT__SERVICE__API_KEY= -e QDRANT__SERVICE__HTTP_PORT=7333 "$qd"
check "qdrant: an empty key means no key at all, on the port given" eventually 20 inside qdrant-open bash -c "exec 3<>/dev/tcp/127.0.0.1/7333 && printf 'GET /collections HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n' >&3 && grep -q '200 OK' <&3"
check "qdrant: warns that the init file cannot be written on a read-only root" logs_have qdrant-open "cannot write the file that marks a finished start"
drop qdrant-open
run qdrant-denied --user 1000:1000 --tmpfs /qdrant/storage:uid=0,gid=0,mode=0755 "$qd"
check "qdrant: fails loudly on a storage that it may not write" exits_with qdrant-denied 1
check "qdrant: labelled as a stand-in" labelled qdrant-stand-in:1.19 true
