"""Workers that are killed under load: by an operator, or because memory ran out."""

import time
from contextlib import suppress
from pathlib import Path

import httpx
import psutil
import pytest

from tests.end_to_end.conftest import serving, workers
from tests.faults.ledger import CLIENTS, Ledger, drawn_by

KILLS = 3
MORE = 8 * 2**20
"""Bytes of memory that the worker may take from now on."""

CGROUP = Path("/sys/fs/cgroup/memory/faussaire-faults")


def wait_for_another(models: Path, before: list[psutil.Process]) -> None:
    """Until there are as many workers again."""
    until = time.monotonic() + 60
    while len([one for one in workers(models) if one not in before[:1]]) < len(before):
        assert time.monotonic() < until


@pytest.mark.parametrize("count", [1, 2])
def test_a_killed_worker_loses_only_what_was_in_its_hands(own_models: Path, tmp_path: Path, count: int) -> None:
    expected = drawn_by(own_models)
    settings = {"FAUSSAIRE_DEFAULT_MODEL": "small", "FAUSSAIRE_WORKERS": str(count)}
    with serving(own_models, tmp_path, **settings) as server, Ledger(server.base_url, expected) as ledger:
        for _ in range(KILLS):
            ledger.wait_for(100)
            before = workers(own_models)
            started = time.monotonic()
            before[0].kill()
            wait_for_another(own_models, before)
            ledger.wait_for(20)
            print(f"{count} workers: right answers again after {time.monotonic() - started:.1f} s")
    assert ledger.wrong == []
    assert 1 <= ledger.counts["broken"] <= KILLS * CLIENTS
    assert "Traceback" not in (tmp_path / "serve.log").read_text()


def test_a_worker_whose_memory_runs_out_is_replaced(own_models: Path, tmp_path: Path) -> None:
    try:
        CGROUP.mkdir()
    except OSError:
        pytest.skip("this user may not make a group with a limit of memory")
    try:
        expected = drawn_by(own_models)
        with (
            serving(own_models, tmp_path, FAUSSAIRE_DEFAULT_MODEL="small") as server,
            Ledger(server.base_url, expected) as ledger,
        ):
            ledger.wait_for(50)
            before = workers(own_models)
            (CGROUP / "memory.limit_in_bytes").write_text(str(MORE))
            (CGROUP / "cgroup.procs").write_text(str(before[0].pid))
            with suppress(httpx.TransportError):  # the worker is killed in the middle of one
                while True:
                    server.post("/v1/images", json={"n": 1000, "scale": 4, "format": "zip"})
            wait_for_another(own_models, before)
            ledger.wait_for(50)
        assert ledger.wrong == []
        assert ledger.counts["broken"] <= CLIENTS
    finally:
        CGROUP.rmdir()
