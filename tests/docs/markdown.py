"""The parts of a Markdown page that tests hold to the code: sections, tables, code blocks, links and anchors."""

import re
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]


def page(path: str) -> str:
    """Return the text of a page of the repository: `README.md`, `docs/api.md`."""
    return (ROOT / path).read_text(encoding="utf-8")


def section(text: str, heading: str) -> str:
    """Return what stands below a heading, up to the next heading of its level or a higher one."""
    lines = text.splitlines()
    begin, level = next((line, level) for line, level, title in _headings(text) if title == heading)
    end = next((line for line, other, _ in _headings(text) if line > begin and other <= level), len(lines))
    return "\n".join(lines[begin + 1 : end]) + "\n"


def tables(text: str) -> list[list[list[str]]]:
    """Return the tables as rows of cells; the first row is the table's head."""
    found = re.findall(r"(?:^\|.*\n)+", text, re.MULTILINE)
    rows = [[line for line in table.splitlines() if not re.fullmatch(r"[| :-]+", line)] for table in found]
    return [[[cell.strip() for cell in line.strip("|").split("|")] for line in table] for table in rows]


def table(text: str, first: str) -> list[list[str]]:
    """Return the rows of the first table with this head of the first column, without the head; [] if there is none."""
    return next((rows for head, *rows in tables(text) if head[0] == first), [])


def code(text: str, language: str) -> list[str]:
    """Return the code blocks in a language."""
    return re.findall(rf"^```{language}\n(.*?)^```$", text, re.DOTALL | re.MULTILINE)


def links(text: str) -> list[str]:
    """Return the targets of all links and pictures, but those to other sites."""
    return [link for link in re.findall(r"\]\(([^)]+)\)", text) if not link.startswith("https://")]


def anchors(text: str) -> set[str]:
    """Return the anchors of the headings, as GitHub makes them."""
    return {re.sub(r"[^\w -]", "", title.lower()).replace(" ", "-") for _, _, title in _headings(text)}


def _headings(text: str) -> Iterator[tuple[int, int, str]]:
    """Yield the line's number, level and title of each heading; code blocks have none."""
    fenced = False
    for number, line in enumerate(text.splitlines()):
        fenced ^= line.startswith("```")
        if not fenced and (match := re.fullmatch(r"(#+) (.*)", line)):
            yield number, len(match[1]), match[2]
