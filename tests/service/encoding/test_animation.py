import io

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from service.encoding.animation import ANIMATIONS, Animation, animated
from service.planning.provenance import KEYWORD, SheetOrigin

ORIGIN = SheetOrigin(model="small", digest="0" * 64, seed=1, index=0, n=2, images="0" * 64)


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
    count: int, channels: int, kind: Animation, seed: int
) -> None:
    given_frames = frames(count, channels, seed)
    content = animated(given_frames, kind, 12, ORIGIN)
    assert content == animated(given_frames, kind, 12, ORIGIN)
    found = played(content, "L" if channels == 1 else "RGB")
    assert len(found) == count
    for frame, wanted in zip(found, given_frames, strict=True):
        # Six by seven pixels have fewer than GIF's 256 colours.
        assert np.array_equal(frame.reshape(wanted.shape), wanted)


@pytest.mark.parametrize("kind", ANIMATIONS)
@pytest.mark.parametrize(("fps", "milliseconds"), [(1, 1000), (12, 83), (25, 40), (50, 20)])
def test_frames_last_as_long_as_was_asked_for_and_play_for_ever(kind: Animation, fps: int, milliseconds: int) -> None:
    with Image.open(io.BytesIO(animated(frames(3, 1), kind, fps, ORIGIN))) as film:
        film.seek(1)
        film.load()
        assert film.info["duration"] == (milliseconds // 10 * 10 if kind == "gif" else milliseconds)
        assert film.info.get("loop", 0) == 0


def test_an_animated_png_tells_its_origin() -> None:
    with Image.open(io.BytesIO(animated(frames(3, 1), "apng", 12, ORIGIN))) as film:
        assert film.info[KEYWORD] == ORIGIN.text()
