"""From a trained generator to one self-describing ONNX file, published only if it draws the same images."""

from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import onnx
import torch
from torch import Tensor, nn

from latent import Codes, Figure, GeneratorCard, LatentSpace, Training, draw_codes
from training.datasets.images import ImageSet
from training.errors import ExportRefused
from training.export.graph import make_graph
from training.export.model import Model
from training.export.naming import IMAGES_PER_CODE, name_codes
from training.export.styles import measure_styles
from training.files import replacing, slug
from training.loop.averaging import recompute_batch_norm
from training.loop.checkpoint import State
from training.loop.run import Config
from training.measures.judge import Judge
from training.networks.drawer import Drawer, to_uint8
from training.networks.gan import Generator

CHECKED_CODES = 256
GREY_LEVELS_APART = 1
DRAWN_AT_ONCE = 250
BATCH_NORM_SEED = 3


class Exported(nn.Module):
    """The generator with its pixel arithmetic, taking just the kinds of code that it has."""

    def __init__(self, generator: Generator, space: LatentSpace) -> None:
        super().__init__()
        self.generator = generator
        self.names = input_names(space)

    def forward(self, *inputs: Tensor) -> Tensor:
        """(N, Z), (N, C), (N, S) -> uint8 (N, H, W, channels)"""
        given = dict(zip(self.names, inputs, strict=True))
        absent = inputs[0][:, :0]
        image = self.generator(*(given.get(name, absent) for name in ("noise", "classes", "styles")))
        return to_uint8(image).permute(0, 2, 3, 1)


def export_generator(
    state: State,
    config: Config,
    images: ImageSet,
    judge: Judge,
    space: LatentSpace,
    output: Path,
) -> GeneratorCard:
    """Write `output` from the averaged weights. Raises ExportRefused, and then writes nothing."""
    generator = state.average.generator.cpu()
    recompute_batch_norm(generator, space, BATCH_NORM_SEED)
    figures: tuple[Figure, ...] = ()
    if space.classes:
        naming = name_codes(Drawer(generator, space), judge)
        space = space.model_copy(update={"classes": naming.codes})
        if space.styles:
            drawer = Drawer(generator, space, DRAWN_AT_ONCE)
            space = space.model_copy(update={"styles": measure_styles(drawer, judge)})
        figures = (_classes_present(naming.classes_present, judge),)
    card = GeneratorCard(
        name=name_of(output),
        version=datetime.now(UTC).strftime("%Y.%m.%d"),
        data=images.card,
        image=images.shape,
        space=space,
        training=_training(state, config, len(images), generator),
        figures=figures,
    )
    if space.classes:
        card = card.model_copy(update={"figures": (*figures, _purity(card, judge))})
    exported = Exported(generator, space).eval()
    with replacing(output) as beside:
        inputs = {name: torch.from_numpy(codes) for name, codes in draw_codes(space, 0, 0, 2).inputs().items()}
        onnx.save(make_graph(exported, inputs, ["image"], card.to_metadata()), beside)
        _check(exported, space, beside)
    return card


def input_names(space: LatentSpace) -> tuple[str, ...]:
    classes = ("classes",) if space.classes else ()
    styles = ("styles",) if space.styles else ()
    return ("noise", *classes, *styles)


def _check(exported: Exported, space: LatentSpace, path: Path) -> None:
    """The file must draw what PyTorch draws, give or take a grey level of rounding."""
    codes: Codes = draw_codes(space, 1, 0, CHECKED_CODES)
    drawn = Model(path).generate(codes, CHECKED_CODES)
    inputs = codes.inputs()
    with torch.no_grad():
        expected = exported(*(torch.from_numpy(inputs[name]) for name in exported.names)).numpy()
    apart = int(np.abs(drawn.astype(np.int16) - expected.astype(np.int16)).max())
    if apart > GREY_LEVELS_APART:
        raise ExportRefused(
            f"the exported file differs from PyTorch by {apart} grey levels on {CHECKED_CODES} random codes "
            f"(at most {GREY_LEVELS_APART} is allowed); nothing was written"
        )


def _training(state: State, config: Config, count: int, generator: Generator) -> Training:
    steps_per_epoch = count // config.batch
    return Training(
        preset=config.preset,
        network=config.network,
        objective=config.objective,
        codes=config.codes,
        seed=config.seed,
        epochs=round(state.step / steps_per_epoch, 2),
        images=state.step * config.batch,
        seconds=round(state.seconds, 1),
        device=state.source.device.type,
        parameters=sum(weights.numel() for weights in generator.parameters()),
    )


def _purity(card: GeneratorCard, judge: Judge) -> Figure:
    matched = ", codes matched to classes on other images" if card.training.codes == "infogan" else ""
    return Figure(
        name="class purity",
        value=round(card.purity() or 0.0, 4),
        protocol=f"mean over codes of {IMAGES_PER_CODE} images each{matched}; {judge.protocol()}",
    )


def _classes_present(present: int, judge: Judge) -> Figure:
    return Figure(
        name="classes present",
        value=present,
        protocol=f"classes given to at least 2 % of images, all codes together; {judge.protocol()}",
    )


def name_of(output: Path) -> str:
    """The name of a generator in its card, from the path of its file."""
    return slug(output.stem) or "generator"
