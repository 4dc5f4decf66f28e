#!/usr/bin/env bash
# Says what must be kept outside this host to get the stack back, with the files themselves if it is told to.
# shellcheck disable=SC2034,SC2154 # names that the other files use or set
set -euo pipefail

STACK_DIR=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cd "$STACK_DIR"
# shellcheck source=/dev/null
. scripts/lib/common.sh
# shellcheck source=/dev/null
. scripts/lib/stack.sh
# shellcheck source=/dev/null
. scripts/lib/sets.sh

usage() {
  cat <<'TEXT'
Usage: scripts/recovery-kit.sh [OPTION]

Prints what must be kept outside this host to get this stack back. No secret is printed without --with-secrets.

  --with-secrets  print the files as well, in full: for a password manager, or a program that encrypts.
                  Refused on a terminal
  --json          print one JSON document, without secrets
  --help          show this

Examples:
  scripts/recovery-kit.sh
  scripts/recovery-kit.sh --with-secrets | age --passphrase > kit.age

TEXT
  exit_codes
}

WITH_SECRETS=false
while [ $# -gt 0 ]; do
  case $1 in
    --with-secrets) WITH_SECRETS=true ;;
    --json) JSON=true ;;
    --help | -h) usage; exit ;;
    *) die "$EXIT_USAGE" "recovery-kit.sh takes no $1" "scripts/recovery-kit.sh --help" ;;
  esac
  shift
done
require_host
[ "$WITH_SECRETS" = false ] || [ "$JSON" = false ] || die "$EXIT_USAGE" "--json prints no secrets" "leave out one of the two"
[ "$WITH_SECRETS" = false ] || [ ! -t 1 ] ||
  die "$EXIT_USAGE" "secrets are not printed on a terminal" "scripts/recovery-kit.sh --with-secrets | age --passphrase > kit.age"

files=(.env)
if [ "$DRIVER" = restic ]; then
  # shellcheck source=/dev/null
  . scripts/lib/restic.sh
  restic_settings
  files+=("${RESTIC_PASSWORD_FILE#"$STACK_DIR/"}" .env.restic)
fi
newest=$(newest_backup)
secrets=$(permanent_secrets)

# strings TEXT...: as the inside of a JSON array.
strings() {
  local text comma=''
  for text in "$@"; do
    printf '%s"%s"' "$comma" "$(json_text "$text")"
    comma=,
  done
}
if [ "$JSON" = true ]; then
  where=null last=null
  [ "$DRIVER" = dir ] || where=$(strings "$REPOSITORY")
  [ -z "$newest" ] || last=$(strings "$newest")
  # shellcheck disable=SC2086 # one word each
  printf '{"schemaVersion":1,"framework":"%s","files":[%s],"permanent":[%s],"repository":%s,"newest":%s}\n' "$FRAMEWORK" \
    "$(strings "${files[@]}")" "$(strings $secrets)" "$where" "$last"
  exit
fi

printf 'Recovery kit of %s, %s\n\n' "$FRAMEWORK" "$(date -u +%Y-%m-%dT%H:%M:%SZ)"
printf 'Keep outside this host, and apart from the sets:\n\n'
for file in "${files[@]}"; do
  if [ -f "$file" ]; then
    printf -- '- %s\n' "$file"
  elif [ "$file" != .env.restic ]; then
    printf -- '- %s, which is missing here\n' "$file"
  fi
done
[ -z "$secrets" ] || printf '  Restored data cannot be used without the same %s.\n' "${secrets//$'\n'/ and }"
printf -- '- this directory, in git: framework.yaml, compose.yaml, scripts/ and the rest\n'
if [ "$DRIVER" = restic ]; then
  printf -- '- where the restic repository is: %s\n' "${REPOSITORY:-RESTIC_REPOSITORY in .env.restic}"
elif [ -x hooks/copy ]; then
  printf -- '- where hooks/copy puts the sets\n'
else
  printf -- '- a copy of the sets in %s: there is no program hooks/copy, so they are on this host only\n' "$SETS"
fi
if [ -n "$newest" ]; then
  printf '\nThe newest complete set is %s, made from:\n\n' "$newest"
  for service in $(services_in "$newest"); do
    printf -- '- %s: %s\n' "$service" "$(service_field "$newest" "$service" image)"
  done
else
  printf '\nNo complete set is known here: %s.\n' "$([ "$DRIVER" = restic ] && printf 'scripts/list-backups.sh asks the repository' || printf 'scripts/backup.sh makes one')"
fi
printf '\nThe way back is in DISASTER_RECOVERY.md, "On an empty host".\n'

if [ "$WITH_SECRETS" = true ]; then
  for file in "${files[@]}" framework.yaml; do
    [ -f "$file" ] || continue
    printf '\n===== %s =====\n' "$file"
    cat "$file"
  done
fi
