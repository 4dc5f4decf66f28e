#!/usr/bin/env bash
# exec: the server is process 1 and gets the engine's signals itself.
exec /opt/stand-in/node --max-old-space-size=256 /opt/stand-in/qdrant/server.mjs "$@"
