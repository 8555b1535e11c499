"""Triton's own client, as it is: it stands in .venv/clients, so each test runs a program there."""

import io
import json
import subprocess
import zipfile
from hashlib import sha256

import httpx
import numpy as np
import pytest

from service.settings import ROOT

CLIENTS = ROOT / ".venv/clients/bin/python"

DRAW = """
import asyncio, json, sys
from hashlib import sha256

import numpy as np
import tritonclient.http
import tritonclient.http.aio
from tritonclient.http import InferInput, InferRequestedOutput
from tritonclient.utils import InferenceServerException

address = sys.argv[1].removeprefix("http://")
client = tritonclient.http.InferenceServerClient(address)
assert client.is_server_live() and client.is_server_ready() and client.is_model_ready("mnist-infogan")
assert not client.is_model_ready("none")
assert client.get_server_metadata()["name"] == "faussaire"
(version,) = client.get_model_metadata("mnist-infogan")["versions"]


def sevens(binary):
    classes = InferInput("classes", [4], "INT64")
    return classes.set_data_from_numpy(np.full(4, 7), binary_data=binary)


def digest(result):
    image = result.as_numpy("image")
    assert image.dtype == np.uint8, image.dtype
    return [list(image.shape), sha256(image.tobytes()).hexdigest()]


images = [
    digest(client.infer("mnist-infogan", [sevens(binary)], parameters={"seed": 5}, **more))
    for binary in (False, True)
    for more in ({}, {"outputs": [InferRequestedOutput("image", binary_data=False)]}, {"model_version": version})
]
images.append(digest(client.async_infer("mnist-infogan", [sevens(True)], parameters={"seed": 5}).get_result()))


async def draw():
    async with tritonclient.http.aio.InferenceServerClient(address) as client:
        assert await client.is_server_ready()
        for binary in (False, True):
            yield digest(await client.infer("mnist-infogan", [sevens(binary)], parameters={"seed": 5}))


async def draw_all():
    return [image async for image in draw()]


images += asyncio.run(draw_all())
result = client.infer("mnist-infogan", [sevens(True)], outputs=[InferRequestedOutput("png")], parameters={"seed": 5})
pngs = [sha256(png).hexdigest() for png in result.as_numpy("png")]

refused = []
wrong = ("none", [], {}), ("mnist-infogan", [], {"seed": -1}), ("mnist-cgan", [sevens(True)], {"n": 3})
for model, inputs, parameters in wrong:
    try:
        client.infer(model, inputs, parameters=parameters)
    except InferenceServerException as error:
        refused.append([error.status(), error.message().partition(":")[0]])
print(json.dumps([images, pngs, refused]))
"""


def test_it_draws_the_bytes_of_the_native_api_and_reads_refusals(url: str) -> None:
    if not CLIENTS.exists():
        pytest.skip("make .venv/clients/installed has not been run")
    said = subprocess.run([CLIENTS, "-c", DRAW, url], capture_output=True, text=True, check=False)
    assert said.returncode == 0, said.stderr
    images, pngs, refused = json.loads(said.stdout)
    body = {"model": "mnist-infogan", "class": 7, "seed": 5, "n": 4}
    native = np.load(io.BytesIO(httpx.post(f"{url}/v1/images", json=body | {"format": "npy"}).content))
    assert images == 9 * [[list(native.shape), sha256(native.tobytes()).hexdigest()]]
    archive = zipfile.ZipFile(io.BytesIO(httpx.post(f"{url}/v1/images", json=body | {"format": "zip"}).content))
    assert pngs == [sha256(archive.read(f"{place:04d}.png")).hexdigest() for place in range(4)]
    assert refused == [["404", "model"], ["422", "parameters.seed"], ["422", "parameters.n"]]
