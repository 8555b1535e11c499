"""Training from top to bottom: load, step, log, sample, save."""

import math
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from functools import lru_cache
from types import FrameType

import torch
from torch.nn.functional import one_hot

from training.datasets.images import ImageSet, to_unit
from training.datasets.neighbours import neighbourhood
from training.datasets.partition import partition
from training.errors import Diverged
from training.loop import headstart
from training.loop.averaging import Average, recompute_batch_norm
from training.loop.capture import CapturedStep, taking
from training.loop.checkpoint import State
from training.loop.collapse import Watch, reason
from training.loop.pictures import save_curves, save_sheet
from training.loop.players import Players
from training.loop.run import Config, Run
from training.loop.step import AdversarialStep, Batch, Step, VariationalStep
from training.loop.transfer import freeze
from training.networks.build import build
from training.networks.drawer import Drawer
from training.networks.gan import NETWORKS
from training.networks.recogniser import ClassRecogniser
from training.parallel import ALONE, Group
from training.precision import fast_precision
from training.progress import Progress
from training.recipes.objectives import EVIDENCE_BOUND, OBJECTIVES

LOG_EVERY = 50
"""steps between two rows of stats.jsonl"""

SHEET_SEED = 0

HISTOGRAM_EVERY = 200
"""steps between two looks at which classes are drawn"""

MAX_ROLLBACKS = 5

IGNORANT = Watch("ignore")


def train_run(
    run: Run,
    config: Config,
    images: ImageSet,
    device: torch.device,
    progress: Progress,
    watch: Watch = IGNORANT,
    group: Group = ALONE,
) -> State:
    """Train until `config.epochs` epochs are done or Ctrl-C; going on where the folder's last checkpoint is.

    Raises RunInUse, RunMismatch, CorruptCheckpoint and Diverged.
    """
    with run.lock() if group.leads else nullcontext():
        return _train(run, config, images, device, progress, watch, group)


def _train(
    run: Run,
    config: Config,
    images: ImageSet,
    device: torch.device,
    progress: Progress,
    watch: Watch,
    group: Group,
) -> State:
    state = _begin(run, config, images, device, watch, group)
    resident = images.to(device)
    steps_per_epoch = len(images) // config.batch
    total = steps_per_epoch * config.epochs
    step = make_step(config, images, fast_precision(device), group)
    take = taking(step, device)
    newest: dict[str, torch.Tensor] = {}
    if state.step < total and device.type not in state.devices:
        state.devices += (device.type,)
    with interruptible(group) as interrupted:
        while state.step < total and not interrupted():
            started, before = time.perf_counter(), state.step
            if config.codes == "infogan":
                find_codes(state, step, resident, config.seed)
            newest |= advance(state, take, resident, config)
            if state.step // LOG_EVERY > before // LOG_EVERY:
                collapse = _look(run, state, step, newest, progress, watch, steps_per_epoch)
                if collapse is not None:
                    roll_back(run, config, state, collapse, watch, group)
                    take = taking(step, device)
                    newest = {}
                    continue
            state.seconds += time.perf_counter() - started
            if state.step % steps_per_epoch == 0:
                save(run, state, step)
        save(run, state, step)
    return state


def _begin(run: Run, config: Config, images: ImageSet, device: torch.device, watch: Watch, group: Group) -> State:
    """Return the state of the last checkpoint, or of the first step."""
    if group.leads and (renamed := run.claim(config, images.contents())):
        watch.say(renamed)
    group.follow(None)  # a folder is not read before it is claimed
    state = initial_state(config, images, device)
    for network in (state.players.generator, state.players.discriminator, state.players.recogniser):
        if network is not None:
            group.share_norms(network)
    if run.checkpoints() and (elsewhere := state.load(run.checkpoints()[-1])):
        watch.say(elsewhere)
    if group.leads:
        run.rewind_stats(state.step)
    return state


