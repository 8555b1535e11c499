"""Whether the service drew a picture: the codes that its text chunk records are drawn again and compared."""

from dataclasses import dataclass

from PIL import Image
from pydantic import BaseModel, ConfigDict, Field

from latent.origin import Drawn
from latent.verification import Claim, Reason, Unverified, describe, no_record, unknown_version
from service.errors import TooManyImages
from service.inference.batcher import Images
from service.reading.upload import open_upload
from service.registry.catalogue import Catalogue, Served


class Verification(BaseModel):
    """What was found. If the picture is verified, its record follows; else the reason."""

    model_config = ConfigDict(
        serialize_by_alias=True,
        json_schema_extra={
            "examples": [
                {
                    "verified": True,
                    "model": "mnist-infogan",
                    "digest": "2f" * 32,
                    "seed": 1,
                    "index": 0,
                    "class": {"7": 1.0},
                    "styles": {"slant": 0.5, "width": -0.5},
                },
                {
                    "verified": False,
                    "reason": "pixels-differ",
                    "detail": "Pixels that differ from those that the record draws: 3.",
                    "model": "mnist-infogan",
                    "digest": "2f" * 32,
                    "pixels": 3,
                    "box": [4, 10, 7, 11],
                },
            ]
        },
    )

    verified: bool = Field(description="Whether the recorded codes draw these very pixels.")
    reason: Reason | None = Field(default=None, description="Why not.")
    detail: str | None = None
    model: str | None = None
    digest: str | None = Field(default=None, description="SHA-256 of the model's file.")
    seed: int | None = None
    index: int | None = Field(default=None, description="Which image of the seed, or the first of a sheet.")
    class_: dict[str, float] | str | None = Field(
        default=None, alias="class", description="The class, or the weight of each class that has one."
    )
    styles: dict[str, float] | None = Field(default=None, description="The style codes of an image.")
    style: dict[str, float] | None = Field(default=None, description="The style codes that all images share.")
    truncation: float | None = None
    noise: list[float] | None = None
    n: int | None = Field(default=None, description="How many images a sheet has.")
    columns: int | None = Field(default=None, description="How many columns, if the request gave their number.")
    images: list[Drawn | None] | None = Field(
        default=None, description="The codes of each image of a sheet, or of the first and the last of frames."
    )
    pixels: int | None = Field(default=None, description="How many pixels differ.")
    box: tuple[int, int, int, int] | None = Field(
        default=None, description="Where: the left, upper, right and lower edge of all of them."
    )
    places: list[int] | None = Field(default=None, description="The places of the images that differ on a sheet.")


@dataclass(frozen=True)
class Checked:
    """A picture, the version that is said to have drawn it, and from what."""

    picture: Image.Image
    served: Served
    claim: Claim


def read_claim(content: bytes, catalogue: Catalogue, max_pixels: int, max_images: int) -> Checked:
    """Read a picture and its record. Nothing is drawn yet.

    Raises Unverified, NotAnImage, TooManyPixels, BrokenImage and TooManyImages.
    """
    upload = open_upload(content, max_pixels)
    picture, origin = upload.picture, upload.origin
    if origin is None:
        raise no_record()
    served = catalogue.of_digest(origin.digest)
    if served is None or served.version.name != origin.model:
        raise unknown_version(origin)
    if getattr(picture, "is_animated", False):
        raise Unverified("animation", "Animations cannot be verified; ask for the frames as a sheet.")
    claim = Claim.of(origin, served.version, picture.size)
    if claim.count > max_images:
        raise TooManyImages("body", f"Send a sheet of at most {max_images} images; this has {claim.count}.")
    return Checked(picture, served, claim)


def check(checked: Checked, drawn: Images) -> Verification:
    """Compare the picture with what its codes draw."""
    try:
        checked.claim.check(checked.picture, drawn)
    except Unverified as unverified:
        return refuse(unverified, checked)
    return Verification.model_validate({"verified": True} | describe(checked.claim.origin))


def refuse(unverified: Unverified, checked: Checked | None = None) -> Verification:
    """The answer for a picture that is not verified."""
    found, version = unverified.differences, None if checked is None else checked.served.version
    sheet = checked is not None and checked.claim.count > 1
    return Verification(
        verified=False,
        reason=unverified.reason,
        detail=unverified.detail,
        model=None if version is None else version.name,
        digest=None if version is None else version.digest,
        pixels=None if found is None else found.pixels,
        box=None if found is None else found.box,
        places=None if found is None or not sheet else found.images,
    )
