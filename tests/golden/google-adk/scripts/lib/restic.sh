# shellcheck shell=bash disable=SC2034,SC2154 # names that the other files use or set
# Sets in a restic repository (backup.driver: restic): encrypted, and on another host if the repository is. Of each set,
# this directory keeps the manifest only. Works with restic 0.14 and newer.

# restic_settings: from framework.yaml and .env.restic, which has more variables, such as those of S3.
restic_settings() {
  local line name value
  if [ -e .env.restic ]; then
    while IFS= read -r line || [ -n "$line" ]; do
      [[ $line =~ ^(export\ +)?([A-Z][A-Z0-9_]*)=(.*)$ ]] || continue
      name=${BASH_REMATCH[2]} value=${BASH_REMATCH[3]%$'\r'}
      case $name in
        RESTIC_* | AWS_* | AZURE_* | B2_* | GOOGLE_* | OS_* | ST_* | RCLONE_*) ;;
        *) warn "$name in .env.restic is not a variable of restic"; continue ;;
      esac
      if [[ $value =~ ^\"(.*)\"$ || $value =~ ^\'(.*)\'$ ]]; then value=${BASH_REMATCH[1]}; fi
      export "$name=$value"
    done <.env.restic
  fi
  RESTIC_REPOSITORY=${RESTIC_REPOSITORY:-$REPOSITORY} RESTIC_PASSWORD_FILE=${RESTIC_PASSWORD_FILE:-.restic-password}
  # Paths are relative to this directory.
  case $RESTIC_REPOSITORY in '' | /* | *:*) ;; *) RESTIC_REPOSITORY=$STACK_DIR/$RESTIC_REPOSITORY ;; esac
  [[ $RESTIC_PASSWORD_FILE == /* ]] || RESTIC_PASSWORD_FILE=$STACK_DIR/$RESTIC_PASSWORD_FILE
  export RESTIC_REPOSITORY RESTIC_PASSWORD_FILE
  # For messages: a URL may hold a password.
  SHOWN_REPOSITORY=$RESTIC_REPOSITORY
  [[ ! $RESTIC_REPOSITORY =~ ^(.*//)[^/]*@(.*)$ ]] || SHOWN_REPOSITORY="${BASH_REMATCH[1]}***@${BASH_REMATCH[2]}"
}

# restic_ready: that restic is there, and knows where to.
restic_ready() {
  command -v restic >/dev/null || die "$EXIT_HOST" "restic is not installed" "install it, or set backup.driver: dir in framework.yaml"
  restic_settings
  [ -n "$RESTIC_REPOSITORY" ] || die "$EXIT_ENV" "no restic repository is set" "backup.repository in framework.yaml, or RESTIC_REPOSITORY in .env.restic"
  [ -s "$RESTIC_PASSWORD_FILE" ] || die "$EXIT_ENV" "the password of the restic repository is not in $RESTIC_PASSWORD_FILE" "put it back from where you keep it; for a new repository: scripts/backup.sh --init"
}

