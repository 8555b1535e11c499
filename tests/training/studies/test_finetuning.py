from pathlib import Path

import pytest
import torch

from tests.training.conftest import first
from training.datasets.images import ImageSet
from training.errors import InvalidRun, Unfit
from training.loop.run import Config, Run
from training.loop.train import initial_state, train_run
from training.loop.transfer import begin_from, freeze, layers_of
from training.networks.build import build
from training.progress import quiet
from training.recipes.presets import PRESETS, latent_space
from training.studies.finetuning import Course, Point, measure_saving, save_courses

CPU = torch.device("cpu")


def config(**chosen: object) -> Config:
    return Config.of("lsgan", data="mnist", seed=5, epochs=1, **chosen)


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory, digits: ImageSet) -> Run:
    run = Run(tmp_path_factory.mktemp("source"))
    train_run(run, config(), digits, CPU, quiet)
    return run


def tuned(folder: Path, source: Run, digits: ImageSet, *choices: str) -> tuple[dict[str, torch.Tensor], ...]:
    """G's weights as they began, and after an epoch on other images."""
    chosen = config(start="a run", freeze=choices).model_copy(update={"seed": 6})
    others = ImageSet(255 - digits.images, digits.labels, digits.classes, digits.card)
    state = initial_state(chosen, others, CPU)
    begin_from(source, state)
    began = {name: weights.clone() for name, weights in state.players.generator.named_parameters()}
    Run(folder).claim(chosen)
    state.save(Run(folder).checkpoint_path(0))
    ended = train_run(Run(folder), chosen, others, CPU, quiet)
    return began, dict(ended.players.generator.named_parameters())


def test_a_run_begins_with_the_networks_of_another_and_only_the_last_layers_learn(
    tmp_path: Path, source: Run, digits: ImageSet
) -> None:
    began, ended = tuned(tmp_path, source, digits, "generator:-2")
    saved = torch.load(source.checkpoints()[-1], weights_only=True)["generator"]
    assert all(torch.equal(weights, saved[name]) for name, weights in began.items())
    moved = {name.split(".")[1] for name in began if not torch.equal(began[name], ended[name])}
    assert moved == {"4", "5", "7"}  # both transposed convolutions, and the norm between them


def test_all_layers_learn_where_none_is_held(tmp_path: Path, source: Run, digits: ImageSet) -> None:
    began, ended = tuned(tmp_path, source, digits)
    assert not any(torch.equal(began[name], ended[name]) for name in began)


@pytest.mark.parametrize("preset", PRESETS)
def test_every_network_has_layers_to_hold(preset: str, digits: ImageSet) -> None:
    row = PRESETS[preset]
    space = latent_space(row.codes, row.noise, digits.classes)
    built = build(row.network, row.objective, row.codes, space, digits.shape, 0.0)
    for network in (built.generator, built.opponent):
        layers = layers_of(network)
        assert len(layers) >= 3
        weights = sum(weights.numel() for layer in layers for weights in layer.parameters())
        assert weights == sum(weights.numel() for weights in network.parameters())
    freeze(built, ("generator:1", "discriminator:-1"))
    held = [[w.requires_grad for w in layer.parameters()] for layer in layers_of(built.generator)]
    assert not any(held[0])
    assert all(map(all, held[1:]))
    held = [[w.requires_grad for w in layer.parameters()] for layer in layers_of(built.opponent)]
    assert all(held[-1])
    assert not any(map(any, held[:-1]))


@pytest.mark.parametrize(
    ("choice", "remedy"),
    [
        ("G:-2", "'generator:-2' trains the last two layers"),
        ("generator:0", "from generator:1 to generator:2"),
        ("generator:3", "from generator:1 to generator:2"),
        ("generator:-3", "or from generator:-2 to generator:-1"),
    ],
)
def test_a_choice_that_holds_nothing_or_all_is_refused_with_those_there_are(
    digits: ImageSet, choice: str, remedy: str
) -> None:
    with pytest.raises(Unfit, match=remedy):
        initial_state(config(freeze=(choice,)), digits, CPU)


def test_images_of_another_size_are_refused_by_the_layer_that_differs(source: Run, digits: ImageSet) -> None:
    larger = ImageSet(torch.zeros(8, 1, 32, 32, dtype=torch.uint8), digits.labels[:8], digits.classes, digits.card)
    with pytest.raises(Unfit, match=r"its generator has another 'layers.0.weight'.*same size"):
        begin_from(source, initial_state(config(), larger, CPU))


def test_a_run_without_a_checkpoint_is_no_beginning(tmp_path: Path, digits: ImageSet) -> None:
    with pytest.raises(InvalidRun, match="no checkpoint yet"):
        begin_from(Run(tmp_path), initial_state(config(), first(digits, 64), CPU))


def course(*distances: float, seconds: float = 10, learning: int = 100) -> Course:
    points = [
        Point(epoch=k, images=1000 * k, seconds=seconds * k, fid=distance) for k, distance in enumerate(distances, 1)
    ]
    return Course(title="a course", learning=learning, points=tuple(points))


def test_the_saving_is_what_is_left_to_do_when_the_run_from_scratch_is_overtaken() -> None:
    found = measure_saving(course(50, 19, 15, 12, seconds=8, learning=25), course(90, 50, 30, 20))
    assert "after 2,000 images in place of 4,000: saved 50% of the images and 60% of the time" in found.sentence()
    assert "25% of G's weights" in found.sentence()


def test_a_run_that_never_gets_as_far_says_so_and_what_to_try() -> None:
    found = measure_saving(course(50, 40, seconds=8, learning=25), course(60, 30)).sentence()
    assert found.startswith("nothing saved: after 2,000 images the FID is 40.00, from scratch 30.00")
    assert "80% of the time; free more layers or train on" in found


def test_a_course_is_read_back_and_drawn(tmp_path: Path) -> None:
    (tmp_path / "course.json").write_text(course(3, 2).model_dump_json())
    assert Course.read(tmp_path / "course.json", "x") == course(3, 2)
    assert Course.read(tmp_path / "none.json", "x").points == ()
    save_courses(tmp_path / "finetune.png", [course(3, 2), course(5, 4)])
    assert (tmp_path / "finetune.png").read_bytes().startswith(b"\x89PNG")
