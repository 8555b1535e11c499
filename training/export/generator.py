"""From a trained generator to one self-describing ONNX file, published only if it draws the same images."""

from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import onnx
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from latent import Codes, Figure, GeneratorCard, LatentSpace, draw_codes
from latent.proof import proof_codes, proof_of
from training.datasets.images import ImageSet
from training.errors import ExportRefused
from training.export.graph import make_graph
from training.export.model import Model
from training.export.naming import class_figures, name_codes
from training.export.quality import AFTER, BEFORE, Rounded, round_and_measure
from training.export.rounding import largest_sum
from training.export.styles import measure_styles
from training.export.trained import Trained
from training.files import replacing, slug
from training.measures.judge import Judge
from training.networks.drawer import Drawer
from training.networks.exact import ExactGenerator
from training.progress import Say

CHECKED_CODES = 256
DRAWN_AT_ONCE = 250
STAGES = 4


class Exported(nn.Module):
    """The generator with grey levels for its output, taking just the kinds of code that it has."""

    def __init__(self, generator: ExactGenerator, space: LatentSpace) -> None:
        super().__init__()
        self.generator = generator
        self.names = input_names(space)

    def forward(self, *inputs: Tensor) -> Tensor:
        """(N, Z), (N, C), (N, S) -> uint8 (N, H, W, channels)"""
        given = dict(zip(self.names, inputs, strict=True))
        absent = inputs[0][:, :0]
        codes = (given.get(name, absent) for name in ("noise", "classes", "styles"))
        return self.generator.grey(*codes).permute(0, 2, 3, 1)

    @torch.no_grad()
    def draw(self, codes: Codes) -> NDArray[np.uint8]:
        """uint8 (N, H, W, channels)"""
        inputs = codes.inputs()
        images: NDArray[np.uint8] = self(*(torch.from_numpy(inputs[name]) for name in self.names)).numpy()
        return images


def export_generator(trained: Trained, test: ImageSet, judge: Judge, output: Path, say: Say) -> GeneratorCard:
    """Round the generator and write `output`. Raises ExportRefused, and then writes nothing.

    `say` is called with the name of each stage as it begins, at most STAGES times.
    """
    rounded = round_and_measure(trained.generator, trained.space, judge, test, say)
    say("measuring codes")
    space, figures = _name(trained, rounded.generator, judge)
    exported = Exported(rounded.generator, space).eval()
    card = GeneratorCard(
        name=name_of(output),
        version=datetime.now(UTC).strftime("%Y.%m.%d"),
        data=trained.data,
        image=trained.generator.image,
        space=space,
        training=trained.training,
        arithmetic="exact",
        largest_sum=largest_sum(rounded.generator),
        proof=proof_of(exported.draw(proof_codes(space))),
        figures=(*figures, *_distances(rounded, judge)) if judge.able else (),
    )
    say("writing")
    _write(exported, card, output)
    return card


def _name(trained: Trained, exact: ExactGenerator, judge: Judge) -> tuple[LatentSpace, tuple[Figure, ...]]:
    """The space with its codes named and measured, and the figures of its classes.

    Without a judge that has learned, class codes keep the names that they have.
    """
    space = trained.space
    if not space.classes:
        return space, ()
    naming = name_codes(Drawer(exact, space), judge) if judge.able else None
    if naming is not None:
        space = space.model_copy(update={"classes": naming.codes})
    if any(style.r2 is None for style in space.styles):
        space = space.model_copy(update={"styles": measure_styles(Drawer(exact, space, DRAWN_AT_ONCE), judge)})
    if naming is None:
        return space, ()
    matched = trained.training.codes == "infogan"
    return space, class_figures(naming, Drawer(trained.generator, space), judge, matched=matched)


def _write(exported: Exported, card: GeneratorCard, output: Path) -> None:
    """Write the file, if ONNX Runtime draws from it what PyTorch draws. Raises ExportRefused."""
    space = card.space
    with replacing(output) as beside:
        inputs = {name: torch.from_numpy(codes) for name, codes in draw_codes(space, 0, 0, 2).inputs().items()}
        onnx.save(make_graph(exported, inputs, ["image"], card.to_metadata()), beside)
        codes = draw_codes(space, 1, 0, CHECKED_CODES)
        differ = (Model(beside).generate(codes, CHECKED_CODES) != exported.draw(codes)).any(axis=(1, 2, 3)).sum()
        if differ:
            raise ExportRefused(
                f"the exported file draws {differ} of {CHECKED_CODES} images otherwise than PyTorch; nothing was "
                "written; please report it, with the run's config.json"
            )


def input_names(space: LatentSpace) -> tuple[str, ...]:
    classes = ("classes",) if space.classes else ()
    styles = ("styles",) if space.styles else ()
    return ("noise", *classes, *styles)


def _distances(rounded: Rounded, judge: Judge) -> tuple[Figure, Figure]:
    protocol = f"Frechet distance of the judge's features, {rounded.images} images against real test images; "
    return (
        Figure(name=AFTER, value=round(rounded.after, 4), protocol=protocol + judge.protocol()),
        Figure(name=BEFORE, value=round(rounded.before, 4), protocol=protocol + judge.protocol()),
    )


def name_of(output: Path) -> str:
    """The name of a generator in its card, from the path of its file."""
    return slug(output.stem) or "generator"
