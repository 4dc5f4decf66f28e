#!/usr/bin/env bash
# What upstream's entry point does that a compose file can get wrong: it gives
# up root, writes the user into users.d, and runs its first-start step.
set -eo pipefail

users=/etc/clickhouse-server/users.d/default-user.xml
name="${CLICKHOUSE_USER:-default}"
# Trimmed upstream's way: a name with markup in it would break the file.
case "$name" in *[!A-Za-z0-9_-]*) echo "stand-in: CLICKHOUSE_USER holds a character that is no XML name" >&2; exit 1 ;; esac

if [ "$name" != default ] || [ -n "${CLICKHOUSE_PASSWORD:-}" ]; then
  echo "$0: create new user '$name' instead 'default'"
  # A read-only users.d makes this redirection, and so the start, fail.
  cat >"$users" <<XML
<clickhouse>
  <users>
    <default remove="remove"></default>
    <$name>
      <profile>default</profile>
      <networks><ip>::/0</ip></networks>
      <password><![CDATA[${CLICKHOUSE_PASSWORD:-}]]></password>
      <quota>default</quota>
      <access_management>${CLICKHOUSE_DEFAULT_ACCESS_MANAGEMENT:-0}</access_management>
    </$name>
  </users>
</clickhouse>
XML
fi

if [ -n "${CLICKHOUSE_DB:-}" ]; then
  echo "stand-in WARNING: CLICKHOUSE_DB is set. Upstream then runs a temporary server on the first start that answers /ping and is killed again: whatever migrates meanwhile breaks." >&2
fi

if [ $# -gt 0 ] && [ "${1:0:2}" != -- ]; then exec "$@"; fi

server=(/opt/stand-in/node --max-old-space-size=64 /opt/stand-in/clickhouse/server.mjs)
if [ "$(id -u)" = 0 ]; then
  chown -R 101:101 /var/lib/clickhouse /var/log/clickhouse-server
  exec setpriv --reuid=101 --regid=101 --clear-groups "${server[@]}"
fi
exec "${server[@]}"
