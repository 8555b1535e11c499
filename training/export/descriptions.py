"""What the files of a data set are: Croissant for machines, and for people a README of the form of a Hub."""

import json
from pathlib import Path

from latent import GeneratorCard
from latent.croissant import MOST_SHARDS, Described, describe
from training.export.recipe import Recipe
from training.files import write_text


def write_descriptions(folder: Path, recipe: Recipe, card: GeneratorCard) -> None:
    """Write `croissant.json` and `README.md` for shards that are all there. Those that are there already are kept."""
    if not (folder / "README.md").exists():
        write_text(folder / "README.md", readme(recipe, card))
    if recipe.shards <= MOST_SHARDS and not (folder / "croissant.json").exists():
        write_text(folder / "croissant.json", json.dumps(describe(_described(recipe), card), indent=2) + "\n")


def readme(recipe: Recipe, card: GeneratorCard) -> str:
    """The card of the data set in the form of Hugging Face's Hub: what loaders need, then what people want to know."""
    data, kind = _described(recipe), recipe.format
    front = ["---", f"pretty_name: {data.name(card)}", "tags: [synthetic, gan, faussaire]"]
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
    lines = [*front, "---", "", f"# {data.name(card)}", "", data.sentence(card), "", "| | |", "| --- | --- |"]
    return "\n".join([*lines, *rows, "", again]) + "\n"


def _described(recipe: Recipe) -> Described:
    return Described(recipe.format, recipe.items, recipe.shards, recipe.seed, recipe.checksums or [])
