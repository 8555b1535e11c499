"""The presets: each a row that names a network, an objective and the codes. This table is the whole list."""

from dataclasses import dataclass
from typing import Literal

from latent import ClassCode, LatentSpace, StyleCode
from latent.space import NoiseDistribution
from training.errors import UnknownName

Codes = Literal["none", "infogan"]


@dataclass(frozen=True)
class Preset:
    network: str
    objective: str
    codes: Codes
    lr_d: float
    lr_g: float
    head_start: int
    """epochs in which only the recogniser learns"""
    source: str


PRESETS: dict[str, Preset] = {
    #                 network    objective        codes   lr of D, of G, head start, source
    "gan": Preset("mlp", "non-saturating", "none", 2e-4, 2e-4, 0, "Goodfellow et al. 2014"),
    "dcgan": Preset("dcgan", "non-saturating", "none", 2e-4, 2e-4, 0, "Radford et al. 2016"),
    "infogan": Preset("compact", "non-saturating", "infogan", 2e-4, 1e-3, 6, "Chen et al. 2016"),
}

NOISE_SIZE = 62
STYLE_CODES = 2


def preset(name: str) -> Preset:
    if name not in PRESETS:
        raise UnknownName("preset", name, list(PRESETS))
    return PRESETS[name]


def latent_space(codes: Codes, classes: int) -> LatentSpace:
    """62 uniform noise in [-1, 1), and for InfoGAN a class code per class and two style codes (the report's own)."""
    coded = codes == "infogan"
    return LatentSpace(
        noise_size=NOISE_SIZE,
        noise_distribution=NoiseDistribution.UNIFORM,
        classes=tuple(ClassCode(name=f"code-{k}") for k in range(classes)) if coded else (),
        styles=tuple(StyleCode(name=f"style-{s}") for s in range(1, STYLE_CODES + 1)) if coded else (),
    )
