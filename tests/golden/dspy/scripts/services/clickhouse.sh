# shellcheck shell=bash disable=SC2016,SC2034,SC2154 # code for elsewhere; names that the other files use or set
# How ClickHouse is saved and restored: by its own BACKUP and RESTORE of every database, through a directory in its volume.
# Tables of databases that only show what is elsewhere (MySQL, S3, ...) are not saved. Users come from .env.

clickhouse_connect() {
  CLICKHOUSE_USER=$(env_setting CLICKHOUSE_USER) || exit
  CLICKHOUSE_USER=${CLICKHOUSE_USER:-langfuse}
  CLICKHOUSE_PASSWORD=$(env_value CLICKHOUSE_PASSWORD) || exit
  export CLICKHOUSE_USER CLICKHOUSE_PASSWORD
}

# clickhouse_sql: the statements on standard input, one after the other. In `system`: the database `default` may be one of
# those that are dropped.
clickhouse_sql() { client clickhouse CLICKHOUSE_USER CLICKHOUSE_PASSWORD -- clickhouse-client --host clickhouse --database system "$@"; }

clickhouse_version() {
  local answer
  require_running clickhouse
  # Apart from each other: Docker warns of what the host's kernel lacks.
  if ! answer=$(clickhouse_sql <<<'SELECT version()' 2>"$NOTES/clickhouse.said"); then
    answer=$(note clickhouse.said)
    case $answer in
      *"uthentication failed"*) die "$EXIT_DENIED" "clickhouse refuses the password of $CLICKHOUSE_USER" "CLICKHOUSE_PASSWORD in .env is not the one that it was started with: docker compose up -d --wait clickhouse" ;;
    esac
    die "$EXIT_DOWN" "clickhouse does not answer: ${answer##*$'\n'}" "docker compose logs clickhouse"
  fi
  printf '%s' "$answer"
}

# What is saved, as a condition on system.databases; and expressions for a name and a text as they are written in SQL.
CLICKHOUSE_SAVED="name NOT IN ('system', 'INFORMATION_SCHEMA', 'information_schema') AND engine IN ('Atomic', 'Ordinary', 'Replicated')"
clickhouse_quoted() { printf '%s' "concat('\`', replaceAll(replaceAll(replaceAll($1, '\\\\', '\\\\\\\\'), '\`', '\\\\\`'), '\\n', '\\\\n'), '\`')"; }
clickhouse_literal() { printf '%s' "concat('\\'', replaceAll(replaceAll($1, '\\\\', '\\\\\\\\'), '\\'', '\\\\\\''), '\\'')"; }

# The databases, as written in SQL, one a line.
clickhouse_databases() {
  clickhouse_sql <<<"SELECT $(clickhouse_quoted name) FROM system.databases WHERE $CLICKHOUSE_SAVED ORDER BY name FORMAT TSVRaw"
}

# clickhouse_states: lines "DATABASE.TABLE<tab>ROWS<tab>HASH", the name as inside a JSON string. With `final`, rows that a
# merge has not replaced yet do not count, so a merge changes nothing; the other settings keep its memory small
# (hexclave#1845). No hash of what a merge may put otherwise: aggregates. Left out: what a view takes from elsewhere, tables
# with a TTL, which lose rows by themselves, what refreshable views write, and, with a warning, what cannot be counted.
clickhouse_states() {
  local statements said
  statements=$(
    clickhouse_sql <<SQL
WITH substring(toJSONString(concat(database, '.', name)), 2) AS json
SELECT concat('SELECT ', $(clickhouse_literal "substring(json, 1, length(json) - 1)"), ', count(), ',
  if(engine LIKE '%Aggregating%' OR engine LIKE '%Summing%' OR position(create_table_query, 'AggregateFunction(') > 0, '0', 'sum(cityHash64(tuple(*)))'), ' FROM ',
  $(clickhouse_quoted database), '.', $(clickhouse_quoted name), ' SETTINGS final = 1, max_threads = 2, max_final_threads = 2, max_block_size = 1024 FORMAT TSVRaw;')
FROM system.tables
WHERE database IN (SELECT name FROM system.databases WHERE $CLICKHOUSE_SAVED) AND NOT is_temporary
  AND (engine LIKE '%MergeTree' OR engine IN ('Log', 'TinyLog', 'StripeLog')
    OR concat('.inner_id.', toString(uuid)) IN (SELECT name FROM system.tables))
  AND name NOT LIKE '.inner%' AND position(create_table_query, ' TTL ') = 0 AND position(create_table_query, ' REFRESH ') = 0
  AND concat(database, '.', name) NOT IN (
    SELECT extract(create_table_query, ' TO ([^ ]+)') FROM system.tables WHERE position(create_table_query, ' REFRESH ') > 0)
ORDER BY database, name
FORMAT TSVRaw
SQL
  ) || return
  [ -n "$statements" ] || return 0
  # One that fails must not end the others; whether all were tried, the last line says.
  statements=$(clickhouse_sql --ignore-error 2>"$NOTES/clickhouse.said" <<<"$statements"$'\n'"SELECT 'all of it'") || true
  [[ $statements == *'all of it' ]] || return 1
  said=$(note clickhouse.said)
  case $said in *"DB::Exception"*) warn "clickhouse could not count all of its tables: ${said:0:300}" ;; esac
  statements=${statements%'all of it'}
  printf '%s' "$statements"
}

