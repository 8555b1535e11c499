#!/bin/sh
# Ask SERVICE for shard JOB_COMPLETION_INDEX of SHARDS of a data set, and write it to this folder with its checksum beside it,
# under the name that `faussaire dataset` gives it. A shard that is already there is not drawn again.
set -eu

part=$(printf 'part-%05d-of-%05d.tar' "$JOB_COMPLETION_INDEX" "$SHARDS")
if [ -e "$part" ] && [ -e "$part.sha256" ]; then
  exit 0
fi

body=$(printf '{"model": "%s", "n": %s, "seed": %s, "shards": %s, "shard": %s}' \
  "$MODEL" "$ITEMS" "$SEED" "$SHARDS" "$JOB_COMPLETION_INDEX")
# A full service says when to try again (429, Retry-After), and curl does. If the stream breaks off, curl fails and the Job tries
# this shard again.
drawn_by=$(curl --silent --show-error --fail --retry 8 --retry-connrefused --speed-limit 1 --speed-time 60 \
  --json "$body" --output "$part.new" --write-out '%header{faussaire-model}' "$SERVICE/v1/datasets")

# The first shard decides which version of the model draws all. `ln` is atomic, so only one pod can be first.
echo "$drawn_by" > "$part.model"
ln "$part.model" model 2> /dev/null || true
rm "$part.model"
if [ "$(cat model)" != "$drawn_by" ]; then
  rm "$part.new"
  echo "the model was replaced: $drawn_by drew $part, but $(cat model) drew the first shard; start again in an empty folder" >&2
  exit 120
fi

mv "$part.new" "$part"
sha256sum "$part" > "$part.sha256.new"
mv "$part.sha256.new" "$part.sha256"
