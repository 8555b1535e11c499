"""The documentation of the API in a browser, under its own policy."""

from tests.page.conftest import Visit


def test_the_documentation_draws_an_image_under_its_policy(visit: Visit) -> None:
    page = visit.page
    page.goto(f"{visit.url}docs")
    page.get_by_role("button", name="get /v1/image").first.click()
    page.get_by_role("button", name="Try it out").click()
    page.get_by_role("button", name="Execute").click()
    page.locator(".live-responses-table img").wait_for()
    page.wait_for_function("document.querySelector('.live-responses-table img').naturalWidth > 0")