# restic_run ARGUMENT...: any other end than 0 is a failure, also 3, for a snapshot that lacks files. Another run's lock is
# waited for: a backup and a drill can come at once, and stacks can share a repository.
restic_run() {
  local code said waited=0
  while :; do
    code=0
    restic "$@" 2>"$NOTES/restic" </dev/null || code=$?
    [ "$code" != 0 ] || return 0
    said=$(tail -n 8 "$NOTES/restic" | tr '\n' ' ')
    # Before 0.17, one code stands for all of these.
    case "$code $said" in
      10\ * | *"Is there a repository at"* | *"unable to open config file"*)
        die "$EXIT_REPOSITORY" "there is no restic repository at $SHOWN_REPOSITORY" "is it reachable? scripts/backup.sh --init makes a new one" ;;
      11\ * | *"already locked"* | *"unable to create lock"*)
        [ "$waited" -lt "${RESTIC_LOCK_SECONDS:-600}" ] ||
          die "$EXIT_REPOSITORY_LOCKED" "the restic repository is locked by another run" "if there is none any more: scripts/backup.sh --unlock"
        [ "$waited" -gt 0 ] || step "" "waiting for another run to release the restic repository"
        sleep 10
        waited=$((waited + 10))
        ;;
      12\ * | *"wrong password"*)
        die "$EXIT_DENIED" "the restic repository refuses the password in $RESTIC_PASSWORD_FILE" "put back the one that it was made with" ;;
      *"config file already exists"*) die "$EXIT_USAGE" "there is a restic repository at $SHOWN_REPOSITORY already" "put its password into $RESTIC_PASSWORD_FILE" ;;
      *"no snapshot found"*) die "$EXIT_NO_SET" "the restic repository has no such set" "scripts/list-backups.sh shows them" ;;
      *) die "$EXIT_COPY" "restic $1 ended with $code: ${said//"$RESTIC_REPOSITORY"/$SHOWN_REPOSITORY}" ;;
    esac
  done
}

# restic_init: a new repository, and its password where there is none.
restic_init() {
  restic_settings
  local made=false code=0
  if [ ! -e "$RESTIC_PASSWORD_FILE" ]; then
    made=true
    (umask 077 && set -o noclobber && od -An -v -N32 -tx1 /dev/urandom | tr -d ' \n' >"$RESTIC_PASSWORD_FILE") ||
      die "$EXIT_WRITE" "$RESTIC_PASSWORD_FILE could not be written"
  fi
  (restic_ready && restic_run init) >/dev/null || code=$?
  if [ "$code" != 0 ]; then
    # One that opens nothing would be kept in place of the right one.
    [ "$made" = false ] || rm -f "$RESTIC_PASSWORD_FILE"
    exit "$code"
  fi
  printf 'made a restic repository at %s\nKeep a copy of %s elsewhere: without it, no set can be read.\n' "$SHOWN_REPOSITORY" "$RESTIC_PASSWORD_FILE" >&2
}

restic_unlock() {
  restic_ready
  restic_run unlock >/dev/null
}

# restic_store_all: every backup that is here in full, so that one which could not be stored last night is stored now. Of
# what is in the repository, the manifest stays here.
restic_store_all() {
  local id stored
  step "" "storing the set in the restic repository"
  stored=$(restic_ids) || exit
  for id in $(set_ids | sort); do
    if is_stub "$SETS/$id" || [ -n "$(field "$SETS/$id/manifest.json" reason)" ] || ! kind_of "$id" >/dev/null; then continue; fi
    case $'\n'$stored$'\n' in
      *$'\n'"$id"$'\n'*) ;;
      *) restic_store "$id" ;;
    esac
    restic_require "$id"
    stub_of "$id"
  done
}

# restic_store ID
restic_store() {
  local created code=0
  created=$(time_of "$1")
  # From within, so that the snapshot holds ID/ and not the path of this directory.
  (cd "$SETS" && TZ=UTC restic_run backup --quiet --host "$FRAMEWORK" --tag framework-infra --tag "$1" \
    --tag "$(restic_kind "$1")" --time "${created:0:10} ${created:11:8}" "$1") || code=$?
  [ "$code" != 0 ] || return 0
  # There may be a snapshot without some of the files, which would pass for the set.
  restic_drop "$1"
  exit "$code"
}

