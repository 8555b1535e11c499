import io
import tarfile
from pathlib import Path
from typing import Any

import pytest
from httpx import Response
from pyarrow import parquet
from starlette.testclient import TestClient

from service.api.dataset_file import LAYOUT
from service.app import create_app
from service.settings import Settings
from tests.conftest import digest_of

N = 600
FILE = "/v1/datasets/part-00000-of-00001.parquet?n=600&seed=3"
TAR = "/v1/datasets/part-00000-of-00001.tar?n=600&seed=3"


@pytest.fixture(scope="module")
def settings(models_dir: Path) -> Settings:
    return Settings(models_dir=models_dir, default_model="small", max_streams=2)


@pytest.fixture(scope="module")
def whole(client: TestClient) -> bytes:
    return got(client, FILE).content


def got(client: TestClient, url: str, status: int = 200, **headers: str) -> Response:
    answer: Response = client.get(url, headers={name.replace("_", "-"): value for name, value in headers.items()})
    assert answer.status_code == status, answer.text
    return answer


HELD = {"slant": 0.5, "width": -0.25}


@pytest.mark.parametrize(
    ("name", "query", "body"),
    [
        ("part-00000-of-00001.parquet", "", {"format": "parquet"}),
        ("part-00001-of-00003.parquet", "&balance=drawn", {"format": "parquet", "shards": 3, "balance": "drawn"}),
        ("part-00000-of-00001.tar", "&style=slant:0.5,width:-.25", {"format": "webdataset", "style": HELD}),
        ("part-00002-of-00003.tar", "&format=idx", {"format": "idx", "shards": 3}),
    ],
)
def test_the_bytes_are_those_that_are_posted_for(
    client: TestClient, name: str, query: str, body: dict[str, Any]
) -> None:
    answer = got(client, f"/v1/datasets/{name}?n={N}&seed=3{query}")
    posted = client.post("/v1/datasets", json={"n": N, "seed": 3, "shard": int(name[5:10])} | body)
    assert answer.content == posted.content
    assert answer.headers["content-type"] == posted.headers["content-type"]
    for head in (answer, posted):
        assert int(head.headers["content-length"]) == len(posted.content)


@pytest.mark.parametrize("url", [FILE, TAR])
def test_head_tells_the_length_and_draws_nothing(client: TestClient, inferences: list[int], url: str) -> None:
    head = client.head(url)
    assert head.status_code == 200
    assert head.content == b""
    assert inferences == []
    answer = got(client, url)
    for name in ("content-length", "etag", "accept-ranges", "content-type", "faussaire-model", "faussaire-seed"):
        assert head.headers[name] == answer.headers[name]
    assert head.headers["accept-ranges"] == "bytes"


@pytest.mark.parametrize(
    "asked", [(0, 0), (0, 99), (3, 3), (100_000, 300_000), (565_000, None), (None, 8), (None, 10**9)]
)
def test_a_range_is_these_bytes(client: TestClient, whole: bytes, asked: tuple[int | None, int | None]) -> None:
    first, last = asked
    answer = got(client, FILE, 206, range=f"bytes={'' if first is None else first}-{'' if last is None else last}")
    start = max(0, len(whole) - (last or 0)) if first is None else first
    stop = len(whole) if first is None or last is None else last + 1
    assert answer.content == whole[start:stop]
    assert answer.headers["content-range"] == f"bytes {start}-{stop - 1}/{len(whole)}"
    assert answer.headers["content-length"] == str(stop - start)


def test_a_range_draws_the_blocks_that_it_touches(client: TestClient, whole: bytes, inferences: list[int]) -> None:
    column = parquet.ParquetFile(io.BytesIO(whole)).metadata.row_group(0).column(2)
    assert column.path_in_schema == "label"
    start = column.data_page_offset
    got(client, FILE, 206, range=f"bytes={start}-{len(whole) - 1}")
    assert inferences == []
    got(client, FILE, 206, range="bytes=100-200")
    assert inferences == [256]


@pytest.mark.parametrize(
    "value", ["bytes=9-3", "bytes=-", "bytes=0-1,5-6", "lines=0-1", "bytes=a-b", f"bytes={'9' * 5000}-"]
)
def test_what_is_no_single_range_gets_the_whole_file(client: TestClient, whole: bytes, value: str) -> None:
    assert got(client, FILE, range=value).content == whole


