"""What the files of a data set are, for machines and for people: Croissant 1.1, and the README of a Hub.

https://docs.mlcommons.org/croissant/docs/croissant-spec-1.1.html
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from latent import GeneratorCard
from latent.containers import MEDIA_TYPE, shard_name
from training.export.recipe import Recipe
from training.files import write_text

Node = dict[str, Any]

CONTEXT: Node = {
    "@language": "en",
    "@vocab": "https://schema.org/",
    "arrayShape": "cr:arrayShape",
    "citeAs": "cr:citeAs",
    "column": "cr:column",
    "conformsTo": "dct:conformsTo",
    "containedIn": "cr:containedIn",
    "cr": "http://mlcommons.org/croissant/",
    "rai": "http://mlcommons.org/croissant/RAI/",
    "data": {"@id": "cr:data", "@type": "@json"},
    "dataType": {"@id": "cr:dataType", "@type": "@vocab"},
    "dct": "http://purl.org/dc/terms/",
    "description": {"@container": "@language"},
    "equivalentProperty": "cr:equivalentProperty",
    "examples": {"@id": "cr:examples", "@type": "@json"},
    "extract": "cr:extract",
    "field": "cr:field",
    "fileProperty": "cr:fileProperty",
    "fileObject": "cr:fileObject",
    "fileSet": "cr:fileSet",
    "format": "cr:format",
    "includes": "cr:includes",
    "isArray": "cr:isArray",
    "isLiveDataset": "cr:isLiveDataset",
    "jsonPath": "cr:jsonPath",
    "key": "cr:key",
    "md5": "cr:md5",
    "name": {"@container": "@language"},
    "parentField": "cr:parentField",
    "path": "cr:path",
    "recordSet": "cr:recordSet",
    "references": "cr:references",
    "regex": "cr:regex",
    "repeated": "cr:repeated",
    "replace": "cr:replace",
    "samplingRate": "cr:samplingRate",
    "sc": "https://schema.org/",
    "separator": "cr:separator",
    "source": "cr:source",
    "subField": "cr:subField",
    "transform": "cr:transform",
}
"""As the specification has it."""

MOST_SHARDS = 1_000
"""The description of so many has megabytes; more are not described."""

PARQUET = "application/x-parquet"
"""Croissant's name for it."""


def write_descriptions(folder: Path, recipe: Recipe, card: GeneratorCard) -> None:
    """Write `croissant.json` and `README.md` for shards that are all there. Those that are there already are kept."""
    if not (folder / "README.md").exists():
        write_text(folder / "README.md", readme(recipe, card))
    if recipe.shards <= MOST_SHARDS and not (folder / "croissant.json").exists():
        write_text(folder / "croissant.json", json.dumps(describe(recipe, card), indent=2) + "\n")


def describe(recipe: Recipe, card: GeneratorCard) -> Node:
    """The data set in Croissant's JSON-LD. The records are described if the files are Parquet."""
    node: Node = {
        "@context": CONTEXT,
        "@type": "sc:Dataset",
        "conformsTo": "http://mlcommons.org/croissant/1.1",
        "name": _name(recipe, card),
        "description": _sentence(recipe, card),
        "license": card.data.licence,
        "version": "1.0.0",
        "isLiveDataset": False,
        "distribution": list(_files(recipe)),
    }
    return node | ({"recordSet": list(_records(recipe, card))} if recipe.format == "parquet" else {})


def readme(recipe: Recipe, card: GeneratorCard) -> str:
    """The card of the data set in the form of Hugging Face's Hub: what loaders need, then what people want to know."""
    kind = recipe.format
    front = ["---", f"pretty_name: {_name(recipe, card)}", "tags: [synthetic, gan, faussaire]"]
    if kind == "parquet":
        front += ["task_categories: [image-classification]"] if card.space.classes else []
        front += ["configs:", "  - config_name: default", "    data_files: part-*.parquet"]
    classes = ", ".join(code.name for code in card.space.classes) or "none"
    facts = {
        "drawn by": f"`{card.name}`, SHA-256 `{recipe.sha256}`",
        "seed": recipe.seed,
        "images": f"{recipe.items:,}, {card.image.height} by {card.image.width} pixels",
        "classes": classes,
        "trained on": f"{card.data.name}, {card.data.source}",
        "licence of that": card.data.licence,
    }
    rows = [f"| {name} | {value} |" for name, value in facts.items()]
    again = "`faussaire dataset --recipe dataset.json --model FILE.onnx -o FOLDER` draws the same files again."
    lines = [*front, "---", "", f"# {_name(recipe, card)}", "", _sentence(recipe, card), "", "| | |", "| --- | --- |"]
    return "\n".join([*lines, *rows, "", again]) + "\n"


def _name(recipe: Recipe, card: GeneratorCard) -> str:
    return f"{card.name}-seed-{recipe.seed}"


def _sentence(recipe: Recipe, card: GeneratorCard) -> str:
    return (
        f"{recipe.items:,} synthetic images, drawn by the generator {card.name} from the seed {recipe.seed}. A label "
        "is the class that the generator was asked for."
    )


def _files(recipe: Recipe) -> Iterator[Node]:
    media_type = PARQUET if recipe.format == "parquet" else MEDIA_TYPE[recipe.format]
    for number, checksum in enumerate(recipe.checksums or []):
        name = shard_name(recipe.format, number, recipe.shards)
        node = {"@type": "cr:FileObject", "@id": name, "name": name, "contentUrl": name}
        yield node | {"encodingFormat": media_type, "sha256": checksum}


def _records(recipe: Recipe, card: GeneratorCard) -> Iterator[Node]:
    """A set of records for each shard, because Croissant has no set of files without an archive around it."""
    for number in range(recipe.shards):
        file = shard_name(recipe.format, number, recipe.shards)
        name = file.removesuffix(".parquet")
        yield {"@type": "cr:RecordSet", "@id": name, "name": name, "field": list(_fields(name, file, card))}


def _fields(records: str, file: str, card: GeneratorCard) -> Iterator[Node]:
    def field(name: str, kind: str, told: str, **source: Any) -> Node:
        identity = f"{records}/{name}"
        extracted = {"fileObject": {"@id": file}, "extract": {"column": name}} | source
        node = {"@type": "cr:Field", "@id": identity, "name": identity, "description": told}
        return node | {"dataType": kind, "source": extracted}

    yield field("image", "sc:ImageObject", "A PNG.", transform={"jsonPath": "bytes"})
    if card.space.classes:
        names = ", ".join(f"{place}: {code.name}" for place, code in enumerate(card.space.classes))
        yield field("label", "sc:Integer", f"The class. {names}.")
    yield field("seed", "sc:Integer", "The seed of the data set.")
    yield field("index", "sc:Integer", "Which image of the seed.")
