"""The presets: each is a row that names a network, an objective and the codes. This table is the whole list."""

from dataclasses import dataclass
from typing import Literal

from latent import ClassCode, LatentSpace, StyleCode
from latent.space import NoiseDistribution
from training.errors import Unfit, UnknownName

Codes = Literal["none", "infogan", "cgan", "acgan"]
"""No codes; codes that were found without labels; labels given to both players; labels that a classifier alone demands of G."""

TOLD: tuple[Codes, ...] = ("cgan", "infogan")
"""With these codes, D gets the class of each image: for a real one its label, or the code that Q reads."""

OnCollapse = Literal["rollback", "stop", "ignore"]
"""What a run does when it collapses."""

Noise = Literal["uniform", "normal"]
"""In [-1, 1), or N(0, 1)."""


@dataclass(frozen=True)
class Preset:
    network: str
    objective: str
    codes: Codes
    lr_d: float
    lr_g: float
    source: str
    batch: int = 64
    beta1: float = 0.5
    """Of Adam; 0 if momentum would disturb the objective."""
    critic_steps: int = 1
    """Steps of D for each step of G."""
    head_start: int = 0
    """Epochs in which only the recogniser learns."""
    dropout: float = 0.0
    """The share of D's activations that is dropped."""
    noise: Noise = "uniform"
    decay: float = 0.0
    """The last share of a run, in which the learning rates of D and G fall to 0."""


# fmt: off
PRESETS: dict[str, Preset] = {
    #                  network         objective         codes      lr of D, of G  paper
    "gan":      Preset("mlp",          "non-saturating", "none",    2e-4, 2e-4, "Goodfellow et al. 2014, section 3", dropout=0.3),
    "dcgan":    Preset("dcgan",        "non-saturating", "none",    2e-4, 2e-4, "Radford et al. 2016, section 3"),
    "lsgan":    Preset("compact",      "lsgan",          "none",    2e-4, 1e-3, "Mao et al. 2017, equation 9", batch=32),
    "wgan":     Preset("compact-free", "wgan",           "none",    5e-4, 1e-3, "Arjovsky et al. 2017, algorithm 1", batch=32, beta1=0, critic_steps=2),
    "wgan-gp":  Preset("compact-free", "wgan-gp",        "none",    5e-4, 1e-3, "Gulrajani et al. 2017, equation 3", batch=32, beta1=0, critic_steps=5),
    "dragan":   Preset("compact-free", "dragan",         "none",    5e-4, 1e-3, "Kodali et al. 2017, algorithm 1", batch=32),
    "hinge":    Preset("compact",      "hinge",          "none",    2e-4, 1e-3, "Miyato et al. 2018, equations 16, 17", batch=32),
    "ebgan":    Preset("compact-free", "ebgan",          "none",    5e-4, 5e-4, "Zhao et al. 2017, equations 1, 2"),
    "began":    Preset("compact-free", "began",          "none",    5e-4, 5e-4, "Berthelot et al. 2017, section 3.4"),
    "r3gan":    Preset("compact-free", "rpgan-r1r2",     "none",    5e-4, 1e-3, "Huang et al. 2024, equation 2", batch=32, beta1=0),
    "cgan":     Preset("wide",         "non-saturating", "cgan",    2e-4, 1e-3, "Mirza and Osindero 2014, eq. 2; Miyato and Koyama 2018, eq. 3; Odena et al. 2017, eq. 3", batch=32, head_start=4, decay=0.25),
    "acgan":    Preset("compact",      "non-saturating", "acgan",   2e-4, 1e-3, "Odena et al. 2017, equations 2, 3"),
    "infogan":  Preset("slim",         "non-saturating", "infogan", 2e-4, 1e-3, "Chen et al. 2016, eq. 6; Ng et al. 2002; Miyato and Koyama 2018, eq. 3", batch=32, head_start=4),
    "cvae":     Preset("compact-free", "elbo",           "cgan",    1e-3, 1e-3, "Sohn et al. 2015, eq. 4; Higgins et al. 2017, eq. 4", noise="normal"),
}
# fmt: on

NOISE_SIZE = 62
STYLE_CODES = 2


def preset(name: str) -> Preset:
    """Raises UnknownName."""
    if name not in PRESETS:
        raise UnknownName("preset", name, list(PRESETS))
    return PRESETS[name]


def latent_space(codes: Codes, noise: Noise, classes: tuple[str, ...], found: int | None = None) -> LatentSpace:
    """62 numbers of noise, a class code for each class, and two style codes for InfoGAN.

    The class codes have the classes' names if training has labels. If it has not, there are `found` of them, or as many
    as classes. Raises Unfit.
    """
    if codes != "infogan" and found is not None:
        raise Unfit(f"--codes says how many class codes 'infogan' finds; codes '{codes}' are the classes: leave it out")
    if codes == "infogan" and found is None and len(classes) < 2:
        raise Unfit("the data have one class, so that nothing says how many to find; give --codes, such as --codes 10")
    count = len(classes) if found is None else found
    names = {"none": (), "infogan": tuple(f"code-{k}" for k in range(count))}.get(codes, classes)
    styles = range(1, STYLE_CODES + 1) if codes == "infogan" else ()
    return LatentSpace(
        noise_size=NOISE_SIZE,
        noise_distribution=NoiseDistribution(noise),
        classes=tuple(ClassCode(name=name) for name in names),
        styles=tuple(StyleCode(name=f"style-{s}") for s in styles),
    )
