"""What training and service agree on: the latent space, the noise of a seed, the generator card, the release."""

from latent.card import (
    Data,
    Figure,
    Framing,
    GeneratorCard,
    ImageShape,
    InvalidCard,
    RecogniserCard,
    Training,
)
from latent.interpolation import between
from latent.noise import Stream, draw_classes, draw_codes, draw_noise, draw_styles
from latent.release import InvalidRelease, ModelVersion, Release
from latent.space import ClassCode, Codes, LatentSpace, StyleCode

VERSION = "0.1.0"
"""Of the whole project: the client, the service and the training."""

__all__ = [
    "VERSION",
    "ClassCode",
    "Codes",
    "Data",
    "Figure",
    "Framing",
    "GeneratorCard",
    "ImageShape",
    "InvalidCard",
    "InvalidRelease",
    "LatentSpace",
    "ModelVersion",
    "RecogniserCard",
    "Release",
    "Stream",
    "StyleCode",
    "Training",
    "between",
    "draw_classes",
    "draw_codes",
    "draw_noise",
    "draw_styles",
]
