"""What is added to D's loss to keep its slope in bounds: pure functions of a critic and the images it judges."""

from collections.abc import Callable

import torch
from torch import Tensor

Critic = Callable[[Tensor], Tensor]
"""Images (N, channels, H, W) to outputs (N,), differentiable twice."""

Penalty = Callable[[Critic, Tensor, Tensor, torch.Generator], Tensor]
"""(critic, real, fake, source of randomness) to a scalar."""

UNIT_SLOPE_WEIGHT = 10.0
"""lambda of WGAN-GP and DRAGAN"""

ZERO_SLOPE_WEIGHT = 1.0
"""gamma of R1 and R2"""


def interpolated(critic: Critic, real: Tensor, fake: Tensor, source: torch.Generator) -> Tensor:
    """Slopes of 1 between each real image and a fake one (Gulrajani et al. 2017, equation 3)."""
    share = torch.rand(len(real), 1, 1, 1, generator=source, device=real.device)
    return UNIT_SLOPE_WEIGHT * ((slopes(critic, torch.lerp(real, fake, share)) - 1) ** 2).mean()


def perturbed(critic: Critic, real: Tensor, fake: Tensor, source: torch.Generator) -> Tensor:  # noqa: ARG001
    """Slopes of 1 around real images, moved by up to half their deviation (Kodali et al. 2017, algorithm 1)."""
    moved = real + real.std() / 2 * torch.rand(real.shape, generator=source, device=real.device)
    return UNIT_SLOPE_WEIGHT * ((slopes(critic, moved) - 1) ** 2).mean()


def zero_centred(critic: Critic, real: Tensor, fake: Tensor, source: torch.Generator) -> Tensor:  # noqa: ARG001
    """R1 and R2: slopes of 0 at real and at fake images (Mescheder et al. 2018, equation 9; Huang et al. 2024)."""
    squares = (slopes(critic, real) ** 2).mean() + (slopes(critic, fake) ** 2).mean()
    return ZERO_SLOPE_WEIGHT / 2 * squares


def slopes(critic: Critic, images: Tensor) -> Tensor:
    """The norm of the gradient at each image, of shape (N,)."""
    images = images.detach().requires_grad_()
    (gradient,) = torch.autograd.grad(critic(images).sum(), images, create_graph=True)
    # The root has no derivative at 0.
    return (gradient.flatten(1).square().sum(1) + 1e-12).sqrt()
