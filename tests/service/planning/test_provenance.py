import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from latent import Codes, GeneratorCard, ModelVersion
from latent.origin import ImageOrigin, SheetOrigin, parse_origin
from service.api.images import ImagesRequest
from service.planning.codes import codes_of
from service.planning.plan import Plan
from service.planning.provenance import source_of
from tests.conftest import small_card

CARD = small_card()
floats = st.floats(width=32, allow_nan=False, allow_infinity=False)
DIGEST = "5a" * 32


def text_of(request: ImagesRequest, codes: Codes | None = None, card: GeneratorCard = CARD) -> str:
    codes = codes or codes_of(request, card.space, 1, request.index, request.n)
    sources = [source_of(request, 1, request.index + k) for k in range(request.n)]
    plan = Plan(ModelVersion(card, DIGEST), 1, request.index, codes, sources, asked=request)
    return plan.texts[0] if request.n == 1 else plan.sheet_text()


def read_back(request: ImagesRequest, codes: Codes | None = None) -> ImageOrigin | SheetOrigin | None:
    return parse_origin(text_of(request, codes))


@given(st.lists(floats, min_size=10, max_size=10), st.lists(floats, min_size=2, max_size=2))
def test_codes_come_back_from_the_text_exactly(weights: list[float], styles: list[float]) -> None:
    rows = np.array([weights], np.float32), np.array([styles], np.float32)
    origin = read_back(ImagesRequest(), Codes(np.zeros((1, 62), np.float32), *rows))
    assert isinstance(origin, ImageOrigin)
    names = [code.name for code in CARD.space.classes]
    assert np.array_equal(np.array([origin.classes.get(name, 0) for name in names], np.float32), rows[0][0])
    assert np.array_equal(np.array(list(origin.styles.values()), np.float32), rows[1][0])


def test_the_text_of_an_image_is_this() -> None:
    request = ImagesRequest.model_validate({"class": "7", "style": [0.3, -0.5], "index": 4})
    assert text_of(request) == (
        f'{{"model":"small","digest":"{DIGEST}","seed":1,"index":4,"class":{{"7":1.0}},'
        '"styles":{"slant":0.3,"width":-0.5}}'
    )


def test_the_text_of_a_sheet_has_what_was_asked_for() -> None:
    plain = {"model": "small", "digest": DIGEST, "seed": 1, "index": 0, "n": 2}
    asked = read_back(ImagesRequest.model_validate({"n": 2, "class": 3, "style": {"width": 0.3}}))
    plainly = read_back(ImagesRequest(n=2))
    assert isinstance(asked, SheetOrigin)
    assert isinstance(plainly, SheetOrigin)
    assert asked.model_dump(exclude_none=True) == plain | {"class": "3", "style": {"width": 0.3}}
    assert plainly.model_dump(exclude_none=True) == plain


def test_the_ends_of_a_style_codes_range_are_within_it() -> None:
    styles = (CARD.space.styles[0].model_copy(update={"low": -0.7, "high": 0.1}),)
    space = CARD.space.model_copy(update={"styles": styles})
    for end in (-0.7, 0.1):  # of which float32 has the next number beyond
        request = ImagesRequest.model_validate({"style": [end]})
        card = CARD.model_copy(update={"space": space})
        origin = parse_origin(text_of(request, card=card))
        assert isinstance(origin, ImageOrigin)
        assert origin.styles == {"slant": end}
        assert origin.is_of(space)


def test_text_is_ascii_whatever_the_names_are() -> None:
    codes = (CARD.space.classes[0].model_copy(update={"name": "\u00e9t\u00e9 \u6f22"}),)
    card = CARD.model_copy(update={"space": CARD.space.model_copy(update={"classes": codes})})
    request = ImagesRequest()
    text = text_of(request, card=card)
    assert text.isascii()
    origin = parse_origin(text)
    assert isinstance(origin, ImageOrigin)
    assert origin.classes == {codes[0].name: 1.0}