def _look(
    run: Run,
    state: State,
    step: Step,
    terms: dict[str, torch.Tensor],
    progress: Progress,
    watch: Watch,
    steps_per_epoch: int,
) -> str | None:
    """Note the newest statistics, and return why they show a collapse, or None. Raises Diverged."""
    step.group.average([*terms.values()])
    collapse = None
    if step.group.leads:
        row = _statistics(state, steps_per_epoch, terms | state.players.gradient_norms())
        if state.step % HISTOGRAM_EVERY == 0 and state.step > step.head_start:
            row |= watch.histogram(Drawer(state.players.generator, step.space))
        collapse = _collapse(run, row, watch)
        if collapse is None:
            run.append_stats(row)
            progress(state.step, row)
    return step.group.follow(collapse)


def roll_back(run: Run, config: Config, state: State, reason: str, watch: Watch, group: Group = ALONE) -> None:
    """Return to the last checkpoint, with other random draws and half the learning rates.

    A checkpoint that was returned to before is taken for a part of the collapse, and removed. Raises Diverged where
    that is not wanted, or has not helped.
    """
    at, before = state.step, state.rollbacks
    if watch.on_collapse != "rollback" or before == MAX_ROLLBACKS or not run.checkpoints():
        raise Diverged(
            f"collapse at step {at}: {reason}; the last checkpoint is kept: start a new run with another --seed or "
            "lower --lr-d and --lr-g"
        )
    if group.leads and len(run.checkpoints()) > 1 and run.checkpoints()[-1] == run.checkpoint_path(state.returned_to):
        run.checkpoints()[-1].unlink()
    group.follow(None)  # the others load what is left
    state.load(run.checkpoints()[-1])
    state.rollbacks = before + 1
    state.returned_to = state.step
    state.source.manual_seed(config.seed * 100_003 + state.rollbacks)
    if group.leads:
        run.rewind_stats(state.step)
    watch.say(
        f"collapse at step {at:,}: {reason}; rolled back to step {state.step:,}, "
        f"learning rates now {0.5**state.rollbacks:g} of the first"
    )


def save(run: Run, state: State, step: Step) -> None:
    """Save a checkpoint, a sample sheet drawn with the averaged weights, and the curves so far."""
    path = run.checkpoint_path(state.step)
    if path.exists() or not step.group.leads:
        return
    recompute_batch_norm(state.average.generator, step.space, SHEET_SEED)
    state.save(path)
    run.prune_checkpoints()
    sheet = run.folder / "sheets" / f"step-{state.step:08d}.png"
    save_sheet(sheet, Drawer(state.average.generator, step.space), SHEET_SEED)
    if stats := run.read_stats():
        save_curves(run.folder / "curves.png", stats)


def initial_state(config: Config, images: ImageSet, device: torch.device) -> State:
    """Return new players, drawn from the run's seed."""
    torch.manual_seed(config.seed)
    space = config.latent_space(images.classes)
    built = build(config.network, config.objective, config.codes, space, images.shape, config.dropout)
    freeze(built, config.freeze)
    players = Players(built.to(device), config.lr_d, config.lr_g, config.beta1)
    source = torch.Generator(device).manual_seed(config.seed)
    return State(players, Average(players.generator), source)


def find_codes(state: State, step: Step, images: ImageSet, seed: int) -> None:
    """Find the classes of real images that nobody labelled, and after the head start what the style codes are."""
    recogniser = state.players.recogniser
    assert recogniser is not None
    assert recogniser.styles is not None
    count = len(step.space.classes)
    if state.codes is None:
        found = partition(neighbourhood(images.images), count, seed) if step.group.leads else None
        state.codes = step.group.follow(found)
    if state.step == step.head_start:
        if step.head_start:  # what Q has learned is smoother than what it learned from
            state.codes = read_codes(recogniser.classes, images)
        assert state.codes is not None
        recogniser.styles.fit(to_unit(images.images), one_hot(state.codes, count).float())


@torch.no_grad()
def read_codes(classes: ClassRecogniser, images: ImageSet) -> torch.Tensor:
    """Return the class codes that Q reads from all images (N,)."""
    classes.eval()
    return torch.cat([classes.read(to_unit(some)) for some in torch.split(images.images, 500)])


