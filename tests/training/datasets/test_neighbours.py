import math

import torch

from training.datasets.neighbours import neighbourhood

ANGLES = 4
EACH = 8


def bars() -> torch.Tensor:
    """uint8 (ANGLES * EACH, 1, 28, 28): a bar at each angle, in places and brightnesses of its own."""
    source = torch.Generator().manual_seed(0)
    y, x = torch.meshgrid(torch.arange(28.0), torch.arange(28.0), indexing="ij")
    drawn = []
    for k in range(ANGLES * EACH):
        angle = k // EACH * math.pi / ANGLES
        shift, light = torch.rand(2, generator=source)
        away = (x - 13.5) * math.sin(angle) - (y - 13.5) * math.cos(angle) + 2 * (shift - 0.5)
        drawn.append((away.abs() < 2) * (100 + 155 * light))
    return torch.stack(drawn)[:, None].to(torch.uint8)


def test_neighbours_have_edges_in_the_same_directions_whatever_their_brightness() -> None:
    near = neighbourhood(bars())
    angles = torch.arange(ANGLES * EACH) // EACH
    assert near.shape == (ANGLES * EACH, 5)
    assert (angles[near] == angles[:, None]).all()


def test_none_is_its_own_neighbour_and_few_images_have_few() -> None:
    near = neighbourhood(bars()[:3])
    assert near.shape == (3, 2)
    assert (near != torch.arange(3)[:, None]).all()


def test_of_colours_the_grey_is_looked_at() -> None:
    grey = bars()
    assert torch.equal(neighbourhood(grey.expand(-1, 3, -1, -1)), neighbourhood(grey))
