# shellcheck shell=bash disable=SC2016,SC2034,SC2154 # code for elsewhere; names that the other files use or set
# How PostgreSQL is saved and restored: a dump of each database (pg_dump, custom format) with what it held at that
# moment, counted in the same snapshot; and the roles, without passwords, which .env has.

postgres_connect() {
  PGUSER=$(env_value POSTGRES_USER) || exit
  PGPASSWORD=$(env_value POSTGRES_PASSWORD) || exit
  export PGUSER PGPASSWORD PGHOST=postgres PGAPPNAME=framework-infra PGCONNECT_TIMEOUT=10 \
    PGOPTIONS='-c client_min_messages=warning -c lock_timeout=60s -c statement_timeout=0 -c idle_in_transaction_session_timeout=0'
}

postgres_client() { client postgres PGUSER PGPASSWORD PGHOST PGAPPNAME PGCONNECT_TIMEOUT PGOPTIONS -- "$@"; }

# postgres_sql DATABASE [ARGUMENT...]: psql on standard input, its output unaligned.
postgres_sql() { postgres_client psql -XAtq -F $'\t' -v ON_ERROR_STOP=1 -d "$@"; }

# The server's version; ends the run where it cannot be asked.
postgres_version() {
  local answer
  require_running postgres
  # Apart from each other: Docker warns of what the host's kernel lacks.
  if ! answer=$(postgres_sql template1 <<<'SHOW server_version' 2>"$NOTES/postgres.said") || [ -z "$answer" ]; then
    answer=$(note postgres.said)
    case $answer in
      *"authentication failed"*) die "$EXIT_DENIED" "postgres refuses the password of $PGUSER" "POSTGRES_PASSWORD in .env is not the one in the database; see \"Secrets\" in README.md" ;;
    esac
    die "$EXIT_DOWN" "postgres does not answer: ${answer##*$'\n'}" "docker compose logs postgres"
  fi
  printf '%s' "${answer%% *}"
}

postgres_databases() {
  postgres_sql template1 <<'SQL'
SELECT oid, quote_ident(datname), substr(name, 2, length(name) - 2), datname LIKE E'%\n%' OR datname LIKE E'%\t%'
FROM pg_database, to_json(datname::text) AS json, CAST(json AS text) AS name
WHERE datallowconn AND NOT datistemplate ORDER BY datname
SQL
}

# The rows of every table and the large objects, as lines "NAME<tab>NUMBER". Not those of materialised views, which a
# restore makes anew, and of tables of extensions, which a dump leaves out.
postgres_count_sql() {
  cat <<'SQL'
SELECT format('SELECT %L, count(*) FROM %I.%I', substr(name, 2, length(name) - 2), nspname, relname)
FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace,
  to_json(nspname || '.' || relname) AS json, CAST(json AS text) AS name
WHERE relkind = 'r' AND relpersistence = 'p' AND nspname NOT LIKE 'pg\_%' AND nspname <> 'information_schema'
  AND NOT EXISTS (SELECT FROM pg_depend WHERE classid = 'pg_class'::regclass AND objid = c.oid AND deptype = 'e')
ORDER BY nspname, relname \gexec
SELECT 'large objects', count(*) FROM pg_largeobject_metadata;
SQL
}

postgres_save() {
  local dir=$1 version oid quoted json odd
  postgres_connect
  version=$(postgres_version) || exit
  put_note postgres.version "$version"
  # There is always one. Between Docker and its engine, there are proxies that lose an answer.
  { postgres_databases >"$NOTES/postgres.databases" && [ -s "$NOTES/postgres.databases" ]; } || die "$EXIT_SAVE" "the databases of postgres could not be listed"
  while IFS=$'\t' read -r oid quoted json odd; do
    [ "$odd" = f ] || die "$EXIT_SAVE" "postgres has a database whose name holds a tab or a line break: it cannot be saved"
  done <"$NOTES/postgres.databases"
  # What roles there are, and their rights and settings; a password cannot be read back from it.
  step postgres "saving the roles"
  postgres_client pg_dumpall --roles-only --no-role-passwords -l template1 </dev/null >"$dir/roles.sql" ||
    die "$EXIT_SAVE" "the roles of postgres could not be saved"
  [[ $(tail -n 3 "$dir/roles.sql") == *"dump complete"* ]] || die "$EXIT_SAVE" "the roles of postgres did not arrive as a whole"
  # On 4: a client would read the rest of the list as its own input.
  while IFS=$'\t' read -r -u 4 oid quoted json odd; do
    step postgres "saving the database $quoted"
    postgres_save_database "$dir" "$oid" "$json"
    printf '%s\t%s\t%s\n' "$oid" "$quoted" "$json" >>"$dir/databases.tsv"
  done 4<"$NOTES/postgres.databases"
}