# clickhouse_wait ID DONE: until a BACKUP or RESTORE has ended; prints what went wrong.
clickhouse_wait() {
  local answer pause=1 failed=0
  while true; do
    if answer=$(clickhouse_sql <<<"SELECT status, error FROM system.backups WHERE id = '$1' FORMAT TSVRaw"); then
      failed=0
    else
      failed=$((failed + 1)) answer=""
      [ "$failed" -lt 5 ] || { printf 'it does not answer'; return 1; }
    fi
    case $answer in
      "$2"*) return 0 ;;
      CREATING_BACKUP* | RESTORING*) ;;
      '') [ "$failed" -gt 0 ] || { printf 'it was restarted'; return 1; } ;;
      *) printf '%s' "${answer#*$'\t'}"; return 1 ;;
    esac
    sleep "$pause"
    [ "$pause" -ge 8 ] || pause=$((pause * 2))
  done
}

# clickhouse_run STATEMENT DONE: starts a BACKUP or RESTORE, and waits for it. Prints what went wrong.
clickhouse_run() {
  local answer
  if ! answer=$(clickhouse_sql <<<"$1 ASYNC FORMAT TSVRaw" 2>"$NOTES/clickhouse.said") || [[ ! $answer =~ ^[0-9a-f-]{36} ]]; then
    answer=$(note clickhouse.said)
    printf '%s' "${answer%%$'\n'*}"
    return 1
  fi
  clickhouse_wait "${answer%%$'\t'*}" "$2"
}

# clickhouse_volume ro|rw COMMAND...
clickhouse_volume() {
  local name
  name=$(volume_name clickhouse clickhouse_data) || exit
  volume_client clickhouse "$name" "$1" -- "${@:2}"
}

# A directory of ours takes as much space in the volume as the data. What an earlier run started may still write there.
clickhouse_tidy() {
  local active waited=0
  clickhouse_connect
  while is_running clickhouse && [ "$waited" -lt 60 ]; do
    active=$(clickhouse_sql <<'SQL'
KILL QUERY WHERE query_kind IN ('Backup', 'Restore') AND query LIKE '%framework-infra-%' FORMAT Null;
SELECT count() FROM system.backups WHERE status IN ('CREATING_BACKUP', 'RESTORING') AND name LIKE '%framework-infra-%'
SQL
    ) || break
    [ "$active" != 0 ] || break
    sleep 2
    waited=$((waited + 2))
  done
  clickhouse_volume rw sh -c 'rm -rf /volume/backups/framework-infra-*' </dev/null
}

# Whether ClickHouse is still changing rows that are there, such as deleting them: those changes are in no backup
# (ClickHouse#45351). Waits a minute for it.
clickhouse_mutating() {
  local left waited=0
  while left=$(clickhouse_sql <<<"SELECT count() FROM system.mutations WHERE NOT is_done"); do
    [ "$left" != 0 ] || return 1
    [ "$waited" -lt 60 ] || return 0
    sleep 4
    waited=$((waited + 4))
  done
}

# clickhouse_elsewhere: what was made by SQL and is in no database.
clickhouse_elsewhere() {
  clickhouse_sql <<<"SELECT (SELECT count() FROM system.functions WHERE origin = 'SQLUserDefined'), (SELECT count() FROM system.users WHERE storage NOT LIKE 'users%xml')"
}

