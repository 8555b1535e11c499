"""Tries files of the models folder in a process of its own, before the service opens them.

A file may loop for ever, ask for terabytes, or end its process: that process bears it, for a bounded time and in
bounded memory. `python -m service.registry.trial BYTES SECONDS PATH...` is that process.
"""

import json
import resource
import signal
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import psutil

from latent.noise import draw_codes
from service.errors import InvalidModel
from service.inference.batcher import BATCH_ROWS
from service.registry.folder import ModelFile, marks_of, open_file
from service.settings import ROOT

SECONDS = 30
"""For each file, to open and to draw a full batch."""

Try = Callable[[Sequence[Path]], dict[Path, str]]
"""From paths to what is wrong with those that must not be opened."""


def trust(_: Sequence[Path]) -> dict[Path, str]:
    """The trial of those who open nothing but files of their own."""
    return {}


def trying(max_bytes: int, seconds: int = SECONDS) -> Try:
    """A trial in which each file may take so many bytes of memory and so many seconds."""

    def try_files(paths: Sequence[Path]) -> dict[Path, str]:
        faults: dict[Path, str] = {}
        waiting = list(paths)
        while waiting:
            tried, status = _run(waiting, max_bytes, seconds)
            faults |= {path: fault for path, fault in tried.items() if fault}
            waiting = [path for path in waiting if path not in tried]
            if waiting:  # the process ended at the first of them
                path = waiting.pop(0)
                faults[path] = f"{path}: {_cause(status, seconds)}"
        return faults

    return try_files


def _run(paths: Sequence[Path], max_bytes: int, seconds: int) -> tuple[dict[Path, str], int]:
    """What is wrong with each file that was tried, or an empty text; and how the process ended."""
    limits = [str(max_bytes), str(seconds)]
    command = [sys.executable, "-m", __spec__.name, *limits, *(str(path.absolute()) for path in paths)]
    environment = {"PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    done = subprocess.run(  # noqa: S603 - the paths are arguments, and no shell reads them
        command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=False
    )
    faults = [json.loads(line) for line in done.stdout.splitlines()]
    return dict(zip(paths, faults, strict=False)), done.returncode


def _cause(status: int, seconds: int) -> str:
    if status == -signal.SIGALRM:
        return f"it takes more than {seconds} s to open and to draw {BATCH_ROWS} images"
    return f"ONNX Runtime ends at it (status {status})"


def main() -> None:
    resource.setrlimit(resource.RLIMIT_AS, (psutil.Process().memory_info().vms + int(sys.argv[1]),) * 2)
    for path in sys.argv[3:]:
        signal.alarm(int(sys.argv[2]))  # nothing handles the signal: it ends the process wherever that is
        print(json.dumps(_try(Path(path))), flush=True)


def _try(path: Path) -> str:
    try:
        file = open_file(path, marks_of(path), threads=1, device="cpu")
        if isinstance(file, ModelFile):
            file.generator.generate(draw_codes(file.generator.version.card.space, 0, 0, BATCH_ROWS))
    except InvalidModel as error:
        return _told(path, error, str(error))
    except Exception as error:  # noqa: BLE001 - whatever a file does here is its fault
        return _told(path, error, f"{path}: the generator cannot draw {BATCH_ROWS} images")
    return ""


def _told(path: Path, error: BaseException, otherwise: str) -> str:
    causes = f"{error!r} {error.__cause__!r}"
    if isinstance(error, MemoryError) or "alloc" in causes:
        return f"{path}: it takes more than {int(sys.argv[1]) / 2**20:.0f} MiB of memory (FAUSSAIRE_MAX_MODEL_BYTES)"
    return otherwise


if __name__ == "__main__":
    main()
