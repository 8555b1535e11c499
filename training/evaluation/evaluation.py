"""One model by all measures, each beside the same measure of real images."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from pydantic import BaseModel, ConfigDict, RootModel, ValidationError
from torch import Tensor

from latent import draw_codes
from training.datasets.images import ImageSet
from training.evaluation import IMAGES
from training.evaluation.by_class import BATCH, SEED, draw_labelled, measure_asked_class, named_codes
from training.export.model import Model
from training.loop.run import Run
from training.measures.histogram import class_shares, name_shares
from training.measures.judge import Judge
from training.measures.registry import find_measures
from training.measures.subject import FeatureNetwork, Real, Subject
from training.progress import Say, say_nothing

HISTOGRAM = "histogram"
HISTOGRAM_AFTER = "sigma"
"""The figure behind which evaluation.json has the histogram."""


class Measures(RootModel[dict[str, float | dict[str, float] | None]]):
    """The figures of one set of images by their keys, and the histogram of its classes. None is no figure."""

    model_config = ConfigDict(frozen=True)

    @classmethod
    def read(cls, path: Path) -> "Measures | None":
        """Those in a file; None if there is no file, or a damaged one: they can be measured again."""
        try:
            return cls.model_validate_json(path.read_bytes())
        except (FileNotFoundError, ValidationError):
            return None

    @property
    def figures(self) -> dict[str, float | None]:
        return {key: value for key, value in self.root.items() if not isinstance(value, dict)}

    @property
    def histogram(self) -> dict[str, float]:
        """The share of images of each class; empty if the judge cannot tell them."""
        shares = self.root.get(HISTOGRAM, {})
        assert isinstance(shares, dict)
        return shares

    def __getitem__(self, key: str) -> float:
        """The figure of a key; NaN if there is none."""
        value = self.figures.get(key)
        return float("nan") if value is None else value

    def has(self, key: str) -> bool:
        return self.figures.get(key) is not None


class Evaluation(BaseModel):
    """What `evaluation.json` holds."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    model: str
    data: str
    images: int
    asked: int
    """Images asked for. Fewer are measured if there are not as many real ones."""
    seed: int
    judge: str
    drawn: Measures
    real: Measures
    """Of real training images that pose as drawn ones."""


@dataclass(frozen=True)
class Protocol:
    """Who measures, by how many images."""

    judge: Judge
    images: int = IMAGES
    inception: FeatureNetwork | None = None
    say: Say = say_nothing
    """Called with the name of each stage as it begins."""


def evaluate(model: Model, real: Real, protocol: Protocol, reference: Measures | None) -> Evaluation:
    """Measure the images of a model. Real images are measured too, unless `reference` has their measures."""
    count = min(protocol.images, len(real.test), len(real.posing))
    return Evaluation(
        model=model.card.name,
        data=model.card.data.name,
        images=count,
        asked=protocol.images,
        seed=SEED,
        judge=protocol.judge.protocol(),
        real=_measure_real(real, protocol, count) if reference is None else reference,
        drawn=_measure_drawn(model, real, protocol, count),
    )


def is_fresh(run: Run, images: int) -> bool:
    """Whether a run has an evaluation by so many images that is newer than its last checkpoint."""
    done = run.folder / "evaluation.json"
    newest = run.checkpoints()[-1:] or [run.folder]
    if not done.exists() or done.stat().st_mtime < newest[0].stat().st_mtime:
        return False
    try:
        return Evaluation.model_validate_json(done.read_bytes()).asked == images
    except ValidationError:  # damaged, or of an older make
        return False


def count_stages(*, reference: bool) -> int:
    """How often `Protocol.say` is called."""
    of_images = len(find_measures())
    return 1 + of_images + (of_images if reference else 0)


def _measure_real(real: Real, protocol: Protocol, count: int) -> Measures:
    def agreement() -> float:
        labels = protocol.judge.labels(real.posing.images)
        return (labels == real.posing.labels).float().mean().item()

    return measure(real.posing.images[:count], real, protocol, agreement, lambda: real.posing)


def _measure_drawn(model: Model, real: Real, protocol: Protocol, count: int) -> Measures:
    protocol.say("drawing")
    images = model.draw(draw_codes(model.card.space, SEED, 0, count), BATCH)
    if not model.card.space.classes:
        return measure(images, real, protocol, None, None)
    asked = partial(measure_asked_class, model, protocol.judge)
    if not named_codes(model.card.space, protocol.judge):
        return measure(images, real, protocol, None, None)
    labelled = partial(draw_labelled, model, protocol.judge, len(real.posing))
    return measure(images, real, protocol, asked, labelled)


def measure(
    images: Tensor,
    real: Real,
    protocol: Protocol,
    asked: Callable[[], float] | None,
    labelled: Callable[[], ImageSet] | None,
) -> Measures:
    """All measures of uint8 images (N, channels, H, W) against the real test set."""
    images, judge = images.contiguous(), protocol.judge
    test_features = judge.features(real.test.images[: len(images)])
    subject = Subject(images, judge, test_features, real, protocol.inception, asked, labelled)
    values: dict[str, float | dict[str, float] | None] = {}
    for one in find_measures():
        protocol.say(one.stage)
        found = one.measure(subject) if judge.able or not one.judged else {}
        for figure in one.figures:
            values[figure.key] = found.get(figure.key)
            if figure.key == HISTOGRAM_AFTER and judge.able:
                values[HISTOGRAM] = name_shares(judge, class_shares(subject.probabilities))
    return Measures(values)
