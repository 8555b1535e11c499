"""What exact arithmetic costs: `python -m bench.rounding OLDER.onnx NEWER.onnx`, the same generator before and after.

Before, every inference had sixteen rows, so a lone image paid for sixteen.
"""

import sys
import time
from pathlib import Path

import numpy as np
import onnxruntime as ort
from numpy.typing import NDArray

from latent import draw_codes
from training.export.model import Model

ROWS = 16
RUNS = 100
ROUNDS = 15


def main() -> None:
    older, newer = map(Path, sys.argv[1:])
    space = Model(newer).card.space
    codes = {rows: draw_codes(space, 1, 0, rows).inputs() for rows in (1, ROWS)}
    before, after = map(open_session, (older, newer))
    sixteen, now_sixteen, alone = measure((before, codes[ROWS]), (after, codes[ROWS]), (after, codes[1]))
    print(
        f"{newer.stem}: {ROWS} rows {sixteen:.0f} us of CPU before, {now_sixteen:.0f} us now, "
        f"{now_sixteen / sixteen:.2f} times it; "
        f"one image alone {sixteen:.0f} us before, {alone:.0f} us now, {alone / sixteen:.2f} of it"
    )


def open_session(path: Path) -> ort.InferenceSession:
    options = ort.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    return ort.InferenceSession(path, options, providers=["CPUExecutionProvider"])


def measure(*ways: tuple[ort.InferenceSession, dict[str, NDArray[np.float32]]]) -> list[float]:
    """Microseconds of one core an inference: of each way the least of some rounds, in turn."""
    least = [float("inf")] * len(ways)
    for _ in range(ROUNDS):
        for place, (session, inputs) in enumerate(ways):
            started = time.process_time()
            for _ in range(RUNS):
                session.run(["image"], inputs)
            least[place] = min(least[place], (time.process_time() - started) / RUNS * 1e6)
    return least


if __name__ == "__main__":
    main()
