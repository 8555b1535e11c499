#!/usr/bin/env bash
# Make the base image of the service's image without a registry: Debian 12, which has Python 3.11 too.
# Run `base.sh NAME` as root, with podman.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

mmdebstrap --quiet --variant=minbase \
    --include=ca-certificates,python3,python3-venv,python3-pip,python-is-python3 \
    --dpkgopt='path-exclude=/usr/share/doc/*' --dpkgopt='path-exclude=/usr/share/man/*' \
    --dpkgopt='path-exclude=/usr/share/locale/*' \
    bookworm "$work/base.tar"
podman import --quiet "$work/base.tar" faussaire-debian

# Copy the certificates that this machine trusts, because they include its proxy's.
cp /etc/ssl/certs/ca-certificates.crt "$work"
podman build --quiet --tag "$1" --file - "$work" << 'EOF'
FROM faussaire-debian
COPY ca-certificates.crt /etc/ssl/certs/ca-certificates.crt
ENV PIP_CERT=/etc/ssl/certs/ca-certificates.crt SSL_CERT_FILE=/etc/ssl/certs/ca-certificates.crt
RUN rm /usr/lib/python3*/EXTERNALLY-MANAGED
EOF
