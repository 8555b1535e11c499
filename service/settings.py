"""What an operator may set: environment variables with the prefix FAUSSAIRE_."""

import os
import re
from collections.abc import Iterable
from difflib import get_close_matches
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

from pydantic import Field, ValidationError, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from service.errors import InvalidSetting

ROOT = Path(__file__).parents[1]

PREFIX = "FAUSSAIRE_"

OTHERS = re.compile(
    # The client's, the trainer's, and those that Kubernetes sets for services whose names begin with faussaire.
    r"FAUSSAIRE_(KEY|DATA_DIR|STORAGE|(\w+_)?(SERVICE_HOST|SERVICE_PORT(_\w+)?|PORT(_\d+_(TCP|UDP)(_\w+)?)?))"
)
"""Variables that are no settings of the service."""

ORIGIN = re.compile(r"\*|null|[a-z][a-z\d+.-]*://[^/\s]+/?")
"""What a browser sends as a page's origin, and `*`."""

Device = Literal["auto", "cpu", "cuda"]


class Settings(BaseSettings):
    model_config = SettingsConfigDict(env_prefix=PREFIX, frozen=True)

    models_dir: Path = Field(
        default=ROOT / "models", description="Folder of the models: the service serves its `*.onnx` files."
    )
    default_model: str = Field(default="mnist-infogan", description="Model of a request that names no model.")
    max_images: int = Field(default=1024, ge=1, description="Most images that one request may ask for; more get 422.")
    max_queue_rows: int = Field(
        default=8192, ge=1, description="Most images that may wait for one model; a request beyond this limit gets 429."
    )
    max_waiting: int = Field(
        default=128, ge=0, description="Most requests that may wait for a place in work; one more gets 429."
    )
    max_seconds: float = Field(
        default=60, gt=0, description="Most seconds until the answer to a request begins; a request beyond gets 504."
    )
    keys_file: Path | None = Field(
        default=None, description="File of the API keys, which `faussaire keys` writes. If absent, none are asked for."
    )
    trusted_keys: Path | None = Field(
        default=None,
        description="File or folder of public keys or certificates in PEM: only models that one of them has signed are "
        "served. If absent, signatures are not asked for.",
    )
    cors_origins: str = Field(
        default="",
        description="Origins whose pages may use the service, such as `https://example.org`, with commas between; `*` "
        "for all, empty for none.",
    )
    max_connections: int = Field(
        default=1024, ge=1, description="Most connections of a worker; one more gets 429 and is closed."
    )
    max_client_connections: int | None = Field(
        default=None,
        ge=1,
        description="Most connections of one address; one more gets 429. Behind a proxy all have the proxy's.",
    )
    max_head_bytes: int = Field(
        default=65_536, ge=1024, description="Most bytes of a request's address and headers; more get 431."
    )
    max_head_seconds: float = Field(
        default=10, gt=0, description="Most seconds from the first byte of a request's head to its last; then 408."
    )
    max_body_seconds: float = Field(
        default=30, gt=0, description="Most seconds until the body of a request has come; then 408."
    )
    max_idle_seconds: float = Field(
        default=75, gt=0, description="Seconds after which a connection without a request is closed."
    )
    max_stalled_seconds: float = Field(
        default=30, gt=0, description="Seconds after which a connection whose client does not read is cut off."
    )
    max_body_bytes: int = Field(
        default=65_536,
        ge=1024,
        description="Most bytes of a request body other than an image file; a longer body gets 413.",
    )
    max_upload_bytes: int = Field(
        default=4_194_304, ge=1024, description="Most bytes of an image file; a longer file gets 413."
    )
    max_model_bytes: int = Field(
        default=536_870_912,
        ge=1_048_576,
        description="Most bytes of memory that a model may take to open and to draw 256 images; one that takes more is "
        "not served.",
    )
    max_pixels: int = Field(
        default=16_777_216,
        ge=1024,
        description="Most pixels of an image file, and of an answer with a `scale` above 1; more get 422.",
    )
    max_streams: int = Field(
        default=8, ge=1, description="Most data sets that may stream at the same time; one more gets 429."
    )
    cache_bytes: int = Field(
        default=16_777_216,
        ge=0,
        description="Bytes of encoded images that `GET /v1/image` keeps in memory; 0 keeps none.",
    )
    watch_seconds: float = Field(
        default=5,
        ge=0,
        description="Seconds between two looks at the models folder; with 0 the service looks only on SIGHUP.",
    )
    log_requests: bool = Field(default=False, description="Whether the service logs each request as one line of JSON.")
    workers: int = Field(
        default=1, ge=1, description="Processes that serve, each with all models: one for each processor is best."
    )
    threads: int = Field(default=1, ge=1, description="Threads that one inference uses.")
    device: Device = Field(
        default="auto",
        description="Device that draws: `cpu`, `cuda`, or `auto`, which takes CUDA if CUDA is available.",
    )
    open: bool = Field(
        default=False,
        description="Whether anybody who reaches the service may use it; without keys, it serves other machines only "
        "with `true`.",
    )
    tls_certificate: Path | None = Field(
        default=None,
        description="File of the certificate for HTTPS, with its chain, in PEM; with none, the service speaks HTTP.",
    )
    tls_key: Path | None = Field(default=None, description="File of the certificate's key, in PEM.")
    metrics_address: str = Field(
        default="",
        description="Address of `/metrics` alone, such as `127.0.0.1:9464`; empty for the address of all else.",
    )
    pages: bool = Field(
        default=True,
        description="Whether the service shows the playground, `/docs` and the descriptions of the API; else they are "
        "404.",
    )

    @field_validator("metrics_address")
    @classmethod
    def _check_address(cls, address: str) -> str:
        if address and _split(address) is None:
            raise ValueError("give a host and a port, such as 127.0.0.1:9464")
        return address

    @property
    def metrics_host_and_port(self) -> tuple[str, int] | None:
        """None if `/metrics` is where all else is."""
        return _split(self.metrics_address)

    @field_validator("cors_origins")
    @classmethod
    def _check_origins(cls, value: str) -> str:
        for origin in filter(None, map(str.strip, value.split(","))):
            if not ORIGIN.fullmatch(origin):
                raise ValueError(
                    f"'{origin}' is no origin; give scheme and host, such as https://example.org, without a path"
                )
        return value

    @property
    def origins(self) -> frozenset[str]:
        return frozenset(origin.strip().rstrip("/") for origin in self.cors_origins.split(",") if origin.strip())

    @classmethod
    def from_environment(cls) -> "Settings":
        """Raises InvalidSetting for the first invalid or unknown variable."""
        _check_names(os.environ)
        try:
            return cls()
        except ValidationError as error:
            first = error.errors()[0]
            name = "_".join(str(part) for part in first["loc"]).upper()
            raise InvalidSetting(f"{PREFIX}{name}: {first['msg'].removeprefix('Value error, ')}") from None


def _split(address: str) -> tuple[str, int] | None:
    """The host and the port; None if it has not both."""
    try:
        parts = urlsplit(f"//{address}")
        if parts.hostname and parts.port and parts.netloc == address and "@" not in address:
            return parts.hostname, parts.port
    except ValueError:
        pass
    return None


def _check_names(variables: Iterable[str]) -> None:
    """Raises InvalidSetting for a variable that looks like a setting and is none."""
    known = [PREFIX + name.upper() for name in Settings.model_fields]
    for name in variables:
        if name.startswith(PREFIX) and name not in known and not OTHERS.fullmatch(name):
            (meant,) = get_close_matches(name, known, 1, 0) or [""]
            raise InvalidSetting(f"{name}: there is no such setting; did you mean {meant}?")
