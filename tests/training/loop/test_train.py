import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from training.datasets.contents import Contents
from training.datasets.images import ImageSet
from training.errors import CorruptCheckpoint, Diverged, RunInUse, RunMismatch, Unfit
from training.export.trained import read_state
from training.loop.checkpoint import State
from training.loop.run import Config, Run
from training.loop.train import batch_rows, initial_state, pace, train_run
from training.progress import Progress, quiet
from training.recipes.presets import PRESETS

CPU = torch.device("cpu")


def interrupt_after(calls: int) -> Progress:
    """Presses Ctrl-C once so many rows of statistics were reported."""
    seen: list[int] = []

    def report(step: int, _: dict[str, float]) -> None:
        seen.append(step)
        if len(seen) == calls:
            os.kill(os.getpid(), signal.SIGINT)

    return report


def assert_same(first: State, second: State) -> None:
    for mine, other in zip(weights(first), weights(second), strict=True):
        assert torch.equal(mine, other)
    assert torch.equal(first.source.get_state(), second.source.get_state())


def weights(state: State) -> list[torch.Tensor]:
    players = state.players
    assert players.recogniser is not None
    modules = (players.generator, players.discriminator, players.recogniser)
    averaged = list(state.average.generator.state_dict().values())
    return [*averaged, *(tensor for m in modules for tensor in m.state_dict().values())]


