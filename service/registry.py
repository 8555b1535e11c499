"""The generators that are served, as the files of their folder come, change and go."""

import asyncio
import logging
from collections.abc import Collection
from contextlib import AsyncExitStack
from pathlib import Path

from service import folder, metrics
from service.batcher import Batcher
from service.errors import InvalidModel
from service.folder import Marks, Opened
from service.models import Catalogue, Served
from service.runtime import SHAPE
from service.settings import Settings

log = logging.getLogger("bentoml.faussaire")  # BentoML's handlers show what is below its own name


class Registry:
    """Opens a folder's generators, and with `refresh` follows it. Use it as an async context manager.

    What is replaced is let go of and not closed: it draws what was asked of it, and is freed when the last request that
    has it ends.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._opened: dict[Path, Opened] = {}
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
            for served in self.now.models.values():
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
        known = before.keys() | seen.keys() | self._tried.keys() | self._opened.keys()
        moving = {path for path in known if before.get(path) != seen.get(path)}
        settled = known - moving
        if any(self._tried.get(path) != seen.get(path) for path in settled):
            self._tried = {path: marks for path, marks in self._tried.items() if path in moving} | {
                path: marks for path, marks in seen.items() if path in settled
            }
            await self._follow(settled)
        served = {path: one.marks for path, one in self._opened.items()}
        metrics.FILES_REFUSED.set(sum(served.get(path) != seen.get(path) for path in settled))
        return bool(moving)

    async def _follow(self, settled: Collection[Path]) -> None:
        """Any change is a reason to try again what was refused: it may have been the other file's fault."""
        served = {path: one.marks for path, one in self._opened.items()}
        stale = sorted(path for path in settled if served.get(path) != self._tried.get(path))
        gone = [path for path in stale if path not in self._tried]
        opened = await asyncio.to_thread(self._open, [path for path in stale if path in self._tried])
        wanted = self._wanted(opened, gone)
        for path in gone:
            if path in wanted:
                _refused(f"{path} is gone, and nothing else would be served")
            else:
                metrics.RELOADS.labels("removed").inc()
                log.info("%s is gone, and served no more", path)
        for path, one in opened.items():
            if wanted.get(path) is one:
                metrics.RELOADS.labels("taken").inc()
                log.info("%s is served, with the digest %s", path, one.runtime.digest)
            else:
                _refused(f"{path}: {folder.taken_name(one)}")
        self._serve(wanted)

    def _open(self, paths: list[Path]) -> dict[Path, Opened]:
        opened = {}
        for path in paths:
            try:
                opened[path] = folder.open_file(path, self._tried[path], self._settings.threads, self._settings.device)
            except InvalidModel as error:
                _refused(str(error))
            except Exception as error:  # noqa: BLE001 - whatever a file holds, the service goes on
                _refused(f"{path}: {error!r}")
        return opened

    def _wanted(self, opened: dict[Path, Opened], gone: Collection[Path]) -> dict[Path, Opened]:
        """All that is to be served: of several files with one name that which is served already, else the first."""
        accepted = dict(opened)
        kept = {path: one for path, one in self._opened.items() if path not in gone}
        while (clash := folder.clashing(kept | accepted)) is not None:
            del accepted[max(path for path in clash if path in accepted)]
        return kept | accepted or self._opened

    def _serve(self, opened: dict[Path, Opened]) -> None:
        models = {}
        for path in sorted(opened):
            one = opened[path]
            same = self._opened.get(path) is one
            models[one.name] = self.now.models[one.name] if same else self._served(one)
        for served in self.now.models.values():
            metrics.MODEL_INFO.labels(served.runtime.card.name, served.shown_digest).set(0)
            metrics.MODEL_WRITTEN.labels(served.runtime.card.name).set(0)
        for one in opened.values():
            metrics.begin_model(one.name)
            metrics.MODEL_INFO.labels(one.name, models[one.name].shown_digest).set(1)
            metrics.MODEL_WRITTEN.labels(one.name).set(one.marks[0].modified_ns / 1e9)
        asked = self._settings.default_model
        self._opened, self.now = opened, Catalogue(models, asked if asked in models else next(iter(models)))

    def _served(self, one: Opened) -> Served:
        max_rows = self._settings.max_queue_rows
        batcher = Batcher(one.name, one.runtime.generate, max_rows=max_rows, slice_rows=SHAPE)
        return Served(one.runtime, batcher, one.recogniser)


def _refused(reason: str) -> None:
    metrics.RELOADS.labels("refused").inc()
    log.warning("%s; what was served before goes on", reason)
