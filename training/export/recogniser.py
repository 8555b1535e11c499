"""The recogniser's file beside a generator's: the way back from an image to its codes."""

from pathlib import Path

import numpy as np
import onnx
import onnxruntime as ort
import torch
from torch import Tensor, nn

from latent import Figure, Framing, GeneratorCard, RecogniserCard
from latent.card import digest_of, recogniser_path
from training.datasets.images import ImageSet, to_unit
from training.errors import ExportRefused, InvalidModel
from training.export.graph import make_graph
from training.files import replacing
from training.networks.recogniser import Recogniser

CHECKED_IMAGES = 256
APART = 1e-3
"""the most by which the file's answers may differ from PyTorch's"""

FRAMED_IMAGES = 5_000
DRAWN = 64
"""grey levels, from which a pixel belongs to what is drawn"""


class ExportedRecogniser(nn.Module):
    """Q with its pixel arithmetic, answering with the kinds of code that there are, within their ranges."""

    def __init__(self, recogniser: Recogniser, card: GeneratorCard) -> None:
        super().__init__()
        self.classes = recogniser.classes
        self.styles = recogniser.styles
        styles = card.space.styles
        self.register_buffer("low", torch.tensor([style.low for style in styles]))
        self.register_buffer("high", torch.tensor([style.high for style in styles]))
        self.names = ["classes"] if self.styles is None else ["classes", "styles"]

    def forward(self, *inputs: Tensor) -> tuple[Tensor, ...]:
        """uint8 (N, H, W, channels) -> class weights (N, C) that sum to 1, and styles (N, S) where there are any"""
        image = to_unit(inputs[0].permute(0, 3, 1, 2))
        classes = self.classes(image).softmax(1)
        if self.styles is None:
            return (classes,)
        return classes, self.styles(image, classes).clamp(self.low, self.high)


def export_recogniser(
    recogniser: Recogniser, card: GeneratorCard, generator: Path, train: ImageSet, test: ImageSet
) -> RecogniserCard:
    """Write the file beside the generator's. Raises ExportRefused, and then writes nothing."""
    exported = ExportedRecogniser(recogniser.cpu(), card).eval()
    mine = RecogniserCard(
        generator=digest_of(generator),
        image=card.image,
        framing=framing(train.images[:FRAMED_IMAGES]),
        classes=len(card.space.classes),
        styles=len(card.space.styles),
        figures=_accuracy(exported, card, test),
    )
    checked = test.images[:CHECKED_IMAGES].permute(0, 2, 3, 1).contiguous()
    with replacing(recogniser_path(generator)) as path:
        onnx.save(make_graph(exported, {"image": checked[:2]}, exported.names, mine.to_metadata()), path)
        _check(exported, checked, path)
    return mine


def read_recogniser(generator: Path) -> onnx.ModelProto | None:
    """The recogniser beside a generator's file, if there is one. Raises InvalidModel."""
    path = recogniser_path(generator)
    if not path.exists():
        return None
    try:
        model = onnx.load(path)
        _card_of(model)
    except Exception as error:  # onnx raises anything for a file that is not of its kind
        raise InvalidModel(f"{path} is not a recogniser; remove it, or bring the right one back") from error
    return model


def _card_of(model: onnx.ModelProto) -> RecogniserCard:
    """Raises InvalidCard."""
    return RecogniserCard.from_metadata({entry.key: entry.value for entry in model.metadata_props})


def copy_recogniser(model: onnx.ModelProto, generator: Path) -> None:
    """Write a recogniser beside the file of a generator whose codes it knows already."""
    renewed = _card_of(model).model_copy(update={"generator": digest_of(generator)})
    onnx.helper.set_model_props(model, renewed.to_metadata())
    with replacing(recogniser_path(generator)) as path:
        onnx.save(model, path)


def framing(images: Tensor) -> Framing:
    """How large uint8 images (N, channels, H, W) are in their frame, and by which centre they vary less."""
    ink = images.float().mean(1)
    drawn = ink >= DRAWN
    ink, drawn = ink[drawn.any((1, 2))], drawn[drawn.any((1, 2))]
    down, across = ink.shape[1:]
    centres, boxes, sides = [], [], []
    for axis, length in ((1, down), (2, across)):
        along = drawn.any(3 - axis)  # (N, length)
        first = along.int().argmax(1)
        last = length - along.flip(1).int().argmax(1)
        places = torch.arange(length) + 0.5
        mass = ink.sum(3 - axis)
        centres.append((mass * places).sum(1) / mass.sum(1))
        boxes.append((first + last) / 2)
        sides.append(last - first)
    by_mass, by_box = (torch.stack(found).var(1).sum() for found in (centres, boxes))
    longer = torch.stack(sides).amax(0).float().median()
    return Framing(extent=int(longer), centred_by="mass" if by_mass < by_box else "box")


@torch.no_grad()
def _accuracy(exported: ExportedRecogniser, card: GeneratorCard, test: ImageSet) -> tuple[Figure, ...]:
    """The share of test images whose class is that of the code read; none if no code was given a class."""
    names = [test.classes.index(code.name) if code.name in test.classes else -1 for code in card.space.classes]
    if len(test.classes) < 2 or max(names) < 0:
        return ()
    images = test.images.permute(0, 2, 3, 1)
    read = torch.cat([exported(rows)[0].argmax(1) for rows in torch.split(images, 500)])
    right = (torch.tensor(names)[read] == test.labels).float().mean().item()
    matched = "codes matched to classes on drawn images" if card.training.codes == "infogan" else "trained with labels"
    protocol = f"{len(test):,} real test images; {matched}"
    return (Figure(name="class accuracy", value=round(right, 4), protocol=protocol),)


@torch.no_grad()
def _check(exported: ExportedRecogniser, images: Tensor, path: Path) -> None:
    session = ort.InferenceSession(path, providers=["CPUExecutionProvider"])
    read = session.run(exported.names, {"image": images.numpy()})
    apart = max(float(np.abs(one - other.numpy()).max()) for one, other in zip(read, exported(images), strict=True))
    if not apart <= APART:
        raise ExportRefused(
            f"the exported recogniser differs from PyTorch by {apart:.2g} on {len(images)} test images "
            f"(at most {APART:g} is allowed); its file was not written"
        )
