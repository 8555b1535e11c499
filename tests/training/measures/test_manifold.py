import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from training.measures import manifold as measured
from training.measures.manifold import manifold


def line(*points: float) -> Tensor:
    return torch.tensor(points, dtype=torch.float32)[:, None]


def test_a_small_case_by_hand(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(measured, "NEIGHBOURS", 1)
    # Real neighbourhoods: 0 +- 1, 1 +- 1, 4 +- 3. Drawn: 0.5 +- 0.75, 1.25 +- 0.75, 9 +- 7.75.
    found = manifold(line(0, 1, 4), line(0.5, 1.25, 9))
    assert found.precision == pytest.approx(2 / 3)  # 9 lies outside
    assert found.recall == 1.0
    # 0.5 lies in two neighbourhoods; 1.25 in those of 1 and of 4; 9 in none
    assert found.density == pytest.approx(4 / 3)
    assert found.coverage == 1.0


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 2**31), st.integers(7, 40), st.integers(7, 40))
def test_figures_are_those_of_brute_force(seed: int, reals: int, draws: int) -> None:
    source = np.random.default_rng(seed)
    real, drawn = source.normal(size=(reals, 3)), source.normal(0.3, 1.2, size=(draws, 3))

    def radius(points: np.ndarray, k: int) -> float:
        return float(sorted(np.linalg.norm(points - points[k], axis=1))[5])

    holds = np.array([[np.linalg.norm(r - d) <= radius(real, k) for d in drawn] for k, r in enumerate(real)])
    held = np.array([[np.linalg.norm(r - d) <= radius(drawn, k) for k, d in enumerate(drawn)] for r in real])
    found = manifold(torch.from_numpy(real).float(), torch.from_numpy(drawn).float())
    assert found.precision == pytest.approx(holds.any(0).mean(), abs=1e-6)
    assert found.recall == pytest.approx(held.any(1).mean(), abs=1e-6)
    assert found.density == pytest.approx(holds.sum(0).mean() / 5, abs=1e-5)
    assert found.coverage == pytest.approx(holds.any(1).mean(), abs=1e-6)
