"""An evaluation as a page that a person would rather look at: one file, nothing fetched."""

import base64
import io
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from jinja2 import Environment
from numpy.typing import NDArray

from latent import Codes, draw_codes, draw_noise
from training.evaluation.by_class import SEED
from training.evaluation.evaluation import Evaluation
from training.export.model import Model
from training.files import write_text
from training.measures.neighbours import nearest
from training.measures.registry import find_figures
from training.measures.subject import Real
from training.sheets import tile, to_picture

COLUMNS = 16
SCALE = 2


@dataclass(frozen=True)
class Row:
    """One measure as people read it."""

    name: str
    meaning: str
    drawn: str
    real: str


def rows(evaluation: Evaluation) -> list[Row]:
    """In the order of the table."""
    drawn, real = evaluation.drawn.figures, evaluation.real.figures
    return [
        Row(figure.title, figure.meaning.format_map(drawn), figure.show(drawn), figure.show(real))
        for figure in find_figures()
        if figure.meaning and evaluation.real.has(figure.key)
    ]


def save_page(path: Path, evaluation: Evaluation, model: Model, real: Real, curves: Path | None) -> None:
    """Write the table, sheets, histogram, neighbours and, of a run, its curves."""
    pictures = {"Samples: a class a row where it has classes": sheet(model)}
    for style in range(len(model.card.space.styles)):
        pictures[f"Traversal of {model.card.space.styles[style].name}: a class a row"] = traversal(model, style)
    pictures["Drawn images above their nearest training images"] = pairs(model, real)
    shown = {title: _png(picture) for title, picture in pictures.items()}
    if curves is not None and curves.exists():
        shown["Training"] = base64.b64encode(curves.read_bytes()).decode()
    page = Environment(autoescape=True).from_string(PAGE)
    write_text(path, page.render(evaluation=evaluation, rows=rows(evaluation), pictures=shown))


def sheet(model: Model) -> NDArray[np.uint8]:
    """uint8 (rows * H, 16 * W, channels): noise and styles drawn for each image."""
    space = model.card.space
    count = (len(space.classes) or 10) * COLUMNS
    return tile(model.generate(draw_codes(space, SEED, 0, count, np.arange(count) // COLUMNS), count), COLUMNS)


def traversal(model: Model, style: int) -> NDArray[np.uint8]:
    """One style code from its least to its most across, all else held within a row."""
    space = model.card.space
    lines = len(space.classes) or 10
    noise = np.repeat(draw_noise(space, SEED, 0, lines), COLUMNS, 0)
    styles = np.zeros((lines * COLUMNS, len(space.styles)), np.float32)
    styles[:, style] = np.tile(np.linspace(space.styles[style].low, space.styles[style].high, COLUMNS), lines)
    classes = space.one_hot(np.arange(lines * COLUMNS) // COLUMNS)
    return tile(model.generate(Codes(noise, classes, styles), lines * COLUMNS), COLUMNS)


def pairs(model: Model, real: Real) -> NDArray[np.uint8]:
    """Sixteen drawn images above their nearest training images."""
    asked = np.arange(COLUMNS) % max(len(model.card.space.classes), 1)
    drawn = model.draw(draw_codes(model.card.space, SEED, 0, COLUMNS, asked), COLUMNS)
    _, at = nearest(drawn, real.known.images)
    return tile(torch.cat([drawn, real.known.images[at]]).permute(0, 2, 3, 1).numpy(), COLUMNS)


def _png(picture: NDArray[np.uint8]) -> str:
    file = io.BytesIO()
    to_picture(picture, SCALE).save(file, "PNG")
    return base64.b64encode(file.getvalue()).decode()


PAGE = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>{{ evaluation.model }}</title>
<style>
  :root { color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif }
  body { max-width: 60rem; margin: 2rem auto; padding: 0 1rem }
  table { border-collapse: collapse; width: 100% }
  th, td { text-align: left; padding: .3rem .6rem; border-bottom: 1px solid #8884 }
  th.figure, td.figure { text-align: right; font-variant-numeric: tabular-nums }
  img { max-width: 100%; image-rendering: pixelated; border-radius: 4px }
  .bar { background: #47c; height: 1rem; border-radius: 2px }
</style>
<h1>{{ evaluation.model }}</h1>
<p>{{ evaluation.images }} images against {{ evaluation.data }}, seed {{ evaluation.seed }}. Judge: {{ evaluation.judge }}.
"Real" is real training images that pose as drawn ones.</p>
<table>
  <tr><th>measure</th><th class="figure">drawn</th><th class="figure">real</th><th>is</th></tr>
  {% for row in rows %}
  <tr><td>{{ row.name }}</td><td class="figure">{{ row.drawn }}</td><td class="figure">{{ row.real }}</td><td>{{ row.meaning }}</td></tr>
  {% endfor %}
</table>
{% if evaluation.drawn.histogram %}
<h2>Classes</h2>
<table>
  {% for name, share in evaluation.drawn.histogram.items() %}
  <tr><td>{{ name }}</td><td class="figure">{{ "%.1f" % (100 * share) }} %</td>
  <td style="width: 70%"><div class="bar" style="width: {{ "%.2f" % (100 * share) }}%"></div></td></tr>
  {% endfor %}
</table>
{% endif %}
{% for title, png in pictures.items() %}
<h2>{{ title }}</h2>
<img alt="{{ title }}" src="data:image/png;base64,{{ png }}">
{% endfor %}
</html>
"""