def make_step(config: Config, images: ImageSet, precision: torch.dtype = torch.float32, group: Group = ALONE) -> Step:
    """Return the step of a run. An objective that looks at slopes or at errors of pixels keeps to float32."""
    space = config.latent_space(images.classes)
    if config.objective == EVIDENCE_BOUND:
        return VariationalStep(space, group=group)
    head_start = config.head_start * (len(images) // config.batch)
    objective, mixing = OBJECTIVES[config.objective], NETWORKS[config.network].batch_norm
    fine = objective.energies or objective.penalty is not None
    return AdversarialStep(
        space=space,
        codes=config.codes,
        objective=objective,
        critic_steps=config.critic_steps,
        head_start=head_start,
        mixing=mixing,
        precision=torch.float32 if fine else precision,
        group=group,
    )


def pace(progress: float, decay: float) -> float:
    """Return the learning rates of D and G as a share of the first ones; `progress` in [0, 1] is the part that is over.

    Over the last `decay` of the run they fall to 0 in a straight line.
    """
    return min(1.0, (1 - progress) / decay) if decay else 1.0


def batch_rows(config: Config, count: int, step: int) -> torch.Tensor:
    """Return the rows of the batch of `step`: each epoch has its own permutation, which needs no history."""
    epoch, within = divmod(step, count // config.batch)
    order = _permutation(config.seed, epoch, count)
    return order[within * config.batch : (within + 1) * config.batch]


@contextmanager
def interruptible(group: Group = ALONE) -> Iterator[Callable[[], bool]]:
    """Yield whether Ctrl-C or SIGTERM came: the step in progress ends first, then the run, in all processes."""
    received: list[int] = []

    def note(number: int, _: FrameType | None) -> None:
        received.append(number)

    before = {number: signal.signal(number, note) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield lambda: group.agree(asked=bool(received))
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def advance(state: State, step: Step | CapturedStep, images: ImageSet, config: Config) -> dict[str, torch.Tensor]:
    """Train one step on the next images; return its scalars."""
    count, per_epoch = len(images), len(images) // config.batch
    taken = headstart.batches(state.step, config.batch, per_epoch, step.head_start)
    rows = torch.cat([batch_rows(config, count, state.step + k) for k in range(taken)]).to(images.images.device)
    classes = images.labels if state.codes is None else state.codes
    progress = state.step / (per_epoch * config.epochs)
    state.players.set_pace(0.5**state.rollbacks * pace(progress, config.decay))
    terms = step(state.players, Batch(to_unit(images.images[rows]), classes[rows]), state.source, state.step)
    if state.step >= step.head_start:
        state.average.update(state.players.generator, state.step - step.head_start)
    state.step += taken
    return terms


def _statistics(state: State, steps_per_epoch: int, terms: dict[str, torch.Tensor]) -> dict[str, float]:
    """Return one row of stats.jsonl."""
    position = {"step": state.step, "epoch": round(state.step / steps_per_epoch, 4), "rollbacks": state.rollbacks}
    return position | {name: round(term.item(), 5) for name, term in terms.items()}


def _collapse(run: Run, row: dict[str, float], watch: Watch) -> str | None:
    """Handle a collapse. Raises Diverged if the run cannot continue."""
    broken = [name for name, value in row.items() if not math.isfinite(value)]
    if not broken:
        return None if watch.on_collapse == "ignore" else reason([*run.read_stats(), row])
    if watch.on_collapse == "ignore":
        raise Diverged(
            f"{broken[0]} is not finite at step {row['step']}; the last checkpoint is kept: "
            "start a new run with another --seed"
        )
    return f"{broken[0]} is not finite"


@lru_cache(maxsize=1)
def _permutation(seed: int, epoch: int, count: int) -> torch.Tensor:
    # Two small primes keep (seed, epoch) pairs apart.
    source = torch.Generator().manual_seed(seed * 100_003 + epoch)
    return torch.randperm(count, generator=source)