clickhouse_save() {
  local dir=$1 version name="framework-infra-$SET" databases database list='' said space twice=false
  clickhouse_connect
  version=$(clickhouse_version) || exit
  put_note clickhouse.version "$version"
  databases=$(clickhouse_databases) || die "$EXIT_SAVE" "the databases of clickhouse could not be listed"
  printf '%s' "${databases:+$databases$'\n'}" >"$dir/databases"
  : >"$dir/tables.tsv"
  [ -n "$databases" ] || return 0
  while IFS= read -r database; do list+="${list:+, }DATABASE $database"; done <<<"$databases"
  put_note clickhouse.tidy ''
  clickhouse_tidy || die "$EXIT_SAVE" "what an earlier backup left in the volume of clickhouse could not be deleted"
  space=$(clickhouse_sql <<<"SELECT (SELECT sum(bytes_on_disk) FROM system.parts), (SELECT min(free_space) FROM system.disks)") ||
    die "$EXIT_SAVE" "clickhouse does not say how large it is"
  [ "${space#*$'\t'}" -gt $((${space%$'\t'*} + 67108864)) ] ||
    die "$EXIT_SPACE" "clickhouse holds $((${space%$'\t'*} / 1048576)) MiB, and its disk has $((${space#*$'\t'} / 1048576)) MiB free for a copy" "make space on the disk of the engine's volumes"
  said=$(clickhouse_elsewhere 2>/dev/null) || said=$'0\t0'
  [ "$said" = $'0\t0' ] || warn "functions and users of clickhouse that were made by SQL are not in the set"
  [ "$(note quiesced)" = true ] || twice=true
  if clickhouse_mutating; then
    twice=true
    warn "clickhouse has not finished changing or deleting rows: what is left of that is not in the set (system.mutations)"
  fi
  step clickhouse "counting its rows"
  clickhouse_states >"$NOTES/clickhouse.before" || die "$EXIT_SAVE" "the rows of clickhouse could not be counted"
  step clickhouse "saving ${list//DATABASE /}"
  said=$(clickhouse_run "BACKUP $list TO File('$name/')" BACKUP_CREATED) || die "$EXIT_SAVE" "clickhouse could not make its backup: $said" "docker compose logs clickhouse"
  clickhouse_volume ro tar -C "/volume/backups/$name" -cf - . </dev/null >"$dir/backup.tar" || die "$EXIT_SAVE" "the backup that clickhouse made could not be read"
  clickhouse_tidy || warn "the backup that clickhouse made is still in its volume"
  rm -f "$NOTES/clickhouse.tidy"
  clickhouse_counted "$dir" "$twice"
}

# clickhouse_counted DIR TWICE: what did not change while it was saved.
clickhouse_counted() {
  local key rows hash
  cp "$NOTES/clickhouse.before" "$NOTES/clickhouse.after"
  if [ "$2" = true ]; then
    clickhouse_states >"$NOTES/clickhouse.after" || die "$EXIT_SAVE" "the rows of clickhouse could not be counted"
  fi
  while IFS=$'\t' read -r key rows hash; do
    count clickhouse "$key" "$rows"
    printf '%s\t%s\t%s\n' "$key" "$rows" "$hash" >>"$1/tables.tsv"
  done < <(comm -12 <(sort "$NOTES/clickhouse.before") <(sort "$NOTES/clickhouse.after"))
  [ "$(sum_of "$NOTES/clickhouse.before")" = "$(sum_of "$NOTES/clickhouse.after")" ] || warn "tables of clickhouse changed meanwhile: the set does not say how many rows they hold"
}

clickhouse_check() {
  [ -e "$1/backup.tar" ] || [ ! -s "$1/databases" ] || die "$EXIT_DAMAGED" "clickhouse's part of the set has no backup.tar"
  [ ! -e "$1/backup.tar" ] || tool_client clickhouse -- tar -xOf - ./.backup <"$1/backup.tar" >/dev/null || die "$EXIT_DAMAGED" "backup.tar of clickhouse cannot be read" "make another set"
}