@pytest.fixture(autouse=True)
def log_often(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("training.loop.train.LOG_EVERY", 5)


@pytest.mark.parametrize(("interrupted_at_row", "at_step"), [(1, 8), (4, 25)])  # in the head start, and after it
def test_a_run_that_was_interrupted_ends_exactly_like_one_that_was_not(
    tmp_path: Path, config: Config, digits: ImageSet, interrupted_at_row: int, at_step: int
) -> None:
    whole = train_run(Run(tmp_path / "whole"), config, digits, CPU, quiet)
    run = Run(tmp_path / "cut")
    cut = train_run(run, config, digits, CPU, interrupt_after(interrupted_at_row))
    assert cut.step == at_step
    torch.manual_seed(99)  # what happened in between must not matter
    resumed = train_run(run, config, digits, CPU, quiet)
    assert resumed.step == whole.step == 32
    assert_same(whole, resumed)


def test_a_checkpoint_of_a_gpu_goes_on_at_a_cpu(tmp_path: Path, config: Config, digits: ImageSet) -> None:
    """No GPU here: the state of a generator of CUDA, a seed and an offset of 8 bytes each, is put into the file."""
    run = Run(tmp_path / "run")
    steps = train_run(run, config, digits, CPU, interrupt_after(4)).step
    path = run.last_checkpoint()
    saved = torch.load(path, weights_only=True)
    of_cuda = torch.zeros(16, dtype=torch.uint8)
    torch.save(saved | {"source": of_cuda, "torch": of_cuda, "devices": ("cuda",)}, path)
    opened = initial_state(config, digits, CPU)
    said = opened.load(path)
    assert said is not None
    assert said.endswith(f"is of another kind of device: random numbers go on from the number of its step, {steps}")
    assert opened.load(path) == said
    assert opened.step == steps
    assert opened.source.initial_seed() == steps
    assert read_state(opened, config, digits).training.device == "cuda"
    ended = train_run(run, config, digits, CPU, quiet)
    assert ended.step > steps
    assert read_state(ended, config, digits).training.device == "cuda, cpu"


def test_the_statistics_of_a_resumed_run_have_no_row_twice(tmp_path: Path, config: Config, digits: ImageSet) -> None:
    run = Run(tmp_path)
    train_run(run, config, digits, CPU, interrupt_after(2))
    run.append_stats({"step": 20, "epoch": 1.25})  # written, but after the checkpoint
    with run.stats_path.open("a") as file:
        file.write('{"step": 25, "epo')  # cut short by a crash
    train_run(run, config, digits, CPU, quiet)
    rows = [json.loads(line) for line in run.stats_path.read_text().splitlines()]
    assert [row["step"] for row in rows] == [8, 16, 20, 25, 30]
    assert "loss_g" in rows[-1]


def test_raising_epochs_trains_a_finished_run_on(tmp_path: Path, config: Config, digits: ImageSet) -> None:
    config = config.model_copy(update={"decay": 0.0})
    longer = config.model_copy(update={"epochs": 3})
    whole = train_run(Run(tmp_path / "whole"), longer, digits, CPU, quiet)
    run = Run(tmp_path / "raised")
    train_run(run, config, digits, CPU, quiet)
    assert_same(whole, train_run(run, longer, digits, CPU, quiet))


def test_learning_rates_fall_over_the_last_share_of_a_run(tmp_path: Path, config: Config, digits: ImageSet) -> None:
    paces = [pace(done / 100, 0.4) for done in range(101)]
    assert paces[:61] == [1.0] * 61
    assert paces[80] == pytest.approx(0.5)
    assert paces[-1] == pytest.approx(0)
    assert pace(1.0, 0.0) == 1
    state = train_run(Run(tmp_path), config.model_copy(update={"decay": 0.25}), digits, CPU, quiet)
    # The last of 32 steps began with one to go, of 8 over which the rate falls.
    assert state.players.optimiser_g.param_groups[0]["lr"] == pytest.approx(config.lr_g / 8)


def test_another_configuration_in_the_same_folder_is_refused_by_name(
    tmp_path: Path, config: Config, digits: ImageSet
) -> None:
    Run(tmp_path).claim(config)
    with pytest.raises(RunMismatch, match=r"seed=5, not 6.*--run"):
        train_run(Run(tmp_path), config.model_copy(update={"seed": 6}), digits, CPU, quiet)


def test_a_run_leaves_what_a_person_wants_to_see(tmp_path: Path, config: Config, digits: ImageSet) -> None:
    run = Run(tmp_path)
    train_run(run, config, digits, CPU, quiet)
    assert Config.model_validate_json(run.config_path.read_text()) == config
    assert [path.name for path in run.checkpoints()] == ["step-00000016.pt", "step-00000032.pt"]
    for picture in ("curves.png", "sheets/step-00000016.png", "sheets/step-00000032.png"):
        assert (tmp_path / picture).read_bytes().startswith(b"\x89PNG")
    assert not list(tmp_path.rglob(".*"))  # nothing half-written


def test_a_corrupt_checkpoint_is_refused_with_its_remedy_and_deleting_it_goes_on_from_the_one_before(
    tmp_path: Path, config: Config, digits: ImageSet
) -> None:
    run = Run(tmp_path)
    whole = train_run(run, config, digits, CPU, quiet)
    newest = run.checkpoints()[-1]
    newest.write_bytes(newest.read_bytes()[:1000])
    with pytest.raises(CorruptCheckpoint, match="delete it"):
        train_run(run, config, digits, CPU, quiet)
    newest.unlink()
    assert_same(whole, train_run(run, config, digits, CPU, quiet))


def test_a_loss_that_is_not_finite_ends_the_run_and_keeps_the_last_checkpoint(
    tmp_path: Path, config: Config, digits: ImageSet, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = Run(tmp_path)
    train_run(run, config, digits, CPU, quiet)
    monkeypatch.setattr("training.loop.step.STYLE_WEIGHT", float("nan"))
    with pytest.raises(Diverged, match="not finite"):
        train_run(run, config.model_copy(update={"epochs": 3}), digits, CPU, quiet)
    assert run.checkpoints()[-1].name == "step-00000032.pt"


@pytest.mark.parametrize("preset", PRESETS)
def test_every_preset_moves_all_of_its_networks_and_resumes(tmp_path: Path, digits: ImageSet, preset: str) -> None:
    config = Config.of(preset, head_start=0, data="mnist", seed=5, batch=64, epochs=2)
    fresh = initial_state(config, digits, CPU).players
    train_run(Run(tmp_path), config.model_copy(update={"epochs": 1}), digits, CPU, quiet)
    state = train_run(Run(tmp_path), config, digits, CPU, quiet)
    assert state.step == 16
    for network, before in (
        (state.players.generator, fresh.generator),
        (state.players.discriminator, fresh.discriminator),
    ):
        # The critic's own bias cancels out of the difference of its outputs.
        for (name, weights), initial in zip(network.named_parameters(), before.parameters(), strict=True):
            assert name == "realness.bias" or not torch.equal(weights, initial), name
    assert (state.players.recogniser is not None) == (preset in ("infogan", "cgan", "acgan"))
    row = Run(tmp_path).read_stats()[-1]
    assert row["gradient_g"] > 0


def test_each_epoch_sees_every_image_once_in_an_order_of_its_own(config: Config) -> None:
    def epoch(first_step: int) -> list[int]:
        steps = range(first_step, first_step + 16)
        return torch.cat([batch_rows(config, 512, step) for step in steps]).tolist()

    assert sorted(epoch(0)) == list(range(512))
    assert epoch(0) == epoch(0)
    assert epoch(0) != epoch(16)


def test_a_flipped_bit_in_a_checkpoint_is_noticed(tmp_path: Path, config: Config, digits: ImageSet) -> None:
    run = Run(tmp_path)
    train_run(run, config, digits, CPU, quiet)
    newest = run.checkpoints()[-1]
    content = bytearray(newest.read_bytes())
    for place in range(5_000, len(content), len(content) // 7):
        flipped = content.copy()
        flipped[place] ^= 4
        newest.write_bytes(flipped)
        with pytest.raises(CorruptCheckpoint, match=r"step-00000032\.pt is damaged.*from step-00000016\.pt before it"):
            train_run(run, config, digits, CPU, quiet)
    newest.write_bytes(content)
    assert train_run(run, config, digits, CPU, quiet).step == 32


def test_a_folder_in_which_another_process_trains_is_refused(tmp_path: Path, config: Config, digits: ImageSet) -> None:
    run = Run(tmp_path)
    holding = f"from training.loop.run import Run; from pathlib import Path; lock = Run(Path({str(tmp_path)!r})).lock()"
    program = [sys.executable, "-c", f"{holding}; lock.__enter__(); print('held', flush=True); input()"]
    with subprocess.Popen(program, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == "held\n"
        with pytest.raises(RunInUse, match=rf"is in use: process {other.pid} on .*--run"):
            train_run(run, config, digits, CPU, quiet)
        other.communicate("end\n")
    assert not run.checkpoints()
    with run.lock():  # a lock ends with its process
        pass


def test_other_data_are_refused_and_nothing_is_lost(tmp_path: Path, config: Config, digits: ImageSet) -> None:
    run = Run(tmp_path)
    train_run(run, config, digits, CPU, quiet)
    before = {path.name: path.read_bytes() for path in tmp_path.rglob("*.*") if path.is_file()}
    fewer = digits.rows(torch.arange(len(digits) - 1))
    with pytest.raises(RunMismatch, match=r"mnist has changed since .* bring the data back.*--run"):
        train_run(run, config, fewer, CPU, quiet)
    with pytest.raises(RunMismatch, match="was trained on mnist, not on elsewhere"):
        train_run(run, config.model_copy(update={"data": "elsewhere"}), fewer, CPU, quiet)
    assert before == {path.name: path.read_bytes() for path in tmp_path.rglob("*.*") if path.is_file()}
    moved = config.model_copy(update={"data": "moved/mnist"})
    assert train_run(run, moved, digits, CPU, quiet).step == 32
    assert run.read_config() == moved


def test_pictures_with_other_names_are_said_and_the_run_goes_on(tmp_path: Path) -> None:
    run, config = Run(tmp_path), Config.of("gan", data="few", seed=0, epochs=1)
    before = Contents.of(IMAGES, LABELS, ("a",), ("1.png", "2.png"))
    assert run.claim(config, before) is None
    after = Contents.of(IMAGES, LABELS, ("a",), ("1.png", "3.png"))
    assert run.claim(config, after) == (
        "few: picture '2.png' is now called '3.png'; the pixels are the same, so the run goes on"
    )
    assert run.claim(config, after) is None


IMAGES = torch.arange(2 * 8 * 8, dtype=torch.uint8).reshape(2, 1, 8, 8)
LABELS = torch.zeros(2, dtype=torch.long)


def test_the_number_of_codes_is_chosen_where_no_class_says_it() -> None:
    flat = Config.of("infogan", data="flat", seed=0, epochs=1)
    with pytest.raises(Unfit, match="such as --codes 10"):
        flat.latent_space(("flat",))
    assert len(flat.model_copy(update={"class_codes": 12}).latent_space(("flat",)).classes) == 12
    assert len(flat.latent_space(("a", "b", "c")).classes) == 3
    with pytest.raises(Unfit, match="leave it out"):
        Config.of("acgan", data="flat", seed=0, epochs=1, class_codes=12).latent_space(("a", "b"))
