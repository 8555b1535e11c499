import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from latent import (
    ClassCode,
    Data,
    Figure,
    Framing,
    GeneratorCard,
    ImageShape,
    InvalidCard,
    LatentSpace,
    RecogniserCard,
    StyleCode,
    Training,
)
from latent.card import CARD_KEY
from latent.space import NoiseDistribution

CARD = GeneratorCard(
    name="mnist-infogan",
    version="1.0.0",
    data=Data(name="mnist", licence="CC BY-SA 3.0", source="https://example.org/mnist"),
    image=ImageShape(height=28, width=28, channels=1),
    space=LatentSpace(
        noise_size=62,
        noise_distribution=NoiseDistribution.NORMAL,
        classes=(ClassCode(name="zero", purity=0.5), ClassCode(name="un été", purity=1.0)),
        styles=(StyleCode(name="slant", low=-2.0, high=2.0, effect="leans to the right"),),
    ),
    training=Training(
        preset="infogan",
        network="dcgan",
        objective="non-saturating",
        codes="infogan",
        seed=2**63 - 1,
        epochs=20.5,
        images=1_230_000,
        seconds=91.25,
        device="cpu",
        parameters=6_500_000,
    ),
    arithmetic="exact",
    largest_sum=0.25,
    proof="89" * 32,
    figures=(Figure(name="fid", value=4.25, protocol="50,000 images against the test set"),),
)

Spoil = Callable[[dict[str, Any]], object]
"""Makes a valid card's JSON invalid in one place."""

SPOILT: dict[str, tuple[str, Spoil]] = {
    "a newer contract": ("contract", lambda card: card.update(contract=2)),
    "no name": ("name", lambda card: card.pop("name")),
    "a name with a slash": ("name", lambda card: card.update(name="../mnist")),
    "a name with a line break": ("name", lambda card: card.update(name="mnist\n")),
    "a name too long": ("name", lambda card: card.update(name="m" * 64)),
    "an empty version": ("version", lambda card: card.update(version="")),
    "an unknown field": ("colour", lambda card: card.update(colour="red")),
    "an unknown field inside": ("image.depth", lambda card: card["image"].update(depth=8)),
    "no data": ("data", lambda card: card.pop("data")),
    "no licence": ("data.licence", lambda card: card["data"].pop("licence")),
    "an image of no height": ("image.height", lambda card: card["image"].update(height=0)),
    "an image too wide": ("image.width", lambda card: card["image"].update(width=4097)),
    "two channels": ("image.channels", lambda card: card["image"].update(channels=2)),
    "a number in quotes": ("image.height", lambda card: card["image"].update(height="28")),
    "a number that is true": ("image.height", lambda card: card["image"].update(height=True)),
    "a fraction for a whole": (
        "space.noise_size",
        lambda card: card["space"].update(noise_size=1.5),
    ),
    "no noise": ("space.noise_size", lambda card: card["space"].update(noise_size=0)),
    "too much noise": ("space.noise_size", lambda card: card["space"].update(noise_size=4097)),
    "an unknown distribution": (
        "space.noise_distribution",
        lambda card: card["space"].update(noise_distribution="cauchy"),
    ),
    "classes of one name": ("space", lambda card: card["space"]["classes"][1].update(name="zero")),
    "a purity above 1": (
        "space.classes.1.purity",
        lambda card: card["space"]["classes"][1].update(purity=1.01),
    ),
    "a nameless style": (
        "space.styles.0.name",
        lambda card: card["space"]["styles"][0].pop("name"),
    ),
    "an empty range": ("space.styles.0", lambda card: card["space"]["styles"][0].update(low=2.0)),
    "a seed that is not a number": (
        "training.seed",
        lambda card: card["training"].update(seed="many"),
    ),
    "seconds that are NaN": (
        "training.seconds",
        lambda card: card["training"].update(seconds=float("nan")),
    ),
    "another arithmetic": ("arithmetic", lambda card: card.update(arithmetic="float")),
    "a sum that may not be exact": ("largest_sum", lambda card: card.update(largest_sum=1.0)),
    "a proof that is no digest": ("proof", lambda card: card.update(proof="89")),
    "a figure that is NaN": (
        "figures.0.value",
        lambda card: card["figures"][0].update(value=float("nan")),
    ),
    "an infinite figure": (
        "figures.0.value",
        lambda card: card["figures"][0].update(value=float("inf")),
    ),
    "a figure without protocol": (
        "figures.0.protocol",
        lambda card: card["figures"][0].pop("protocol"),
    ),
}


