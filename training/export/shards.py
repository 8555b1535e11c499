"""A labelled data set in shards that can each be drawn alone, by a generator here or by a service."""

import hashlib
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import httpx

from faussaire import Client, Refused, UnexpectedAnswer
from latent import GeneratorCard, LatentSpace
from latent.card import digest_of
from latent.containers import Kind, container
from latent.dataset import BLOCK, TEST_START, Dataset
from latent.runs import NO_IMAGES, parts
from training.errors import ServiceFailed, Unfit, UnknownName
from training.export.descriptions import write_descriptions
from training.export.recipe import Job, Recipe, checksum_path, claim, complete, read_checksum, shard_path
from training.files import replacing, write_text
from training.progress import Advance, Display

if TYPE_CHECKING:
    from training.export.model import Model

WriteShard = Callable[[Path, int, Advance], str]
"""Writes the shard of a number to a path, and returns its SHA-256."""

RETRIES = 20
"""How often a busy service may refuse a shard before the command gives up."""


def draw_shards(
    folder: Path, job: Job, numbers: Sequence[int], path: Path, display: Display, recipe: Recipe | None = None
) -> None:
    """Draw the shards of these numbers with the generator in a file, as a recipe has them if there is one.

    Raises InvalidModel, UnknownName, Unfit, RunMismatch, InvalidRecipe and FolderDiffers.
    """
    from training.export.model import Model  # here: a service draws without ONNX Runtime and PyTorch

    sha256 = digest_of(path)
    if recipe is not None:
        recipe.require_model(path, sha256)
    model = Model(path)
    styles = place_styles(model.card.space, job.styles)

    def write(into: Path, number: int, advance: Advance) -> str:
        part = job.shard(number)
        dataset = Dataset(model.card.space, job.seed, part.start, part.stop, job.balance, styles)
        return draw_shard(model, dataset, job.kind, into, advance)

    _write_shards(folder, recipe or Recipe.of(job, model.card.name, sha256), model.card, numbers, write, display)


@dataclass(frozen=True)
class Service:
    """Where a service is, which of its models draws, and the API key for it."""

    url: str
    name: str | None = None
    key: str | None = None


def fetch_shards(
    folder: Path, job: Job, numbers: Sequence[int], service: Service, display: Display, recipe: Recipe | None = None
) -> None:
    """Have a service draw the shards of these numbers, by the version of a recipe, or else the one that it has now.

    Raises RunMismatch, ServiceFailed, InvalidRecipe and FolderDiffers.
    """

    url = service.url

    def wait(seconds: float) -> None:
        display.say(f"{url} is busy; the command tries again in {seconds:g} s")
        time.sleep(seconds)

    try:
        with Client(url, key=service.key, retries=RETRIES, wait=wait) as client:
            version = _find_version(client, url, service.name if recipe is None else recipe.version)
            card = client.model(version).card
            sha256 = version.partition("@")[2]

            def write(into: Path, number: int, advance: Advance) -> str:
                return fetch_shard(client, job, version, into, number, advance)

            _write_shards(folder, recipe or Recipe.of(job, card.name, sha256), card, numbers, write, display)
    except Refused as refused:
        field = f"{refused.field}: " if refused.field else ""
        raise ServiceFailed(f"{url} refused: {field}{refused.detail or refused.status}") from None
    except UnexpectedAnswer as error:
        raise ServiceFailed(str(error)) from None
    except httpx.InvalidURL as error:
        raise ServiceFailed(f"--from {url} is not a URL: {error}") from None
    except httpx.HTTPError as error:
        raise ServiceFailed(
            f"{url} does not answer ({type(error).__name__}); check that it runs, and the same command goes on with "
            "this shard"
        ) from error


