"""What shows that a machine draws a generator's pixels: a digest of its first images, which the card records."""

import hashlib

import numpy as np
from numpy.typing import NDArray

from latent.noise import draw_codes
from latent.space import Codes, LatentSpace

IMAGES = 16


def proof_codes(space: LatentSpace) -> Codes:
    """The codes of the images: the first of seed 0."""
    return draw_codes(space, 0, 0, IMAGES)


def proof_of(images: NDArray[np.uint8]) -> str:
    """The SHA-256 of the pixels of these images (IMAGES, H, W, channels), in hexadecimal digits."""
    return hashlib.sha256(np.ascontiguousarray(images).tobytes()).hexdigest()
