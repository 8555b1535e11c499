"""How often the judge agrees with the class that was asked for: `python -m bench.classes`, beside `make serve`.

It asks the running service for 1,000 images of each class of each model by name. It needs the real data
(FAUSSAIRE_DATA_DIR).
"""

import io
import os
from pathlib import Path

import httpx
import numpy as np
import torch
from PIL import Image

from training.commands.terminal import Terminal
from training.measures.judge import Judge
from training.workspace import CPU, Workspace

URL = "http://127.0.0.1:3000"
COUNT = 1000
COLUMNS = 32  # the sheet of 1,000 images has so many


def main() -> None:
    folder = Path(os.environ.get("FAUSSAIRE_DATA_DIR", "data"))
    workspace = Workspace(folder, CPU, Terminal())
    with httpx.Client(base_url=URL, timeout=60) as client:
        for model in client.get("/v1/models").raise_for_status().json()["models"]:
            card = model["card"]
            judge = workspace.load_or_train_judge(card["data"]["name"])
            shares = {}
            for code in sorted(code["name"] for code in card["space"]["classes"]):
                labels = judge.labels(draw(client, card["name"], code))
                shares[code] = (labels == judge.classes.index(code)).float().mean().item()
            report(card["name"], shares, judge)


def draw(client: httpx.Client, model: str, name: str) -> torch.Tensor:
    """Images cut from a sheet: uint8 (1000, 1, H, W)."""
    body = {"model": model, "class": name, "seed": 2026, "n": COUNT}
    answer = client.post("/v1/images", json=body).raise_for_status()
    sheet = np.asarray(Image.open(io.BytesIO(answer.content)))
    side = sheet.shape[1] // COLUMNS
    tiles = sheet.reshape(-1, side, COLUMNS, side).swapaxes(1, 2).reshape(-1, 1, side, side)
    return torch.from_numpy(tiles[:COUNT].copy())


def report(model: str, shares: dict[str, float], judge: Judge) -> None:
    print(f"{model}: share of {COUNT} images of each class that the judge gives its name")
    for name, share in shares.items():
        print(f"  {name:<12}{share:7.1%}")
    print(f"  {'mean':<12}{sum(shares.values()) / len(shares):7.1%}")
    print(f"  {judge.protocol()}")


if __name__ == "__main__":
    main()