def _find_version(client: Client, url: str, name: str | None) -> str:
    """`NAME@DIGEST` of the model, or of the service's default model. Raises ServiceFailed."""
    models = {model.card.name: model for model in client.models()}
    default = next(model.card.name for model in models.values() if model.default)
    asked, at, digest = (name or default).partition("@")
    if asked not in models:
        raise ServiceFailed(f"{url} has no model '{asked}'; --name takes one of: {', '.join(models)}")
    digests = [version.digest for version in models[asked].versions]
    found = [one for one in digests if one.startswith(digest)] if at else [models[asked].digest]
    if not found:
        raise ServiceFailed(f"{url} no longer has {name}; it has {', '.join(f'{asked}@{one[:12]}' for one in digests)}")
    return f"{asked}@{found[0]}"


def draw_shard(model: "Model", dataset: Dataset, kind: Kind, path: Path, advance: Advance) -> str:
    """Draw one shard, and return its SHA-256. Raises Unfit."""
    try:
        opened = container(kind, dataset, model.card)
    except ValueError as error:
        raise Unfit(str(error)) from None
    checksum = hashlib.sha256()
    with replacing(path) as beside, beside.open("wb") as file:
        for part in parts(opened.runs()):
            drawn = model.generate(dataset.codes(part.items), BLOCK) if part.items else NO_IMAGES
            written = part.write(drawn)
            checksum.update(written)
            file.write(written)
            if part.items and part.items.start < TEST_START:
                advance(len(part.items))
    return checksum.hexdigest()


def fetch_shard(client: Client, job: Job, version: str, path: Path, number: int, advance: Advance) -> str:
    """Have a service draw one shard, and return its SHA-256. The items count as drawn at the end."""
    checksum = hashlib.sha256()
    path.parent.mkdir(parents=True, exist_ok=True)
    client.dataset(
        path,
        job.items,
        received=checksum.update,
        format=job.kind,
        seed=job.seed,
        shards=job.shards,
        shard=number,
        balance=job.balance,
        style=job.styles,
        model=version,
    )
    advance(len(job.shard(number)))
    return checksum.hexdigest()


def _write_shards(
    folder: Path, recipe: Recipe, card: GeneratorCard, numbers: Sequence[int], write: WriteShard, display: Display
) -> None:
    """Write shards, each with a file of its checksum, and describe them when all are there.

    A shard that has its checksum is kept.
    """
    claim(folder, recipe)
    job = recipe.job
    with display.items(folder.name, sum(len(job.shard(number)) for number in numbers)) as advance:
        for number in numbers:
            path = shard_path(folder, job.kind, number, job.shards)
            checksum = read_checksum(path)
            if checksum is None:
                checksum = write(path, number, advance)
                recipe.require_shard(number, checksum)
                # In the form that the sha256sum command writes and checks.
                write_text(checksum_path(path), f"{checksum}  {path.name}\n")
            else:
                recipe.require_shard(number, checksum)
                advance(len(job.shard(number)))
            display.say(f"{checksum}  {path}")
    completed = complete(folder, recipe)
    if completed is not None:
        write_descriptions(folder, completed, card)


def parse_styles(words: Sequence[str]) -> dict[str, float]:
    """Style codes by name, from NAME=VALUE. Raises Unfit."""
    values: dict[str, float] = {}
    for word in words:
        name, _, value = word.partition("=")
        try:
            values[name] = float(value)
        except ValueError:
            raise Unfit(f"--style '{word}' is not NAME=NUMBER") from None
    return values


def place_styles(space: LatentSpace, values: dict[str, float]) -> dict[int, float]:
    """The same style codes by their places in the space. Raises UnknownName and Unfit."""
    names = [style.name for style in space.styles]
    for name, value in values.items():
        if name not in names:
            raise UnknownName("style code", name, names or ["none: the model has no style codes"])
        style = space.styles[names.index(name)]
        if not style.low <= value <= style.high:
            raise Unfit(f"--style {name} must be from {style.low:g} to {style.high:g}")
    return {names.index(name): value for name, value in values.items()}
