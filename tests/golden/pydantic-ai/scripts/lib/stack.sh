# shellcheck shell=bash disable=SC2034 # used by the scripts that source this
# What this stack is made of, from framework.yaml and the catalogue of services.

FRAMEWORK=pydantic-ai
SETS=backups
[[ $SETS == /* ]] || SETS=$STACK_DIR/$SETS
# `dir`: sets lie below $SETS. `restic`: they are in the repository.
DRIVER=dir REPOSITORY=''
KEEP_LAST=3 KEEP_DAILY=7 KEEP_WEEKLY=4 KEEP_MONTHLY=6

# Secrets of .env without which restored data cannot be used.
permanent_secrets() {
  printf '%s\n' LANGFUSE_SALT LANGFUSE_ENCRYPTION_KEY
}

stack_services() {
  printf '%s\n' clickhouse langfuse postgres qdrant seaweedfs valkey
}

# What a service stores its data in.
requires_of() {
  case $1 in
    langfuse) printf '%s\n' clickhouse postgres seaweedfs valkey ;;
    *) ;;
  esac
}

# The containers of a service that keep running.
containers_of() {
  case $1 in
    clickhouse) printf '%s\n' clickhouse ;;
    langfuse) printf '%s\n' langfuse langfuse-worker ;;
    postgres) printf '%s\n' postgres ;;
    qdrant) printf '%s\n' qdrant ;;
    seaweedfs) printf '%s\n' seaweedfs ;;
    valkey) printf '%s\n' valkey ;;
    *) ;;
  esac
}

# Its volumes, and how each is saved: by the service's own part, as files, or not at all.
volumes_of() {
  case $1 in
    clickhouse) printf '%s\n' 'clickhouse_data service' 'clickhouse_logs none' ;;
    postgres) printf '%s\n' 'postgres_data service' ;;
    qdrant) printf '%s\n' 'qdrant_data service' 'qdrant_snapshots none' ;;
    seaweedfs) printf '%s\n' 'seaweedfs_data files' ;;
    valkey) printf '%s\n' 'valkey_data none' ;;
    *) ;;
  esac
}
