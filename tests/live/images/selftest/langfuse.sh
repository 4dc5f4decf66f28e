#!/usr/bin/env bash
# shellcheck disable=SC2154,SC2016,SC2034 # sourced: variables come from selftest.sh, and sh -c texts expand inside
# Langfuse (stand-ins), with every store beside it: web -> S3 and Redis ->
# worker -> PostgreSQL -> web.
mkdir -p "$scratch/lf-init"
cat >"$scratch/lf-init/10.sql" <<'SQL'
CREATE ROLE langfuse LOGIN PASSWORD 'lfpw';
CREATE DATABASE langfuse OWNER langfuse;
ALTER DATABASE langfuse SET timezone TO 'UTC';
SQL
chmod 0755 "$scratch/lf-init"; chmod 0644 "$scratch/lf-init/10.sql"
run postgres --user 70:70 --memory 256m --tmpfs /tmp --tmpfs /var/run/postgresql:uid=70,gid=70,mode=2775 -v "$(volume lf-postgres):/var/lib/postgresql/data" \
  -v "$scratch/lf-init:/docker-entrypoint-initdb.d:ro" -e POSTGRES_PASSWORD=adminpw "$(image postgres:15)"
run valkey --user 999:1000 --tmpfs /data:uid=999,gid=1000 -e REDISCLI_AUTH=vkpw "$(image valkey:8.1)" --requirepass vkpw --maxmemory-policy noeviction
run clickhouse --user 101:101 --pids-limit 1000 --tmpfs /tmp --tmpfs /var/lib/clickhouse:uid=101,gid=101 --tmpfs /var/log/clickhouse-server:uid=101,gid=101 \
  --tmpfs /etc/clickhouse-server/users.d:uid=101,gid=101 -e CLICKHOUSE_USER=lf -e CLICKHOUSE_PASSWORD=chpw "$(image clickhouse-engine:26.5)"
run seaweedfs --user 1000:1000 --tmpfs /data:uid=1000,gid=1000 -e AWS_ACCESS_KEY_ID=s3id -e AWS_SECRET_ACCESS_KEY=s3secret "$(image seaweedfs-stand-in:4.47)" mini -dir=/data -ip=seaweedfs -ip.bind=0.0.0.0
run qdrant --user 1000:1000 --tmpfs /tmp --tmpfs /qdrant/storage:uid=1000,gid=1000 --tmpfs /qdrant/snapshots:uid=1000,gid=1000 -e QDRANT__SERVICE__API_KEY=k "$(image qdrant-stand-in:1.19)"

