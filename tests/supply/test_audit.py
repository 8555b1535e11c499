"""Which holes fail the audit. The reports have the form that pip-audit 2.10 writes."""

from datetime import date
from pathlib import Path

import pytest

from container.audit import Accepted, count_audited, find_holes, read_exceptions

REPORT = {
    "dependencies": [
        {"name": "sound", "version": "1.0", "vulns": []},
        {"name": "unknown", "skip_reason": "Dependency not found on PyPI and could not be audited: unknown (1.0)"},
        {
            "name": "torn",
            "version": "2.0",
            "vulns": [{"id": "PYSEC-2026-1", "fix_versions": ["2.1"], "aliases": ["CVE-2026-1"], "description": ""}],
        },
    ],
    "fixes": [],
}
TODAY = date(2026, 11, 27)


def test_a_hole_is_told_with_the_version_that_mends_it() -> None:
    assert list(find_holes(REPORT, [], TODAY)) == ["torn 2.0: PYSEC-2026-1, mended in 2.1"]


@pytest.mark.parametrize("name", ["PYSEC-2026-1", "CVE-2026-1"])
def test_an_exception_counts_until_its_day(name: str) -> None:
    exception = Accepted(name, "never called", TODAY)
    assert list(find_holes(REPORT, [exception], TODAY)) == []
    (told,) = find_holes(REPORT, [exception], date(2026, 11, 28))
    assert told.endswith("its exception ended on 2026-11-27")


def test_what_the_index_does_not_know_is_not_counted_as_audited() -> None:
    assert count_audited(REPORT) == 2
    assert count_audited({"dependencies": []}) == 0


def test_an_exception_has_a_reason_and_a_day(tmp_path: Path) -> None:
    path = tmp_path / "exceptions.toml"
    assert read_exceptions(path) == []
    path.write_text('[[exception]]\nid = "CVE-2026-1"\nreason = "never called"\nuntil = 2027-01-31\n')
    assert read_exceptions(path) == [Accepted("CVE-2026-1", "never called", date(2027, 1, 31))]
    path.write_text('[[exception]]\nid = "CVE-2026-1"\n')
    with pytest.raises(TypeError, match="reason"):
        read_exceptions(path)
