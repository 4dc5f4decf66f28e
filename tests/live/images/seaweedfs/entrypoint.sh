#!/bin/sh
# Like upstream's: /data is handed to the seaweed user and root given up when
# the container was started as root, and the arguments go to weed.
if [ "$(id -u)" = 0 ]; then
  chown seaweed:seaweed /data
  exec setpriv --reuid=seaweed --regid=seaweed --clear-groups weed "$@"
fi
exec weed "$@"