cat >"$scratch/lf.env" <<ENV
DATABASE_URL=postgresql://langfuse:lfpw@postgres:5432/langfuse
SALT=pepper
ENCRYPTION_KEY=00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff
NEXTAUTH_URL=http://localhost:3000
CLICKHOUSE_URL=http://clickhouse:8123
CLICKHOUSE_MIGRATION_URL=clickhouse://clickhouse:9000
CLICKHOUSE_USER=lf
CLICKHOUSE_PASSWORD=chpw
CLICKHOUSE_CLUSTER_ENABLED=false
REDIS_HOST=valkey
REDIS_PORT=6379
REDIS_AUTH=vkpw
LANGFUSE_S3_EVENT_UPLOAD_BUCKET=langfuse
LANGFUSE_S3_EVENT_UPLOAD_REGION=us-east-1
LANGFUSE_S3_EVENT_UPLOAD_ENDPOINT=http://seaweedfs:8333
LANGFUSE_S3_EVENT_UPLOAD_ACCESS_KEY_ID=s3id
LANGFUSE_S3_EVENT_UPLOAD_SECRET_ACCESS_KEY=s3secret
LANGFUSE_S3_EVENT_UPLOAD_FORCE_PATH_STYLE=true
LANGFUSE_S3_EVENT_UPLOAD_PREFIX=events/
NEXTAUTH_COOKIE_NAME_SUFFIX=selftest
LANGFUSE_INIT_ORG_ID=org-1
LANGFUSE_INIT_PROJECT_ID=project-1
LANGFUSE_INIT_PROJECT_NAME=Self test
LANGFUSE_INIT_PROJECT_PUBLIC_KEY=pk-lf-1
LANGFUSE_INIT_PROJECT_SECRET_KEY=sk-lf-1
LANGFUSE_INIT_USER_EMAIL=a@example.com
LANGFUSE_INIT_USER_PASSWORD=long enough
ENV
web() { run "$1" --user 1001:1001 --memory 160m --tmpfs /tmp --env-file "$scratch/lf.env" -e NEXTAUTH_SECRET=x "${@:2}" "$(image langfuse-stand-in:4)"; }
worker() { run "$1" --user 1001:1001 --memory 160m --tmpfs /tmp --env-file "$scratch/lf.env" "${@:2}" "$(image langfuse-worker-stand-in:4)"; }
web_health() { inside web wget -q -O /dev/null "http://127.0.0.1:3000/api/public/health?failIfDatabaseUnavailable=true"; }
worker_health() { inside worker wget -q -O /dev/null http://127.0.0.1:3030/api/health; }

run web-empty --user 1001:1001 -e ENCRYPTION_KEY=short "$(image langfuse-stand-in:4)"
check "langfuse: missing settings end the start" exits_with web-empty 1
check "langfuse: each one is named" logs_have web-empty "NEXTAUTH_SECRET is required"
check "langfuse: a short ENCRYPTION_KEY is named" logs_have web-empty "ENCRYPTION_KEY must be 256 bits"
check "langfuse: stores are up" eventually 60 inside postgres psql -h 127.0.0.1 -U postgres -d langfuse -tAc 'select 1'
eventually 20 inside seaweedfs wget -q --spider http://127.0.0.1:8333/healthz || true
web web-nobucket
check "langfuse: a missing bucket ends the start" exits_with web-nobucket 1
check "langfuse: and is named" logs_have web-nobucket "NoSuchBucket"
make_bucket() { printf 's3.bucket.create -name langfuse\n' | docker exec -i "$(name seaweedfs)" weed shell -master=seaweedfs:9333; }
check "langfuse: its bucket is made" make_bucket
web web-badredis -e REDIS_AUTH=wrong
check "langfuse: a wrong Redis password ends the start" exits_with web-badredis 1
web web-badclickhouse -e CLICKHOUSE_PASSWORD=wrong
check "langfuse: a wrong ClickHouse password ends the start" exits_with web-badclickhouse 1

web web -e HOSTNAME=0.0.0.0
check "langfuse: web's health by busybox wget on 127.0.0.1" eventually 30 web_health
worker worker
check "langfuse: worker's health by busybox wget on 127.0.0.1" eventually 30 worker_health
web web-deaf
check "langfuse: without HOSTNAME=0.0.0.0 it listens" eventually 30 logs_have web-deaf '"event":"ready"'
refuse "langfuse: but not on 127.0.0.1" inside web-deaf wget -q -O /dev/null http://127.0.0.1:3000/api/public/health
check "langfuse: a second web finds everything migrated" logs_have web-deaf '"applied":[]'
drop web-deaf
check "langfuse: no bash, curl or python on PATH, runs as 1001:1001" absent web bash curl python3
check "langfuse: uid and gid" inside worker sh -c '[ "$(id -u):$(id -g)" = 1001:1001 ]'
node_checks langfuse.mjs "http://$(address web):3000" pk-lf-1 sk-lf-1
check "langfuse: no warning about eviction" eventually 1 sh -c "! docker logs $(name web) 2>&1 | grep -q maxmemory-policy"
docker stop -t 5 "$(name postgres)" >/dev/null
refuse "langfuse: web's health fails when PostgreSQL is down" web_health
check "langfuse: but passes without failIfDatabaseUnavailable" inside web wget -q -O /dev/null http://127.0.0.1:3000/api/public/health
docker start "$(name postgres)" >/dev/null
check "langfuse: and recovers by itself" eventually 30 web_health
node_checks langfuse.mjs "http://$(address web):3000" pk-lf-1 sk-lf-1
check "langfuse: web stops quickly with 0" stops_quickly web
check "langfuse: worker stops quickly with 0" stops_quickly worker
check "langfuse: labelled as stand-ins" eval 'labelled langfuse-stand-in:4 true && labelled langfuse-worker-stand-in:4 true'
for part in web worker postgres valkey clickhouse seaweedfs qdrant; do drop "$part"; done
