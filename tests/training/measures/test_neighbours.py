import pytest
import torch

from training.measures.neighbours import nearest


def test_a_copy_is_at_no_distance_and_a_shade_at_its_own() -> None:
    real = torch.randint(0, 200, (50, 1, 4, 4), generator=torch.Generator().manual_seed(0), dtype=torch.uint8)
    distances, rows = nearest(torch.stack([real[17], real[3] + 51]), real)
    assert rows[0] == 17
    assert distances[0].item() == pytest.approx(0, abs=1e-4)
    assert distances[1].item() <= 51 / 255 + 1e-4
