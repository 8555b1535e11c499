"""What `bentoml containerize` puts below the bento, beside what `bentofile.yaml` says."""

from bentoml.images import Image

IMAGE = Image(
    base_image="python:3.11-slim",
    # For a distribution that it knows, BentoML installs a compiler and git. The lock file is of wheels alone.
    distro="none",
    # Else that of the machine which builds.
    python_version="3.11",
    # What container/setup.sh reads.
    build_include_paths=["container", "pyproject.toml", "requirements"],
)
