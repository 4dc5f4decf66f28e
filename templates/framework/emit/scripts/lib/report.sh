# shellcheck shell=bash disable=SC2034,SC2154 # names that the other files use or set
# What a run tells the world outside: a monitoring URL, a file of metrics for Prometheus, and commands of the user's own
# in hooks/. None of it holds a line of a log.

# report_start KIND: `backup` or `drill`. From here on, the end of the run is told, whatever it is.
report_start() {
  REPORTED=$1
  ping_monitor /start
}
REPORTED=''

# report_end CODE: for the EXIT trap, when everything else is done.
report_end() {
  [ -n "$REPORTED" ] || return 0
  # The run that is active will tell; and whoever pressed Ctrl-C knows.
  case $1 in "$EXIT_LOCKED" | 130) return 0 ;; esac
  write_metrics "$1" || warn "the metrics could not be written: is BACKUP_METRICS_DIR in .env a directory that this user may write to?"
  if [ "$1" = 0 ]; then
    ping_monitor ''
  else
    ping_monitor "/$1"
    RUN=$REPORTED EXIT_CODE=$1 run_hook failed || warn "hooks/failed ended with $?"
  fi
}

# run_hook NAME [ARGUMENT...]: a program of the user's own, where there is one. Its output is part of the messages.
run_hook() {
  [ -x "$STACK_DIR/hooks/$1" ] || return 0
  export FRAMEWORK
  "$STACK_DIR/hooks/$1" "${@:2}" </dev/null >&2 3>&-
}

# ping_monitor PATH: as healthchecks.io and what is like it take it: /start, nothing for success, /CODE for a failure.
# The URL is as good as a password: it goes in on standard input, where no list of processes shows it.
ping_monitor() {
  local url
  [ -n "$REPORTED" ] || return 0
  url=$(env_setting "${REPORTED^^}_PING_URL") || { warn "the monitoring URL was not called"; return 0; }
  [ -n "$url" ] || return 0
  if [[ ! $url =~ ^https?://[^[:space:]\"\\?#]+$ ]]; then
    warn "${REPORTED^^}_PING_URL in .env is not a URL that /start and /CODE can be added to"
  elif command -v curl >/dev/null; then
    printf 'url = "%s%s"\n' "${url%/}" "$1" | timeout 60 curl -fsS -m 10 --retry 3 -o /dev/null --config - 2>/dev/null ||
      warn "the monitoring URL does not answer"
  elif [[ $(wget --version 2>&1) == "GNU Wget"* ]]; then
    printf '%s%s\n' "${url%/}" "$1" | timeout 60 wget -q -T 10 -t 3 -O /dev/null -i - 2>/dev/null ||
      warn "the monitoring URL does not answer"
  else
    warn "the monitoring URL was not called: neither curl nor GNU wget is installed"
  fi
}

# write_metrics CODE: for the textfile collector of Prometheus' node exporter, put into place whole.
write_metrics() {
  local dir file
  dir=$(env_setting BACKUP_METRICS_DIR) || return 1
  [ -n "$dir" ] || return 0
  [[ $dir == /* ]] || dir=$STACK_DIR/$dir
  file="$dir/framework-infra-$FRAMEWORK-$REPORTED.prom"
  [ -d "$dir" ] || return 1
  "metrics_of_$REPORTED" "$1" >"$file.$$" || return 1
  # The exporter is another user. A name that does not end in .prom is not read.
  chmod 644 "$file.$$" && mv -f "$file.$$" "$file"
}

# metric NAME VALUE HELP
metric() {
  printf '# HELP %s %s\n# TYPE %s gauge\n%s{framework="%s"} %s\n' "$1" "$3" "$1" "$1" "$FRAMEWORK" "$2"
}

metrics_of_backup() {
  local id
  metric backup_last_run_timestamp_seconds "$(date -u +%s)" "When a backup last ended, whatever its outcome."
  metric backup_last_run_exit_code "$1" "How it ended: 0, or the code of its failure."
  id=$(newest_backup)
  [ -n "$id" ] || return 0
  metric backup_last_success_timestamp_seconds "$(seconds_of "$id")" "Time of the newest complete and verified set."
  metric backup_last_success_duration_seconds "$(field "$SETS/$id/manifest.json" seconds)" "How long that set took."
  metric backup_last_success_size_bytes "$(size_of "$id")" "Its size on the disk."
  metric backup_sets "$(set_ids | wc -l)" "How many sets there are."
}

metrics_of_drill() {
  local time id seconds
  metric backup_drill_last_run_timestamp_seconds "$(date -u +%s)" "When a restore drill last ended, whatever its outcome."
  metric backup_drill_last_run_exit_code "$1" "How it ended: 0, or the code of its failure."
  read -r time id seconds < <(last_drill)
  [ -n "${time:-}" ] || return 0
  metric backup_drill_last_success_timestamp_seconds "$(seconds_of "$time")" "When a set was last restored in a drill."
  metric backup_drill_last_success_duration_seconds "$seconds" "How long that took."
}

# last_drill: TIME ID SECONDS of the last one that succeeded, TIME as the ID of a set.
last_drill() { tail -n 1 "$SETS/.drills" 2>/dev/null || true; }
