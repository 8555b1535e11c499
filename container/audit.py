"""Known holes in the packages of requirements/*.txt, by pip-audit: `make audit`.

A hole fails the audit unless `requirements/exceptions.toml` says why it does no harm here, and until when that counts:

    [[exception]]
    id = "GHSA-xxxx-xxxx-xxxx"
    reason = "the function that it is in is never called"
    until = 2027-01-31
"""

import json
import subprocess
import sys
import tomllib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

REQUIREMENTS = Path(__file__).parents[1] / "requirements"
EXCEPTIONS = REQUIREMENTS / "exceptions.toml"

HOLES, NO_DATA = 1, 3
"""Exit statuses."""

Report = dict[str, Any]
"""What pip-audit writes as JSON."""


@dataclass(frozen=True)
class Accepted:
    """A hole that does no harm here."""

    id: str
    reason: str
    until: date


def read_exceptions(path: Path) -> list[Accepted]:
    """None, if there is no file. Raises KeyError and TypeError for one without id, reason and date."""
    if not path.exists():
        return []
    return [Accepted(**one) for one in tomllib.loads(path.read_text(encoding="utf-8")).get("exception", [])]


def find_holes(report: Report, accepted: Iterable[Accepted], today: date) -> Iterator[str]:
    """A line for each hole that is not accepted, or no longer."""
    known = {one.id: one for one in accepted}
    for package in report["dependencies"]:
        for hole in package.get("vulns", []):
            exception = next((known[name] for name in (hole["id"], *hole["aliases"]) if name in known), None)
            if exception is not None and today <= exception.until:
                continue
            fixed = ", ".join(hole["fix_versions"]) or "no version"
            ended = "" if exception is None else f"; its exception ended on {exception.until}"
            yield f"{package['name']} {package['version']}: {hole['id']}, mended in {fixed}{ended}"


def count_audited(report: Report) -> int:
    """Packages that the index had data on."""
    return sum("skip_reason" not in package for package in report["dependencies"])


def ask(requirements: Path) -> Report:
    """The report on a file. Without a network nothing is in it."""
    command = [sys.executable, "-m", "pip_audit", "--requirement", str(requirements), "--disable-pip"]
    command += ["--require-hashes", "--format", "json", "--progress-spinner", "off"]
    written = subprocess.run(command, check=False, capture_output=True, text=True).stdout
    report: Report = json.loads(written) if written.strip() else {"dependencies": []}
    return report


def main(files: Sequence[Path]) -> int:
    accepted, audited, holes = read_exceptions(EXCEPTIONS), 0, set()
    for path in files:
        report = ask(path)
        audited += count_audited(report)
        holes |= set(find_holes(report, accepted, date.today()))  # noqa: DTZ011 - a day more or less is no harm
    print(*sorted(holes), sep="\n", end="\n" if holes else "")
    if holes:
        return HOLES
    if not audited:
        print("nothing was audited: the package index gives no data on known holes", file=sys.stderr)
        return NO_DATA
    print(f"no known hole in {audited} packages of {len(files)} files")
    return 0


if __name__ == "__main__":
    sys.exit(main(sorted(REQUIREMENTS.glob("*.txt"))))
