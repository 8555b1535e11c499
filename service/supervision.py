"""What our supervisor of the workers does otherwise than BentoML's, which is one of Circus."""

import logging
import os
import tempfile
from collections.abc import Callable, Collection, Iterable, Mapping
from contextlib import AbstractContextManager, ExitStack, suppress
from pathlib import Path
from typing import Any

import psutil

from service.errors import InvalidSetting

logger = logging.getLogger("bentoml.serve")

CANNOT_START = 2
"""The exit status of a worker that said in one line why it cannot start. A new one could not either."""

LOOK_EVERY = 1.0
"""Seconds until a worker that died is replaced, for which BentoML takes ten."""


class Supervision:
    """To be mixed into the arbiter's class.

    Circus listens for commands on TCP ports without asking who commands: any user of the machine could run programs as
    ours. Here it listens on sockets in a folder that is the server's alone.
    """

    exit_stack: ExitStack
    sockets: Mapping[str, Any]
    check: Callable[[Iterable[str], Collection[str]], None]
    """Called with the addresses that the service is about to listen on, and the arguments of its workers."""
    secure: bool
    """Whether the service speaks HTTPS."""
    exiting: Callable[[], AbstractContextManager[None]]
    """Within it, an InvalidSetting ends the process with one line."""

    def __init__(self, *watchers: Any, **options: Any) -> None:
        self.check([socket.host for socket in options["sockets"]], [each for one in watchers[0] for each in one.args])
        self._folder = tempfile.TemporaryDirectory(prefix="faussaire-")  # of mode 0700
        options |= {
            "endpoint": f"ipc://{Path(self._folder.name) / 'commands'}",
            "pubsub_endpoint": f"ipc://{Path(self._folder.name) / 'events'}",
            "check_delay": LOOK_EVERY,
        }
        super().__init__(*watchers, **options)

    def initialize(self) -> None:
        """Take the address, or end."""
        with self.exiting():
            try:
                super().initialize()  # type: ignore[misc]
            except OSError as error:
                addresses = " ".join(f"{socket.host}:{socket.port}" for socket in self.sockets.values())
                why = os.strerror(error.errno or 0)
                raise InvalidSetting(f"{addresses}: {why}; choose others by --port and --host") from None

    def start(self, cb: Callable[[Any], Any] | None = None) -> None:
        super().start(self._tell if self.secure else cb)  # type: ignore[misc]

    def _tell(self, _: object) -> None:
        """In place of BentoML's line, which would say http."""
        for socket in self.sockets.values():
            logger.info("Listening on https://%s:%d (Press CTRL+C to quit)", socket.host, socket.port)

    def stop(self) -> Any:
        stopped = super().stop()  # type: ignore[misc]
        self._folder.cleanup()
        return stopped

    def reap_processes(self) -> None:
        """End with the first worker that cannot start."""
        with suppress(ChildProcessError):
            ended = os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)
            if ended is not None and ended.si_code == os.CLD_EXITED and ended.si_status == CANNOT_START:
                for other in psutil.Process().children():
                    other.terminate()
                self._folder.cleanup()
                os._exit(CANNOT_START)
        super().reap_processes()  # type: ignore[misc]