def test_a_card_comes_back_from_metadata_as_it_went_in() -> None:
    assert GeneratorCard.from_metadata(CARD.to_metadata()) == CARD


@given(value=st.floats(allow_nan=False, allow_infinity=False), name=st.text(min_size=1))
def test_every_figure_comes_back_exactly(value: float, name: str) -> None:
    figure = Figure(name=name[:100], value=value, protocol="none")
    card = CARD.model_copy(update={"figures": (figure,)})
    assert GeneratorCard.from_metadata(card.to_metadata()).figures == (figure,)


def test_metadata_beside_the_card_is_ignored() -> None:
    assert GeneratorCard.from_metadata({"producer": "torch", **CARD.to_metadata()}) == CARD


@pytest.mark.parametrize(("field", "spoil"), SPOILT.values(), ids=SPOILT.keys())
def test_an_invalid_card_is_refused_by_the_name_of_its_field(field: str, spoil: Spoil) -> None:
    card = CARD.model_dump(mode="json")
    spoil(card)
    with pytest.raises(InvalidCard) as caught:
        GeneratorCard.from_metadata({CARD_KEY: json.dumps(card)})
    assert str(caught.value).startswith(f"card field '{field}': ")


def test_a_file_without_a_card_says_how_to_make_one() -> None:
    with pytest.raises(InvalidCard, match="faussaire export"):
        GeneratorCard.from_metadata({"producer": "torch"})


def test_a_card_of_older_make_says_how_to_renew_its_file() -> None:
    card = CARD.model_dump(mode="json", exclude={"arithmetic", "largest_sum", "proof"})
    with pytest.raises(InvalidCard, match="make it exact: 'faussaire export FILE --output FILE'"):
        GeneratorCard.from_metadata({CARD_KEY: json.dumps(card)})


@pytest.mark.parametrize("text", ["", "{", "[]", "null", '"card"', "[" * 100_000])
def test_a_card_that_is_not_a_json_object_is_refused(text: str) -> None:
    with pytest.raises(InvalidCard, match="card field 'card'"):
        GeneratorCard.from_metadata({CARD_KEY: text})


def test_an_invalid_card_is_not_echoed() -> None:
    card = CARD.model_dump(mode="json") | {"version": ["a secret"]}
    with pytest.raises(InvalidCard) as caught:
        GeneratorCard.from_metadata({CARD_KEY: json.dumps(card)})
    assert "secret" not in str(caught.value)
    assert caught.value.__cause__ is None


def test_purity_is_the_mean_over_the_classes_that_were_measured() -> None:
    assert CARD.purity() == 0.75
    unmeasured = CARD.space.model_copy(update={"classes": (ClassCode(name="zero"),)})
    assert CARD.model_copy(update={"space": unmeasured}).purity() is None


def recogniser(**chosen: Any) -> RecogniserCard:
    fields: dict[str, Any] = {
        "generator": "0123456789abcdef" * 4,
        "image": ImageShape(height=28, width=28, channels=1),
        "framing": Framing(extent=20, centred_by="mass"),
        "classes": 10,
        "styles": 2,
    }
    return RecogniserCard(**(fields | chosen))


def test_a_recognisers_card_survives_its_metadata() -> None:
    card = recogniser(figures=CARD.figures)
    assert RecogniserCard.from_metadata(card.to_metadata()) == card


def test_a_recognisers_card_names_its_generator_by_a_whole_digest() -> None:
    with pytest.raises(ValueError, match="generator"):
        recogniser(generator="0123")


def test_a_generators_card_is_not_taken_for_a_recognisers() -> None:
    with pytest.raises(InvalidCard, match=r"no 'faussaire\.recogniser' metadata"):
        RecogniserCard.from_metadata(CARD.to_metadata())
