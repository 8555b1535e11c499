"""Writes the image's bill of materials: `python sbom.py VENV PYPROJECT > faussaire.cdx.json`, in CycloneDX's JSON.

What is in the virtual environment, as its packages say of themselves; Debian's packages and Python, as the base image
has them.
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
    """The Python packages, below the project itself."""
    command = [sys.executable, "-m", "cyclonedx_py", "environment", "--pyproject", str(pyproject)]
    command += ["--output-reproducible", "--sv", "1.6", str(venv / "bin" / "python")]
    written = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    bom: Bom = Bom.from_json(json.loads(written))  # type: ignore[attr-defined] # a decorator adds it
    return bom


def debian() -> Iterator[Component]:
    form = "${Package}\t${Version}\t${Architecture}\n"
    listed = subprocess.run(["dpkg-query", "-W", "-f", form], check=True, capture_output=True, text=True).stdout
    for line in listed.splitlines():
        name, version, architecture = line.split("\t")
        purl = PackageURL("deb", "debian", name, version, {"arch": architecture})
        yield Component(name=name, version=version, purl=purl, bom_ref=str(purl))


def interpreter() -> Component:
    """Python, which need not be one of Debian's packages."""
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
