#!/bin/sh
# Creates the application's role and database. The image runs it once, when the data directory is empty;
# it does not run on an existing volume. Names and the password come from the environment and are
# quoted by psql itself (:'x' a literal, :"x" an identifier), never by this script.
set -eu

# Reserved names, and one name for two roles, would give the application the superuser's rights or take them away.
case "$APP_DB_USER" in
  "$POSTGRES_USER" | postgres | pg_* | public | none | "") echo "APP_DB_USER: $APP_DB_USER cannot be the application's role" >&2; exit 1 ;;
esac
case "$APP_DB_NAME" in
  postgres | template0 | template1 | "") echo "APP_DB_NAME: $APP_DB_NAME cannot be the application's database" >&2; exit 1 ;;
esac

psql -v ON_ERROR_STOP=1 -X -q \
  --username "$POSTGRES_USER" --dbname postgres \
  -v name="$APP_DB_NAME" -v role="$APP_DB_USER" <<'SQL'
-- Not passed as an argument: the host's process list shows arguments.
\getenv password APP_DB_PASSWORD
CREATE ROLE :"role" LOGIN PASSWORD :'password' NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION;
CREATE DATABASE :"name" OWNER :"role";
ALTER DATABASE :"name" SET timezone TO 'UTC';
-- By default every role may connect to every database.
REVOKE CONNECT, TEMPORARY ON DATABASE :"name" FROM PUBLIC;
REVOKE CONNECT, TEMPORARY ON DATABASE postgres FROM PUBLIC;
-- What somebody leaves in template1 appears in every database that is created later.
REVOKE CONNECT, TEMPORARY ON DATABASE template1 FROM PUBLIC;
SQL
