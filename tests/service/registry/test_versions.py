"""Versions of one name as a client sees them: by digest, by the canary's weight, and by a header."""

import json
from pathlib import Path
from typing import Any

import pytest
from httpx import Response
from prometheus_client.parser import text_string_to_metric_families
from starlette.testclient import TestClient

from faussaire.client import Client
from latent import Release
from latent.release import version_label
from service.app import create_app
from service.settings import Settings
from tests.conftest import listening, write_named_version, write_release, write_small
from tests.service.conftest import posted, refused, unzipped

SEEDS = range(200)
STABLE, CANARY, OTHER = range(3)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("models")
    write_small(folder, "plain", coded=False)
    return folder


@pytest.fixture(scope="module")
def paths(folder: Path) -> list[Path]:
    return [write_named_version(folder, number) for number in (STABLE, CANARY, OTHER)]


@pytest.fixture(scope="module")
def release(folder: Path, paths: list[Path]) -> Release:
    return write_release(folder, paths[STABLE], paths[CANARY], 0.25)


@pytest.fixture(scope="module")
def names(paths: list[Path]) -> list[str]:
    return [path.stem for path in paths]


@pytest.fixture(scope="module")
def settings(folder: Path, release: Release) -> Settings:
    assert release.weight == 0.25  # the release is written before the service looks
    return Settings(models_dir=folder, default_model="small")


@pytest.fixture(scope="module")
def seeds(release: Release) -> tuple[int, int]:
    """The first of the stable version's, and of the canary's."""
    return tuple(  # type: ignore[return-value]
        next(seed for seed in SEEDS if release.meant(seed) == digest) for digest in (release.stable, release.canary)
    )


def drawn_by(response: Response) -> str:
    return response.headers["faussaire-model"]


def test_of_seeds_just_those_that_the_release_says_are_the_canarys(client: TestClient, release: Release) -> None:
    drew = {seed: drawn_by(posted(client, "/v1/images", seed=seed)) for seed in SEEDS}
    assert drew == {seed: version_label("small", release.meant(seed)) for seed in SEEDS}
    assert sum(drew[seed] == version_label("small", str(release.canary)) for seed in SEEDS) == pytest.approx(50, abs=18)


def test_each_version_draws_what_it_draws_alone(
    client: TestClient, names: list[str], paths: list[Path], tmp_path: Path
) -> None:
    contents = set()
    for name, path in zip(names, paths, strict=True):
        (tmp_path / "small.onnx").write_bytes(path.read_bytes())
        with TestClient(create_app(Settings(models_dir=tmp_path))) as alone:
            expected = posted(alone, "/v1/images", seed=1, n=5).content
        answer = posted(client, "/v1/images", model=name, seed=1, n=5)
        assert (drawn_by(answer), answer.content) == (name, expected)
        contents.add(expected)
    assert len(contents) == 3


def test_the_header_decides_where_no_version_is_named(client: TestClient, names: list[str]) -> None:
    for canary, name in (("always", names[CANARY]), ("never", names[STABLE])):
        headers = {"Faussaire-Canary": canary}
        for seed in range(20):
            assert drawn_by(client.post("/v1/images", json={"seed": seed}, headers=headers)) == name
        named = client.post("/v1/images", json={"model": names[OTHER]}, headers=headers)
        assert drawn_by(named) == names[OTHER]
        alone = client.post("/v1/images", json={"model": "plain"}, headers=headers)
        assert drawn_by(alone).startswith("plain@")  # which has no canary


def test_a_header_that_says_something_else_is_refused(client: TestClient) -> None:
    status, field, detail = refused(client, "/v1/images", {}, **{"Faussaire-Canary": "often"})
    assert (status, field) == (422, "Faussaire-Canary")
    assert "'always' or 'never'" in detail


