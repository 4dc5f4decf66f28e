#!/bin/sh
# Makes the application's role and database. The image runs it once, when the data directory is empty;
# on an existing volume it is not run again. Names and password come from the environment and are
# quoted by psql itself (:'x' a literal, :"x" an identifier), never by this script.
set -eu

psql -v ON_ERROR_STOP=1 -X -q \
  --username "$POSTGRES_USER" --dbname postgres \
  -v name="$APP_DB_NAME" -v role="$APP_DB_USER" <<'SQL'
-- Not by an argument: those stand in the host's process list.
\getenv password APP_DB_PASSWORD
CREATE ROLE :"role" LOGIN PASSWORD :'password' NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION;
CREATE DATABASE :"name" OWNER :"role";
ALTER DATABASE :"name" SET timezone TO 'UTC';
-- By default every role may connect to every database.
REVOKE CONNECT, TEMPORARY ON DATABASE :"name" FROM PUBLIC;
REVOKE CONNECT, TEMPORARY ON DATABASE postgres FROM PUBLIC;
SQL
