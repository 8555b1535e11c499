"""The image's bill of materials in CycloneDX's JSON: `python sbom.py VENV PYPROJECT > faussaire.cdx.json`.

It lists the packages of the virtual environment by their own metadata, and Debian's packages and Python of the base
image.
"""

import json
import platform
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from cyclonedx.model.bom import Bom
from cyclonedx.model.component import Component, ComponentType
from cyclonedx.output.json import JsonV1Dot6
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator
from packageurl import PackageURL


def environment(venv: Path, pyproject: Path) -> Bom:
    """Return the Python packages, as dependencies of the project."""
    command = [sys.executable, "-m", "cyclonedx_py", "environment", "--pyproject", str(pyproject)]
    command += ["--output-reproducible", "--sv", "1.6", str(venv / "bin" / "python")]
    written = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    bom: Bom = Bom.from_json(json.loads(written))  # type: ignore[attr-defined] # a decorator adds from_json
    return bom


def debian() -> Iterator[Component]:
    """Yield the Debian packages of this image."""
    form = "${Package}\t${Version}\t${Architecture}\n"
    listed = subprocess.run(["dpkg-query", "-W", "-f", form], check=True, capture_output=True, text=True).stdout
    for line in listed.splitlines():
        name, version, architecture = line.split("\t")
        purl = PackageURL("deb", "debian", name, version, {"arch": architecture})
        yield Component(name=name, version=version, purl=purl, bom_ref=str(purl))


def interpreter() -> Component:
    """Return Python itself, which may not be a Debian package."""
    version = platform.python_version()
    purl = PackageURL("generic", None, "cpython", version)
    return Component(name="cpython", version=version, type=ComponentType.PLATFORM, purl=purl, bom_ref=str(purl))


def main(venv: Path, pyproject: Path) -> None:
    bom = environment(venv, pyproject)
    bom.components.update(debian(), [interpreter()])
    written = JsonV1Dot6(bom).output_as_string(indent=2)
    wrong = JsonStrictValidator(SchemaVersion.V1_6).validate_str(written)
    if wrong is not None:
        raise SystemExit(f"error: the bill of materials is not valid: {wrong}")
    print(written)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