# One session holds a snapshot open, and what it counted locked against TRUNCATE. The dump is made of the same snapshot.
postgres_save_database() {
  local dir=$1 oid=$2 json=$3 snapshot key number session in out level=1
  # What is compressed differs as a whole from night to night, and restic compresses by itself.
  [ "$DRIVER" = dir ] || level=0
  local -a connection=(-d "dbname='$(postgres_name "$json")'")
  coproc SESSION { postgres_client psql -XAtq -F $'\t' -v ON_ERROR_STOP=1 "${connection[@]}" 2>"$NOTES/postgres.session"; }
  session=$!
  # Bash takes its own descriptors away when the session ends.
  exec {in}<&"${SESSION[0]}" {out}>&"${SESSION[1]}"
  printf '%s\n' 'BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY;' 'SELECT pg_export_snapshot();' >&"$out"
  read -r -t 90 -u "$in" snapshot || die "$EXIT_SAVE" "no snapshot of a database could be taken: $(tail -n 1 "$NOTES/postgres.session")"
  { postgres_count_sql; printf '%s\n' '\echo'; } >&"$out"
  key=-
  while IFS=$'\t' read -r -u "$in" key number && [ -n "$key" ]; do
    count postgres "$json: $key" "$number"
  done
  [ -z "$key" ] || die "$EXIT_SAVE" "the rows could not be counted: $(tail -n 1 "$NOTES/postgres.session")"
  postgres_client pg_dump -Fc "-Z$level" --lock-wait-timeout=60s --snapshot="$snapshot" "${connection[@]}" </dev/null >"$dir/$oid.dump" ||
    die "$EXIT_SAVE" "pg_dump failed" "its message is above; docker compose logs postgres"
  printf '%s\n' 'COMMIT;' '\q' >&"$out"
  exec {in}<&- {out}>&-
  wait "$session" || die "$EXIT_SAVE" "the session of the snapshot ended: $(tail -n 1 "$NOTES/postgres.session")"
}

# postgres_name JSON: for a connection string, where ' and \ are special.
postgres_name() {
  local name
  printf -v name '%b' "${1//\\\"/\"}"
  name=${name//\\/\\\\}
  printf '%s' "${name//\'/\\\'}"
}

postgres_check() {
  local file
  hold_client postgres none
  for file in "$1"/*.dump; do
    postgres_tool pg_restore --file /dev/null <"$file" || die "$EXIT_DAMAGED" "pg_restore cannot read ${file##*/}" "make another set"
  done
}

# postgres_tool COMMAND...: of the server's image, without a server.
postgres_tool() { tool_client postgres -- "$@"; }

# A dump goes into the same major version or a newer one.
postgres_fits() {
  local saved=${1%%.*} now
  postgres_connect
  now=$(postgres_version) || exit
  [ "${now%%.*}" -ge "$saved" ] || printf 'it was saved from PostgreSQL %s, and this is %s' "$1" "$now"
}

# Who is connected. Not whoever came a moment ago: the health check comes every few seconds.
postgres_users_sql() {
  cat <<'SQL'
SELECT string_agg(DISTINCT usename || ' in ' || datname, ', ') FROM pg_stat_activity
WHERE backend_type = 'client backend' AND datname <> 'template1' AND application_name <> 'framework-infra'
  AND backend_start < now() - interval '2 seconds'
SQL
}

postgres_users() {
  postgres_connect
  postgres_users_sql | postgres_sql template1
}

postgres_restore() {
  local dir=$1 oid quoted json
  hold_client postgres none
  postgres_connect
  step postgres "restoring the roles"
  postgres_roles "$dir" | postgres_sql template1 >/dev/null || die "$EXIT_RESTORE" "the roles could not be restored"
  while IFS=$'\t' read -r -u 4 oid quoted json; do
    step postgres "restoring the database $quoted"
    postgres_restore_database "$dir" "$oid" "$quoted" "$json"
  done 4<"$dir/databases.tsv"
}

# A role that is there already keeps its password.
postgres_roles() {
  local line
  while IFS= read -r line; do
    case $line in
      "CREATE ROLE "*) printf 'DO $role$ BEGIN %s EXCEPTION WHEN duplicate_object THEN NULL; END $role$;\n' "$line" ;;
      *) printf '%s\n' "$line" ;;
    esac
  done <"$1/roles.sql"
}