OPERATIONS: list[tuple[str, dict[str, Any], str]] = [
    ("/v1/images", {"n": 3}, "seed"),
    ("/v1/images", {"items": [{"class": "1"}, {"class": "2", "seed": 5}]}, "seed"),
    ("/v1/traversals", {"columns": {"class": "all"}}, "seed"),
    ("/v1/datasets", {"n": 10}, "seed"),
]


@pytest.mark.parametrize(("path", "body", "field"), OPERATIONS, ids=[str(body) for _, body, _ in OPERATIONS])
def test_every_operation_that_draws_goes_by_seed_header_and_version(
    client: TestClient, seeds: tuple[int, int], names: list[str], path: str, body: dict[str, Any], field: str
) -> None:
    for seed, name in zip(seeds, names, strict=False):
        answer = posted(client, path, **body, **{field: seed})
        assert drawn_by(answer) == name
        again = posted(client, path, **body, **{field: seed}, model=name)
        assert (drawn_by(again), again.content) == (name, answer.content)
    forced = client.post(path, json=body | {field: seeds[STABLE]}, headers={"Faussaire-Canary": "always"})
    assert drawn_by(forced) == names[CANARY]


def test_a_request_of_several_seeds_is_drawn_by_one_version_and_its_first_image_says_which(
    client: TestClient, seeds: tuple[int, int], names: list[str]
) -> None:
    stable, canary = seeds
    for first, second, name in ((stable, canary, names[STABLE]), (canary, stable, names[CANARY])):
        items = posted(client, "/v1/images", items=[{"seed": first}, {"seed": second}], format="zip")
        manifest, _ = unzipped(items.content)
        assert version_label(manifest["model"], manifest["digest"]) == drawn_by(items) == name
        moving = posted(client, "/v1/traversals", columns={"seed": [first, second]})
        assert drawn_by(moving) == name
        way = {"from": {"seed": first}, "to": {"seed": second}, "frames": 2}
        assert drawn_by(posted(client, "/v1/interpolations", **way)) == name


def test_items_with_seeds_of_their_own_are_the_same_bytes_again_without_a_seed_of_the_request(
    client: TestClient, seeds: tuple[int, int]
) -> None:
    body = {"items": [{"seed": seeds[CANARY]}, {"seed": seeds[STABLE]}]}
    assert len({posted(client, "/v1/images", **body).content for _ in range(12)}) == 1


def test_a_request_without_a_seed_is_drawn_again_by_the_seed_that_it_was_told(client: TestClient) -> None:
    answers = [posted(client, "/v1/images") for _ in range(40)]
    assert len({drawn_by(answer) for answer in answers}) == 2  # but for one time in 10^5
    for answer in answers:
        again = posted(client, "/v1/images", seed=int(answer.headers["faussaire-seed"]))
        assert (drawn_by(again), again.content) == (drawn_by(answer), answer.content)


def test_a_url_is_kept_for_ever_only_where_it_names_the_version(client: TestClient, names: list[str]) -> None:
    for name in names:
        digits = name.removeprefix("small@")
        plain = client.get(f"/v1/image?seed=3&model=small&version={digits}")
        within = client.get(f"/v1/image?seed=3&model={name}")
        both = client.get(f"/v1/image?seed=3&model={name}&version={digits}")
        assert plain.content == within.content == both.content
        for answer in (plain, within, both):
            assert drawn_by(answer) == name
            assert "immutable" in answer.headers["cache-control"]
            assert "vary" not in answer.headers
    unnamed = client.get("/v1/image?seed=3")
    assert unnamed.headers["cache-control"] == "public, no-cache"
    assert unnamed.headers["vary"] == "Faussaire-Canary"


def test_an_etag_is_of_one_version(client: TestClient) -> None:
    tags = set()
    for canary in ("always", "never"):
        answer = client.get("/v1/image?seed=3", headers={"Faussaire-Canary": canary})
        etag = answer.headers["etag"]
        again = client.get("/v1/image?seed=3", headers={"Faussaire-Canary": canary, "If-None-Match": etag})
        assert again.status_code == 304
        tags.add(etag)
    assert len(tags) == 2


