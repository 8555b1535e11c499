#!/bin/sh
# Has SERVICE draw shard JOB_COMPLETION_INDEX of SHARDS of a data set, and writes it to this folder, named and with its
# checksum beside it as `faussaire dataset` does. A shard that is there is not drawn again.
set -eu

part=$(printf 'part-%05d-of-%05d.tar' "$JOB_COMPLETION_INDEX" "$SHARDS")
if [ -e "$part" ] && [ -e "$part.sha256" ]; then
  exit 0
fi

body=$(printf '{"model": "%s", "n": %s, "seed": %s, "shards": %s, "shard": %s}' \
  "$MODEL" "$ITEMS" "$SEED" "$SHARDS" "$JOB_COMPLETION_INDEX")
# A full service says when to come back (429, Retry-After). What breaks off fails, and the Job tries this shard again.
drawn_by=$(curl --silent --show-error --fail --retry 8 --retry-connrefused --speed-limit 1 --speed-time 60 \
  --json "$body" --output "$part.new" --write-out '%header{faussaire-model}' "$SERVICE/v1/datasets")

# The first shard says which version of the model all are of; linking is done at once or not at all.
echo "$drawn_by" > "$part.model"
ln "$part.model" model 2> /dev/null || true
rm "$part.model"
if [ "$(cat model)" != "$drawn_by" ]; then
  rm "$part.new"
  echo "$part is drawn by $drawn_by, and the shards before it by $(cat model): the model was replaced" >&2
  exit 120
fi

mv "$part.new" "$part"
sha256sum "$part" > "$part.sha256.new"
mv "$part.sha256.new" "$part.sha256"