# Beside the one that is there: restored, counted, and only then given its name. The old one stays, under another.
postgres_restore_database() {
  local dir=$1 oid=$2 quoted=$3 json=$4 new="restoring_$2" create='' line exists
  postgres_definition <"$dir/$oid.dump" >"$NOTES/postgres.definition" || die "$EXIT_DAMAGED" "pg_restore cannot read $oid.dump"
  while IFS= read -r line; do
    [[ $line != "CREATE DATABASE $quoted "* ]] || create="CREATE DATABASE $new ${line#"CREATE DATABASE $quoted "}"
  done <"$NOTES/postgres.definition"
  [ -n "$create" ] || die "$EXIT_DAMAGED" "$oid.dump does not say how $quoted was made"
  # One client for several statements: starting it takes longer than they do.
  exists=$({
    printf 'DROP DATABASE IF EXISTS %s WITH (FORCE);\n%s\n' "$new" "$create"
    printf 'SELECT EXISTS (SELECT FROM pg_database WHERE datname = %s);\n' "$(postgres_literal "$json")"
  } | postgres_sql template1) || die "$EXIT_RESTORE" "the database $new could not be created"
  postgres_client pg_restore --exit-on-error -d "$new" <"$dir/$oid.dump" || postgres_give_up "$new" "pg_restore failed for $quoted; the database in use was not touched" "its message is above"
  postgres_compare_counts "$new" "$json" "$quoted"
  postgres_swap "$new" "$quoted" "$json" "before_${RUN,,}_$oid" "$exists"
}

# postgres_swap NEW QUOTED JSON OLD EXISTS: the restored database gets the name, the one in use, if it EXISTS (t or f),
# becomes OLD; then it gets the rights and settings of the dump.
postgres_swap() {
  local new=$1 quoted=$2 json=$3 old=$4 exists=$5 line said
  said=$({
    if [ "$exists" = f ]; then
      printf 'ALTER DATABASE %s RENAME TO %s;\n' "$new" "$quoted"
    else
      if [ "$FORCE" != true ]; then
        printf 'SELECT users IS NOT NULL AS used, users FROM (%s) AS found (users) \\gset\n' "$(postgres_users_sql)"
        printf '\\if :used\n\\echo in use: :users\n\\q\n\\endif\n'
      fi
      printf 'ALTER DATABASE %s ALLOW_CONNECTIONS false;\n' "$quoted"
      printf 'SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = %s AND pid <> pg_backend_pid() \\g /dev/null\n' "$(postgres_literal "$json")"
      printf 'BEGIN;\nALTER DATABASE %s RENAME TO %s;\nALTER DATABASE %s RENAME TO %s;\nCOMMIT;\n' "$quoted" "$old" "$new" "$quoted"
    fi
    printf '\\echo swapped\n'
    while IFS= read -r line; do
      case $line in "CREATE DATABASE "* | \\*) ;; *) printf '%s\n' "$line" ;; esac
    done <"$NOTES/postgres.definition"
    printf '\\echo all of it\n'
  } | postgres_sql template1) || true
  case $said in
    *"all of it") ;;
    "in use: "*) postgres_give_up "$new" "somebody has connected to postgres meanwhile: ${said#in use: }" "stop what uses it, or give --force to disconnect it" "$EXIT_IN_USE" ;;
    *swapped*) die "$EXIT_RESTORE" "the rights and settings of $quoted could not be restored" "run this again" ;;
    *)
      [ "$exists" = f ] || postgres_sql template1 <<<"ALTER DATABASE $quoted ALLOW_CONNECTIONS true" || true
      postgres_give_up "$new" "$quoted could not be replaced by what was restored" "run this again"
      ;;
  esac
  [ "$exists" = f ] || [ -n "${SECOND:-}" ] || step postgres "the former $quoted is now $old: restore.sh --drop-old deletes it"
}

# postgres_definition: of the dump on standard input, SQL of the database itself: how it was made, whose it is, who may
# connect, and its settings. That is at the beginning of a dump.
postgres_definition() {
  postgres_tool sh -ec '
    trap "rm -f /tmp/dump" EXIT
    head -c 67108864 >/tmp/dump
    pg_restore --create --list /tmp/dump |
      grep -E "^[0-9]+; [0-9]+ [0-9]+ (DATABASE|DATABASE PROPERTIES|ACL - DATABASE|COMMENT - DATABASE) " >/tmp/list
    pg_restore --create --use-list /tmp/list --file - /tmp/dump
  '
}

postgres_literal() {
  local name
  name=$(postgres_name "$1")
  printf "E'%s'" "$name"
}

# postgres_compare_counts DATABASE JSON QUOTED: what is in it against what the set counted. Makes statistics as well.
postgres_compare_counts() {
  local saved restored
  saved=$(counts_in "$SET" postgres | while IFS= read -r line; do
    case $line in "$2: "*) printf '%s\n' "${line#"$2: "}" ;; esac
  done | sort)
  restored=$({ postgres_count_sql; printf 'ANALYZE;\n'; } | postgres_sql "$1" | sort) || postgres_give_up "$1" "what was restored of $3 could not be counted" "docker compose logs postgres"
  [ "$saved" = "$restored" ] ||
    postgres_give_up "$1" "the restored $3 does not hold what the set counted; the one in use was not touched" "use another set (scripts/list-backups.sh)"
}

