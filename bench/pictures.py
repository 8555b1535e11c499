"""The README's pictures, asked of a running service: `python -m bench.pictures` after `make serve`."""

import io
from pathlib import Path

import httpx
import numpy as np
from PIL import Image

URL = "http://127.0.0.1:3000"
FOLDER = Path("docs/pictures")
SEED = 7
COLUMNS = 16

ANGLES = {
    "seed": 3,
    "style": {"thickness": 0},
    "rows": {"class": ["2", "4", "7"]},
    "columns": {"style": "slant", "steps": 13},
    "scale": 2,
}
"""The same digits under different angles."""


def main() -> None:
    FOLDER.mkdir(parents=True, exist_ok=True)
    with httpx.Client(base_url=URL, timeout=60) as client:
        for model in client.get("/v1/models").raise_for_status().json()["models"]:
            names = sorted(code["name"] for code in model["card"]["space"]["classes"])
            save(f"{model['card']['name']}.png", [row(client, model["card"]["name"], name) for name in names])
        seven = client.post("/v1/images", json={"class": "7", "seed": 1, "n": 16}).raise_for_status()
        (FOLDER / "seven.png").write_bytes(seven.content)
        angles = client.post("/v1/traversals", json=ANGLES).raise_for_status()
        (FOLDER / "angles.png").write_bytes(angles.content)


def row(client: httpx.Client, model: str, name: str) -> np.ndarray:
    """Images of one class side by side, each with noise and styles of its own."""
    images = []
    for index in range(COLUMNS):
        body = {"model": model, "class": name, "seed": SEED, "index": index}
        answer = client.post("/v1/images", json=body).raise_for_status()
        images.append(np.asarray(Image.open(io.BytesIO(answer.content))))
    return np.hstack(images)


def save(name: str, rows: list[np.ndarray]) -> None:
    picture = Image.fromarray(np.vstack(rows))
    picture.resize((picture.width * 2, picture.height * 2), Image.Resampling.NEAREST).save(FOLDER / name, optimize=True)


if __name__ == "__main__":
    main()
