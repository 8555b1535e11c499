import numpy as np
import torch
from torch.nn.functional import affine_grid, grid_sample

from latent import ClassCode, ImageShape, LatentSpace, StyleCode
from training.networks.recogniser import StyleRecogniser

SHAPE = ImageShape(height=28, width=28, channels=1)
SPACE = LatentSpace(
    noise_size=2,
    classes=(ClassCode(name="bar"), ClassCode(name="cross")),
    styles=(StyleCode(name="style-1"), StyleCode(name="style-2")),
)


def leaning(count: int) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Thin bars and crosses in [-1, 1], their classes (N, 2) and by how much they lean (N,)."""
    source = torch.Generator().manual_seed(0)
    upright = torch.zeros(2, 1, 28, 28)
    upright[:, :, 4:24, 13:15] = 1
    upright[1, :, 13:15, 8:20] = 1
    kinds = torch.arange(count) % 2
    lean = (torch.rand(count, generator=source) - 0.5) * 1.2
    shear = torch.zeros(count, 2, 3)
    shear[:, 0, 0] = shear[:, 1, 1] = 1
    shear[:, 0, 1] = lean
    images = grid_sample(
        upright[kinds], affine_grid(shear, [count, 1, 28, 28], align_corners=False), align_corners=False
    )
    return images * 2 - 1, torch.eye(2)[kinds], lean


def test_how_images_lean_is_read_from_thin_strokes_in_one_direction_for_all_classes() -> None:
    images, classes, lean = leaning(400)
    recogniser = StyleRecogniser(SHAPE, SPACE)
    recogniser.fit(images, classes)
    read = recogniser(images, classes)
    assert abs(np.corrcoef(read[:, 0], lean)[0, 1]) > 0.95
    for kind in (0, 1):
        mine = classes[:, kind] == 1
        assert abs(np.corrcoef(read[mine, 0], lean[mine])[0, 1]) > 0.95


def test_real_images_have_the_mean_and_the_variance_of_the_codes() -> None:
    images, classes, _ = leaning(400)
    recogniser = StyleRecogniser(SHAPE, SPACE)
    recogniser.fit(images, classes)
    read = recogniser(images, classes)
    torch.testing.assert_close(read.mean(0), torch.zeros(2), atol=1e-4, rtol=0)
    torch.testing.assert_close(read.var(0), torch.full((2,), 1 / 3), atol=0.01, rtol=0)
