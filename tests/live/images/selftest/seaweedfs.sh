#!/usr/bin/env bash
# shellcheck disable=SC2154,SC2016,SC2034 # sourced: variables come from selftest.sh, and sh -c texts expand inside
# SeaweedFS (stand-in).
sw="$(image seaweedfs-stand-in:4.47)"
data="$(volume seaweedfs)"
start_seaweedfs() {
  run seaweedfs --user 1000:1000 --memory 96m --tmpfs /tmp -v "$data:/data" -e AWS_ACCESS_KEY_ID=access -e AWS_SECRET_ACCESS_KEY=secret/+key "$sw" \
    mini -dir=/data -ip=seaweedfs -ip.bind=0.0.0.0 -master.telemetry=false -webdav=false -admin.ui=false -master.volumeSizeLimitMB=64 -volume.max 4
}
weed_shell() { printf '%s\n' "$1" | docker exec -i "$(name seaweedfs)" weed shell -master=127.0.0.1:9333; }
shell_says() { weed_shell "$1" >"$scratch/shell"; grep -q "$2" "$scratch/shell" || { cat "$scratch/shell"; return 1; }; }
start_seaweedfs
check "seaweedfs: health by wget /healthz without a signature" eventually 20 inside seaweedfs wget -q --spider http://127.0.0.1:8333/healthz
check "seaweedfs: /status answers too" inside seaweedfs wget -q -O - http://127.0.0.1:8333/status
check "seaweedfs: no curl, python or node on PATH" absent seaweedfs curl python3 node
check "seaweedfs: shell makes a bucket" shell_says "s3.bucket.create -name events" "created bucket events"
check "seaweedfs: shell lists it" shell_says "s3.bucket.list" "^  events	size:0	chunk:0$"
check "seaweedfs: shell says so when a bucket exists, and still ends with 0" shell_says "s3.bucket.create -name events" "error: .*already exists"
check "seaweedfs: shell names unknown commands" shell_says "fs.nonsense" "unknown command"
node_checks seaweedfs.mjs "http://$(address seaweedfs):8333" access secret/+key fill
check "seaweedfs: shell deletes a bucket" shell_says "s3.bucket.create -name old
s3.bucket.delete -name old
s3.bucket.list" "events"
refuse "seaweedfs: and it is gone" shell_says "s3.bucket.list" "  old"
refuse "seaweedfs: shell fails when there is no master" timeout 20 docker exec "$(name seaweedfs)" weed shell -master=127.0.0.1:9999
check "seaweedfs: stops quickly with 0" stops_quickly seaweedfs
drop seaweedfs
start_seaweedfs
check "seaweedfs: comes back" eventually 20 inside seaweedfs wget -q --spider http://127.0.0.1:8333/healthz
node_checks seaweedfs.mjs "http://$(address seaweedfs):8333" access secret/+key survived
drop seaweedfs
run seaweedfs-flag --user 1000:1000 --tmpfs /data:uid=1000,gid=1000 "$sw" mini -dir=/data -no.such.flag=1
check "seaweedfs: an unknown flag is an error" exits_with seaweedfs-flag 2
run seaweedfs-denied --user 1000:1000 --tmpfs /data:uid=0,gid=0,mode=0755 "$sw" mini -dir=/data
check "seaweedfs: fails loudly on a folder that it may not write" exits_with seaweedfs-denied 1
check "seaweedfs: labelled as a stand-in" labelled seaweedfs-stand-in:4.47 true
