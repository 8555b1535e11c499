from collections.abc import Iterator

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from latent import ClassCode, ImageShape, LatentSpace, StyleCode
from latent.space import NoiseDistribution
from training.errors import ExportRefused
from training.export import rounding
from training.export.rounding import Grid, largest_sum, round_generator, round_linear, sums
from training.networks.exact import LEVELS, WEIGHTS, WHOLE, ExactGenerator, ExactLayer, LeakyExactLayer
from training.networks.gan import NETWORKS, Generator
from training.networks.latents import Latents, draw


def random_generator(network: str, space: LatentSpace, image: ImageShape, seed: int) -> Generator:
    """A generator of random weights and batch norms, as varied as those of trained ones."""
    torch.manual_seed(seed)
    inputs = space.noise_size + len(space.classes) + len(space.styles)
    generator = Generator(NETWORKS[network].generator(inputs, image), image)
    for norm in generator.modules():
        if isinstance(norm, nn.BatchNorm1d | nn.BatchNorm2d):
            nn.init.uniform_(norm.weight, 0.2, 2)
            nn.init.normal_(norm.bias)
    generator.train()
    for _ in range(2):
        generator(*draw(space, 64, torch.Generator().manual_seed(seed)))
    return generator.eval().requires_grad_(False)


def space_of(noise: int, classes: int, styles: int, distribution: NoiseDistribution) -> LatentSpace:
    return LatentSpace(
        noise_size=noise,
        noise_distribution=distribution,
        classes=tuple(ClassCode(name=f"class {k}") for k in range(classes)),
        styles=tuple(StyleCode(name=f"style {k}") for k in range(styles)),
    )


@pytest.fixture(scope="module", autouse=True)
def quick() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(rounding, "CALIBRATED", 256)
        patch.setattr(rounding, "COMPARED", 64)
        yield


spaces = st.builds(
    space_of, st.integers(1, 130), st.integers(0, 12), st.integers(0, 3), st.sampled_from(NoiseDistribution)
)
images = st.builds(
    ImageShape,
    height=st.integers(2, 5).map(lambda quarter: 4 * quarter),
    width=st.integers(2, 5).map(lambda quarter: 4 * quarter),
    channels=st.sampled_from([1, 3]),
)


def linears(exact: ExactGenerator) -> list[nn.Linear | nn.ConvTranspose2d]:
    return [layer.linear for layer in exact.layers if isinstance(layer, ExactLayer)]


def in_another_order(exact: ExactGenerator, latents: Latents) -> Tensor:
    """The same images where every sum is taken in float64 of halves of the inputs: another order, more bits."""
    layers = list(exact.layers)
    values = torch.cat(list(latents), 1)
    for layer in layers:
        if not isinstance(layer, ExactLayer):
            values = layer(values)
            continue
        half = torch.arange(values.shape[1]) < values.shape[1] // 2
        mask = half if values.dim() == 2 else half[:, None, None]
        wide, bias = layer.linear.double(), layer.linear.bias
        assert bias is not None
        offset = bias if values.dim() == 2 else bias[:, None, None]
        total = wide((values * mask).double()) + wide((values * ~mask).double()) - offset
        layer.linear.float()
        values = layer.activate(total.float()).round().clamp(*layer.bounds)
    return exact.table.take((values + 2048).long())


@pytest.mark.parametrize("network", NETWORKS)
@settings(max_examples=5, deadline=None)
@given(space=spaces, image=images, seed=st.integers(0, 1000))
def test_every_network_is_exact_for_any_image_and_space(
    network: str, space: LatentSpace, image: ImageShape, seed: int
) -> None:
    exact = round_generator(random_generator(network, space, image, seed), space)
    assert largest_sum(exact) < 1
    for linear in linears(exact):
        assert linear.bias is not None
        assert linear.weight.abs().max() <= WEIGHTS
        assert torch.equal(linear.weight, linear.weight.round())
        assert torch.equal(linear.bias, linear.bias.round())
    latents = draw(space, 9, torch.Generator().manual_seed(seed))
    drawn = exact.grey(*latents)
    assert drawn.shape == (9, image.channels, image.height, image.width)
    assert torch.equal(drawn, torch.cat([exact.grey(*(part[k : k + 1] for part in latents)) for k in range(9)]))
    assert torch.equal(drawn.flatten(), in_another_order(exact, latents).flatten())


