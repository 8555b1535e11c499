#!/usr/bin/env bash
# The last step of the image's build. The service's packages are in /app/.venv; its own files come later.
set -euo pipefail

uv venv --quiet /tmp/sbom
uv pip install --quiet --require-hashes --python /tmp/sbom/bin/python --requirement src/requirements/sbom.txt
/tmp/sbom/bin/python src/container/sbom.py /app/.venv src/pyproject.toml > /app/faussaire.cdx.json
rm -r /tmp/sbom

# uv has installed everything, and the image does not need it.
pip uninstall --quiet --yes --root-user-action=ignore uv

# BENTOML_HOME must be writable, and `envs:` cannot change it. BentoML's entry point reads this file.
cat >> /app/.venv/bin/activate << 'EOF'
[ "$BENTOML_HOME" != /home/bentoml/ ] || export BENTOML_HOME=/tmp/bentoml
EOF
