"""Tuning a preset: trials of chosen settings, each cross-validated over k folds of the training images."""

import hashlib
import json
import math
import warnings
from collections.abc import Callable
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
from training.errors import Diverged, RunMismatch, StorageUnavailable
from training.evaluation.quick import LEAST, Yardstick
from training.files import replacing, slug
from training.loop import train as loop
from training.loop.collapse import Watch
from training.loop.run import Config, Run
from training.measures.judge import Judge
from training.networks.gan import NETWORKS
from training.progress import Progress
from training.recipes import presets

Show = Callable[[str, int, int], Progress]
"""A progress for a title, a number of steps and the images of a step."""

SPREAD = 5.0
"""A learning rate is looked for from a fifth of the preset's to five times it, evenly in its logarithm."""

BATCHES = (32, 64, 128)
DROPOUT = 0.5
FINISHED = (TrialState.COMPLETE, TrialState.PRUNED)
HEARTBEAT = 30
"""seconds; a trial without one for twice as long is begun again by whoever asks next"""

FOLD_SEED = 8


class Interrupted(Exception):
    """Ctrl-C was pressed; the trial waits in the study to be taken up again."""


@dataclass(frozen=True)
class Sweep:
    """What is looked for, on which images; the same for all who work on a study."""

    preset: str
    data: str
    measure: str
    folds: int
    epochs: int
    images: int

    @property
    def name(self) -> str:
        return f"{self.preset}-{slug(self.data)}-{self.measure}"


@dataclass(frozen=True)
class Worker:
    """Who works on a study here: it trains in folders of its own and keeps what it trained."""

    folder: Path
    images: ImageSet
    judge: Judge
    device: torch.device
    show: Show
    say: Callable[[str], None]


def open_study(sweep: Sweep, storage: str, seed: int) -> optuna.Study:
    """The study of that name in the database, new or found there. Raises RunMismatch and StorageUnavailable."""
    try:
        study = optuna.create_study(
            study_name=sweep.name,
            storage=_database(storage),
            pruner=MedianPruner(),
            direction="minimize" if sweep.measure in LEAST else "maximize",
            load_if_exists=True,
        )
    except (ImportError, OSError, ValueError, optuna.exceptions.StorageInternalError) as error:
        raise _unavailable(storage) from error
    except Exception as error:  # SQLAlchemy's and its drivers' errors share no base
        if type(error).__module__.split(".")[0] not in ("sqlalchemy", "psycopg", "psycopg2", "pymysql", "MySQLdb"):
            raise
        raise _unavailable(storage) from error
    # A sampler that began anew at the same seed would suggest what it did before.
    state = np.random.SeedSequence([seed, len(study.get_trials(deepcopy=False))]).generate_state(1)
    study.sampler = TPESampler(seed=int(state[0]))
    for name, value in asdict(sweep).items():
        before = study.user_attrs.get(name, value)
        if before != value:
            raise RunMismatch(
                f"study '{sweep.name}' was begun with {name}={before}, not {value}; name another --storage, or go on "
                "with what it has"
            )
        study.set_user_attr(name, value)
    return study


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
    shown = storage.split("@")[-1]  # whoever reads the message need not read the password
    return StorageUnavailable(
        f"the database of --storage ({shown}) cannot be opened; give a URL such as sqlite:///runs/sweeps.db, or "
        "postgresql+psycopg://user@host/name with its driver installed (pip install psycopg)"
    )


def run(study: optuna.Study, sweep: Sweep, worker: Worker, trials: int) -> None:
    """Work on the study until it has so many finished trials, whoever finished them. Raises Interrupted."""
    if finished(study) >= trials:
        return
    study.optimize(lambda trial: _score(trial, sweep, worker), callbacks=[MaxTrialsCallback(trials, states=FINISHED)])


def finished(study: optuna.Study) -> int:
    return len(study.get_trials(deepcopy=False, states=FINISHED))


