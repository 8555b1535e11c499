"""The random draws of image i of seed s: the same on every machine, alone or in any batch.

`docs/noise.md` specifies them for other languages, with test vectors.
The bits are Philox4x64-10 (Salmon et al. 2011, "Parallel random numbers: as easy as 1, 2, 3"),
whose stream NumPy guarantees. The key is (seed, stream); image i owns the counters
[i * B, (i + 1) * B), where B counts the blocks of four 64-bit words that one image needs. What is
drawn for one stream never moves another. Normal noise needs a logarithm, a cosine and a sine: `latent/elementary.py`
has those, because a library's differ between machines.
"""

import threading
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

from latent.elementary import cos_sin, ln
from latent.space import Codes, LatentSpace, NoiseDistribution

SEED_LIMIT = 2**63
"""Seeds and indices are below it, so that they fit every language's signed 64-bit integer."""

WORDS_PER_BLOCK = 4
WORD = 2**64 - 1

CUT = np.uint64(40)
"""Bits of a word that uniform noise does without."""
SCALE, ONE = np.float32(2.0**-23), np.float32(1)


class Stream(IntEnum):
    """The second half of the key: what the bits are for."""

    NOISE = 0
    CLASS = 1
    STYLE = 2


def draw_noise(space: LatentSpace, seed: int, index: int, count: int) -> NDArray[np.float32]:
    """Noise of the images `index` to `index + count` of `seed`, of shape (count, Z)."""
    if space.noise_distribution is NoiseDistribution.UNIFORM:
        # Cut to 24 bits, which float32 holds exactly; rounding would sometimes reach 1.
        noise = (_words(seed, Stream.NOISE, index, count, space.noise_size) >> CUT).astype(np.float32)
        noise *= SCALE
        noise -= ONE
        return noise
    uniform = _uniform(seed, Stream.NOISE, index, count, space.noise_size + space.noise_size % 2)
    half = (space.noise_size + 1) // 2
    # Box and Muller 1958. 1 - u is in (0, 1], so that the logarithm is finite.
    radius = np.sqrt(-2 * ln(1 - uniform[:, :half]))
    cos, sin = cos_sin(uniform[:, half : 2 * half])
    pairs = np.concatenate([radius * cos, radius * sin], axis=1)
    return pairs[:, : space.noise_size].astype(np.float32)


def draw_classes(space: LatentSpace, seed: int, index: int, count: int) -> NDArray[np.intp]:
    """Class codes where none were asked for, of shape (count,), each equally likely."""
    uniform = _uniform(seed, Stream.CLASS, index, count, 1)[:, 0]
    return np.floor(uniform * len(space.classes)).astype(np.intp)


def draw_styles(space: LatentSpace, seed: int, index: int, count: int) -> NDArray[np.float32]:
    """Style codes where none were asked for, of shape (count, S), uniform over `StyleCode.usual`."""
    uniform = _uniform(seed, Stream.STYLE, index, count, len(space.styles))
    low, high = space.usual_styles
    return (low + (high - low) * uniform).astype(np.float32)


def draw_codes(space: LatentSpace, seed: int, index: int, count: int, classes: NDArray[np.intp] | None = None) -> Codes:
    """Codes of the images `index` to `index + count` of `seed`, with these class codes (count,) if they are given."""
    drawn = draw_classes(space, seed, index, count) if classes is None else classes
    noise, styles = draw_noise(space, seed, index, count), draw_styles(space, seed, index, count)
    return Codes(noise, space.one_hot(drawn), styles)


def _uniform(seed: int, stream: Stream, index: int, count: int, words: int) -> NDArray[np.float64]:
    """Numbers in [0, 1) from the upper 53 bits of each word, of shape (count, words)."""
    return (_words(seed, stream, index, count, words) >> np.uint64(11)) * np.float64(2.0**-53)


def _words(seed: int, stream: Stream, index: int, count: int, words: int) -> NDArray[np.uint64]:
    """The first words of 64 random bits of each image, of shape (count, words)."""
    if not (0 <= seed < SEED_LIMIT and 0 <= index <= index + count <= SEED_LIMIT):
        raise ValueError(f"the seed and every index must be in [0, {SEED_LIMIT})")
    blocks = -(-words // WORDS_PER_BLOCK)
    raw = _philox.random_raw(seed, stream, index * blocks, count * blocks * WORDS_PER_BLOCK)
    return raw.reshape(count, blocks * WORDS_PER_BLOCK)[:, :words]


class Philox(threading.local):
    """NumPy's generator, one for each thread: to set one takes an eighth of the time of making one."""

    def __init__(self) -> None:
        self._generator = np.random.Philox(0)
        self._state = self._generator.state
        self._key, self._counter = self._state["state"]["key"], self._state["state"]["counter"]

    def random_raw(self, seed: int, stream: int, block: int, count: int) -> NDArray[np.uint64]:
        """So many words of 64 random bits (count,), from this block of four on."""
        # NumPy steps the counter before each block: the block of counter c is the first after c - 1.
        before = (block - 1) % 2**256
        key, counter = self._key, self._counter
        key[0], key[1] = seed, stream
        counter[0], counter[1] = before & WORD, before >> 64 & WORD
        counter[2] = counter[3] = before >> 128 & WORD  # of the block -1, which is all ones; else 0
        self._generator.state = self._state
        return self._generator.random_raw(count)


_philox = Philox()
