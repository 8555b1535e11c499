"""What the files of a data set are, for machines: Croissant 1.1.

https://docs.mlcommons.org/croissant/docs/croissant-spec-1.1.html
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from latent.card import GeneratorCard
from latent.containers import MEDIA_TYPE, Kind, shard_name

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


@dataclass(frozen=True)
class Described:
    """The files of a data set, and where they are."""

    kind: Kind
    items: int
    shards: int
    seed: int
    checksums: Sequence[str] | None = None
    """The SHA-256 of each file; None if the files are drawn when they are asked for."""
    folder: str = ""
    """What precedes the name of a file in its address."""
    query: str = ""
    """What follows it."""

    def name(self, card: GeneratorCard) -> str:
        return f"{card.name}-seed-{self.seed}"

    def sentence(self, card: GeneratorCard) -> str:
        """What it is, and the figures of what drew it."""
        figures = "".join(f" {figure.name}: {figure.value:g} ({figure.protocol})." for figure in card.figures)
        return (
            f"{self.items:,} synthetic images, drawn by the generator {card.name} from the seed {self.seed}. A label "
            f"is the class that the generator was asked for.{figures}"
        )


def describe(data: Described, card: GeneratorCard) -> Node:
    """The data set in Croissant's JSON-LD. The records are described if the files are Parquet."""
    node: Node = {
        "@context": CONTEXT,
        "@type": "sc:Dataset",
        "conformsTo": "http://mlcommons.org/croissant/1.1",
        "name": data.name(card),
        "description": data.sentence(card),
        "license": card.data.licence,
        "version": "1.0.0",
        "isLiveDataset": data.checksums is None,
        "distribution": list(_files(data)),
    }
    return node | ({"recordSet": list(_records(data, card))} if data.kind == "parquet" else {})


def _files(data: Described) -> Iterator[Node]:
    media_type = PARQUET if data.kind == "parquet" else MEDIA_TYPE[data.kind]
    for number in range(data.shards):
        name = shard_name(data.kind, number, data.shards)
        node = {"@type": "cr:FileObject", "@id": name, "name": name, "contentUrl": f"{data.folder}{name}{data.query}"}
        checksum = {} if data.checksums is None else {"sha256": data.checksums[number]}
        yield node | {"encodingFormat": media_type} | checksum


def _records(data: Described, card: GeneratorCard) -> Iterator[Node]:
    """A set of records for each shard, because Croissant has no set of files without an archive around it."""
    for number in range(data.shards):
        file = shard_name(data.kind, number, data.shards)
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
