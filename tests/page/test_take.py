"""What a visitor takes along gives the same pixels elsewhere."""

import contextlib
import html
import re
import runpy
import shutil
import subprocess
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest
from PIL import Image
from pyarrow import parquet

from tests.conftest import program
from tests.page.conftest import MODEL, Visit, drawn, pixels_of

BODY: dict[str, Any] = {"model": MODEL, "class": "4", "style": [0, 1.05], "seed": 18}


@pytest.fixture
def four(visit: Visit, service: httpx.Client) -> Visit:
    visit.open()
    visit.page.keyboard.press("4")
    visit.slide("slant", 1.05)
    visit.wait_for_pixels("#one", drawn(service, **BODY))
    return visit


def test_the_curl_command_draws_the_image(four: Visit, service: httpx.Client, tmp_path: Path) -> None:
    program("curl")
    subprocess.run(["bash", "-c", four.text("#copy-curl")], cwd=tmp_path, check=True)
    assert np.array_equal(pixels_of((tmp_path / f"{MODEL}.png").read_bytes()), drawn(service, **BODY))


def test_the_python_code_draws_the_image(four: Visit, service: httpx.Client, tmp_path: Path) -> None:
    code = tmp_path / "copied.py"
    code.write_text(four.text("#copy-Python"), encoding="utf-8")
    made = runpy.run_path(str(code))
    assert np.array_equal(pixels_of(made["image"].png), drawn(service, **BODY))


def test_the_tag_shows_the_image(four: Visit, service: httpx.Client) -> None:
    source = re.search(r'src="([^"]+)"', four.text("#copy-img"))
    assert source is not None
    answer = httpx.get(html.unescape(source[1]))
    assert np.array_equal(pixels_of(answer.content)[::4, ::4], drawn(service, **BODY))
    assert "immutable" in answer.headers["cache-control"]


def test_a_copied_text_is_on_the_clipboard(four: Visit) -> None:
    four.context.grant_permissions(["clipboard-read", "clipboard-write"])
    four.page.get_by_role("button", name="Copy link").click()
    four.page.get_by_role("button", name="Copy link").get_by_text("Copied").wait_for()
    assert four.page.evaluate("navigator.clipboard.readText()") == four.text("#copy-link") == four.page.url


def test_images_are_saved_at_the_asked_scale(four: Visit, service: httpx.Client) -> None:
    four.page.select_option("#take-scale", "4")
    with four.page.expect_download() as download:
        four.page.click("#take-image")
    saved = pixels_of(download.value.path().read_bytes())
    assert np.array_equal(saved[::4, ::4], drawn(service, **BODY))
    with four.page.expect_download() as download:
        four.page.click("#take-sheet")
    assert pixels_of(download.value.path().read_bytes()).shape == (3 * 112, 4 * 112, 3)


def save_set(visit: Visit, kind: str, n: int) -> Path:
    visit.page.evaluate("delete window.showSaveFilePicker")
    visit.page.fill("#set-n", str(n))
    visit.page.select_option("#set-format", kind)
    with visit.page.expect_download() as download:
        visit.page.click("#set-save")
    visit.wait_for_text("#set-said", f"{n:,} images are in {download.value.suggested_filename}.")
    assert visit.page.evaluate("document.querySelector('#set-progress').value") == 1
    return Path(download.value.path())


def loaded(visit: Visit, path: Path, folder: Path) -> Any:
    """What the code beside a saved file loads, in the file's folder."""
    shutil.copy(path, folder / visit.text("#set-said").partition(" are in ")[2].partition(". Load")[0])
    (folder / "load.py").write_text(visit.text("#set-load"), encoding="utf-8")
    with contextlib.chdir(folder):
        return runpy.run_path("load.py")["images"]


def test_a_data_set_of_mnists_files_is_saved_and_loaded(four: Visit, service: httpx.Client, tmp_path: Path) -> None:
    four.page.check("#set-style")
    images = loaded(four, save_set(four, "idx", 1_000), tmp_path)
    assert len(images) == 1_000
    item = drawn(service, model=MODEL, style=[0, 1.05], seed=18, index=7, **{"class": int(images[7][1])})
    assert np.array_equal(np.asarray(images[7][0].convert("RGB")), item)


def test_a_zip_of_a_data_set_is_saved_and_loaded(four: Visit, tmp_path: Path) -> None:
    images = loaded(four, save_set(four, "zip", 200), tmp_path)
    assert len(images) == 200
    assert images.classes == [str(digit) for digit in range(10)]


def test_a_parquet_file_has_all_images(four: Visit) -> None:
    rows = parquet.read_table(save_set(four, "parquet", 300)).to_pylist()
    assert [row["index"] for row in rows] == list(range(300))
    assert four.text("#set-load").endswith(
        'images = datasets.load_dataset("parquet", data_files="mnist-infogan-300.parquet", split="train")'
    )


def test_the_images_of_a_webdataset_are_counted(four: Visit, tmp_path: Path) -> None:
    subprocess.run(["tar", "-xf", save_set(four, "webdataset", 300)], cwd=tmp_path, check=True)
    assert len(list(tmp_path.rglob("*.png"))) == 300
    with Image.open(next(tmp_path.rglob("*.png"))) as picture:
        assert picture.size == (28, 28)


TO_OPFS = """() => {
    window.showSaveFilePicker = async ({ suggestedName }) =>
        (await navigator.storage.getDirectory()).getFileHandle(suggestedName.replace(/.*-/, "my-"), { create: true });
}"""

SIZE = """async name =>
    (await (await (await navigator.storage.getDirectory()).getFileHandle(name)).getFile()).size"""


def test_a_data_set_is_streamed_to_the_disk_where_the_browser_can(four: Visit) -> None:
    four.page.evaluate(TO_OPFS)
    four.page.fill("#set-n", "20000")
    four.page.click("#set-save")
    four.wait_for_text("#set-said", "20,000 images are in my-20000.tar.")
    assert '"my-20000.tar", "my-20000"' in four.text("#set-load")
    assert four.page.evaluate(SIZE, "my-20000.tar") > 20_000 * 784


def test_a_data_set_that_is_refused_says_when_to_try_again(four: Visit) -> None:
    problem = {"type": "urn:faussaire:problem:too-many-streams", "title": "", "status": 429, "detail": "Too many."}
    answer = {"status": 429, "headers": {"Retry-After": "10"}, "json": problem}
    four.page.route("**/v1/datasets", lambda route: route.fulfill(**answer))
    four.page.evaluate("delete window.showSaveFilePicker")
    four.page.click("#set-save")
    four.wait_for_text("#set-said", "Too many. Try again in 10 s. Nothing was kept.")
    assert four.page.is_enabled("#set-save")


def test_a_stopped_data_set_leaves_nothing(four: Visit) -> None:
    four.page.evaluate(TO_OPFS)
    four.page.fill("#set-n", "50000000")
    four.page.click("#set-save")
    four.wait_for_text("#set-said", "of 50,000,000 images")
    four.page.click("#set-stop")
    four.wait_for_text("#set-said", "Stopped; nothing was kept.")
    assert four.page.evaluate(SIZE, "my-50000000.tar") == 0
