# shellcheck shell=bash disable=SC2016,SC2034,SC2154 # code for elsewhere; names that the other files use or set
# Langfuse keeps nothing itself. So that PostgreSQL, ClickHouse and SeaweedFS are saved as of one moment, its web
# server takes nothing in meanwhile, and the worker has stored what was queued.

langfuse_pause() {
  local waited=0 queued
  is_running langfuse || is_running langfuse-worker || return 0
  # Paused, not stopped: on SIGTERM it waits for two minutes, and clients would get errors instead of a late answer.
  step langfuse "pausing the web server"
  pause_service langfuse
  if is_running valkey; then hold_client valkey; fi
  while queued=$(langfuse_queued) && [ "$queued" != 0 ] && [ "$waited" -lt "${LANGFUSE_DRAIN_SECONDS:-120}" ]; do
    [ "$waited" -gt 0 ] || step langfuse "waiting for $queued queued events"
    sleep 2
    waited=$((waited + 2))
  done
  step langfuse "stopping the worker"
  stop_service langfuse-worker 120
}

# Events that were taken in and are not stored yet; "null" where it cannot be known.
langfuse_queued() {
  local answer
  is_running valkey || { printf 'null'; return; }
  REDISCLI_AUTH=$(env_value VALKEY_PASSWORD) || exit
  export REDISCLI_AUTH
  # Other queues hold repeated jobs that never end.
  answer=$(client valkey REDISCLI_AUTH -- valkey-cli -h valkey --raw EVAL '
    local found = 0
    for _, list in ipairs({"wait", "active"}) do
      for _, key in ipairs(redis.call("KEYS", "*bull:*ingestion-queue*:" .. list)) do found = found + redis.call("LLEN", key) end
    end
    for _, set in ipairs({"delayed", "prioritized"}) do
      for _, key in ipairs(redis.call("KEYS", "*bull:*ingestion-queue*:" .. set)) do found = found + redis.call("ZCARD", key) end
    end
    return found' 0 2>/dev/null) || answer=''
  [[ $answer =~ ^[0-9]+$ ]] || answer=null
  printf '%s' "$answer"
}

# What is still queued when the stores are saved is in none of them.
langfuse_at_risk() { langfuse_queued; }
