"""Finds the measures: every module of this package that has MEASURES."""

import importlib
import pkgutil
from functools import cache

from training import measures
from training.measures.subject import Figure, Measure


@cache
def find_measures() -> tuple[Measure, ...]:
    """All measures in the order of their places. Raises ValueError if two figures have one key."""
    names = [f"{measures.__name__}.{module.name}" for module in pkgutil.iter_modules(measures.__path__)]
    found = [measure for name in names for measure in getattr(importlib.import_module(name), "MEASURES", ())]
    keys = [figure.key for measure in found for figure in measure.figures]
    if twins := {key for key in keys if keys.count(key) > 1}:
        raise ValueError(f"two measures have a figure '{twins.pop()}'")
    return tuple(sorted(found, key=lambda measure: measure.place))


def find_figures() -> tuple[Figure, ...]:
    """The figures of all measures, in order."""
    return tuple(figure for measure in find_measures() for figure in measure.figures)


def find_quick_figures() -> dict[str, Measure]:
    """The figures that can be read in seconds, by key, each with its measure."""
    return {figure.key: measure for measure in find_measures() if measure.glance for figure in measure.figures}