@pytest.mark.parametrize("network", NETWORKS)
def test_the_images_stay_as_they_were(network: str) -> None:
    space, image = space_of(62, 10, 2, NoiseDistribution.UNIFORM), ImageShape(height=28, width=28, channels=1)
    generator = random_generator(network, space, image, 0)
    latents = draw(space, 64, torch.Generator().manual_seed(1))
    apart = (round_generator(generator, space)(*latents) - generator(*latents)).abs() * 127.5
    assert apart.mean() < 4  # of 255 grey levels; random weights are harder to round than trained ones


def test_the_largest_inputs_reach_the_bound_and_no_more() -> None:
    linear = nn.Linear(3, 2)
    linear.load_state_dict({"weight": torch.tensor([[1.0, -2, 3], [0, 0, 4]]), "bias": torch.tensor([5.0, -6])})
    reach = torch.tensor([10.0, 10, 10])
    worst = torch.tensor([[10.0, -10, 10], [0, 0, -10]])
    reached = linear(worst).diagonal().abs()
    assert sums(linear, reach).tolist() == reached.tolist() == [65, 46]


@pytest.mark.parametrize("kind", ["linear", "convolution"])
def test_a_channel_whose_sums_would_not_fit_gets_a_coarser_scale(kind: str) -> None:
    torch.manual_seed(0)
    linear: rounding.Linear = nn.Linear(2000, 2) if kind == "linear" else nn.ConvTranspose2d(1000, 2, 4, 2, 1)
    inputs = 2000 if kind == "linear" else 1000
    heavy, light = (linear.weight[0], linear.weight[1]) if kind == "linear" else linear.weight.unbind(1)
    with torch.no_grad():
        heavy.fill_(1.0)
        light[0] = 100.0
    linear.requires_grad_(False)
    whole, unit = round_linear(linear, Grid(torch.ones(inputs), torch.full((inputs,), float(LEVELS))))
    shares = sums(whole, torch.full((inputs,), float(LEVELS))) / WHOLE
    assert 0.9 < shares[0] < 1
    assert unit[0] > 1 / WEIGHTS  # coarser than the weight alone asks for
    assert unit[1] == pytest.approx(100 / WEIGHTS)


def test_a_leaky_layer_multiplies_each_number_once() -> None:
    linear = nn.Linear(1, 1)
    linear.load_state_dict({"weight": torch.tensor([[1.0]]), "bias": torch.tensor([0.0])})
    layer = LeakyExactLayer(linear, torch.tensor([0.3]), slope=0.2).eval()
    values = torch.tensor([[-100.0], [-5], [0], [5], [100], [2000]])
    leak = torch.tensor(0.3) * 0.2
    expected = torch.where(values < 0, values * leak, values * torch.tensor(0.3)).round().clamp(-LEVELS, LEVELS)
    assert torch.equal(layer(values), expected)


def test_codes_beyond_their_range_cannot_break_the_bound() -> None:
    space, image = space_of(4, 2, 1, NoiseDistribution.UNIFORM), ImageShape(height=8, width=8, channels=1)
    exact = round_generator(random_generator("compact", space, image, 0), space)
    largest, beyond = (Latents(*(torch.full((1, size), far) for size in (4, 2, 1))) for far in (2.0, 1e9))
    assert torch.equal(exact.grey(*largest), exact.grey(*beyond))


def test_a_layer_without_an_exact_form_is_refused_by_name() -> None:
    space, image = space_of(4, 0, 0, NoiseDistribution.UNIFORM), ImageShape(height=4, width=4, channels=1)
    generator = Generator(nn.Sequential(nn.Linear(4, 16), nn.GELU(), nn.Linear(16, 16)), image).eval()
    with pytest.raises(ExportRefused, match="GELU has no exact form"):
        round_generator(generator, space)


def test_a_generator_that_diverged_is_refused() -> None:
    space, image = space_of(4, 0, 0, NoiseDistribution.UNIFORM), ImageShape(height=8, width=8, channels=1)
    generator = random_generator("compact", space, image, 0)
    next(generator.parameters()).data[0, 0] = float("nan")
    with pytest.raises(ExportRefused, match="the run diverged"):
        round_generator(generator, space)
