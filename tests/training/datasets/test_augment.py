import torch

from training.datasets.augment import augment


def test_background_stays_background() -> None:
    black = torch.full((16, 1, 28, 28), -1.0)
    assert torch.equal(augment(black, torch.Generator().manual_seed(0), 0.5), black)


def test_images_keep_their_shape_and_range_and_each_moves_its_own_way() -> None:
    images = torch.full((64, 3, 28, 28), -1.0)
    images[:, :, 10:18, 10:18] = 1
    views = augment(images, torch.Generator().manual_seed(0), 0.5)
    assert views.shape == images.shape
    assert views.min() >= -1
    assert views.max() <= 1 + 1e-6
    assert not torch.equal(views[0], views[1])


def test_the_same_source_gives_the_same_views() -> None:
    images = torch.rand(4, 1, 28, 28) * 2 - 1
    first, second = (augment(images, torch.Generator().manual_seed(7), 0.5) for _ in range(2))
    assert torch.equal(first, second)