def test_a_version_that_is_not_served_is_refused_with_those_that_are(client: TestClient, names: list[str]) -> None:
    known = [name.removeprefix("small@") for name in names]
    for asked in ("small@000000000000", "small@", f"small@{known[0][:11]}", f"small@{known[0]}x"):
        status, field, detail = refused(client, "/v1/images", {"model": asked})
        assert (status, field) == (404, "model")
        assert all(digits in detail for digits in known)
    answer = client.get(f"/v1/image?model={names[0]}&version={known[1]}")
    assert (answer.status_code, answer.json()["field"]) == (404, "version")
    assert refused(client, "/v1/images", {"model": f"gpt@{known[0]}"})[2] == "Choose one of: plain, small."


def test_models_are_listed_once_with_their_versions(client: TestClient, release: Release, paths: list[Path]) -> None:
    models = {model["card"]["name"]: model for model in client.get("/v1/models").json()["models"]}
    assert models["small"]["digest"] == release.stable
    assert models["small"]["default"]
    assert [(one["digest"][:12], one["role"], one["weight"]) for one in models["small"]["versions"]] == [
        (paths[STABLE].stem[-12:], "stable", 0.75),
        (paths[CANARY].stem[-12:], "canary", 0.25),
        (paths[OTHER].stem[-12:], "other", 0.0),
    ]
    assert [(one["role"], one["weight"]) for one in models["plain"]["versions"]] == [("stable", 1.0)]
    one = client.get(f"/v1/models/{paths[CANARY].stem}").json()
    assert (one["digest"], one["card"]["version"]) == (release.canary, str(CANARY))


def test_an_image_of_any_version_tells_its_codes(client: TestClient, names: list[str]) -> None:
    for name in names:
        image = posted(client, "/v1/images", model=name, seed=2, **{"class": "7"}).content
        for asked in ({}, {"model": "small"}, {"model": name}):
            told = client.post("/v1/codes", content=image, params=asked).json()
            assert (told["source"], version_label(told["model"], told["digest"])) == ("metadata", name)
    image = posted(client, "/v1/images", model=names[OTHER], seed=2).content
    answer = client.post("/v1/codes", content=image, params={"model": names[STABLE]})
    assert "not of this version" in answer.json()["detail"]


def test_answers_are_counted_by_role_and_outcome(client: TestClient, names: list[str]) -> None:
    def counts() -> dict[str, float]:
        families = text_string_to_metric_families(client.get("/metrics").text)
        samples = [s for f in families for s in f.samples if s.name == "faussaire_version_requests_total"]
        return {json.dumps(s.labels, sort_keys=True): s.value for s in samples}

    before = counts()
    for canary in ("always", "never", "never"):
        client.post("/v1/images", json={"seed": 1}, headers={"Faussaire-Canary": canary})
    client.post("/v1/images", json={"model": names[OTHER], "class": "eleven"})
    client.get(f"/v1/image?model={names[CANARY]}")
    after = {key: value - before.get(key, 0) for key, value in counts().items() if value != before.get(key)}
    assert after == {
        '{"model": "small", "outcome": "ok", "role": "canary"}': 2,
        '{"model": "small", "outcome": "ok", "role": "stable"}': 2,
        '{"model": "small", "outcome": "invalid", "role": "other"}': 1,
    }


def test_the_python_client_takes_versions_and_lists_them(folder: Path, release: Release, names: list[str]) -> None:
    with (
        listening(create_app(Settings(models_dir=folder, default_model="small"))) as url,
        Client(url) as client,
    ):
        for name in names:
            assert client.image(model=name, seed=1).model == name
            assert client.images(2, model=name).shape == (2, 28, 28, 1)
        drawn = client.image(seed=4)
        assert client.image(model=drawn.model, seed=4).png == drawn.png
        (small,) = [model for model in client.models() if model.card.name == "small"]
        assert {one.role: one.digest for one in small.versions if one.role != "other"} == {
            "stable": release.stable,
            "canary": release.canary,
        }
