import hashlib
import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from latent import InvalidRelease, Release
from latent.noise import SEED_LIMIT
from latent.release import release_path, version_label

STABLE, CANARY = "0" * 64, "1" * 64

seeds = st.integers(0, SEED_LIMIT - 1)


def at(weight: float, canary: str = CANARY) -> Release:
    return Release(stable=STABLE, canary=canary, weight=weight)


@given(seeds, st.floats(0, 1), st.floats(0, 1))
def test_a_seed_that_is_the_canarys_stays_so_when_its_weight_grows(seed: int, one: float, other: float) -> None:
    less, more = sorted((one, other))
    if at(less).meant(seed) == CANARY:
        assert at(more).meant(seed) == CANARY


@given(seeds)
def test_a_weight_of_0_is_no_seed_and_1_is_every_seed(seed: int) -> None:
    assert at(0).meant(seed) == STABLE
    assert at(1).meant(seed) == CANARY
    assert Release(stable=STABLE).meant(seed) == STABLE


def test_the_share_of_seeds_is_the_weight_and_another_canary_has_others() -> None:
    # Seeds are counted up here: nothing about them need be random. 4,000 at 0.25 are 1,000, give or take 27.
    mine, others = (
        {seed for seed in range(4_000) if at(0.25, canary).meant(seed) == canary} for canary in (CANARY, "2" * 64)
    )
    assert len(mine) == pytest.approx(1_000, abs=110)
    assert len(others) == pytest.approx(1_000, abs=110)
    assert len(mine & others) == pytest.approx(250, abs=60)


def test_the_choice_is_as_the_documentation_specifies_it() -> None:
    for seed in (*range(60), SEED_LIMIT - 1):
        first = hashlib.sha256(f"{CANARY} {seed}".encode()).hexdigest()[:16]
        assert (at(0.25).meant(seed) == CANARY) == (first < "4")


def test_what_is_written_is_read_again(tmp_path: Path) -> None:
    path = release_path(tmp_path, "small")
    assert path.name == "small.release.json"
    for release in (Release(stable=STABLE), Release(stable=STABLE, canary=CANARY, weight=0.05, before=("2" * 64,))):
        path.write_text(release.text(), encoding="utf-8")
        assert Release.read(path) == release
    assert version_label("small", "0123456789abcdef") == "small@0123456789ab"


BROKEN = [
    ("{", "Invalid JSON"),
    ("[]", "Input should be an object"),
    ("{}", "field 'stable': Field required"),
    (json.dumps({"stable": "abc"}), "field 'stable': String should match"),
    (json.dumps({"stable": STABLE, "weight": 0.5}), "a weight is a canary's, and there is none"),
    (json.dumps({"stable": STABLE, "canary": STABLE}), "the canary is the stable version"),
    (json.dumps({"stable": STABLE, "canary": CANARY, "weight": 1.5}), "field 'weight': Input should be less than"),
    (json.dumps({"stable": STABLE, "canary": CANARY, "weight": "much"}), "field 'weight': Input should be a valid"),
    (json.dumps({"stable": STABLE, "share": 1}), "field 'share': Extra inputs are not permitted"),
    (json.dumps({"stable": STABLE, "before": ["x"]}), "field 'before.0'"),
]


@pytest.mark.parametrize(("text", "reason"), BROKEN, ids=[reason for _, reason in BROKEN])
def test_a_file_that_is_not_a_release_is_refused_with_the_field_and_a_remedy(
    tmp_path: Path, text: str, reason: str
) -> None:
    path = tmp_path / "small.release.json"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(InvalidRelease, match="put it right") as refused:
        Release.read(path)
    assert str(refused.value).startswith(f"{path}: ")
    assert reason in str(refused.value)
    assert "\n" not in str(refused.value)
