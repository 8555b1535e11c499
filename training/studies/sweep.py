"""Tunes a preset: trials of settings, each cross-validated over folds of the training images."""

import hashlib
import json
import math
import warnings
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import mean
from typing import Any

import numpy as np
import optuna
import torch
from matplotlib.figure import Figure
from optuna.exceptions import ExperimentalWarning
from optuna.pruners import MedianPruner
from optuna.samplers import TPESampler
from optuna.storages import RDBStorage, RetryHeartbeatStaleTrialCallback
from optuna.study import MaxTrialsCallback
from optuna.trial import FrozenTrial, TrialState
from torch import Tensor

from training.datasets.images import ImageSet
from training.errors import Diverged, Interrupted, RunMismatch, StorageUnavailable, TrainingError
from training.evaluation.quick import Yardstick, less_is_better
from training.files import replacing, slug
from training.loop.collapse import Watch
from training.loop.run import Config, Run
from training.loop.train import train_run
from training.measures.judge import Judge
from training.networks.gan import NETWORKS
from training.progress import Display
from training.recipes import presets

SPREAD = 5.0
"""A learning rate is searched from a fifth of the preset's to five times it, evenly in its logarithm."""

BATCHES = (32, 64, 128)
DROPOUT = 0.5
FINISHED = (TrialState.COMPLETE, TrialState.PRUNED)
HEARTBEAT = 30
"""Seconds. A trial without a heartbeat for twice as long begins again with the next process that asks."""

FOLD_SEED = 8


@dataclass(frozen=True)
class Sweep:
    """The measure to tune for, and the images. All processes that share a study have the same sweep."""

    preset: str
    data: str
    measure: str
    folds: int
    epochs: int
    images: int
    content: str = ""
    """A digest of the images, their classes and their order."""
    size: int | None = None
    class_codes: int | None = None

    def config(self, seed: int, **chosen: Any) -> Config:
        """The configuration of a run. Raises UnknownName."""
        settings = {"data": self.data, "epochs": self.epochs, "size": self.size, "class_codes": self.class_codes}
        return Config.of(self.preset, seed=seed, **settings, **chosen).shorten_head_start()

    @property
    def name(self) -> str:
        return f"{self.preset}-{slug(self.data)}-{self.measure}"


@dataclass(frozen=True)
class Worker:
    """This process's part in a study. It trains in folders of its own and keeps them."""

    folder: Path
    images: ImageSet
    judge: Judge
    device: torch.device
    display: Display


def open_study(sweep: Sweep, storage: str, seed: int) -> optuna.Study:
    """Create the study in the database, or find it there. Raises RunMismatch and StorageUnavailable."""
    try:
        study = optuna.create_study(
            study_name=sweep.name,
            storage=_database(storage),
            pruner=MedianPruner(),
            direction="minimize" if less_is_better(sweep.measure) else "maximize",
            load_if_exists=True,
        )
    except (ImportError, OSError, ValueError, optuna.exceptions.StorageInternalError) as error:
        raise _unavailable(storage) from error
    except Exception as error:  # SQLAlchemy's and its drivers' errors share no base
        if type(error).__module__.split(".")[0] not in ("sqlalchemy", "psycopg", "psycopg2", "pymysql", "MySQLdb"):
            raise
        raise _unavailable(storage) from error
    # With the same seed again, a sampler would repeat its suggestions.
    state = np.random.SeedSequence([seed, len(study.get_trials(deepcopy=False))]).generate_state(1)
    study.sampler = TPESampler(seed=int(state[0]))
    for name, value in asdict(sweep).items():
        before = study.user_attrs.get(name, value)
        if before != value:
            raise RunMismatch(
                f"study '{sweep.name}' has {name}={before}, not {value}; name another --storage, or give the same "
                "options again"
            )
        study.set_user_attr(name, value)
    return study


