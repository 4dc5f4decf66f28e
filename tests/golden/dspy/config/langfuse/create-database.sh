#!/bin/sh
# Creates Langfuse's role and database if they do not exist, and sets the role's password to the one in .env.
# Safe to run again, even on a volume that already holds data. Names and the password are quoted by PostgreSQL
# (format %I and %L), never by this script.
set -eu

# ALTER ROLE below would take the superuser's rights away, or give Langfuse the application's data.
case "$DB_USER" in
  "$PGUSER" | "$APP_DB_USER" | postgres | pg_* | public | none | "") echo "LANGFUSE_DB_USER: $DB_USER cannot be Langfuse's role" >&2; exit 1 ;;
esac
case "$DB_NAME" in
  "$APP_DB_NAME" | postgres | template0 | template1 | "") echo "LANGFUSE_DB_NAME: $DB_NAME cannot be Langfuse's database" >&2; exit 1 ;;
esac

psql -v ON_ERROR_STOP=1 -X -q --dbname postgres \
  -v name="$DB_NAME" -v role="$DB_USER" -v application="$APP_DB_NAME" <<'SQL'
-- Not passed as an argument: the host's process list shows arguments.
\getenv password DB_PASSWORD
SELECT format('CREATE ROLE %I LOGIN', :'role')
WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = :'role') \gexec
SELECT format('ALTER ROLE %I LOGIN PASSWORD %L NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION', :'role', :'password') \gexec
SELECT format('CREATE DATABASE %I OWNER %I', :'name', :'role')
WHERE NOT EXISTS (SELECT FROM pg_database WHERE datname = :'name') \gexec
SELECT format('ALTER DATABASE %I SET timezone TO ''UTC''', :'name') \gexec
SELECT format('REVOKE CONNECT, TEMPORARY ON DATABASE %I FROM PUBLIC', :'name') \gexec
-- On a volume from before, or where somebody made the application's database by hand, these are open to every role.
SELECT format('REVOKE CONNECT, TEMPORARY ON DATABASE %I FROM PUBLIC', datname)
FROM pg_database WHERE datname = :'application' \gexec
REVOKE CONNECT, TEMPORARY ON DATABASE postgres, template1 FROM PUBLIC;
SQL
echo "database $DB_NAME is ready"
