"""The data sets by name: where each comes from, and the names of its labels."""

import string
from collections.abc import Mapping
from dataclasses import dataclass, field

from latent import Data


@dataclass(frozen=True)
class Source:
    reader: str
    """The name of torchvision's class that downloads the files."""
    folder: str
    classes: tuple[str, ...]
    card: Data
    options: Mapping[str, str] = field(default_factory=dict)
    """Further arguments of this class."""
    stem: str = ""
    """What precedes the split in the names of the files."""
    splits: tuple[str, str] = ("train", "t10k")
    """What the names of the files call the splits to train on and to test on."""
    first_label: int = 0
    transposed: bool = False
    """Whether the files have rows for columns."""


SOURCES: dict[str, Source] = {
    "mnist": Source(
        "MNIST",
        "MNIST",
        tuple("0123456789"),
        Data(
            name="mnist",
            licence="CC BY-SA 3.0",
            source="Y. LeCun, C. Cortes, C. J. C. Burges: The MNIST database of handwritten digits",
        ),
    ),
    "fashion-mnist": Source(
        "FashionMNIST",
        "FashionMNIST",
        (
            "t-shirt",
            "trouser",
            "pullover",
            "dress",
            "coat",
            "sandal",
            "shirt",
            "sneaker",
            "bag",
            "ankle-boot",
        ),
        Data(
            name="fashion-mnist",
            licence="MIT",
            source="H. Xiao, K. Rasul, R. Vollgraf 2017: Fashion-MNIST (Zalando SE)",
        ),
    ),
    "emnist-letters": Source(
        "EMNIST",
        "EMNIST",
        tuple(string.ascii_lowercase),
        Data(
            name="emnist-letters",
            licence="none stated",
            source=(
                "G. Cohen, S. Afshar, J. Tapson, A. van Schaik 2017: EMNIST, an extension of MNIST to handwritten "
                "letters (NIST Special Database 19)"
            ),
        ),
        options={"split": "letters"},
        stem="emnist-letters-",
        splits=("train", "test"),
        first_label=1,
        transposed=True,
    ),
    "kmnist": Source(
        "KMNIST",
        "KMNIST",
        ("o", "ki", "su", "tsu", "na", "ha", "ma", "ya", "re", "wo"),
        Data(
            name="kmnist",
            licence="CC BY-SA 4.0",
            source=(
                "T. Clanuwat, M. Bober-Irizar, A. Kitamoto, A. Lamb, K. Yamamoto, D. Ha 2018: Kuzushiji-MNIST (CODH, "
                "adapted from the Kuzushiji Dataset of NIJL and others)"
            ),
        ),
    ),
}
