from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn
from torch.nn.functional import conv2d, linear

from training.networks.spectral import SpectralConv2d, SpectralLinear

Layer = SpectralConv2d | SpectralLinear


def a_convolution() -> tuple[Layer, Tensor, Callable[[Tensor, Tensor, Tensor | None], Tensor]]:
    return SpectralConv2d(3, 8, 4, 2, 1), torch.randn(5, 3, 12, 12), lambda x, w, b: conv2d(x, w, b, 2, 1)


def a_linear_layer() -> tuple[Layer, Tensor, Callable[[Tensor, Tensor, Tensor | None], Tensor]]:
    return SpectralLinear(12, 7), torch.randn(5, 12), linear


@pytest.mark.parametrize("make", [a_convolution, a_linear_layer])
def test_outputs_and_gradients_are_those_of_the_weights_divided_by_their_largest_singular_value(
    make: Callable[[], tuple[Layer, Tensor, Callable[[Tensor, Tensor, Tensor | None], Tensor]]],
) -> None:
    torch.manual_seed(0)
    layer, inputs, plain = make()
    for _ in range(500):
        layer(inputs)
    weight = layer.weight.detach().clone().requires_grad_()
    expected = plain(inputs, weight / torch.linalg.matrix_norm(weight.flatten(1), 2), layer.bias)
    torch.testing.assert_close(layer(inputs), expected)
    pull = torch.randn_like(expected)
    (wanted,) = torch.autograd.grad(expected, weight, pull)
    (found,) = torch.autograd.grad(layer(inputs), layer.weight, pull)
    torch.testing.assert_close(found, wanted)


@pytest.mark.parametrize("make", [a_convolution, a_linear_layer])
def test_a_layer_that_judges_and_does_not_learn_stays_as_it_is(
    make: Callable[[], tuple[Layer, Tensor, Callable[[Tensor, Tensor, Tensor | None], Tensor]]],
) -> None:
    layer, inputs, _ = make()
    before = layer.eval().state_dict()["direction"].clone()
    assert torch.equal(layer(inputs), layer(inputs))
    assert torch.equal(layer.state_dict()["direction"], before)
    layer.train()(inputs)
    assert not torch.equal(layer.state_dict()["direction"], before)


def test_a_layer_in_bfloat16_keeps_its_state_in_float32() -> None:
    layers = nn.Sequential(SpectralConv2d(1, 4, 4, 2, 1), nn.Flatten(), SpectralLinear(64, 3, bias=False))
    with torch.autocast("cpu", torch.bfloat16):
        assert layers(torch.randn(2, 1, 8, 8)).shape == (2, 3)
    assert {tensor.dtype for tensor in layers.state_dict().values()} == {torch.float32}