# Runs in the image: a hash of each table's rows, in their order, of the large objects, and of all the rest, which is
# definitions: lines "SHA256  -" and "NAME" in turn. What says when and by what it was dumped is left out.
POSTGRES_HASHES='
{ pg_restore --create --file - && echo "-- all of it"; } | awk '"'"'
  BEGIN { rows = "sha256sum"; objects = "sha256sum >/tmp/objects"; rest = "sha256sum >/tmp/rest" }
  copying { print | rows; if ($0 == "\\.") { copying = 0; close(rows); print table; fflush() } next }
  /^COPY .* FROM stdin;$/ { table = $0; copying = 1; next }
  /^SELECT pg_catalog.lo_/ || /^SELECT pg_catalog.lowrite/ { print | objects; next }
  /^-- all of it$/ { whole = 1 }
  /^--/ || /^\\(un)?restrict / || /^$/ { next }
  { print | rest }
  END {
    if (!whole) exit 1
    printf "" | objects; close(objects); close(rest)
    system("cat /tmp/objects; echo large objects; cat /tmp/rest; echo definitions")
  }
'"'"'
'

# postgres_hashes: of the dump on standard input, lines "HASH<tab>NAME", sorted.
postgres_hashes() {
  local hash name
  postgres_tool sh -c "$POSTGRES_HASHES" | while IFS= read -r hash && IFS= read -r name; do
    printf '%s\t%s\n' "${hash%% *}" "$name"
  done | sort
}

# What a drill restored against what was saved: the rows of every table, large objects, sequences, definitions, owners,
# rights and settings, as pg_dump gives them; and the roles.
postgres_compare() {
  local dir=$1 oid quoted json saved restored line version
  postgres_connect
  version=$(postgres_version) || exit
  while IFS=$'\t' read -r -u 4 oid quoted json; do
    saved=$(postgres_hashes <"$dir/$oid.dump") || die "$EXIT_DAMAGED" "pg_restore cannot read $oid.dump"
    restored=$(postgres_client pg_dump -Fc -Z0 -d "dbname='$(postgres_name "$json")'" </dev/null | postgres_hashes) || die "$EXIT_DRILL" "the restored $quoted could not be read"
    if [ "$version" != "$(service_field "$SET" postgres serverVersion)" ]; then
      # Another version may put the same definition in other words.
      saved=$(postgres_rows <<<"$saved") restored=$(postgres_rows <<<"$restored")
    fi
    [ "$saved" = "$restored" ] || die "$EXIT_DRILL" "the restored $quoted differs from what was saved: $(postgres_first_difference "$saved" "$restored")"
  done 4<"$dir/databases.tsv"
  restored=$(postgres_client pg_dumpall --roles-only --no-role-passwords -l template1 </dev/null) || die "$EXIT_DRILL" "the restored roles could not be read"
  while IFS= read -r line; do
    case $line in '' | --* | \\*) continue ;; esac
    case $'\n'$restored$'\n' in *$'\n'"$line"$'\n'*) ;; *) die "$EXIT_DRILL" "the restored roles lack: $line" ;; esac
  done <"$dir/roles.sql"
}

postgres_rows() { while IFS= read -r line; do [[ $line == *$'\tdefinitions' ]] || printf '%s\n' "$line"; done; }

# postgres_first_difference SAVED RESTORED: the name of a part that only one of them has, or has otherwise.
postgres_first_difference() {
  local line
  while IFS= read -r line; do
    case $'\n'$2$'\n' in *$'\n'"$line"$'\n'*) ;; *) printf '%s' "${line#*$'\t'}"; return ;; esac
  done <<<"$1"
  printf 'there is more in it'
}

# postgres_give_up DATABASE MESSAGE HINT [CODE]: what was restored beside takes as much space as the one in use.
postgres_give_up() {
  postgres_sql template1 <<<"DROP DATABASE IF EXISTS $1 WITH (FORCE)" || warn "the database $1 is left over: the next restore deletes it"
  die "${4:-$EXIT_RESTORE}" "$2" "$3"
}

postgres_drop_old() {
  local name names
  postgres_connect
  names=$(postgres_sql template1 <<<"SELECT quote_ident(datname) FROM pg_database WHERE datname ~ '^before_[0-9]{8}t[0-9]{6}z_[0-9]+\$'")
  while IFS= read -r -u 4 name; do
    [ -n "$name" ] || continue
    postgres_sql template1 <<<"DROP DATABASE $name" || die "$EXIT_RESTORE" "the database $name could not be deleted"
    step postgres "deleted the database $name"
  done 4<<<"$names"
}
