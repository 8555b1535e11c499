"""The folder `runs/`: runs, judges, exported models and evaluations, each made when it is first needed, and kept."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from tempfile import TemporaryDirectory

import torch

from latent import GeneratorCard, ImageShape
from latent.card import digest_of, recogniser_path
from training.datasets.images import ImageSet, load_images
from training.datasets.sources import SOURCES
from training.errors import DataUnavailable, Diverged, Interrupted, TrainingError, Unfit, UnknownName
from training.evaluation import report
from training.evaluation.by_class import SEED, draw_labelled, named_codes
from training.evaluation.evaluation import Evaluation, Measures, Protocol, count_stages, evaluate, is_fresh
from training.export.generator import STAGES, export_generator, name_of
from training.export.model import Model
from training.export.older import read_older
from training.export.recogniser import copy_recogniser, export_recogniser, read_recogniser
from training.export.trained import Trained, read_state
from training.files import write_text
from training.loop.checkpoint import State
from training.loop.collapse import Watch
from training.loop.run import Config, Run
from training.loop.train import initial_state, train_run
from training.measures import judge as judges
from training.measures.judge import Judge, load_or_train_judge
from training.measures.registry import find_figures
from training.measures.subject import FeatureNetwork, Real
from training.networks.build import check_fit
from training.parallel import ALONE, Group, joining
from training.progress import Display, quiet, say_nothing
from training.recipes.presets import OnCollapse
from training.studies.comparison import Compared, read_run
from training.studies.scores import Score, measure_accuracies

CPU = torch.device("cpu")


Frame = tuple[int, int] | None
"""Height and width of images, or None for the medians of the data."""


def _frame_of(shape: ImageShape) -> Frame:
    return shape.height, shape.width


def choose_device(name: str) -> torch.device:
    """The device of a name; `auto` is a GPU if there is one. A GPU is set to repeat its sums. Raises UnknownName."""
    known = ["auto", "cpu"] + (["cuda"] if torch.cuda.is_available() else [])
    try:
        device = torch.device(known[-1] if name == "auto" else name)
        torch.empty(1, device=device)
    except (RuntimeError, AssertionError, NotImplementedError):
        raise UnknownName("device", name, known) from None
    if device.type == "cuda":
        _repeat_exactly()
    return device


def _repeat_exactly() -> None:
    """Choose kernels that give the same sums each time. Otherwise a run that goes on would become another run."""
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")  # cuBLAS asks for it
    torch.use_deterministic_algorithms(mode=True, warn_only=True)


def _check_apart(run: Path, data: str) -> None:
    """Raises Unfit for a run in the folder of its data, where its pictures would be a class of the data."""
    if data not in SOURCES and run.resolve().is_relative_to(Path(data).resolve()):
        raise Unfit(f"{run} lies in the folder of the images, {data}; name another with --run, outside of it")


@dataclass(frozen=True)
class Workspace:
    data_dir: Path
    """Where data sets are, or are downloaded to."""
    device: torch.device
    display: Display
    root: Path = Path("runs")
    _loaded: dict[tuple[str, bool, Frame], ImageSet] = field(default_factory=dict, repr=False, compare=False)

    def load(self, name: str, *, train: bool, frame: Frame = None) -> ImageSet:
        """One split, which is read once. Raises UnknownName, Unfit and DataUnavailable."""
        key = (name, train, frame)
        if key not in self._loaded:
            self._loaded[key] = load_images(name, self.data_dir, train=train, size=frame)
        return self._loaded[key]

    def load_of(self, run: Run, *, train: bool) -> ImageSet:
        """One split of the data of a run, as it was when the run was trained.

        Raises InvalidRun, RunMismatch, UnknownName and DataUnavailable.
        """
        config = run.read_config()
        if config.data not in SOURCES and not Path(config.data).exists():
            raise DataUnavailable(
                f"{run.folder} was trained on {config.data}, and nothing is there now; bring the data back, or repeat "
                f"the command 'faussaire train' of this run with their new path: --data PATH --run {run.folder}"
            )
        images = self.load(config.data, train=train, frame=config.frame)
        if train and (renamed := run.compare(images.contents(), config.data)):
            self.display.say(renamed)
        return images

    def load_or_train_judge(self, name: str, device: torch.device = CPU, frame: Frame = None) -> Judge:
        """The judge of a data set, which is trained once. Raises DataUnavailable and CorruptCheckpoint."""
        images, test = self.load(name, train=True, frame=frame), self.load(name, train=False, frame=frame)
        path = self.root / "classifiers" / f"{images.card.name}-{images.digest()}-{test.digest()}.pt"
        if path.exists() or not judges.total_steps(images):
            judge = load_or_train_judge(path, images, test, device, quiet)
        else:
            size = judges.batch_size(images)
            with self.display.steps(f"judge of {name}", judges.total_steps(images), size) as progress:
                judge = load_or_train_judge(path, images, test, device, progress)
        if not judge.able:
            self.display.say(f"{name}: {judge.protocol()}; figures that need it are left out")
        return judge

    def train(self, config: Config, run: Path | None, on_collapse: OnCollapse) -> tuple[Run, State]:
        """Train a run to its end; without a folder, in PRESET-DATA-SEED. Raises TrainingError and Interrupted."""
        check_fit(config.network, config.objective, config.codes)
        images = self.load(config.data, train=True, frame=config.frame)
        config.latent_space(images.classes)
        if config.epochs <= config.head_start:
            raise TrainingError(
                f"--epochs must be above --head-start {config.head_start}: in these epochs only the recogniser trains"
            )
        if config.batch > len(images):
            raise TrainingError(f"--batch {config.batch} is more than the data set's {len(images)} images")
        folder = Run(run or self.root / f"{config.preset}-{images.card.name}-{config.seed}")
        _check_apart(folder.folder, config.data)
        with joining(self.device) as (group, device):
            if config.batch % group.size:
                raise TrainingError(f"--batch {config.batch} cannot be shared evenly by {group.size} processes")
            if not group.leads:
                follower = Watch(on_collapse, None, say_nothing)
                return folder, train_run(folder, config, images, device, quiet, follower, group)
            with folder.lock():  # before the judge takes its time
                if renamed := folder.claim(config, images.contents()):
                    self.display.say(renamed)
            judge = None
            if on_collapse != "ignore":
                judge = self.load_or_train_judge(config.data, device, config.frame)
            watch = Watch(on_collapse, judge, self.display.say)
            there = replace(self, device=device)
            return folder, there._train(folder, config, images, watch, group)

    def train_preset(
        self, preset: str, data_name: str, epochs: int, size: int | None = None, class_codes: int | None = None
    ) -> Run:
        """Train a preset for so many epochs, its recogniser's head start included, unless it is trained already.

        A run that collapses for good is kept as it was when it was last well. Raises Interrupted.
        """
        config = Config.of(preset, data=data_name, seed=0, epochs=epochs, size=size).shorten_head_start()
        if config.codes == "infogan":
            config = config.model_copy(update={"class_codes": class_codes})
        images = self.load(data_name, train=True, frame=config.frame)
        run = Run(self.root / "compare" / f"{preset}-{images.card.name}-0")
        judge = self.load_or_train_judge(data_name, self.device, config.frame)
        try:
            self._train(run, config, images, Watch(judge=judge, say=self.display.say))
        except Diverged as error:
            self.display.say(f"{run.folder}: {error}")
        return run

    def _train(
        self,
        run: Run,
        config: Config,
        images: ImageSet,
        watch: Watch,
        group: Group = ALONE,
    ) -> State:
        total = config.epochs * (len(images) // config.batch)
        with self.display.steps(f"{config.preset} on {config.data}", total, config.batch) as progress:
            state = train_run(run, config, images, self.device, progress, watch, group)
        if state.step < total:
            raise Interrupted(state.step, total)
        return state

    def export(self, run: Run, output: Path) -> GeneratorCard:
        """Write the last checkpoint's generator to a file, and its recogniser beside it. Raises InvalidRun."""
        config = run.read_config()
        checkpoint = run.last_checkpoint()
        images, test = self.load_of(run, train=True), self.load_of(run, train=False)
        state = initial_state(config, images, self.device)
        state.load(checkpoint)
        judge = self.load_or_train_judge(config.data, frame=config.frame)
        card = self._export(read_state(state, config, images), test, judge, output)
        recogniser_path(output).unlink(missing_ok=True)  # of the generator that was there before
        if state.players.recogniser is not None:
            export_recogniser(state.players.recogniser, card, output, images, test)
        return card

    def renew(self, older: Path, output: Path, data: str | None = None) -> GeneratorCard:
        """Make a generator's file of older make exact, and copy the recogniser beside it. Raises InvalidModel.

        `data` is the path of the data if the card's name of them is none.
        """
        trained = read_older(older)
        recogniser = read_recogniser(older)
        name, frame = data or trained.data.name, _frame_of(trained.generator.image)
        test, judge = self.load(name, train=False, frame=frame), self.load_or_train_judge(name, frame=frame)
        card = self._export(trained, test, judge, output)
        recogniser_path(output).unlink(missing_ok=True)
        if recogniser is not None:
            copy_recogniser(recogniser, output)
        return card

    def _export(self, trained: Trained, test: ImageSet, judge: Judge, output: Path) -> GeneratorCard:
        with self.display.stages(f"exporting {name_of(output)}", STAGES) as say:
            return export_generator(trained, test, judge, output, say)

    @contextmanager
    def export_aside(self, run: Run, name: str) -> Iterator[Path]:
        """A file of that name in a temporary folder, with the run's generator. Raises InvalidRun."""
        with TemporaryDirectory() as folder:
            path = Path(folder) / f"{name}.onnx"
            self.export(run, path)
            yield path

    def evaluate(
        self,
        model: Path,
        images: int,
        output: Path | None = None,
        inception: FeatureNetwork | None = None,
        data: str | None = None,
    ) -> tuple[Evaluation, Path]:
        """Measure a model's file or a run's last checkpoint. Returns the evaluation, and the path of its page.

        `data` is the path of a file's data if the card's name of them is none.
        """
        run = Run(model) if model.is_dir() else None
        if run is not None:
            model = run.folder / "model.onnx"
            self.export(run, model)
        opened = Model(model)
        name = data or opened.card.data.name if run is None else run.read_config().data
        frame = _frame_of(opened.card.image) if run is None else run.read_config().frame
        train, test = self.load(name, train=True, frame=frame), self.load(name, train=False, frame=frame)
        if train.shape != opened.card.image:
            raise Unfit(f"{model} does not draw images like those of {name}; name its own data with --data")
        protocol = Protocol(self.load_or_train_judge(name, frame=frame), images, inception)
        real = Real.split(train, test, SEED)
        measured = self._measure(opened, real, protocol)
        folder = output or (self.root / "evaluations" / opened.card.name if run is None else run.folder)
        if run is not None:
            measured = measured.model_copy(update={"model": run.folder.resolve().name})
        write_text(folder / "evaluation.json", measured.model_dump_json(indent=2) + "\n")
        curves = None if run is None else run.folder / "curves.png"
        report.save_page(folder / "evaluation.html", measured, opened, real, curves)
        return measured, folder / "evaluation.html"

    def read_or_evaluate(self, run: Run, images: int) -> Compared:
        """A run with its evaluation by so many images, made now if it is older than the last checkpoint."""
        if not is_fresh(run, images):
            self.evaluate(run.folder, images)
        return read_run(run)

    def score(self, path: Path, seeds: int, images: int | None = None) -> Score:
        """Train classifiers on a model's images, and on as many real ones. Raises InvalidModel and Unfit."""
        model = Model(path)
        name, frame = model.card.data.name, _frame_of(model.card.image)
        train, test = self.load(name, train=True, frame=frame), self.load(name, train=False, frame=frame)
        judge = self.load_or_train_judge(name, frame=frame)
        if not named_codes(model.card.space, judge):
            raise Unfit(f"{path} draws no class by name, so that its images have no labels to learn from")
        count = min(images or len(train), len(train))

        def of_model(seed: int) -> ImageSet:
            return draw_labelled(model, judge, count, seed)

        def of_data(seed: int) -> ImageSet:
            order = torch.randperm(len(train), generator=torch.Generator().manual_seed(seed))
            return train.rows(order[:count])

        folder, ending = self.root / "scores", f"{test.digest()}-{count}.json"
        digest = digest_of(path)[:12]
        drawn = folder / f"{model.card.name}-{digest}-{ending}", model.card.name, seeds, of_model
        real = folder / f"{train.card.name}-{train.digest()}-{ending}", f"real {name}", seeds, of_data
        return Score(
            name=model.card.name,
            data=name,
            images=count,
            megabytes=path.stat().st_size / 1e6,
            drawn=measure_accuracies(*drawn, test, self.display),
            real=measure_accuracies(*real, test, self.display),
        )

    def _measure(self, model: Model, real: Real, protocol: Protocol) -> Evaluation:
        """Measure with a bar. The measures of real images are kept for the next model of the same data set."""
        suffix = "" if protocol.inception is None else "-inception"
        of_data = f"{real.known.digest()}-{real.test.digest()}"
        named = f"{protocol.judge.digest()}-{of_data}-{protocol.images}{suffix}.reference.json"
        kept = self.root / "classifiers" / named
        reference = Measures.read(kept)
        if reference is not None and any(figure.key not in reference.figures for figure in find_figures()):
            reference = None  # it was measured before there was this figure
        with self.display.stages(f"measuring {model.card.name}", count_stages(reference=reference is None)) as say:
            measured = evaluate(model, real, replace(protocol, say=say), reference)
        write_text(kept, measured.real.model_dump_json() + "\n")
        return measured
