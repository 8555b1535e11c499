#!/usr/bin/env bash
# The last step of the image's build: the service's packages are in /app/.venv, and its files are not there yet.
set -euo pipefail

uv venv --quiet /tmp/sbom
uv pip install --quiet --require-hashes --python /tmp/sbom/bin/python --requirement src/requirements/sbom.txt
/tmp/sbom/bin/python src/container/sbom.py /app/.venv src/pyproject.toml > /app/faussaire.cdx.json
rm -r /tmp/sbom

# Nothing is installed from here on.
pip uninstall --quiet --yes --root-user-action=ignore uv

# BentoML's home must be writable, and is set where `envs:` cannot change it; its entry point reads this file.
cat >> /app/.venv/bin/activate << 'EOF'
[ "$BENTOML_HOME" != /home/bentoml/ ] || export BENTOML_HOME=/tmp/bentoml
EOF