# A backup goes into the same version or a newer one.
clickhouse_fits() {
  local now saved
  clickhouse_connect
  now=$(clickhouse_version) || exit
  [ -e "$SETS/$SOURCE/clickhouse/databases" ] || { printf 'it was made by an earlier version of these scripts'; return; }
  IFS=. read -ra saved <<<"$1"
  IFS=. read -ra now <<<"$now"
  if [ "${now[0]}" -lt "${saved[0]}" ] || { [ "${now[0]}" -eq "${saved[0]}" ] && [ "${now[1]}" -lt "${saved[1]}" ]; }; then
    printf 'it was saved from ClickHouse %s, and this is %s.%s' "$1" "${now[0]}" "${now[1]}"
  fi
}

# A view would go on to write into the tables of a renamed database, or from it into the restored ones, so the old
# databases are dropped. Their state is in the set that was made before.
clickhouse_restore() {
  local dir=$1 name="framework-infra-$RUN" database list='' drop='' said
  [ -s "$dir/databases" ] || return 0
  clickhouse_connect
  put_note clickhouse.tidy ''
  step clickhouse "copying the backup into its volume"
  clickhouse_tidy || die "$EXIT_RESTORE" "what an earlier run left in the volume of clickhouse could not be deleted"
  clickhouse_volume rw sh -ec 'mkdir -p "/volume/backups/$1"; tar -C "/volume/backups/$1" -xf -' sh "$name" <"$dir/backup.tar" ||
    die "$EXIT_RESTORE" "the backup could not be copied into the volume of clickhouse" "is there space for it? nothing that was there has been changed"
  while IFS= read -r database; do
    list+="${list:+, }DATABASE $database"
    drop+="DROP DATABASE IF EXISTS $database SETTINGS max_table_size_to_drop = 0, max_partition_size_to_drop = 0, check_table_dependencies = 0, check_referential_table_dependencies = 0;"$'\n'
  done <"$dir/databases"
  # What is dropped takes its space for some minutes more.
  said=$(clickhouse_sql <<<"SELECT min(free_space) FROM system.disks") || die "$EXIT_RESTORE" "clickhouse does not say how much space it has"
  [ "$said" -gt $(($(stat -c %s "$dir/backup.tar") + 67108864)) ] ||
    die "$EXIT_SPACE" "the disk of clickhouse has $((said / 1048576)) MiB free, and what is restored takes $(($(stat -c %s "$dir/backup.tar") / 1048576)) MiB; nothing has been changed" "make space on the disk of the engine's volumes"
  step clickhouse "restoring ${list//DATABASE /}"
  clickhouse_sql <<<"$drop" >/dev/null || die "$EXIT_RESTORE" "the databases of clickhouse could not be dropped" "run this again"
  said=$(clickhouse_run "RESTORE $list FROM File('$name/')" RESTORED) || die "$EXIT_RESTORE" "clickhouse could not restore its backup: $said" "run this again; docker compose logs clickhouse"
  clickhouse_tidy || warn "the copy of the backup is still in the volume of clickhouse"
  rm -f "$NOTES/clickhouse.tidy"
  said=$(clickhouse_difference "$dir" 2) || exit
  [ -z "$said" ] || die "$EXIT_RESTORE" "the restored clickhouse does not hold what the set counted: $said" "use another set (scripts/list-backups.sh)"
}

# clickhouse_difference DIR COLUMNS: the first table whose rows (2 columns) or also whose contents (3) are not those of the
# set; nothing where there is none.
clickhouse_difference() {
  local said
  clickhouse_states >"$NOTES/clickhouse.restored" || die "$EXIT_RESTORE" "the restored rows of clickhouse could not be counted"
  comm -23 <(cut -f "1-$2" "$1/tables.tsv" | sort) <(cut -f "1-$2" "$NOTES/clickhouse.restored" | sort) | cut -f 1 >"$NOTES/clickhouse.differs"
  read -r said <"$NOTES/clickhouse.differs" || return 0
  printf '%s' "$said"
}

clickhouse_compare() {
  local said now saved columns=2
  [ -s "$1/databases" ] || return 0
  clickhouse_connect
  now=$(clickhouse_version) || exit
  saved=$(service_field "$SET" clickhouse serverVersion)
  # Another version may put the same values otherwise.
  [ "${now%.*.*}" != "${saved%.*.*}" ] || columns=3
  said=$(clickhouse_difference "$1" "$columns") || exit
  [ -z "$said" ] || die "$EXIT_DRILL" "the restored clickhouse differs from what was saved: $said"
}
