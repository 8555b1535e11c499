from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from faussaire import Refused, calls
from faussaire.calls import check, read_retry_after

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
CALL = calls.image()


@given(st.integers(0, 10**9))
def test_retry_after_is_a_number_of_seconds(seconds: int) -> None:
    assert read_retry_after(str(seconds), NOW) == seconds


@given(st.integers(-(10**6), 10**6))
def test_retry_after_is_the_time_until_a_date_and_never_below_0(seconds: int) -> None:
    date = format_datetime(NOW + timedelta(seconds=seconds), usegmt=True)
    assert read_retry_after(date, NOW) == max(0, seconds)
    assert read_retry_after(date.replace("GMT", "-0000"), NOW) == max(0, seconds)  # no time zone is UTC


@pytest.mark.parametrize("value", ["", "soon", "1.5", "-1", "Fri, 99 Foo 1999 99:99:99 GMT"])
def test_any_other_retry_after_is_none(value: str) -> None:
    assert read_retry_after(value, NOW) is None


@given(st.text(st.characters(codec="ascii")))
def test_no_retry_after_is_an_error_of_its_own(value: str) -> None:
    seconds = read_retry_after(value, NOW)
    assert seconds is None or seconds >= 0


PROBLEM = {"type": "urn:x", "title": "No", "status": 422, "detail": "Say yes.", "field": "class"}


@pytest.mark.parametrize(
    "media_type",
    ["application/problem+json", "application/problem+json; charset=utf-8", "Application/Problem+JSON;charset=utf-8"],
)
def test_a_problem_is_one_whatever_parameters_its_media_type_has(media_type: str) -> None:
    answer = httpx.Response(422, headers={"Content-Type": media_type}, json=PROBLEM)
    with pytest.raises(Refused, match="422: class: Say yes") as refused:
        check(CALL, answer)
    assert refused.value.problem.model_dump() == PROBLEM


@pytest.mark.parametrize("content", [b"", b"<html>", b"[]", b'{"status": 422}', b'{"status": "x"}', b"\xff"])
def test_an_error_labelled_as_a_problem_that_is_none_keeps_its_status(content: bytes) -> None:
    answer = httpx.Response(502, headers={"Content-Type": "application/problem+json"}, content=content)
    with pytest.raises(Refused) as refused:
        check(CALL, answer)
    assert (refused.value.status, refused.value.problem.type) == (502, "about:blank")
