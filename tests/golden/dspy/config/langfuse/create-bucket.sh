#!/bin/sh
# Creates Langfuse's bucket if it does not exist. `weed shell` exits with 0 even on failure,
# so the script checks the list of buckets instead.
set -eu

shell() {
  printf '%s\n' "$1" | weed shell -master=seaweedfs:9333 2>&1
}

has_bucket() {
  shell 's3.bucket.list' | awk -v name="$BUCKET" '$1 == name || $1 == ">" && $2 == name { found = 1 } END { exit !found }'
}

for attempt in 1 2 3 4 5 6 7 8 9 10; do
  if has_bucket; then
    echo "bucket $BUCKET exists"
    exit 0
  fi
  echo "attempt $attempt: creating bucket $BUCKET"
  shell "s3.bucket.create -name $BUCKET" || true
  sleep 2
done
echo "cannot create bucket $BUCKET" >&2
exit 1
