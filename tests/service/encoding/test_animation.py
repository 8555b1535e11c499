import io

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from latent.origin import KEYWORD
from service.encoding.animation import Play, encode_apng, encode_gif, encode_webp

TEXT = '{"model":"small"}'

ANIMATIONS = [encode_apng, encode_webp, encode_gif]


def frames(count: int, channels: int, seed: int = 0) -> list[np.ndarray]:
    return list(np.random.default_rng(seed).integers(0, 256, (count, 6, 7, channels), np.uint8))


def played(content: bytes, mode: str) -> list[np.ndarray]:
    with Image.open(io.BytesIO(content)) as film:
        found = []
        for place in range(getattr(film, "n_frames", 1)):
            film.seek(place)
            found.append(np.asarray(film.convert(mode)))
    return found


@settings(max_examples=30, deadline=None)
@given(st.integers(2, 9), st.sampled_from([1, 3]), st.sampled_from(ANIMATIONS), st.integers(0, 2**32))
def test_an_animation_has_the_very_frames_and_is_the_same_each_time(
    count: int, channels: int, play: Play, seed: int
) -> None:
    given_frames = frames(count, channels, seed)
    content = play(given_frames, 12, TEXT)
    assert content == play(given_frames, 12, TEXT)
    found = played(content, "L" if channels == 1 else "RGB")
    assert len(found) == count
    for frame, wanted in zip(found, given_frames, strict=True):
        # Six by seven pixels have fewer than GIF's 256 colours.
        assert np.array_equal(frame.reshape(wanted.shape), wanted)


@pytest.mark.parametrize("play", ANIMATIONS)
@pytest.mark.parametrize(("fps", "milliseconds"), [(1, 1000), (12, 83), (25, 40), (50, 20)])
def test_frames_last_as_long_as_was_asked_for_and_play_for_ever(play: Play, fps: int, milliseconds: int) -> None:
    with Image.open(io.BytesIO(play(frames(3, 1), fps, TEXT))) as film:
        film.seek(1)
        film.load()
        assert film.info["duration"] == (milliseconds // 10 * 10 if play is encode_gif else milliseconds)
        assert film.info.get("loop", 0) == 0


def test_an_animated_png_has_its_text() -> None:
    with Image.open(io.BytesIO(encode_apng(frames(3, 1), 12, TEXT))) as film:
        assert film.info[KEYWORD] == TEXT
