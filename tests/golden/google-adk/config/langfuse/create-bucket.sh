#!/bin/sh
# Makes Langfuse's bucket unless it exists. `weed shell` ends with 0 whatever happened,
# so the list of buckets is what counts.
set -eu

shell() {
  printf '%s\n' "$1" | weed shell -master=seaweedfs:9333 2>&1
}

has_bucket() {
  shell 's3.bucket.list' | awk -v name="$BUCKET" '$1 == name || $1 == ">" && $2 == name { found = 1 } END { exit !found }'
}

for attempt in 1 2 3 4 5 6 7 8 9 10; do
  if has_bucket; then
    echo "bucket $BUCKET is there"
    exit 0
  fi
  echo "attempt $attempt: making bucket $BUCKET"
  shell "s3.bucket.create -name $BUCKET" || true
  sleep 2
done
echo "bucket $BUCKET could not be made" >&2
exit 1