def check_size(images: int, folds: int) -> None:
    """Raises TrainingError if a fold has no batch of the largest size."""
    if not (images - -(-images // folds)) // max(BATCHES):
        raise TrainingError(
            f"{images} images in {folds} folds are fewer than one batch; give more --images or fewer --folds"
        )


def _database(storage: str) -> RDBStorage:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ExperimentalWarning)
        return RDBStorage(
            storage,
            heartbeat_interval=HEARTBEAT,
            grace_period=2 * HEARTBEAT,
            heartbeat_stale_trial_callback=RetryHeartbeatStaleTrialCallback(),
        )


def _unavailable(storage: str) -> StorageUnavailable:
    shown = storage.split("@")[-1]  # the message must not show the password
    return StorageUnavailable(
        f"the database of --storage ({shown}) cannot be opened; give a URL such as sqlite:///runs/sweeps.db, or "
        "postgresql+psycopg://user@host/name with its driver installed (pip install psycopg)"
    )


def run_trials(study: optuna.Study, sweep: Sweep, worker: Worker, trials: int) -> None:
    """Train until the study has `trials` finished trials, of all its processes. Raises Interrupted."""
    if count_finished(study) >= trials:
        return
    study.optimize(lambda trial: _score(trial, sweep, worker), callbacks=[MaxTrialsCallback(trials, states=FINISHED)])


def count_finished(study: optuna.Study) -> int:
    return len(study.get_trials(deepcopy=False, states=FINISHED))


def _score(trial: optuna.Trial, sweep: Sweep, worker: Worker) -> float:
    """The mean of the measure over the folds. A trial is given up if its folds so far are worse than most trials'."""
    chosen = suggest(trial, sweep.preset)
    scores: list[float] = []
    for fold, (learned, held_out) in enumerate(make_folds(len(worker.images), sweep.folds)):
        title = f"trial {trial.number}, fold {fold + 1} of {sweep.folds}"
        try:
            scores.append(_train_fold(worker, sweep, chosen, fold, learned, held_out, title))
        except (Interrupted, KeyboardInterrupt):
            trial.study.enqueue_trial(trial.params)
            raise
        except Diverged as error:
            worker.display.say(f"{title}: {error}")
            raise optuna.TrialPruned from None
        trial.report(mean(scores), fold)
        if fold + 1 < sweep.folds and trial.should_prune():
            raise optuna.TrialPruned
    return mean(scores)


def suggest(trial: optuna.Trial, preset: str) -> dict[str, Any]:
    """Suggest settings near the preset's own."""
    row = presets.preset(preset)
    chosen: dict[str, Any] = {
        name: trial.suggest_float(name, getattr(row, name) / SPREAD, getattr(row, name) * SPREAD, log=True)
        for name in ("lr_d", "lr_g")
    }
    chosen["batch"] = trial.suggest_categorical("batch", BATCHES)
    if not NETWORKS[row.network].spectral:
        chosen["dropout"] = trial.suggest_float("dropout", 0.0, DROPOUT)
    return chosen


def make_folds(count: int, number: int) -> list[tuple[Tensor, Tensor]]:
    """Row numbers to learn from, and to hold out. Each row is held out once."""
    order = torch.randperm(count, generator=torch.Generator().manual_seed(FOLD_SEED))
    parts = list(torch.tensor_split(order, number))
    return [(torch.cat([*parts[:k], *parts[k + 1 :]]), parts[k]) for k in range(number)]


def _train_fold(
    worker: Worker, sweep: Sweep, chosen: dict[str, Any], fold: int, learned: Tensor, held_out: Tensor, title: str
) -> float:
    """Train and measure one fold. The settings name its folder, so that an interrupted trial goes on there."""
    config = sweep.config(fold, **chosen)
    images = worker.images.rows(learned)
    place = Run(worker.folder / sweep.name / _digest(chosen) / f"fold-{fold}")
    total = sweep.epochs * (len(images) // config.batch)
    watch = Watch(judge=worker.judge, say=worker.display.say)
    with worker.display.steps(title, total, config.batch) as progress:
        state = train_run(place, config, images, worker.device, progress, watch)
    if state.step < total:
        raise Interrupted(state.step, total)
    yardstick = Yardstick.against(sweep.measure, worker.judge, worker.images.rows(held_out).to(worker.device))
    read = yardstick.read(state.average.generator, config.latent_space(images.classes))
    assert read is not None  # the judge is able
    return read


def _digest(chosen: dict[str, Any]) -> str:
    return hashlib.sha256(json.dumps(chosen, sort_keys=True).encode()).hexdigest()[:12]


def best_command(study: optuna.Study) -> str:
    """The best trial as a command line."""
    options = {name.replace("_", "-"): value for name, value in study.best_params.items()}
    words = [
        f"--{name} {value:.3g}" if isinstance(value, float) else f"--{name} {value}" for name, value in options.items()
    ]
    return " ".join(["faussaire train", study.user_attrs["preset"], "--data", study.user_attrs["data"], *words])


def rank_trials(study: optuna.Study) -> list[FrozenTrial]:
    """The completed trials, best first."""
    sign = 1 if less_is_better(study.user_attrs["measure"]) else -1
    done = study.get_trials(deepcopy=False, states=(TrialState.COMPLETE,))
    return sorted(done, key=lambda trial: sign * (trial.value if trial.value is not None else math.inf))


def save_picture(path: Path, study: optuna.Study) -> None:
    """Plot the measure over each setting: a point for each trial, a star for the best."""
    trials = rank_trials(study)
    names = sorted(trials[0].params)
    figure = Figure(figsize=(3.2 * len(names), 3.2), layout="constrained")
    axes = figure.subplots(1, len(names), sharey=True, squeeze=False)[0]
    for axis, name in zip(axes, names, strict=True):
        settings, values = zip(*((trial.params[name], trial.value) for trial in trials), strict=True)
        axis.plot(settings, values, "o", alpha=0.6)
        axis.plot(settings[:1], values[:1], "*", markersize=14)
        axis.set(xlabel=name, xscale="log" if name.startswith("lr") else "linear")
        axis.grid(alpha=0.3)
    axes[0].set_ylabel(study.user_attrs["measure"])
    with replacing(path) as beside:
        figure.savefig(beside, dpi=100)
