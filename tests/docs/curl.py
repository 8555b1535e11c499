"""The curl commands of a page, and what the service answers to each."""

import io
import re
import shlex
from argparse import ArgumentParser, Namespace
from collections.abc import Iterator
from urllib.parse import urlsplit

from httpx import Response
from PIL import Image
from starlette.testclient import TestClient

from tests.docs import markdown


def curl(line: str) -> Namespace:
    """Parse a command; `status` and `kind` are what the comment at its end promises, 200 and None without one."""
    parser = ArgumentParser("curl")
    parser.add_argument("url")
    parser.add_argument("-s", action="store_true", required=True)
    parser.add_argument("-H", dest="headers", action="append", default=[])
    parser.add_argument("-d", "--data-binary", dest="data")
    parser.add_argument("-o", dest="file")
    words = shlex.split(line, comments=True)[1:]
    command = parser.parse_args(words[: words.index("|")] if "|" in words else words)
    promise = re.search(r" # (\d{3}) (\S+)$", line)
    command.status, command.kind = (int(promise[1]), promise[2]) if promise else (200, None)
    return command


def commands(page: str) -> list[Namespace]:
    """Parse the commands of a page, in order."""
    blocks = markdown.code(markdown.page(page), "sh")
    lines = [line for block in blocks for line in block.replace("\\\n", "").splitlines()]
    return [curl(line) for line in lines if line.startswith("curl ")]


def photo() -> bytes:
    """A dark stroke on bright paper."""
    paper = Image.new("L", (300, 200), 230)
    paper.paste(30, (140, 40, 160, 160))
    buffer = io.BytesIO()
    paper.save(buffer, "JPEG")
    return buffer.getvalue()


def send(client: TestClient, command: Namespace, files: dict[str, bytes]) -> Response:
    """Send what curl would send; `files` are the files of the folder that it runs in."""
    url = urlsplit(command.url)
    assert url.netloc == "127.0.0.1:3000"
    path = url._replace(scheme="", netloc="").geturl()
    headers = dict(header.split(": ", 1) for header in command.headers)
    if command.data is None:
        response: Response = client.get(path, headers=headers)
    else:
        content = files[command.data[1:]] if command.data.startswith("@") else command.data.encode()
        form = {"Content-Type": "application/x-www-form-urlencoded"}  # as curl says of any body
        response = client.post(path, content=content, headers=form | headers)
    return response


def answers(client: TestClient, page: str) -> Iterator[tuple[Namespace, Response]]:
    """Run the commands of a page, one after the other in one folder."""
    files = {"photo.jpg": photo()}
    for command in commands(page):
        answer = send(client, command, files)
        if command.file:
            files[command.file] = answer.content
        yield command, answer
