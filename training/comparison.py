"""All presets by one protocol: the table of many evaluations."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from training.evaluation import Evaluation, Measures
from training.files import write_text
from training.run import Config, Run

EVEN = 0.1
"""the most nats from even shares, of a preset that draws all classes"""

SURE = 0.8
"""the least mean confidence of the judge, of a preset whose images are recognised"""

ASKED = {"mnist": 0.97, "fashion-mnist": 0.85}
"""the least share of images of the asked class, of a conditional preset"""


@dataclass(frozen=True)
class Compared:
    """A run that was evaluated."""

    config: Config
    evaluation: Evaluation

    def shortcomings(self) -> list[str]:
        """Why the preset does not count as working; empty where it does."""
        drawn = self.evaluation.drawn
        found = []
        if drawn.class_kl >= EVEN:
            lacking = [name for name, share in drawn.histogram.items() if share < EVEN / len(drawn.histogram)]
            found.append("classes uneven" + (f", lacks {', '.join(lacking)}" if lacking else ""))
        if drawn.confidence <= SURE:
            found.append("not recognised")
        least = ASKED.get(self.config.data, 0.0)
        if self.config.codes in ("cgan", "acgan") and (drawn.accuracy or 0) < least:
            found.append(f"asked class below {least:.0%}")
        return found


def read(run: Run) -> Compared:
    """Raises InvalidRun."""
    text = (run.folder / "evaluation.json").read_text(encoding="utf-8")
    return Compared(run.read_config(), Evaluation.model_validate_json(text))


def save_table(path: Path, compared: list[Compared]) -> None:
    """Markdown: a table for each data set, real images in its last row."""
    write_text(path, "\n".join(_page(compared)) + "\n")


def _page(compared: list[Compared]) -> Iterator[str]:
    yield "# Results"
    yield ""
    yield "Written by `faussaire compare`. FID and KID are distances between features of the judge, a classifier of real images; the last row has"
    yield "real training images in place of drawn ones. A preset works where its classes are even (KL under 0.1), its images are recognised"
    yield "(confidence over 0.8) and, if it is conditional, the asked class is the judge's in 97 % (MNIST) or 85 % (Fashion-MNIST)."
    for data in dict.fromkeys(row.config.data for row in compared):
        chosen = [row for row in compared if row.config.data == data]
        yield from (
            "",
            f"## {data}",
            "",
            f"Judge: {chosen[0].evaluation.judge}. {chosen[0].evaluation.images:,} images each.",
            "",
        )
        yield "| preset | seed | epochs | FID | KID | precision | recall | density | coverage | Parzen, nats | class KL | confidence | asked class | CAS | works |"
        yield "| --- " * 15 + "|"
        for row in chosen:
            works = "; ".join(row.shortcomings()) or "yes"
            yield f"| {row.config.preset} | {row.config.seed} | {row.config.epochs} | {_figures(row.evaluation.drawn)} | {works} |"
        yield f"| real images | | | {_figures(chosen[0].evaluation.real)} | |"


def _figures(found: Measures) -> str:
    cells = [
        f"{found.fid:.2f}",
        f"{found.kid:.3f}",
        f"{found.precision:.3f}",
        f"{found.recall:.3f}",
        f"{found.density:.3f}",
        f"{found.coverage:.3f}",
        f"{found.log_likelihood:.0f}",
        f"{found.class_kl:.3f}",
        f"{found.confidence:.3f}",
        _share(found.accuracy),
        _share(found.score),
    ]
    return " | ".join(cells)


def _share(value: float | None) -> str:
    return "\N{EN DASH}" if value is None else f"{value:.1%}"
