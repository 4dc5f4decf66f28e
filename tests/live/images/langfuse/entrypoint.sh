#!/bin/sh
# exec: the server is process 1 and gets the engine's signals itself.
exec /opt/stand-in/node --max-old-space-size=96 /opt/stand-in/langfuse.cjs "$@"
