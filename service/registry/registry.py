"""The generators that are served, as the files of their folder come, change and go."""

import asyncio
import logging
from collections.abc import Collection
from contextlib import AsyncExitStack
from pathlib import Path

from service.api.models import Catalogue, Served, Versions
from service.errors import InvalidModel
from service.inference.batcher import Batcher
from service.inference.generator import SHAPE
from service.registry import folder
from service.registry.folder import Contents, Marks, Opened, Told
from service.registry.releases import Unclear, released
from service.settings import Settings
from service.telemetry import metrics

log = logging.getLogger("bentoml.faussaire")  # BentoML's handlers show what is below its own name

Changes = dict[Path, Opened | Told | None]
"""What the files that changed hold now; None where one is gone."""


class Registry:
    """Opens a folder's generators, and with `refresh` follows it. Use it as an async context manager.

    What is replaced is let go of and not closed: it draws what was asked of it, and is freed when the last request that
    has it ends.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._held: Contents = {}
        self._versions: dict[Opened, Served] = {}
        self._seen: dict[Path, Marks] = {}
        self._tried: dict[Path, Marks] = {}
        self.now = Catalogue({}, "")

    async def __aenter__(self) -> "Registry":
        """Raises InvalidModel for any file that is not valid: before the first request it can still be put right."""
        opened = folder.open_folder(self._settings.models_dir, self._settings.threads, self._settings.device)
        self._seen = self._tried = {path: one.marks for path, one in opened.items()}
        self._serve(opened)
        return self

    async def __aexit__(self, *_: object) -> None:
        async with AsyncExitStack() as stack:
            for served in self._versions.values():
                stack.push_async_exit(served.batcher)

    async def refresh(self) -> bool:
        """Look at the folder, and serve what changed in it and was the same at two looks in a row.

        What is refused is said, and what was served before goes on. Returns whether something may still be changing.
        """
        try:
            seen = await asyncio.to_thread(folder.look, self._settings.models_dir)
        except OSError as error:
            metrics.FILES_REFUSED.set(1)
            log.warning("%s cannot be looked at: %s; what is served goes on", self._settings.models_dir, error.strerror)
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
        served = {path: one.marks for path, one in self._held.items()}
        metrics.FILES_REFUSED.set(sum(served.get(path) != seen.get(path) for path in settled))
        return bool(moving)

    async def _follow(self, settled: Collection[Path]) -> None:
        """Any change is a reason to try again what was refused: it may have been the other file's fault."""
        held = {path: one.marks for path, one in self._held.items()}
        stale = sorted(path for path in settled if held.get(path) != self._tried.get(path))
        changes: Changes = {path: None for path in stale if path not in self._tried}
        changes |= await asyncio.to_thread(self._open, [path for path in stale if path in self._tried])
        wanted = self._clear(changes)
        if not any(isinstance(one, Opened) for one in wanted.values()):
            for path in changes:
                _refused(f"{path} is gone, and nothing else would be served")
            return
        for path, one in changes.items():
            metrics.RELOADS.labels("removed" if one is None else "taken").inc()
            log.info("%s is %s", path, one or "gone, and served no more")
        self._serve(wanted)

    def _open(self, paths: list[Path]) -> Changes:
        opened: Changes = {}
        for path in paths:
            try:
                opened[path] = folder.open_file(path, self._tried[path], self._settings.threads, self._settings.device)
            except InvalidModel as error:
                _refused(str(error))
            except Exception as error:  # noqa: BLE001 - whatever a file holds, the service goes on
                _refused(f"{path}: {error!r}")
        return opened

    def _clear(self, changes: Changes) -> Contents:
        """What is to be held: a name that would be unclear stays as it is, and its changes are taken from `changes`."""
        while True:
            after = {path: one for path, one in (dict(self._held) | changes).items() if one is not None}
            try:
                released(after)
            except Unclear as error:
                _refused(str(error))
                for path in [path for path in changes if error.name in self._names(path, changes[path])]:
                    del changes[path]
            else:
                return after

    def _names(self, path: Path, after: Opened | Told | None) -> set[str]:
        return {one.name for one in (self._held.get(path), after) if one is not None}

    def _serve(self, held: Contents) -> None:
        versions: dict[Opened, Served] = {}
        by_name = {}
        written: dict[str, float] = {}
        for name, one in released(held).items():
            opened = {digest: self._versions.get(file) or self._served(file) for digest, file in one.files.items()}
            versions |= {file: opened[digest] for digest, file in one.files.items()}
            by_name[name] = Versions(one.release, opened)
            written[name] = one.files[one.release.stable].marks[0].modified_ns / 1e9
        for served in self._versions.values():
            metrics.MODEL_INFO.labels(served.runtime.card.name, served.shown_digest).set(0)
            metrics.MODEL_WRITTEN.labels(served.runtime.card.name).set(0)
        for served in versions.values():
            metrics.MODEL_INFO.labels(served.runtime.card.name, served.shown_digest).set(1)
        for name, seconds in written.items():
            metrics.begin_model(name)
            metrics.MODEL_WRITTEN.labels(name).set(seconds)
        asked = self._settings.default_model
        self._held, self._versions = held, versions
        self.now = Catalogue(by_name, asked if asked in by_name else next(iter(by_name)))

    def _served(self, one: Opened) -> Served:
        max_rows = self._settings.max_queue_rows
        batcher = Batcher(one.name, one.runtime.generate, max_rows=max_rows, slice_rows=SHAPE)
        return Served(one.runtime, batcher, one.recogniser)


def _refused(reason: str) -> None:
    metrics.RELOADS.labels("refused").inc()
    log.warning("%s; what was served before goes on", reason)
