#!/usr/bin/env bash
# Build the bento and its image, and print the size of its layers: `container/build.sh BENTOFILE IMAGE`.
#   ENGINE=podman|docker   default: the first that runs here
#   CONTAINERIZE="..."     more options for `bentoml containerize`
set -euo pipefail
cd "$(dirname "$0")/.."
bentofile=$1 image=$2

for one in ${ENGINE:-podman docker}; do
    if "$one" info > /dev/null 2>&1; then engine=$one; break; fi
done
if [ -z "${engine:-}" ]; then
    echo "error: no ${ENGINE:-podman or docker} runs here to build the image; install it, or set ENGINE= to one that runs" >&2
    exit 1
fi

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export BENTOML_HOME=$work BENTOML_DO_NOT_TRACK=True # a store for this bento alone

version=$(hatchling metadata version)
revision=$(git describe --always --dirty --abbrev=40 --match= 2> /dev/null || echo unknown)

bentoml build --quiet --bentofile "$bentofile" --version "$version"
# shellcheck disable=SC2086 # CONTAINERIZE holds several words
bentoml containerize --quiet "faussaire:$version" --backend "$engine" --image-tag "$image" ${CONTAINERIZE:-} \
    --opt label="org.opencontainers.image.title=faussaire" \
    --opt label="org.opencontainers.image.description=$(hatchling metadata description)" \
    --opt label="org.opencontainers.image.version=$version" \
    --opt label="org.opencontainers.image.revision=$revision" \
    --opt label="org.opencontainers.image.licenses=$(hatchling metadata license)" \
    > "$work/log" 2>&1 || { cat "$work/log" >&2; exit 1; }

mkdir -p dist
sbom=dist/${image//[\/:]/-}.cdx.json
"$engine" run --rm --entrypoint cat "$image" /app/faussaire.cdx.json > "$sbom"

"$engine" image inspect --format '{{.Size}}' "$image" | awk -v image="$image" '{printf "%s, %d MB, by layer:\n", image, $1 / 1e6}'
"$engine" history --format '{{.Size}}\t{{.CreatedBy}}' "$image" | grep -Ev '^[0-9.]+ ?k?B' | cut -c 1-120 | sed 's/^/  /'
echo "bill of materials: $sbom"
