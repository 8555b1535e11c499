"""Random views of images that keep what a class code should stand for."""

import torch
from torch import Tensor
from torch.nn.functional import affine_grid, grid_sample

ROTATION = 0.2
"""radians, either way"""
SCALE = 0.15
SHEAR = 0.2
SHIFT = 0.15
"""of half the image's width"""


def augment(images: Tensor, source: torch.Generator, fade: float) -> Tensor:
    """Rotate, scale, shear, shift and dim each image (N, channels, H, W) in [-1, 1] by a small random amount.

    `fade` in [0, 1] is the largest loss of brightness.
    """
    count = len(images)
    u = torch.rand(count, 7, generator=source, device=images.device) * 2 - 1
    angle, shear = u[:, 0] * ROTATION, u[:, 1] * SHEAR
    wide, high = 1 + u[:, 2] * SCALE, 1 + u[:, 3] * SCALE
    cos, sin = angle.cos(), angle.sin()
    top = torch.stack([wide * cos, high * (shear * cos - sin), u[:, 4] * SHIFT], 1)
    bottom = torch.stack([wide * sin, high * (shear * sin + cos), u[:, 5] * SHIFT], 1)
    affine = torch.stack([top, bottom], 1)  # (N, 2, 3)
    at = affine_grid(affine, list(images.shape), align_corners=False)
    gain = 1 - fade * (u[:, 6] + 1) / 2
    # Outside the image is background, which is -1 and not the sampler's 0.
    return grid_sample(images + 1, at, align_corners=False) * gain[:, None, None, None] - 1