@pytest.mark.parametrize("value", ["bytes=999999999-", "bytes=-0"])
def test_a_range_behind_the_end_is_416(client: TestClient, whole: bytes, value: str) -> None:
    answer = got(client, FILE, 416, range=value)
    assert answer.headers["content-range"] == f"bytes */{len(whole)}"
    assert answer.json()["field"] == "Range"


def test_a_range_counts_only_for_the_bytes_that_the_client_has(client: TestClient, whole: bytes) -> None:
    etag = client.head(FILE).headers["etag"]
    assert got(client, FILE, 206, range="bytes=0-3", if_range=etag).content == whole[:4]
    for other in ('"other"', f"W/{etag}", "Fri, 27 Nov 2026 00:00:00 GMT"):
        assert got(client, FILE, range="bytes=0-3", if_range=other).content == whole


def test_a_client_that_has_the_file_gets_304(client: TestClient, inferences: list[int]) -> None:
    etag = client.head(FILE).headers["etag"]
    answer = got(client, FILE, 304, if_none_match=etag)
    assert answer.content == b""
    assert inferences == []


def test_the_etag_is_of_the_model_and_what_is_asked(client: TestClient, models_dir: Path) -> None:
    def etag(url: str) -> str:
        return str(client.head(url).headers["etag"])

    name = f"small@{digest_of(models_dir / 'small.onnx')[:12]}"
    assert etag(FILE) == etag(f"{FILE}&balance=even&model={name}")
    others = [f"{FILE}&balance=drawn", f"{FILE}&style=slant:0", f"{FILE}&model=plain", FILE.replace("n=600", "n=601")]
    others += [TAR, f"{TAR}&format=idx", FILE.replace("seed=3", "seed=4"), FILE.replace("00001.p", "00002.p")]
    assert len({etag(url) for url in [FILE, *others]}) == len(others) + 1
    assert LAYOUT == 1


def test_a_cache_may_keep_a_version_for_ever(client: TestClient, models_dir: Path) -> None:
    named = client.head(f"{FILE}&model=small@{digest_of(models_dir / 'small.onnx')[:12]}").headers
    assert "immutable" in named["cache-control"]
    assert "vary" not in named
    assert client.head(FILE).headers["cache-control"] == "public, no-cache"


@pytest.mark.parametrize(
    ("url", "field", "remedy"),
    [
        ("part-00001-of-00001.parquet", "shard", "from 0 to 0"),
        ("part-00000-of-00000.parquet", "name", "1 to 1000000"),
        ("part-0-of-1.parquet", "name", "part-00000-of-00001.parquet"),
        ("part-00000-of-00001.zip", "name", "or part-00000-of-00001.tar"),
        ("part-00000-of-00001.parquet?format=idx", "format", ".parquet takes parquet"),
        ("part-00000-of-00001.tar?format=parquet", "format", ".tar takes webdataset or idx"),
        ("part-00000-of-00001.tar?style=0.5", "style", "such as slant:0.5"),
        ("part-00000-of-00001.tar?style=slant:nan", "style", "such as slant:0.5"),
        ("part-00000-of-00001.tar?style=slant:2", "style.slant", "from -1 to 1"),
        ("part-00000-of-00001.tar?style=smile:0", "style", "in this order: slant, width"),
        ("part-00000-of-00001.tar?size=3", "size", "no such field"),
        ("part-00000-of-00001.tar?n=1&n=2", "n", "once"),
        ("part-00000-of-00001.parquet?n=99000000", "format", "ask for shards"),
    ],
)
def test_what_cannot_be_is_refused_by_its_field(client: TestClient, url: str, field: str, remedy: str) -> None:
    answer = got(client, f"/v1/datasets/{url}", 422)
    assert answer.json()["field"] == field
    assert remedy in answer.json()["detail"]


def test_a_tar_is_read_by_its_name(client: TestClient) -> None:
    with tarfile.open(fileobj=io.BytesIO(got(client, TAR).content)) as tar:
        assert len(tar.getnames()) == 2 * N


def test_a_full_queue_refuses(models_dir: Path) -> None:
    settings = Settings(models_dir=models_dir, default_model="small", max_queue_rows=3)
    with TestClient(create_app(settings)) as client:
        assert int(got(client, FILE, 429).headers["retry-after"]) >= 1
        assert client.head(FILE).status_code == 200
