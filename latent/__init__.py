"""What training and service agree on: the latent space, the noise of a seed, the generator card."""

from latent.card import (
    Data,
    Figure,
    GeneratorCard,
    ImageShape,
    InvalidCard,
    Training,
)
from latent.noise import Stream, draw_classes, draw_noise, draw_styles
from latent.space import ClassCode, Codes, LatentSpace, StyleCode

__all__ = [
    "ClassCode",
    "Codes",
    "Data",
    "Figure",
    "GeneratorCard",
    "ImageShape",
    "InvalidCard",
    "LatentSpace",
    "Stream",
    "StyleCode",
    "Training",
    "draw_classes",
    "draw_noise",
    "draw_styles",
]