def _score(trial: optuna.Trial, sweep: Sweep, worker: Worker) -> float:
    """The mean of the measure over the folds; given up where the folds so far are worse than most trials'."""
    chosen = suggest(trial, sweep.preset)
    scores: list[float] = []
    for fold, (learned, held_out) in enumerate(folds(len(worker.images), sweep.folds)):
        title = f"trial {trial.number}, fold {fold + 1} of {sweep.folds}"
        try:
            scores.append(_fold(worker, sweep, chosen, fold, learned, held_out, title))
        except (Interrupted, KeyboardInterrupt):
            trial.study.enqueue_trial(trial.params)
            raise
        except Diverged as error:
            worker.say(f"{title}: {error}")
            raise optuna.TrialPruned from None
        trial.report(mean(scores), fold)
        if fold + 1 < sweep.folds and trial.should_prune():
            raise optuna.TrialPruned
    return mean(scores)


def suggest(trial: optuna.Trial, preset: str) -> dict[str, Any]:
    """Settings near the preset's own."""
    row = presets.preset(preset)
    chosen: dict[str, Any] = {
        name: trial.suggest_float(name, getattr(row, name) / SPREAD, getattr(row, name) * SPREAD, log=True)
        for name in ("lr_d", "lr_g")
    }
    chosen["batch"] = trial.suggest_categorical("batch", BATCHES)
    if not NETWORKS[row.network].spectral:
        chosen["dropout"] = trial.suggest_float("dropout", 0.0, DROPOUT)
    return chosen


def folds(count: int, number: int) -> list[tuple[Tensor, Tensor]]:
    """Row numbers to learn from and to hold out: each row is held out once."""
    order = torch.randperm(count, generator=torch.Generator().manual_seed(FOLD_SEED))
    parts = list(torch.tensor_split(order, number))
    return [(torch.cat([*parts[:k], *parts[k + 1 :]]), parts[k]) for k in range(number)]


def _fold(
    worker: Worker, sweep: Sweep, chosen: dict[str, Any], fold: int, learned: Tensor, held_out: Tensor, title: str
) -> float:
    """Train and measure. The folder is named by the settings, so that a trial taken up again goes on there."""
    config = Config.of(sweep.preset, data=sweep.data, seed=fold, epochs=sweep.epochs, **chosen).halved()
    images = worker.images.rows(learned)
    place = Run(worker.folder / sweep.name / _digest(chosen) / f"fold-{fold}")
    total = sweep.epochs * (len(images) // config.batch)
    watch = Watch(judge=worker.judge, say=worker.say)
    state = loop.train(place, config, images, worker.device, worker.show(title, total, config.batch), watch)
    if state.step < total:
        raise Interrupted
    yardstick = Yardstick.against(sweep.measure, worker.judge, worker.images.rows(held_out).to(worker.device))
    return yardstick.read(state.average.generator, loop.latent_space(config, images))


def _digest(chosen: dict[str, Any]) -> str:
    return hashlib.sha256(json.dumps(chosen, sort_keys=True).encode()).hexdigest()[:12]


def command(study: optuna.Study) -> str:
    """The best trial as a command of this command line."""
    options = {name.replace("_", "-"): value for name, value in study.best_params.items()}
    words = [
        f"--{name} {value:.3g}" if isinstance(value, float) else f"--{name} {value}" for name, value in options.items()
    ]
    return " ".join(["faussaire train", study.user_attrs["preset"], "--data", study.user_attrs["data"], *words])


def ranked(study: optuna.Study) -> list[FrozenTrial]:
    """The completed trials, best first."""
    sign = 1 if study.user_attrs["measure"] in LEAST else -1
    done = study.get_trials(deepcopy=False, states=(TrialState.COMPLETE,))
    return sorted(done, key=lambda trial: sign * (trial.value if trial.value is not None else math.inf))


def save_picture(path: Path, study: optuna.Study) -> None:
    """The measure over each setting, a point a trial, and the best marked."""
    trials = ranked(study)
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
