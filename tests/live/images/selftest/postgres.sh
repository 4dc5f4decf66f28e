#!/usr/bin/env bash
# shellcheck disable=SC2154,SC2016,SC2034 # sourced: variables come from selftest.sh, and sh -c texts expand inside
# PostgreSQL (real): the official image's contract, hardened.
pg="$(image postgres:15)"
data="$(volume postgres)"
mkdir -p "$scratch/init"
cat >"$scratch/init/10-sourced.sh" <<'SCRIPT'
psql -v ON_ERROR_STOP=1 --username "$POSTGRES_USER" --dbname "$POSTGRES_DB" <<'SQL'
CREATE ROLE app LOGIN PASSWORD 'apppw';
CREATE DATABASE app OWNER app;
SQL
sourced=yes
SCRIPT
cat >"$scratch/init/20-executed.sh" <<'SCRIPT'
#!/bin/sh
[ -z "$sourced" ] || exit 1
echo "listens on: $(psql -U "$POSTGRES_USER" -d "$POSTGRES_DB" -tAc 'show listen_addresses')."
SCRIPT
echo "CREATE TABLE made_by_sql (n int); INSERT INTO made_by_sql VALUES (41);" >"$scratch/init/30.sql"
echo "UPDATE made_by_sql SET n = n + 1;" | gzip >"$scratch/init/40.sql.gz"
echo "not a script" >"$scratch/init/README"
chmod 0644 "$scratch"/init/*; chmod 0755 "$scratch/init/20-executed.sh" "$scratch/init" "$scratch"

start_postgres() {
  run postgres --user 70:70 --memory 256m --shm-size 64m --tmpfs /tmp \
    --tmpfs /var/run/postgresql:uid=70,gid=70,mode=2775 \
    -v "$data:/var/lib/postgresql/data" -v "$scratch/init:/docker-entrypoint-initdb.d:ro" \
    -e POSTGRES_USER=admin -e POSTGRES_PASSWORD=adminpw -e POSTGRES_DB=main \
    -e "POSTGRES_INITDB_ARGS=--encoding=UTF8 --data-checksums" "$pg"
}
as_admin() { inside postgres psql -h 127.0.0.1 -U admin -d main -tAc "$1"; }
says() { [ "$(as_admin "$1")" = "$2" ]; }
healthy_postgres() { inside postgres psql -h 127.0.0.1 -U admin -d main -tAc 'select 1'; }

start_postgres
check "postgres: health by a query over TCP on loopback" eventually 60 healthy_postgres
check "postgres: version 15" says "select current_setting('server_version_num')::int / 10000" 15
check "postgres: *.sql then *.sql.gz ran" says "select n from made_by_sql" 42
check "postgres: a sourced script ran, an executed one is a process of its own" says "select count(*) from pg_database where datname = 'app'" 1
check "postgres: init server listens on the socket only" logs_have postgres "listens on: ."
check "postgres: other files are ignored" logs_have postgres "ignoring /docker-entrypoint-initdb.d/README"
check "postgres: POSTGRES_INITDB_ARGS applied" says "show data_checksums" on
check "postgres: the server is process 1" inside postgres sh -c 'grep -q postgres /proc/1/comm'
check "postgres: runs as 70:70 with a 0700 data directory of its own" inside postgres sh -c '[ "$(stat -c %u:%g:%a /var/lib/postgresql/data)" = 70:70:700 ] && [ "$(id -u):$(id -g)" = 70:70 ]'
check "postgres: root file system is read-only" inside postgres sh -c '! touch /x 2>/dev/null'
check "postgres: passwords over the network are SCRAM" inside postgres sh -c 'tail -n1 /var/lib/postgresql/data/pg_hba.conf | grep -qx "host all all all scram-sha-256"'
check "postgres: pg_dump and pg_restore are there" inside postgres sh -c 'pg_dump -h 127.0.0.1 -U admin -Fc main >/tmp/d && pg_restore --list /tmp/d && pg_dumpall -h 127.0.0.1 -U admin --globals-only'
remote_psql() { # over the network, with a password
  docker run --rm --label "framework-infra.selftest=$id" --network "$net" -e PGPASSWORD="$1" --user 70:70 "$pg" psql -h postgres -U app -d app -tAc 'select 1'
}
check "postgres: the right password opens it over the network" remote_psql apppw
refuse "postgres: a wrong password does not" remote_psql wrong
check "postgres: takes a row" as_admin "insert into made_by_sql values (7)"
check "postgres: stops cleanly" stops_quickly postgres
drop postgres
start_postgres
check "postgres: comes back on the same volume" eventually 60 healthy_postgres
check "postgres: data survived" says "select count(*) from made_by_sql" 2
check "postgres: init was skipped" logs_have postgres "Skipping initialization"
drop postgres

echo 'SELECT no_such_function();' >"$scratch/init/05-broken.sql"
run postgres-broken --user 70:70 --tmpfs /tmp --tmpfs /var/run/postgresql:uid=70,gid=70 --tmpfs /var/lib/postgresql/data:uid=70,gid=70,mode=0700 \
  -v "$scratch/init:/docker-entrypoint-initdb.d:ro" -e POSTGRES_PASSWORD=x "$pg"
check "postgres: a failing init script ends the container" exits_with postgres-broken 3
run postgres-nopw --user 70:70 --tmpfs /tmp --tmpfs /var/run/postgresql:uid=70,gid=70 --tmpfs /var/lib/postgresql/data:uid=70,gid=70,mode=0700 "$pg"
check "postgres: no password, no start" exits_with postgres-nopw 1
check "postgres: labelled as real" labelled postgres:15 false
