"""Follows the models folder: serves its generators as files are added, replaced and removed."""

import asyncio
from collections.abc import Collection
from contextlib import AsyncExitStack
from pathlib import Path
from typing import TYPE_CHECKING

from service.errors import InvalidModel, InvalidSetting, Unsigned
from service.inference.batcher import Batcher
from service.registry import folder
from service.registry.catalogue import Catalogue, Served, Versions
from service.registry.folder import Contents, Marks, ModelFile, ReleaseFile
from service.registry.releases import UnclearName, resolve_names
from service.registry.trial import Try, trust
from service.settings import Settings
from service.telemetry import metrics
from service.telemetry.log import log

if TYPE_CHECKING:
    from service.registry.signatures import Signatures

Changes = dict[Path, ModelFile | ReleaseFile | None]
"""The new contents of the files that changed; None for a file that is gone."""


class Registry:
    """Opens a folder's generators, and follows the folder with `refresh`. Use it as an async context manager.

    It does not close a replaced generator: that draws all it was asked for, and is freed with its last request.
    """

    def __init__(self, settings: Settings, try_files: Try = trust) -> None:
        self._settings = settings
        self._try_files = try_files
        self._signatures = open_signatures(settings)
        self._unsigned: set[Path] = set()
        self._held: Contents = {}
        self._served: dict[ModelFile, Served] = {}
        self._seen: dict[Path, Marks] = {}
        self._tried: dict[Path, Marks] = {}
        self.now = Catalogue({}, "")

    async def __aenter__(self) -> "Registry":
        """The log names each file that is refused. Raises InvalidModel if no generator is left, and InvalidSetting."""
        models = self._settings.models_dir
        self._seen = self._tried = folder.look(models)
        changes, refused = await asyncio.to_thread(self._open, list(self._seen))
        wanted, unclear = self._drop_unclear(changes)
        if not any(isinstance(file, ModelFile) for file in wanted.values()):
            nothing = f"{models} has no .onnx file; export one with 'faussaire export', or set FAUSSAIRE_MODELS_DIR"
            raise InvalidModel(next(iter(refused + unclear), nothing))
        for reason in refused + unclear:
            _refuse(reason, "the service starts without it")
        self._serve(wanted)
        self._check_default()
        self._count_refused(self._seen)
        return self

    def _check_default(self) -> None:
        """Raises InvalidSetting if there is no model of the name that was set."""
        asked = self._settings.default_model
        if "default_model" in self._settings.model_fields_set and asked not in self.now.models:
            names = ", ".join(self.now.models)
            raise InvalidSetting(f"FAUSSAIRE_DEFAULT_MODEL: no model has the name '{asked}'; choose one of: {names}")

    async def __aexit__(self, *_: object) -> None:
        async with AsyncExitStack() as stack:
            for served in self._served.values():
                stack.push_async_exit(served.batcher)

    async def refresh(self) -> bool:
        """Look at the folder, and take the files that changed and then were the same at two looks in a row.

        The log names each file that is refused; the service keeps what it had. Returns whether a file may still be
        changing.
        """
        try:
            seen = await asyncio.to_thread(folder.look, self._settings.models_dir)
        except OSError as error:
            metrics.FILES_REFUSED.set(1)
            log.warning(
                "cannot look at %s: %s; the service keeps its models", self._settings.models_dir, error.strerror
            )
            return False
        before, self._seen = self._seen, seen
        known = before.keys() | seen.keys() | self._tried.keys() | self._held.keys()
        moving = {path for path in known if before.get(path) != seen.get(path)}
        settled = known - moving
        if any(self._tried.get(path) != seen.get(path) for path in settled):
            self._tried = {path: marks for path, marks in self._tried.items() if path in moving} | {
                path: marks for path, marks in seen.items() if path in settled
            }
            await self._follow(settled)
        self._count_refused(settled)
        return bool(moving)

    def _count_refused(self, settled: Collection[Path]) -> None:
        held = {path: file.marks for path, file in self._held.items()}
        metrics.FILES_REFUSED.set(sum(held.get(path) != self._seen.get(path) for path in settled))
        self._unsigned &= self._seen.keys()
        metrics.FILES_UNSIGNED.set(len(self._unsigned))

    async def _follow(self, settled: Collection[Path]) -> None:
        """Try all settled files that differ from those held; refused ones too, since another file may have been at
        fault."""
        held = {path: file.marks for path, file in self._held.items()}
        stale = sorted(path for path in settled if held.get(path) != self._tried.get(path))
        changes: Changes = {path: None for path in stale if path not in self._tried}
        opened, refused = await asyncio.to_thread(self._open, [path for path in stale if path in self._tried])
        changes |= opened
        wanted, unclear = self._drop_unclear(changes)
        for reason in refused + unclear:
            _refuse(reason)
        if not any(isinstance(file, ModelFile) for file in wanted.values()):
            for path in changes:
                _refuse(f"{path} is gone, and the service would have no model left")
            return
        for path, file in changes.items():
            metrics.RELOADS.labels("removed" if file is None else "taken").inc()
            log.info("%s: %s", path, "removed" if file is None else f"taken, {file}")
        self._serve(wanted)

    def _open(self, paths: list[Path]) -> tuple[Changes, list[str]]:
        """The files that can be served, and why the others cannot."""
        faults = self._find_unsigned(paths)
        faults |= self._try_files([path for path in paths if path not in faults])
        opened: Changes = {}
        for path in [path for path in paths if path not in faults]:
            try:
                opened[path] = self._open_file(path)
            except InvalidModel as error:
                faults[path] = self._note(path, error)
            except Exception as error:  # noqa: BLE001 - no content of a file may stop the service
                faults[path] = f"{path}: {error!r}"
        return opened, [faults[path] for path in paths if path in faults]

    def _find_unsigned(self, paths: list[Path]) -> dict[Path, str]:
        """Why some files must not even be opened."""
        self._unsigned -= set(paths)
        faults: dict[Path, str] = {}
        if self._signatures is None:
            return faults
        for path in [path for path in paths if path.suffix == ".onnx"]:
            try:
                self._signatures.check(path)
            except InvalidModel as error:
                faults[path] = self._note(path, error)
        return faults

    def _open_file(self, path: Path) -> ModelFile | ReleaseFile:
        """Raises InvalidModel."""
        file = folder.open_file(path, self._tried[path], self._settings.threads, self._settings.device)
        if self._signatures is not None and isinstance(file, ModelFile):
            self._signatures.check_loaded(path, file)
        return file

    def _note(self, path: Path, error: InvalidModel) -> str:
        if isinstance(error, Unsigned):
            self._unsigned.add(path)
        return str(error)

    def _drop_unclear(self, changes: Changes) -> tuple[Contents, list[str]]:
        """The contents after `changes`, from which it takes the changes that would make a name unclear, and why."""
        reasons: list[str] = []
        while True:
            after = {path: file for path, file in (dict(self._held) | changes).items() if file is not None}
            try:
                resolve_names(after)
            except UnclearName as error:
                reasons.append(str(error))
                for path in [path for path in changes if error.name in self._names(path, changes[path])]:
                    del changes[path]
            else:
                return after, reasons

    def _names(self, path: Path, after: ModelFile | ReleaseFile | None) -> set[str]:
        return {file.name for file in (self._held.get(path), after) if file is not None}

    def _serve(self, held: Contents) -> None:
        """Make the catalogue of these files. A file that was served before keeps its batcher."""
        served: dict[ModelFile, Served] = {}
        models = {}
        for name, named in resolve_names(held).items():
            served |= {file: self._served.get(file) or self._start(file) for file in named.files.values()}
            models[name] = Versions(named.release, {digest: served[file] for digest, file in named.files.items()})
        before, self._held, self._served = self._served, held, served
        asked = self._settings.default_model
        self.now = Catalogue(models, asked if asked in models else next(iter(models)))
        self._report(before)

    def _start(self, file: ModelFile) -> Served:
        batcher = Batcher(file.name, file.generator.generate, max_rows=self._settings.max_queue_rows)
        return Served(file.generator, batcher, file.recogniser)

    def _report(self, before: dict[ModelFile, Served]) -> None:
        """Set the metrics of all versions: those served before, then those served now."""
        for served in before.values():
            metrics.MODEL_INFO.labels(served.version.name, served.shown_digest).set(0)
            metrics.MODEL_WRITTEN.labels(served.version.name).set(0)
        for file, served in self._served.items():
            metrics.MODEL_INFO.labels(served.version.name, served.shown_digest).set(1)
            if self.now.models[file.name].stable is served:
                metrics.begin_model(file.name)
                metrics.MODEL_WRITTEN.labels(file.name).set(file.marks.file.modified_ns / 1e9)


def open_signatures(settings: Settings) -> "Signatures | None":
    """Raises InvalidSetting."""
    if settings.trusted_keys is None:
        return None
    from service.registry.signatures import open_trusted  # it takes a tenth of a second

    return open_trusted(settings.trusted_keys)


def _refuse(reason: str, instead: str = "the service keeps what it had") -> None:
    metrics.RELOADS.labels("refused").inc()
    log.warning("%s; %s", reason, instead)
