#!/usr/bin/env bash
# Follows the documented contract of the official PostgreSQL image: the data
# directory is made and init scripts run on the first start only, by a server
# that listens on the Unix socket alone.
set -Eeo pipefail

setting() { # setting NAME DEFAULT: from NAME, or from the file named by NAME_FILE
  local file_name="${1}_FILE"
  if [ -n "${!1:-}" ] && [ -n "${!file_name:-}" ]; then
    echo "error: both $1 and $file_name are set (but are exclusive)" >&2
    exit 1
  fi
  local value="${2:-}"
  if [ -n "${!1:-}" ]; then value="${!1}"
  elif [ -n "${!file_name:-}" ]; then value="$(<"${!file_name}")"; fi
  export "$1=$value"
  unset "$file_name"
}

query() { # psql as init scripts get it: the first error ends it
  PGHOST='' PGHOSTADDR='' psql -v ON_ERROR_STOP=1 --no-psqlrc --no-password \
    --username "$POSTGRES_USER" --dbname "${1:-$POSTGRES_DB}" "${@:2}"
}

run_init_files() {
  local f
  printf '\n'
  for f in /docker-entrypoint-initdb.d/*; do
    [ -e "$f" ] || continue
    case "$f" in
      *.sh)
        if [ -x "$f" ]; then
          echo "$0: running $f"
          "$f"
        else
          echo "$0: sourcing $f"
          # shellcheck disable=SC1090 # known at run time only
          . "$f"
        fi ;;
      *.sql) echo "$0: running $f"; query "" -f "$f"; printf '\n' ;;
      *.sql.gz) echo "$0: running $f"; gunzip -c "$f" | query ""; printf '\n' ;;
      *) echo "$0: ignoring $f" ;;
    esac
    printf '\n'
  done
}

first_start() {
  if [ -z "$POSTGRES_PASSWORD" ] && [ "$POSTGRES_HOST_AUTH_METHOD" != trust ]; then
    cat >&2 <<'MESSAGE'
Error: Database is uninitialized and superuser password is not specified.
       You must specify POSTGRES_PASSWORD to a non-empty value for the
       superuser. For example, "-e POSTGRES_PASSWORD=password" on "docker run".
MESSAGE
    exit 1
  fi
  # eval: the arguments are one string in which quotes count. The password goes
  # through a pipe: neither in a file nor in the list of processes. (An empty
  # one is only got this far with "trust", and initdb refuses an empty file.)
  if [ -n "$POSTGRES_PASSWORD" ]; then
    eval 'initdb --username="$POSTGRES_USER" --pwfile=<(printf "%s\n" "$POSTGRES_PASSWORD") '"$POSTGRES_INITDB_ARGS"
  else
    eval 'initdb --username="$POSTGRES_USER" '"$POSTGRES_INITDB_ARGS"
  fi

  # Chosen once the cluster exists: it may have been made with md5 passwords.
  local method="$POSTGRES_HOST_AUTH_METHOD"
  [ -n "$method" ] || method="$(postgres -C password_encryption "${@:2}")"
  [ "$method" != on ] || method=md5
  printf '\nhost all all all %s\n' "$method" >>"$PGDATA/pg_hba.conf"

  export PGPASSWORD="${PGPASSWORD:-$POSTGRES_PASSWORD}"
  # No TCP: whoever waits for the real server must not meet this one.
  PGUSER="$POSTGRES_USER" pg_ctl -D "$PGDATA" -o "-c listen_addresses='' -p 5432" -w start
  if ! query postgres --tuples-only --set db="$POSTGRES_DB" \
    <<<"SELECT 1 FROM pg_database WHERE datname = :'db';" | grep -q 1; then
    query postgres --set db="$POSTGRES_DB" <<<'CREATE DATABASE :"db";'
  fi
  run_init_files
  PGUSER="$POSTGRES_USER" pg_ctl -D "$PGDATA" -m fast -w stop
  unset PGPASSWORD
  printf '\nPostgreSQL init process complete; ready for start up.\n\n'
}

[ "${1:0:1}" != - ] || set -- postgres "$@"

if [ "$1" = postgres ]; then
  # With --user the directories' owners are the caller's business.
  mkdir -p "$PGDATA" /var/run/postgresql 2>/dev/null || true
  chmod 00700 "$PGDATA" 2>/dev/null || true
  if [ "$(id -u)" = 0 ]; then
    find "$PGDATA" \! -user postgres -exec chown postgres '{}' +
    find /var/run/postgresql \! -user postgres -exec chown postgres '{}' +
    exec setpriv --reuid=postgres --regid=postgres --init-groups "$0" "$@"
  fi
  setting POSTGRES_PASSWORD
  setting POSTGRES_USER postgres
  setting POSTGRES_DB "$POSTGRES_USER"
  setting POSTGRES_INITDB_ARGS
  : "${POSTGRES_HOST_AUTH_METHOD:=}"
  if [ -s "$PGDATA/PG_VERSION" ]; then
    printf '\nPostgreSQL Database directory appears to contain a database; Skipping initialization\n\n'
  else
    first_start "$@"
  fi
fi
exec "$@"
