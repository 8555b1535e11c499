"""The BentoML service, and the image that `bentoml containerize` builds of it."""

import gc
from collections.abc import Collection, Iterable
from functools import partial
from pathlib import Path
from typing import Any

import bentoml
import click
from bentoml._internal.configuration.containers import BentoMLContainer
from bentoml._internal.utils import circus
from bentoml.images import Image
from uvicorn.config import HTTP_PROTOCOLS

from service.access.keyring import read_keys
from service.app import connecting, create_app, exit_on_error, open_certificate
from service.errors import InvalidSetting
from service.exposure import check_host, check_metrics_address
from service.registry.registry import open_signatures
from service.registry.trial import trying
from service.settings import Settings
from service.supervision import Supervision
from service.telemetry.space import require_space
from service.telemetry.writer import write_apart

IMAGE = Image(
    base_image="python:3.11-slim",
    # For a distribution that it knows, BentoML installs a compiler and git. All packages of the lock file are wheels.
    distro="none",
    # Otherwise BentoML takes the version of the machine that builds.
    python_version="3.11",
    # The files that container/setup.sh reads.
    build_include_paths=["container", "pyproject.toml", "requirements"],
)


class Service(bentoml.Service[Any]):  # type: ignore[misc] # BentoML has no types
    """Makes the application when a worker starts. `bentoml build` imports this module too, and needs no settings."""

    def inject_config(self) -> None:
        """BentoML calls this first in each process. An invalid setting ends the parent, before there are workers."""
        with exit_on_error():
            settings = Settings.from_environment()
            _check_port()
            if settings.keys_file is not None:
                read_keys(settings.keys_file)
            self.config["workers"] = settings.workers
            open_signatures(settings)
            require_space(Path(BentoMLContainer.prometheus_multiproc_dir.get()), settings.workers)
            secure = open_certificate(settings) is not None
        if not issubclass(circus.Arbiter, Supervision):
            members = {
                "check": staticmethod(partial(_check, settings)),
                "exiting": staticmethod(exit_on_error),
                "secure": secure,
            }
            circus.Arbiter = type("Arbiter", (Supervision, circus.Arbiter), members)  # type: ignore[assignment,misc]
        super().inject_config()

    def to_asgi(self, is_main: bool = True) -> Any:
        """Our application, with BentoML's inside: mounted in BentoML's, each request would cost twice as much."""
        inner = super().to_asgi(is_main)
        with exit_on_error():
            settings = Settings.from_environment()
            app = create_app(settings, inner, trying(settings.max_model_bytes))
            # BentoML starts uvicorn and leaves it the choice of a protocol.
            HTTP_PROTOCOLS["auto"] = connecting(app, settings)  # type: ignore[assignment] # it takes a class too
        # Else the search for garbage holds all requests up for 50 ms now and then, to walk through what stays for ever.
        gc.freeze()
        write_apart()
        return app


def _check_port() -> None:
    """Raises InvalidSetting. BentoML takes any number, and listens at its last sixteen bits."""
    command = click.get_current_context(silent=True)
    port = None if command is None else command.params.get("port")
    if port is not None and not 0 <= port < 2**16:
        raise InvalidSetting(f"--port: {port} is no port; choose one from 1 to 65535")


def _check(settings: Settings, hosts: Iterable[str], arguments: Collection[str]) -> None:
    """End the process if the service must not listen there, or has a certificate that it would not use."""
    with exit_on_error():
        for host in hosts:
            check_host(host, settings)
        check_metrics_address(settings)
        if "--ssl-certfile" in arguments:
            raise InvalidSetting("--ssl-certfile: set FAUSSAIRE_TLS_CERTIFICATE and FAUSSAIRE_TLS_KEY instead")


@bentoml.service(
    name="faussaire",
    service_class=Service,
    image=IMAGE,
    # BentoML's own request metrics have a label for each raw URL, without end. Ours are at /metrics.
    metrics={"enabled": False},
    logging={"access": {"enabled": False}},
    tracing={"excluded_urls": ".*"},
    traffic={"timeout": 60},
)
class Faussaire:
    """BentoML gives the processes, the lifecycle, /livez, /readyz, `bentoml build` and `containerize`."""
