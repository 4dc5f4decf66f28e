#!/usr/bin/env bash
# shellcheck disable=SC2154,SC2016,SC2034 # sourced: variables come from selftest.sh, and sh -c texts expand inside
# ClickHouse (its own engine, in a stand-in of its server).
ch="$(image clickhouse-engine:26.5)"
data="$(volume clickhouse)"
mkdir -p "$scratch/config.d"
echo '<clickhouse><text_log remove="1"/><!-- a comment --><trace_log remove="1"></trace_log></clickhouse>' >"$scratch/config.d/logs.xml"
chmod 0755 "$scratch/config.d"; chmod 0644 "$scratch/config.d/logs.xml"
run clickhouse --user 101:101 --memory 1g --pids-limit 1000 --tmpfs /tmp -v "$data:/var/lib/clickhouse" \
  --tmpfs /var/log/clickhouse-server:uid=101,gid=101 --tmpfs /etc/clickhouse-server/users.d:uid=101,gid=101,mode=0755 \
  -v "$scratch/config.d/logs.xml:/etc/clickhouse-server/config.d/logs.xml:ro" -e CLICKHOUSE_USER=lf -e CLICKHOUSE_PASSWORD=c0ffee "$ch"
check "clickhouse: health by wget /ping" eventually 20 inside clickhouse wget -q --spider http://127.0.0.1:8123/ping
ask() { inside clickhouse wget -q -O - "$@"; }
gives() { # gives EXPECTED WGET-ARGUMENTS…
  [ "$(ask "${@:2}")" = "$1" ]
}
check "clickhouse: SELECT 1 with user and password parameters" gives 1 "http://127.0.0.1:8123/?user=lf&password=c0ffee&query=SELECT%201"
check "clickhouse: SELECT version() with headers and a posted query" gives 26.5.1.1 --header "X-ClickHouse-User: lf" --header "X-ClickHouse-Key: c0ffee" --post-data "SELECT version();" http://127.0.0.1:8123/
check "clickhouse: Basic authentication" gives 1 --header "Authorization: Basic $(printf lf:c0ffee | base64)" "http://127.0.0.1:8123/?query=SELECT%201"
refuse "clickhouse: a wrong password is refused" ask "http://127.0.0.1:8123/?user=lf&password=x&query=SELECT%201"
refuse "clickhouse: user default is gone" ask "http://127.0.0.1:8123/?query=SELECT%201"
sql() { docker exec -i -e CLICKHOUSE_USER=lf -e CLICKHOUSE_PASSWORD="${2:-c0ffee}" "$(name clickhouse)" clickhouse-client --host 127.0.0.1 <<<"$1"; }
check "clickhouse: a table, by the client" sql "CREATE DATABASE x ENGINE = Atomic; CREATE TABLE x.t (n Int8) ENGINE = MergeTree ORDER BY n;
INSERT INTO x.t VALUES (1), (2)"
refuse "clickhouse: the client with a wrong password" sql "SELECT 1" wrong
refuse "clickhouse: an error ends the client" sql "SELECT * FROM x.missing"
check "clickhouse: BACKUP to a file" sql "BACKUP DATABASE x TO File('one/')"
check "clickhouse: which lies in the volume" inside clickhouse test -f /var/lib/clickhouse/backups/one/.backup
check "clickhouse: native port accepts connections" inside clickhouse bash -c 'exec 3<>/dev/tcp/127.0.0.1/9000'
check "clickhouse: no curl, python or node on PATH" absent clickhouse curl python3 node
check "clickhouse: the mounted configuration was read" logs_have clickhouse config.d/logs.xml
check "clickhouse: stops quickly with 0" stops_quickly clickhouse
docker start "$(name clickhouse)" >/dev/null
check "clickhouse: starts again" eventually 20 inside clickhouse wget -q --spider http://127.0.0.1:8123/ping
check "clickhouse: its rows are there after a restart" eventually 1 sh -c "[ \"\$(docker exec -i -e CLICKHOUSE_USER=lf -e CLICKHOUSE_PASSWORD=c0ffee '$(name clickhouse)' clickhouse-client --query 'SELECT sum(n) FROM x.t')\" = 3 ]"
drop clickhouse
run clickhouse-ro --user 101:101 --tmpfs /var/lib/clickhouse:uid=101,gid=101 -e CLICKHOUSE_PASSWORD=x "$ch"
check "clickhouse: a read-only users.d stops the start" exits_with clickhouse-ro 1
echo '<clickhouse><text_log></clickhouse>' >"$scratch/config.d/logs.xml"
run clickhouse-xml --user 101:101 --tmpfs /var/lib/clickhouse:uid=101,gid=101 --tmpfs /var/log/clickhouse-server:uid=101,gid=101 \
  -v "$scratch/config.d/logs.xml:/etc/clickhouse-server/config.d/logs.xml:ro" -e CLICKHOUSE_DB=default "$ch"
check "clickhouse: broken XML stops the start" exits_with clickhouse-xml 1
check "clickhouse: CLICKHOUSE_DB gets a warning" logs_have clickhouse-xml "CLICKHOUSE_DB is set"
check "clickhouse: labelled as a stand-in" labelled clickhouse-engine:26.5 true
