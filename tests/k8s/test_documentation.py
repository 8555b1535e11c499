"""docs/kubernetes.md and the README list what k8s/ has."""

import re
from collections import Counter

import pytest

from service.settings import ROOT
from tests.k8s.conftest import COMPONENTS, FOLDERS, K8S, one, only_container, render

PAGE = (ROOT / "docs" / "kubernetes.md").read_text(encoding="utf-8")
README = (ROOT / "README.md").read_text(encoding="utf-8")


def rows(text: str, heading: str) -> dict[str, list[str]]:
    """Return the first table of a section: the cells of each row by the name in its first cell."""
    section = text.split(f"\n## {heading}\n", 1)[1].split("\n## ", 1)[0]
    lines = re.findall(r"^\|.*\|$", section.split("| --- |", 1)[1].split("\n\n", 1)[0], re.MULTILINE)
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    return {first.strip("`"): others for first, *others in cells}


def objects(folder: str) -> str:
    counts = Counter(each["kind"] for each in render(K8S / folder))
    return ", ".join(kind if count == 1 else f"{count} {kind}" for kind, count in sorted(counts.items()))


@pytest.mark.parametrize("folder", FOLDERS)
def test_the_table_lists_the_objects_that_a_folder_renders(folder: str) -> None:
    assert rows(PAGE, "Folders")[folder] == [objects(folder)]


def test_every_folder_and_component_is_in_its_table() -> None:
    assert sorted(rows(PAGE, "Folders")) == FOLDERS
    assert sorted(rows(PAGE, "Components")) == COMPONENTS


def test_every_overlay_is_in_the_readme() -> None:
    assert sorted(rows(README, "Deploying")) == sorted(
        name for name in FOLDERS if name.startswith(("base", "overlays"))
    )


def test_the_table_of_a_pods_end_has_the_seconds_of_the_manifest() -> None:
    deployment = one(render(K8S / "base"), "Deployment")
    container = only_container(deployment)
    waits = container["lifecycle"]["preStop"]["sleep"]["seconds"]
    served = waits + int(container["args"][2])
    killed = deployment["spec"]["template"]["spec"]["terminationGracePeriodSeconds"]
    table = PAGE.split("| second | what |", 1)[1].split("\n\n", 1)[0]
    assert [int(second) for second in re.findall(r"^\| (\d+) \|", table, re.MULTILINE)] == [0, waits, served, killed]