# restic_drop ID: its snapshots go, if the repository answers.
restic_drop() {
  local found
  found=$(restic snapshots --json --host "$FRAMEWORK" --tag "framework-infra,$1" 2>/dev/null) || return 0
  while [[ $found =~ \"short_id\":\"([0-9a-f]+)\"(.*)$ ]]; do
    restic forget --quiet "${BASH_REMATCH[1]}" >/dev/null 2>&1 || true
    found=${BASH_REMATCH[2]}
  done
}

# restic_require ID: what the repository has under this name is this set, and all of it.
restic_require() {
  local sum listed file
  sum=$(restic_run dump --host "$FRAMEWORK" --tag "framework-infra,$1" latest "/$1/manifest.sha256") || exit
  [ "$sum" = "$(cat "$SETS/$1/manifest.sha256")" ] ||
    die "$EXIT_COPY" "the restic repository has another set $1" "does another directory store into it under the name $FRAMEWORK? give each a repository of its own"
  listed=$(restic_run ls --host "$FRAMEWORK" --tag "framework-infra,$1" latest) || exit
  while IFS= read -r file; do
    case $'\n'$listed$'\n' in *$'\n'"/$1/$file"$'\n'*) ;; *) die "$EXIT_COPY" "the restic repository lacks $file of set $1" "delete its snapshot with restic forget, then run this again" ;; esac
  done < <(files_below "$SETS/$1")
}

# stub_of ID: what of a stored set stays on this host.
stub_of() {
  local path
  # A drill may be reading it.
  [ "$(cat "$SETS/.drill/set" 2>/dev/null)" != "$1" ] || return 0
  for path in "$SETS/$1"/* "$SETS/$1"/.[!.]*; do
    case $path in */manifest.json | */manifest.sha256) ;; *) rm -rf "$path" ;; esac
  done
}

# restic_kind ID: a tag for the sets that replace each other.
restic_kind() {
  local kind
  kind=$(kind_of "$1" | sum_of /dev/stdin)
  printf 'kind-%s' "${kind:0:12}"
}

# restic_ids: the sets in the repository, the newest first.
restic_ids() {
  local rest
  rest=$(restic_run snapshots --json --host "$FRAMEWORK" --tag framework-infra) || exit
  while [[ $rest =~ \"([0-9]{8}T[0-9]{6}Z)\"(.*)$ ]]; do
    printf '%s\n' "${BASH_REMATCH[1]}"
    rest=${BASH_REMATCH[2]}
  done | sort -ru
}

# restic_fetch ID DIRECTORY: the set becomes DIRECTORY/ID.
restic_fetch() {
  step "" "fetching set $1 from the restic repository"
  rm -rf "$2"
  mkdir -m 700 "$2" || die "$EXIT_WRITE" "$2 could not be created"
  restic_run restore latest --host "$FRAMEWORK" --tag "$1" --target "$2" >/dev/null
  [ -f "$2/$1/manifest.json" ] || die "$EXIT_NO_SET" "the restic repository has no set $1" "scripts/list-backups.sh shows them"
}

# restic_forget: deletes old sets by restic's own rules, each kind for itself, and what was kept of them here.
restic_forget() {
  local id left kind kinds=''
  step "" "deleting old sets from the restic repository"
  for id in $(set_ids); do
    kind=$(restic_kind "$id") || continue
    case " $kinds " in *" $kind "*) ;; *) kinds+="$kind " ;; esac
  done
  for kind in $kinds; do
    restic_run forget --quiet --host "$FRAMEWORK" --tag "framework-infra,$kind" --group-by host --keep-tag "$SET" \
      --keep-last "$KEEP_LAST" --keep-daily "$KEEP_DAILY" --keep-weekly "$KEEP_WEEKLY" --keep-monthly "$KEEP_MONTHLY" >/dev/null
  done
  restic_run prune --quiet >/dev/null
  left=$(restic_ids) || exit
  case $'\n'$left$'\n' in *$'\n'"$SET"$'\n'*) ;; *) die "$EXIT_COPY" "the restic repository does not have set $SET any more" ;; esac
  for id in $(set_ids); do
    case $'\n'$left$'\n' in
      # One that was fetched for a restore which did not succeed.
      *$'\n'"$id"$'\n'*) stub_of "$id" ;;
      *) if is_stub "$SETS/$id"; then rm -rf "${SETS:?}/$id"; fi ;;
    esac
  done
}
