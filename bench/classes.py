"""What a classifier of real images makes of what a running service draws: `python -m bench.classes` after `make serve`.

Asks for 1,000 images of each class of each model by its name, over HTTP, and needs the real data (FAUSSAIRE_DATA_DIR).
"""

import io
import os
from pathlib import Path

import httpx
import numpy as np
import torch
from PIL import Image

from training.commands.terminal import judged_by
from training.datasets.images import load_images
from training.measures.judge import Judge

URL = "http://127.0.0.1:3000"
COUNT = 1000
COLUMNS = 32  # of a sheet of 1,000


def main() -> None:
    folder = Path(os.environ.get("FAUSSAIRE_DATA_DIR", "data"))
    with httpx.Client(base_url=URL, timeout=60) as client:
        for model in client.get("/v1/models").raise_for_status().json()["models"]:
            card = model["card"]
            real = load_images(card["data"]["name"], folder, train=True)
            judge = judged_by(card["data"]["name"], real, folder, torch.device("cpu"))
            shares = {}
            for code in sorted(code["name"] for code in card["space"]["classes"]):
                labels = judge.labels(drawn(client, card["name"], code))
                shares[code] = (labels == judge.classes.index(code)).float().mean().item()
            report(card["name"], shares, judge)


def drawn(client: httpx.Client, model: str, name: str) -> torch.Tensor:
    """uint8 (1000, 1, H, W), cut from the sheet."""
    body = {"model": model, "class": name, "seed": 2026, "n": COUNT}
    answer = client.post("/v1/images", json=body).raise_for_status()
    sheet = np.asarray(Image.open(io.BytesIO(answer.content)))
    side = sheet.shape[1] // COLUMNS
    tiles = sheet.reshape(-1, side, COLUMNS, side).swapaxes(1, 2).reshape(-1, 1, side, side)
    return torch.from_numpy(tiles[:COUNT].copy())


def report(model: str, shares: dict[str, float], judge: Judge) -> None:
    print(f"{model}: share of {COUNT} images of each class that the classifier calls by its name")
    for name, share in shares.items():
        print(f"  {name:<12}{share:7.1%}")
    print(f"  {'mean':<12}{sum(shares.values()) / len(shares):7.1%}")
    print(f"  {judge.protocol()}")


if __name__ == "__main__":
    main()
