"""What an operator may set: environment variables with the prefix FAUSSAIRE_."""

from pathlib import Path
from typing import Literal

from pydantic import Field, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

ROOT = Path(__file__).parents[1]

Device = Literal["auto", "cpu", "cuda"]


class Settings(BaseSettings):
    model_config = SettingsConfigDict(env_prefix="FAUSSAIRE_", frozen=True)

    models_dir: Path = Field(default=ROOT / "models", description="Folder whose `*.onnx` files are served.")
    default_model: str = Field(default="mnist-infogan", description="The model of a request that names none.")
    max_images: int = Field(default=1024, ge=1, description="The most images that one request may ask for.")
    max_queue_rows: int = Field(
        default=8192, ge=1, description="Images that may wait for one model; a request beyond it gets 429."
    )
    max_body_bytes: int = Field(
        default=65_536, ge=1024, description="The longest request body but an image file; a longer one gets 413."
    )
    max_upload_bytes: int = Field(
        default=4_194_304, ge=1024, description="The longest image file; a longer one gets 413."
    )
    max_pixels: int = Field(
        default=16_777_216,
        ge=1024,
        description="The most pixels of an image file, and of images that are drawn to a scale; more get 422.",
    )
    max_streams: int = Field(
        default=8, ge=1, description="Data sets that may be on their way at a time; one more gets 429."
    )
    cache_bytes: int = Field(
        default=16_777_216, ge=0, description="Encoded images that `GET /v1/image` keeps in memory; 0 keeps none."
    )
    watch_seconds: float = Field(
        default=5, ge=0, description="How often the models folder is looked at for changes; 0 is never."
    )
    log_requests: bool = Field(default=False, description="Whether each request is a line of JSON in the log.")
    threads: int = Field(default=1, ge=1, description="Threads that one inference uses.")
    device: Device = Field(
        default="auto", description="What draws: `cpu`, `cuda`, or `auto`, which is CUDA where it can be used."
    )

    @classmethod
    def from_environment(cls) -> "Settings":
        """Raises SystemExit with one line that names the first invalid variable."""
        try:
            return cls()
        except ValidationError as error:
            first = error.errors()[0]
            name = "_".join(str(part) for part in first["loc"]).upper()
            raise SystemExit(f"error: FAUSSAIRE_{name}: {first['msg']}") from None
