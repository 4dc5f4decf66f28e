#!/bin/sh
# As the official image does it: bare flags and configuration files are meant
# for valkey-server, and root gives its rights up before the server starts.
set -e

case "${1:-}" in
  -* | *.conf) set -- valkey-server "$@" ;;
esac

if [ "${1:-}" = valkey-server ] && [ "$(id -u)" = 0 ]; then
  find . ! -user valkey -exec chown valkey '{}' +
  exec setpriv --reuid=valkey --regid=valkey --clear-groups "$0" "$@"
fi

# Files with other people's data are nobody else's business.
if [ "$(umask)" = 0022 ]; then umask 0077; fi
exec "$@"
