# shellcheck shell=bash disable=SC2034 # used by the scripts that source this
# What this stack is made of, from framework.yaml and the catalogue of services.

FRAMEWORK=research-agents
SETS=backups
[[ $SETS == /* ]] || SETS=$STACK_DIR/$SETS
# `dir`: sets lie below $SETS. `restic`: they are in the repository.
DRIVER=dir REPOSITORY=''
KEEP_LAST=3 KEEP_DAILY=7 KEEP_WEEKLY=4 KEEP_MONTHLY=6

# Secrets of .env without which restored data cannot be used.
permanent_secrets() {
  printf '%s\n' ''
}

stack_services() {
  printf '%s\n' postgres qdrant
}

# What a service stores its data in.
requires_of() {
  case $1 in
    *) ;;
  esac
}

# The containers of a service that keep running.
containers_of() {
  case $1 in
    postgres) printf '%s\n' postgres ;;
    qdrant) printf '%s\n' qdrant ;;
    *) ;;
  esac
}

# Its volumes, and how each is saved: by the service's own part, as files, or not at all.
volumes_of() {
  case $1 in
    postgres) printf '%s\n' 'postgres_data service' ;;
    qdrant) printf '%s\n' 'qdrant_data service' 'qdrant_snapshots none' ;;
    *) ;;
  esac
}
