"""A client of the service: `from faussaire import Client`."""

from faussaire.client import AsyncClient, Client
from faussaire.types import Image, ImageCodes, Model, Point, Problem, Refused, UnexpectedAnswer, Verification

__all__ = [
    "AsyncClient",
    "Client",
    "Image",
    "ImageCodes",
    "Model",
    "Point",
    "Problem",
    "Refused",
    "UnexpectedAnswer",
    "Verification",
]
