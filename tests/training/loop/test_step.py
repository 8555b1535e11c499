from typing import Any

import pytest
import torch

from training.datasets.images import ImageSet, to_unit
from training.errors import Unfit, UnknownName
from training.loop.run import Config
from training.loop.step import AdversarialStep, Batch
from training.loop.train import initial_state, make_step
from training.networks import build as built
from training.networks import gan as networks
from training.networks.latents import draw

CPU = torch.device("cpu")


def configured(preset: str, **chosen: Any) -> Config:
    return Config.of(preset, data="mnist", seed=3, epochs=1, **chosen)


def a_batch(digits: ImageSet) -> Batch:
    return Batch(to_unit(digits.images[:32]), digits.labels[:32])


def test_the_weights_of_a_wgan_critic_are_clipped(digits: ImageSet) -> None:
    config = configured("wgan")
    state = initial_state(config, digits, CPU)
    make_step(config, digits)(state.players, a_batch(digits), state.source, 0)
    largest = max(weights.abs().max().item() for weights in state.players.discriminator.parameters())
    assert largest == pytest.approx(0.01)


def test_the_generator_of_a_wgan_moves_once_in_two_steps_of_its_critic(digits: ImageSet) -> None:
    config = configured("wgan")
    state = initial_state(config, digits, CPU)
    step = make_step(config, digits)
    moved = ["loss_g" in step(state.players, a_batch(digits), state.source, number) for number in range(10)]
    assert moved == [False, True] * 5


def test_the_discriminators_of_a_cgan_and_an_infogan_are_told_the_classes(digits: ImageSet) -> None:
    images, classes = to_unit(digits.images[:2]), torch.eye(10)
    told = initial_state(configured("cgan"), digits, CPU).players.discriminator.eval()
    assert not torch.equal(told(images, classes[:2]), told(images, classes[2:4]))
    untold = initial_state(configured("acgan"), digits, CPU).players.discriminator.eval()
    assert torch.equal(untold(images, classes[:2, :0]), untold(images, classes[2:4, :0]))
    for codes, width in (("cgan", 10), ("acgan", 0), ("infogan", 10)):
        step = make_step(configured(codes), digits)
        assert isinstance(step, AdversarialStep)
        assert step._told(classes).shape == (10, width)


def test_the_balance_of_began_moves_and_is_kept_in_the_checkpoint(digits: ImageSet, tmp_path: Any) -> None:
    config = configured("began")
    state = initial_state(config, digits, CPU)
    state.players.balance.fill_(0.5)
    make_step(config, digits)(state.players, a_batch(digits), state.source, 0)
    assert state.players.balance.item() != 0.5
    state.save(tmp_path / "state.pt")
    loaded = initial_state(config, digits, CPU)
    loaded.load(tmp_path / "state.pt")
    assert torch.equal(loaded.players.balance, state.players.balance)


@pytest.mark.parametrize("network", networks.NETWORKS)
def test_dropout_is_an_option_of_every_discriminator(digits: ImageSet, network: str) -> None:
    images = to_unit(digits.images[:8])
    none = torch.zeros(8, 0)
    for dropout in (0.0, 0.5):
        config = configured("lsgan", network=network, dropout=dropout)
        judge = initial_state(config, digits, CPU).players.discriminator
        judge(images, none)  # spectral norm settles
        layers = [layer for layer in judge.modules() if isinstance(layer, torch.nn.Dropout)]
        assert layers
        assert {layer.p for layer in layers} == {dropout}


@pytest.mark.parametrize(("noise", "bounded"), [("uniform", True), ("normal", False)])
def test_noise_is_uniform_or_normal(digits: ImageSet, noise: str, bounded: bool) -> None:
    space = configured("gan", noise=noise).latent_space(digits.classes)
    drawn = draw(space, 1000, torch.Generator().manual_seed(0)).noise
    assert (drawn.abs().max().item() <= 1) == bounded


def test_codes_learned_by_label_bear_its_name(digits: ImageSet) -> None:
    for preset in ("cgan", "acgan", "cvae"):
        space = configured(preset).latent_space(digits.classes)
        assert tuple(code.name for code in space.classes) == digits.classes
    assert configured("infogan").latent_space(digits.classes).classes[0].name == "code-0"


@pytest.mark.parametrize(
    ("network", "objective", "codes", "error", "message"),
    [
        ("compact", "wgan-gp", "none", Unfit, "without normalisation"),
        ("dcgan", "ebgan", "none", Unfit, "without normalisation"),
        ("compact-free", "began", "cgan", Unfit, "cannot be told classes"),
        ("compact", "elbo", "none", Unfit, "cvae"),
        ("compact", "nothing", "none", UnknownName, "unknown objective 'nothing'"),
        ("nothing", "hinge", "none", UnknownName, "unknown network 'nothing'"),
    ],
)
def test_choices_that_do_not_go_together_are_refused(
    network: str, objective: str, codes: Any, error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        built.check_fit(network, objective, codes)
